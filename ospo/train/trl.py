"""OSPO in TRL: GRPOTrainer with token advantages."""

from __future__ import annotations

import time
from typing import Any

import torch
from trl import GRPOTrainer

from ospo.advantage import OUTSIDE, Credits, Shaping, token_advantages
from ospo.credit import token_credit
from ospo.errors import InputError
from ospo.train.config import OSPOConfig
from ospo.train.reward import RetrievalReward


class OSPOTrainer(GRPOTrainer):
    """GRPO whose advantages follow the credit of the segments that tokens belong to.

    Takes the arguments of :class:`trl.GRPOTrainer`. It overrides one method and replaces one
    entry of what that returns: ``advantages``, ``(B,)`` becomes ``(B, T)``, which every TRL loss
    accepts. Credit is computed for this process's rows only; nothing is communicated.

    Parameters
    ----------
    model, train_dataset, processing_class, ...
        As in TRL. The data set has the columns ``prompt`` and ``query_id``.
    reward_funcs : RetrievalReward
        The reward, which also values coalitions of segments.
    args : OSPOConfig
    """

    _name = "OSPO"

    def __init__(
        self, model: Any, reward_funcs: RetrievalReward, args: OSPOConfig, **kwargs: Any
    ) -> None:
        if not isinstance(reward_funcs, RetrievalReward):
            raise InputError(
                f"reward_funcs must be one RetrievalReward, got {type(reward_funcs).__name__}; "
                "other rewards cannot say what a segment contributed"
            )
        for feature in ("tools", "rollout_func", "environment_factory"):
            if kwargs.get(feature):
                raise InputError(f"{feature} is set, and OSPO credits single-turn text only")
        super().__init__(model=model, reward_funcs=reward_funcs, args=args, **kwargs)
        self.reward = reward_funcs
        self.shaping = Shaping(args.rule)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        began = time.perf_counter()
        asked, searched = self.reward.asked, self.reward.searched
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if not self.model.training:
            return output
        scored = time.perf_counter()
        credits = self._token_credits(inputs, output)
        spread = token_advantages(
            output["advantages"], credits, output["completion_mask"], self.shaping
        )
        output["advantages"] = spread.values
        done = time.perf_counter()
        asked, searched = self.reward.asked - asked, self.reward.searched - searched
        metrics = self._metrics["train"]
        metrics["credit/rows"].append(credits.assigned.any(dim=1).float().mean().item())
        metrics["credit/degenerate"].append(spread.degenerate.float().mean().item())
        metrics["game/asked"].append(float(asked))
        metrics["game/searches"].append(float(searched))
        metrics["time/credit_share_of_generation"].append((done - scored) / (done - began))
        return output

    def _token_credits(self, inputs: list[dict[str, Any]], output: dict[str, Any]) -> Credits:
        """Return the credit of each token of the rows that the rule reads credit of.

        Every token is a segment of its own here: mean-preserving rules are means over tokens, so
        those of a segment, which have the same credit, get the same.
        """
        ids, mask = output["completion_ids"], output["completion_mask"].bool()
        credits = torch.zeros(ids.shape, dtype=torch.float64)
        credited = torch.zeros(ids.shape, dtype=torch.bool)
        for row in self.shaping.needs_credit(output["advantages"]).nonzero()[:, 0].tolist():
            written = ids[row][mask[row]].tolist()
            if not self.reward.finished(written):
                continue
            credit = token_credit(
                self.processing_class,
                written,
                self.reward.judge(inputs[row]["query_id"]),
                self.args.credit,
            )
            credits[row, mask[row].cpu()] = torch.from_numpy(credit.values)
            credited[row, mask[row].cpu()] = torch.from_numpy(credit.credited)
        dtype = output["advantages"].dtype
        credited = credited.to(ids.device)
        own = torch.where(credited, torch.arange(ids.shape[1], device=ids.device), OUTSIDE)
        return Credits(credits.to(ids.device, dtype), credited, own)

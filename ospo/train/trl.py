"""OSPO in TRL: GRPOTrainer with token advantages."""

from __future__ import annotations

import time
from typing import Any

import torch
from trl import GRPOTrainer

from ospo.advantage import OUTSIDE, Credits, Shaping, token_advantages
from ospo.credit import token_credits
from ospo.errors import InputError
from ospo.train.config import OSPOConfig
from ospo.train.reward import TrainingReward


class OSPOTrainer(GRPOTrainer):
    """GRPO whose advantages follow the credit of the segments that tokens belong to.

    Takes the arguments of :class:`trl.GRPOTrainer`. It overrides one method and replaces one
    entry of what that returns: ``advantages``, ``(B,)`` becomes ``(B, T)``, which every TRL loss
    accepts. Credit is computed for this process's rows only; nothing is communicated.

    Parameters
    ----------
    model, train_dataset, processing_class, ...
        As in TRL. The data set has a ``prompt`` and the columns that the reward needs.
    reward_funcs : TrainingReward
        The reward, which also values coalitions of segments:
        :class:`ospo.train.RetrievalReward`, or any reward as a
        :class:`ospo.train.CompletionReward`.
    args : OSPOConfig
    """

    _name = "OSPO"

    def __init__(
        self, model: Any, reward_funcs: TrainingReward, args: OSPOConfig, **kwargs: Any
    ) -> None:
        if not isinstance(reward_funcs, TrainingReward):
            raise InputError(
                f"reward_funcs must be one TrainingReward, got {type(reward_funcs).__name__}; "
                "other functions cannot say what a segment contributed"
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
        shaped = self.shaping.needs_credit(output["advantages"]).nonzero()[:, 0].tolist()
        written = {row: ids[row][mask[row]].tolist() for row in shaped}
        rows = [row for row in shaped if self.reward.finished(written[row])]
        found = token_credits(
            self.processing_class,
            [written[row] for row in rows],
            [inputs[row] for row in rows],
            self.reward.reward,
            self.args.credit,
            self.reward.segmenter,
        )
        for row, credit in zip(rows, found, strict=True):
            credits[row, mask[row].cpu()] = torch.from_numpy(credit.values)
            credited[row, mask[row].cpu()] = torch.from_numpy(credit.credited)
        unattributed = sum(abs(credit.unattributed) for credit in found) / max(len(found), 1)
        self._metrics["train"]["credit/unattributed"].append(unattributed)
        dtype = output["advantages"].dtype
        credited = credited.to(ids.device)
        own = torch.where(credited, torch.arange(ids.shape[1], device=ids.device), OUTSIDE)
        return Credits(credits.to(ids.device, dtype), credited, own)

"""OSPO in TRL: GRPOTrainer with token advantages."""

from __future__ import annotations

import math
import time
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor
from trl import GRPOTrainer

from ospo.advantage import BASELINES, token_advantages, traced
from ospo.advantage.paper import paper_advantages
from ospo.credit import TokenCredit, credit_together
from ospo.errors import InputError
from ospo.text.align import AlignmentError
from ospo.train.config import OSPOConfig
from ospo.train.information_gain import information_gains
from ospo.train.metrics import credit_metrics, in_words
from ospo.train.pruning import prune
from ospo.train.reward import TrainingReward
from ospo.train.rows import Completion, endings, is_cut, rewards, stacked, written
from ospo.train.turns import TurnReward, with_turns
from ospo.train.weight import CreditWeight


class OSPOTrainer(GRPOTrainer):
    """GRPO whose advantages follow the credit of the segments that tokens belong to.

    Takes the arguments of :class:`trl.GRPOTrainer`. One entry of what a round of rollouts returns
    becomes another: ``advantages``, ``(B,)`` is ``(B, T)``, which every TRL loss accepts. With
    ``prune``, some of what was generated is replaced before TRL reads it. Credit is computed for
    this process's rows only; nothing is communicated but the ``credit`` column of the completions
    table, and metrics are of the main process's rows.

    Parameters
    ----------
    model, train_dataset, processing_class, ...
        As in TRL. The data set has a ``prompt`` and the columns that the reward needs.
    reward_funcs : TrainingReward
        The reward, which also values coalitions of segments:
        :class:`ospo.train.RetrievalReward`, any reward of texts as a
        :class:`ospo.train.CompletionReward`, or one of conversations, whose segments are turns, as
        a :class:`ospo.train.TurnReward`.
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
        if isinstance(reward_funcs, TurnReward):
            if kwargs.get("rollout_func") is not None:
                kwargs["rollout_func"] = with_turns(kwargs["rollout_func"])
        elif args.gains_information:
            raise InputError(
                f"credit is {args.credit!r}, which turns have, and {type(reward_funcs).__name__} "
                "cuts texts: give ospo.train.TurnReward, or choose another credit"
            )
        if args.prune and (isinstance(reward_funcs, TurnReward) or _acts(kwargs)):
            raise InputError(
                "prune is on, and what tools, environments and rollout functions answered to a "
                "completion is no answer to a part of it: drop prune, or train on texts alone"
            )
        super().__init__(model=model, reward_funcs=reward_funcs, args=args, **kwargs)
        sharded = getattr(args.deepspeed_plugin, "zero_stage", 0) == 3 or self.is_fsdp_enabled
        if args.gains_information and sharded:
            raise InputError(
                f"credit is {args.credit!r}, which takes as many forward passes as there are turns "
                "in a process, and with parameters in shards all must take equally many: train "
                "without FSDP and ZeRO-3, or choose another credit"
            )
        self.reward = reward_funcs
        self.weight = CreditWeight(args)
        self.add_callback(self.weight)
        self._endings = endings(self.model.generation_config, self.processing_class)
        self._inputs: list[dict[str, Any]] = []  # the rows that are being answered
        self._last_round: tuple[float, float] | None = None  # when it began, what credit took

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        began = time.perf_counter()
        asked, searched = self.reward.asked, self.reward.searched
        self._inputs = inputs
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        credits: dict[int, TokenCredit] = {}
        if self.model.training:
            scored = time.perf_counter()
            output["advantages"], credits = self._token_advantages(inputs, output)
            asked, searched = self.reward.asked - asked, self.reward.searched - searched
            self._log("game/searches", searched)
            self._log("game/cache_hit_rate", 1 - searched / asked if asked else math.nan)
            if self._last_round is not None:  # the steps after a round belong to it
                last, took = self._last_round
                self._log("time/credit_share", took / (began - last))
            self._last_round = began, time.perf_counter() - scored
        if self.log_completions:
            column = [in_words(credits.get(row)) for row in range(len(inputs))]
            self._logs["extra"]["credit"].extend(gather_object(column))
        return output

    def _generate_single_turn(
        self, *args: Any, **kwargs: Any
    ) -> tuple[list[list[int]], list[list[float]] | None]:
        ids, log_probabilities = super()._generate_single_turn(*args, **kwargs)
        if not (self.args.prune and self.model.training):
            return ids, log_probabilities
        pruned = prune(ids, self._inputs, self.reward, self.processing_class, self.args)
        self._log("prune/replaced", pruned.replaced.mean())
        self._log("prune/reward_written", pruned.rewards.mean())
        return pruned.ids, None

    def _token_advantages(
        self, inputs: list[dict[str, Any]], output: dict[str, Any]
    ) -> tuple[Tensor, dict[int, TokenCredit]]:
        """Return the advantages of tokens, ``(B, T)``, and the credits that they follow, by row."""
        args: OSPOConfig = self.args
        mask = output["completion_mask"] * output.get("tool_mask", 1)
        rows = written(output["completion_ids"], output["completion_mask"], mask)
        groups = torch.arange(len(rows), device=mask.device) // self.num_generations
        advantages = BASELINES[args.baseline](output["advantages"], mask.sum(dim=1), groups)
        if args.grpo_lambda is not None:
            return traced(advantages, mask, args.grpo_lambda), {}
        cut = [is_cut(row, self._endings) for row in rows]
        truncated = torch.tensor(cut, device=mask.device)
        shaping = self.weight.shaping(self.state.global_step, self.state.max_steps)
        reads = advantages != 0 if args.paper else self.weight.reads(shaping, advantages, truncated)
        credits = self._credits(inputs, output, rows, reads)
        table = stacked(credits, mask.to(advantages.dtype), {"values", *args.askers})
        self._log("credit/rows", table.assigned.any(dim=1).float().mean().item())
        if args.paper:
            spread = paper_advantages(
                advantages,
                rewards(credits, advantages),
                table,
                mask,
                mode=args.paper_mode,
                clip=args.paper_clip,
                faults=args.faults,
            )
            return spread, credits
        shaped = token_advantages(
            advantages, table, mask, shaping, groups=groups, truncated=truncated
        )
        self._log("credit/degenerate", shaped.degenerate.float().mean().item())
        self.weight.learn(advantages, table, groups, self.accelerator.reduce)
        return shaped.values, credits

    def _credits(
        self,
        inputs: list[dict[str, Any]],
        output: dict[str, Any],
        rows: list[Completion],
        reads: Tensor,
    ) -> dict[int, TokenCredit]:
        """Return the credits of the rows that they are read of, and which tokens are whose."""
        args: OSPOConfig = self.args
        asks = [row for row, wanted in enumerate(reads.tolist()) if wanted]
        completions = {}
        for row in range(len(rows)) if args.shaping.tells_kinds else asks:
            try:
                completions[row] = self.reward.read(self.processing_class, *rows[row])
            except AlignmentError:
                if args.on_misaligned == "raise":
                    raise
        self._log("credit/misaligned", sum(row not in completions for row in asks) / len(rows))
        asks = [row for row in asks if row in completions and self.reward.finished(rows[row].ids)]
        first = self.accelerator.process_index * len(rows)
        asked = [completions[row] for row in asks]
        columns = [self._columns(inputs, row) for row in asks]
        known = None
        if args.gains_information:
            prompts, present = output["prompt_ids"], output["prompt_mask"].bool()
            before = [prompts[row][present[row]].tolist() for row in asks]
            known = information_gains(self, before, [rows[row] for row in asks], asked, columns)
        found = credit_together(
            asked,
            columns,
            self.reward.reward,
            args.askers,
            seeds=[(args.seed, self.state.global_step, first + row) for row in asks],
            placebo=args.placebo,
            known=known,
        )
        for name, value in credit_metrics(found).items():
            self._log(f"credit/{name}", value)
        self._log("game/evaluations", sum(credit.evaluations for credit in found))
        plain = {row: TokenCredit(completion) for row, completion in completions.items()}
        return plain | dict(zip(asks, found, strict=True))

    def _columns(self, inputs: list[dict[str, Any]], row: int) -> dict[str, Any]:
        """Return what the reward was told of a row."""
        if self.environments is None:
            return inputs[row]
        return {**inputs[row], "environments": self.environments[row]}

    def _log(self, name: str, value: float) -> None:
        if not math.isnan(value):
            self._metrics["train"][name].append(float(value))


def _acts(settings: dict[str, Any]) -> bool:
    """Return whether a completion is more than what the model writes after a prompt."""
    names = "tools", "environment_factory", "rollout_func"
    return any(settings.get(name) for name in names)

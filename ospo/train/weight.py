"""The weight of credit in a linear rule, as it changes while a policy trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ospo.advantage import Credits, PrefixFit, Shaping, annealed
from ospo.train.config import OSPOConfig

KEPT = "ospo.train.weight"  # the entry of a checkpoint's trainer_state.json


class CreditWeight(TrainerCallback):
    """Says how credit shapes the advantages of the batch at hand.

    The weight of ``additive`` falls to 0 at the last step. That of ``prefix`` is fitted to the
    batches before, unless it is given. As a callback of the trainer, it keeps the fit in
    ``trainer_state.json`` of every checkpoint, and takes it up again where training resumes.

    Parameters
    ----------
    args : OSPOConfig
    """

    def __init__(self, args: OSPOConfig) -> None:
        self.base = args.shaping
        self.fit = PrefixFit() if args.fits_weight else None

    def shaping(self, step: int, steps: int) -> Shaping:
        """Return how credit shapes the advantages of a batch before a step."""
        if self.fit is not None:
            return replace(self.base, weight=self.fit.weight)
        if self.base.rule == "additive":
            weight = annealed(self.base.settings.weight, step, max(steps, 1))
            return replace(self.base, weight=weight)
        return self.base

    def reads(self, shaping: Shaping, advantages: Tensor, truncated: Tensor) -> Tensor:
        """Return of which completions credit is read, ``(B,) bool``: a fit reads every one."""
        asking = shaping if self.fit is None else self.base
        return asking.needs_credit(advantages, truncated)

    def learn(
        self,
        advantages: Tensor,
        credits: Credits,
        groups: Tensor,
        reduce: Callable[[Tensor], Tensor],
    ) -> None:
        """Fit to a batch that was shaped already: fitted on itself, the rule would be biased.

        ``reduce`` adds up a tensor over all processes, which the ranks do together or not at all.
        """
        if self.fit is not None:
            self.fit = self.fit.updated(advantages, credits, groups, reduce=reduce)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Keep the fit where the next checkpoint takes it from."""
        if self.fit is not None:
            state.stateful_callbacks[KEPT] = asdict(self.fit)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Take up the fit of the checkpoint that training resumes from."""
        if self.fit is not None and KEPT in state.stateful_callbacks:
            self.fit = PrefixFit(**state.stateful_callbacks[KEPT])

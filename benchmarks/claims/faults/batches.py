"""Batches of completions as a training begins with them, and the advantages that faults make."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from benchmarks.claims.learning.loop import Rollouts, log_probabilities, write
from benchmarks.claims.learning.task import Task
from ospo.advantage import OUTSIDE, Credits
from ospo.advantage.paper import CORRECTED, PaperFaults, paper_advantages, window_asker
from ospo.credit import TokenCredit, credit_together, read
from ospo.game import Asker, asker
from ospo.train.policy.policy import Policy
from ospo.train.reward import RetrievalReward
from ospo.train.rows import stacked

BATCHES, PROMPTS, GROUP, SEED = 24, 6, 8, 8
WIDTH, BUDGET = 8, 96  # what the paper recommends
TIGHT = 8  # coalitions: too few for all windows of four phrases
REASONING = 32  # tokens

FAULTS = {field.name: replace(CORRECTED, **{field.name: True}) for field in fields(PaperFaults)} | {
    "published": PaperFaults.published()
}


@dataclass(frozen=True)
class Setting:
    """A way to spread advantages, and the faults that have anything to do in it.

    Attributes
    ----------
    mode : {"prop", "rank", "hybrid"}
    clip : bool
    budget : int
        Of coalitions.
    reasoning : int
        Tokens before the completion that do not reach the retriever.
    faults : tuple of str
    """

    mode: Any = "prop"
    clip: bool = False
    budget: int = BUDGET
    reasoning: int = 0
    faults: tuple[str, ...] = ()

    def advantages(self, batch: Batch, faults: PaperFaults = CORRECTED) -> Tensor:
        """Return the advantages of the tokens of a batch, ``(B, reasoning + T)``."""
        table = stacked(batch.credits(self.budget, faults), batch.mask.double(), {"values"})
        before = torch.full((len(batch.mask), self.reasoning), OUTSIDE)
        owners = torch.cat([before, table.owners], dim=1)
        return paper_advantages(
            batch.advantages,
            batch.rewards,
            Credits(table.values, table.assigned, owners),
            self.mask(batch),
            mode=self.mode,
            clip=self.clip,
            faults=faults,
        )

    def mask(self, batch: Batch) -> Tensor:
        """Return which tokens there are, ``(B, reasoning + T)``."""
        before = torch.ones(len(batch.mask), self.reasoning, dtype=batch.mask.dtype)
        return torch.cat([before, batch.mask], dim=1)


_OTHERS = {"inverted_rank", "padded_rank", "weak_hybrid", "clamped"}
_ALWAYS = tuple(name for name in FAULTS if name not in _OTHERS)
SETTINGS = {
    "prop": Setting(faults=_ALWAYS),
    "prop, M=8": Setting(budget=TIGHT, faults=("shuffled_truncation",)),
    "prop, clipped": Setting(clip=True, faults=("clamped", "published")),
    "prop, behind reasoning": Setting(reasoning=REASONING, faults=_ALWAYS),
    "prop, behind reasoning, clipped": Setting(
        clip=True, reasoning=REASONING, faults=("clamped", "published")
    ),
    "rank": Setting("rank", faults=(*_ALWAYS, "inverted_rank", "padded_rank")),
    "hybrid": Setting("hybrid", faults=(*_ALWAYS, "weak_hybrid")),
}


class Batch:
    """Completions of some prompts, their rewards and sequence advantages, and their credits.

    Parameters
    ----------
    policy : Policy
        What wrote them.
    reward : RetrievalReward
    rollouts : Rollouts
    rows : list of dict
        The row of each completion.
    number : int
        From which the draws of its credits follow.
    """

    def __init__(
        self,
        policy: Policy,
        reward: RetrievalReward,
        rollouts: Rollouts,
        rows: list[dict[str, Any]],
        number: int,
    ) -> None:
        ids = rollouts.written
        texts = policy.tokenizer.batch_decode(ids, skip_special_tokens=True)
        self.rewards = torch.tensor(reward.values(texts, rows, ids), dtype=torch.float64)
        groups = self.rewards.view(-1, rollouts.group)
        centred = groups - groups.mean(dim=1, keepdim=True)
        self.advantages = (centred / (groups.std(dim=1, keepdim=True) + 1e-4)).flatten()
        self.mask = rollouts.mask
        finished = [row for row, its in enumerate(ids) if reward.finished(its)]
        self.written = {row: read(policy.tokenizer, ids[row]) for row in finished}
        self._rows, self._reward, self._number = rows, reward.reward, number

    def credits(self, budget: int, faults: PaperFaults = CORRECTED) -> dict[int, TokenCredit]:
        """Return by row the published credit of the completions that ended by themselves."""
        return self._asked(window_asker(WIDTH, budget, faults))

    def shapley(self) -> dict[int, TokenCredit]:
        """Return by row the exact Shapley values."""
        return self._asked(asker("shapley"))

    def _asked(self, ask: Asker) -> dict[int, TokenCredit]:
        found = credit_together(
            [*self.written.values()],
            [self._rows[row] for row in self.written],
            self._reward,
            {"values": ask},
            seeds=[(SEED, self._number, row) for row in self.written],
        )
        return dict(zip(self.written, found, strict=True))


class Updates:
    """The gradients that advantages make of a policy, one backward pass each."""

    def __init__(self, policy: Policy, rollouts: Rollouts) -> None:
        self._weights = [*policy.model.parameters()]
        self._mask = rollouts.mask.bool()
        self._probabilities = log_probabilities(policy.model, rollouts)

    def __call__(self, advantages: Tensor) -> Tensor:
        """Return the gradient of the log-probabilities, weighted by advantages, ``(B, T)``."""
        weights = advantages[self._mask].to(self._probabilities.dtype)
        parts = torch.autograd.grad(
            self._probabilities, self._weights, weights, retain_graph=True, materialize_grads=True
        )
        return torch.cat([part.flatten() for part in parts]).double()


def batches(task: Task) -> Iterator[tuple[Batch, Updates]]:
    """Yield what the warm-started policy writes before any training, and how that updates it."""
    policy = task.policy(0)
    end = policy.tokenizer.eos_token_id
    reward = RetrievalReward(task.collection, task.retriever, task.metric, end=end)
    contexts = task.training(BATCHES * PROMPTS, SEED)
    draws = torch.Generator().manual_seed(SEED)
    for number in range(BATCHES):
        its = contexts[number * PROMPTS : (number + 1) * PROMPTS]
        prompts = policy.tokenizer([policy.prompt(context.text) for context in its]).input_ids
        rollouts = write(policy.model, prompts, GROUP, draws)
        rows = [{"query_id": context.query_id} for context in its for _ in range(GROUP)]
        yield Batch(policy, reward, rollouts, rows, number), Updates(policy, rollouts)

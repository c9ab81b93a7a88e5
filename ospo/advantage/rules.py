"""Rules: what each makes of credit, and of which completions it reads any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from ospo.advantage import linear, weights
from ospo.advantage.credits import Credits
from ospo.named import Named

Kind: TypeAlias = Literal["mean-preserving", "linear"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the rules may depend on besides advantages and credits."""

    weight: float
    trace: float
    temperature: float
    cap: float | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a rule sees: ``(B,)`` advantages and groups, credits, and the segments' lengths."""

    advantages: Tensor
    credits: Credits
    lengths: Tensor
    groups: Tensor


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to spread a sequence advantage over segments.

    Attributes
    ----------
    name, meaning, reference : str
        What it is called, what a segment gets, and where it comes from.
    kind : {"mean-preserving", "linear"}
        Whether it multiplies A by weights of mean 1 or adds credit to A. No rule that multiplies
        A preserves the optimal policy in general.
    needs : tuple of str
        What it reads of :class:`Credits`.
    reads : callable
        Of which completions it reads credit, by their advantages; the others need no search.
    apply : callable
        The advantages of the segments, ``(B, K)``, and of which completions there are any.
    weight : float or None
        The usual weight of credit in a linear rule; None where it must be given.
    compares : bool
        Whether it compares a completion's credit with that of the group's others.
    """

    name: str
    meaning: str
    reference: str
    kind: Kind
    needs: tuple[str, ...]
    reads: Callable[[Tensor], Tensor]
    apply: Callable[[Batch, Settings], tuple[Tensor, Tensor]]
    weight: float | None = None
    compares: bool = False


def _none(advantages: Tensor) -> Tensor:
    return torch.zeros_like(advantages, dtype=torch.bool)


def _every(advantages: Tensor) -> Tensor:
    return torch.ones_like(advantages, dtype=torch.bool)


def _nonzero(advantages: Tensor) -> Tensor:
    return advantages != 0


def _positive(advantages: Tensor) -> Tensor:
    return advantages > 0


def _uniform(batch: Batch, _: Settings) -> tuple[Tensor, Tensor]:
    return batch.advantages[:, None].expand_as(batch.lengths), _none(batch.advantages)


def _multiplied(
    place: Callable[[Tensor, Tensor, Tensor, Settings], Tensor], *, signed: bool = False
) -> Callable[[Batch, Settings], tuple[Tensor, Tensor]]:
    """Multiply A by weights of mean 1 that follow credit; ``signed``: where A < 0, reversed."""

    def apply(batch: Batch, settings: Settings) -> tuple[Tensor, Tensor]:
        sign = batch.advantages.sign() if signed else torch.ones_like(batch.advantages)
        credit = batch.credits.values * sign[:, None]
        live = batch.credits.assigned & (batch.lengths > 0)
        lengths = torch.where(live, batch.lengths, 0.0)
        placed = place(credit, live, lengths, settings)
        factors = weights.mean_one(torch.where(live, weights.FLOOR + placed, 0.0), lengths)
        if settings.cap is not None:
            factors = weights.capped(factors, lengths, settings.cap)
        return batch.advantages[:, None] * factors, weights.informative(credit, live)

    return apply


def _min_max(credit: Tensor, live: Tensor, _: Tensor, __: Settings) -> Tensor:
    return weights.min_max(credit, live)


def _ranks(credit: Tensor, live: Tensor, _: Tensor, __: Settings) -> Tensor:
    return weights.dense_ranks(credit, live)


def _softmax(credit: Tensor, live: Tensor, lengths: Tensor, settings: Settings) -> Tensor:
    return weights.softmax(credit, live, lengths, settings.temperature)


def _additive(batch: Batch, settings: Settings) -> tuple[Tensor, Tensor]:
    shaped = linear.additive(batch.advantages, batch.credits, settings.weight)
    return shaped, batch.credits.assigned.any(dim=1)


def _anchored(batch: Batch, settings: Settings) -> tuple[Tensor, Tensor]:
    shaped, known = linear.anchored(batch.advantages, batch.credits, batch.groups, settings.weight)
    return shaped, known & batch.credits.assigned.any(dim=1)


def _prefix(batch: Batch, settings: Settings) -> tuple[Tensor, Tensor]:
    shaped = linear.prefix(
        batch.advantages, batch.credits, batch.groups, settings.weight, settings.trace
    )
    return shaped, batch.credits.assigned.any(dim=1)


PAPER = "OSPO (arXiv 2601.08403)"
OURS = "this project; see the theory pages"

RULES = Named(
    Rule,
    [
        Rule(
            "uniform",
            "A, as every token: GRPO",
            "Shao et al. (2024), DeepSeekMath (arXiv 2402.03300)",
            "mean-preserving",
            (),
            _none,
            _uniform,
        ),
        Rule(
            "proportional",
            "A in proportion to credit above the completion's least, in praise and blame alike",
            f"PROP of {PAPER}",
            "mean-preserving",
            ("values",),
            _nonzero,
            _multiplied(_min_max),
        ),
        Rule(
            "rank",
            "A in proportion to the rank of its credit, in praise and blame alike",
            f"RANK of {PAPER}, as described there: ties share, the best gets most",
            "mean-preserving",
            ("values",),
            _nonzero,
            _multiplied(_ranks),
        ),
        Rule(
            "praise",
            "as proportional where A > 0; blame stays uniform",
            OURS,
            "mean-preserving",
            ("values",),
            _positive,
            _multiplied(_min_max),
        ),
        Rule(
            "sign-aware",
            "as proportional, and where A < 0 the least credited gets most blame",
            OURS,
            "mean-preserving",
            ("values",),
            _nonzero,
            _multiplied(_min_max, signed=True),
        ),
        Rule(
            "softmax",
            "as sign-aware, in proportion to exp(standardised credit / temperature)",
            OURS,
            "mean-preserving",
            ("values",),
            _nonzero,
            _multiplied(_softmax, signed=True),
        ),
        Rule(
            "additive",
            "A plus credit less the completion's mean credit",
            OURS,
            "linear",
            ("values",),
            _every,
            _additive,
            weight=0.5,
        ),
        Rule(
            "anchored",
            "A plus credit and leave-one-out credit, less the means of the group's others",
            OURS,
            "linear",
            ("values", "left_out"),
            _every,
            _anchored,
            weight=2.0,
            compares=True,
        ),
        Rule(
            "prefix",
            "A less what stood before the segment, less the same of the group's others",
            "Ng, Harada & Russell (1999), Policy invariance under reward transformations",
            "linear",
            ("prefixes",),
            _every,
            _prefix,
            compares=True,
        ),
    ],
)

"""What is measured: the shipped rules, each told what credit to follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Literal

import torch
from torch import Tensor

from benchmarks.claims.bias.policies import FACTORISED
from benchmarks.claims.bias.population import Rows
from ospo.advantage import RULES, Credits, Shaping, token_advantages
from ospo.advantage.paper import PaperFaults, paper_advantages

ALONE = 1e12  # a weight of credit beside which the sequence advantage is nothing
SMALLEST = 1e-4  # what published denominators are clamped to

Unbiased = Literal["always", "independent segments", "not declared"]
Asked = Literal["nothing", "prefixes", "left out", "all"]


@dataclass(frozen=True, slots=True)
class Measured:
    """A way to weigh the scores of segments.

    Attributes
    ----------
    name : str
    coefficients : callable
        Of some rows: ``(P, B, n)``, P equally likely ones, drawn for each completion by itself.
    unbiased : str
        For which policies it is declared to be.
    asked : str
        Which coalitions it values.
    published : str or None
        What its column is called in the published tables.
    reads : callable
        Of which rows it asks for credit, by their standard advantage.
    unit : bool
        Whether its expected update has the scale of the gradient, so that its raw bias says
        something.
    """

    name: str
    coefficients: Callable[[Rows], Tensor]
    unbiased: Unbiased = "not declared"
    asked: Asked = "all"
    published: str | None = None
    reads: Callable[[Tensor], Tensor] = torch.ones_like
    unit: bool = False

    def declared_unbiased(self, policy: str) -> bool:
        """Return whether its expected update is declared to point along the gradient."""
        return self.unbiased == "always" or (
            self.unbiased == "independent segments" and policy in FACTORISED
        )

    def evaluations(self, n: int) -> int:
        """Return how many coalitions are valued, beside nobody and everyone."""
        return {"nothing": 0, "prefixes": n - 1, "left out": n, "all": (1 << n) - 2}[self.asked]


def credits(
    values: Tensor, left_out: Tensor | None = None, prefixes: Tensor | None = None
) -> Credits:
    """Return the credits of completions whose segments are a token each."""
    owners = torch.arange(values.shape[1]).expand_as(values)
    everyone = torch.ones_like(values, dtype=torch.bool)
    return Credits(values, everyone, owners, left_out, prefixes)


def spread(rows: Rows, shaping: Shaping, *, standard: bool) -> Tensor:
    """Return what a shipped rule makes of Shapley values, ``(B, n)``."""
    return token_advantages(
        rows.standard if standard else rows.centred,
        credits(rows.shapley, rows.left_out, rows.prefixes),
        torch.ones_like(rows.shapley),
        shaping,
        groups=rows.groups,
    ).values


def follows(rule: str) -> Callable[[Rows], Tensor]:
    """Return a shipped rule as it is used."""
    standard = RULES[rule].kind == "mean-preserving"
    return lambda rows: spread(rows, Shaping(rule), standard=standard)[None]


def plain(rows: Rows) -> Tensor:
    """GRPO without division by the standard deviation."""
    return spread(rows, Shaping("uniform"), standard=False)[None]


def by_position(
    weight: float, first: Callable[[Rows], Tensor], second: Callable[[Rows], Tensor]
) -> Callable[[Rows], Tensor]:
    """Return the shipped rule ``anchored`` with a baseline for each position.

    A completion is handed over as one of a single segment for each of its own, and only those of
    the same position share a group.
    """

    def coefficients(rows: Rows) -> Tensor:
        n = rows.shapley.shape[1]
        one = credits(first(rows).reshape(-1, 1), second(rows).reshape(-1, 1))
        shaped = token_advantages(
            rows.centred.repeat_interleave(n),
            one,
            torch.ones_like(one.values),
            Shaping("anchored", weight=weight),
            groups=(rows.groups[:, None] * n + torch.arange(n)).flatten(),
        )
        return shaped.values.view(1, -1, n)

    return coefficients


def shapley(rows: Rows) -> Tensor:
    return rows.shapley


def left_out(rows: Rows) -> Tensor:
    return rows.left_out


def by_ratio(rows: Rows) -> Tensor:
    return rows.by_ratio


def prefix(rows: Rows) -> Tensor:
    return spread(rows, Shaping("prefix", weight=1.0), standard=False)[None]


def paper(*, blamed_best: bool) -> Callable[[Rows], Tensor]:
    """Return the published proportions; their worst segment gets nothing."""
    faults = PaperFaults(worst_gets_nothing=True, blamed_best=blamed_best)

    def coefficients(rows: Rows) -> Tensor:
        known, mask = credits(rows.shapley), torch.ones_like(rows.shapley)
        return paper_advantages(rows.standard, rows.rewards, known, mask, faults=faults)[None]

    return coefficients


def signed(rows: Rows) -> Tensor:
    """A times credit over its mean: not shipped, only to check the meter."""
    mean = rows.shapley.mean(dim=1, keepdim=True)
    total = mean * rows.shapley.shape[1]
    total = torch.where(total.abs() < SMALLEST, SMALLEST, total)
    return (rows.standard[:, None] * rows.shapley * rows.shapley.shape[1] / total)[None]


def placebo(rule: str) -> Callable[[Rows], Tensor]:
    """Return a shipped rule that follows credit handed to segments in any order."""

    def coefficients(rows: Rows) -> Tensor:
        drawn = []
        for order in permutations(range(rows.shapley.shape[1])):
            known, mask = credits(rows.shapley[:, order]), torch.ones_like(rows.shapley)
            drawn.append(token_advantages(rows.standard, known, mask, Shaping(rule)).values)
        return torch.stack(drawn)

    return coefficients


def _shipped(name: str) -> Measured:
    rule = RULES[name]
    return Measured(name, follows(name), reads=rule.reads, unit=rule.kind == "linear")


MEASURED = [
    Measured("GRPO", plain, "always", "nothing", "uniform", unit=True),
    Measured("GRPO, standardised", follows("uniform"), asked="nothing", published="standardised"),
    *map(_shipped, ("proportional", "rank", "praise", "sign-aware", "softmax", "additive")),
    _shipped("anchored"),
    Measured(
        "anchored, by position",
        by_position(2, shapley, left_out),
        published="anchored",
        unit=True,
    ),
    Measured("Shapley alone", by_position(ALONE, shapley, shapley), published="Shapley", unit=True),
    Measured(
        "leave-one-out alone",
        by_position(ALONE, left_out, left_out),
        "independent segments",
        "left out",
        "leave-one-out",
        unit=True,
    ),
    Measured(
        "leave-one-out, half",
        by_position(1, left_out, left_out),
        "independent segments",
        "left out",
        "half",
        unit=True,
    ),
    Measured(
        "leave-one-out by ratio",
        by_position(ALONE, by_ratio, by_ratio),
        "always",
        "left out",
        "by ratio",
        unit=True,
    ),
    Measured("prefix", prefix, "always", "prefixes", "prefix", unit=True),
    Measured("paper", paper(blamed_best=True), published="paper"),
    Measured("paper, blame reversed", paper(blamed_best=False), published="sign-aware"),
    Measured("signed", signed, published="signed"),
    Measured("placebo: praise", placebo("praise"), reads=RULES["praise"].reads),
    Measured("placebo: sign-aware", placebo("sign-aware"), reads=RULES["sign-aware"].reads),
]

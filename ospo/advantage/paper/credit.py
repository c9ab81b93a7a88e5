"""The published estimator: Shapley weights on what phrases add to windows of phrases."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import comb
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.advantage.paper.faults import CORRECTED, PaperFaults
from ospo.errors import InputError
from ospo.game import Ask, Asker, exact

Value: TypeAlias = Callable[[NDArray[np.bool_]], NDArray[np.float64]]


def window_family(
    n: int, width: int, budget: int, rng: np.random.Generator, faults: PaperFaults = CORRECTED
) -> list[tuple[int, int]]:
    """Return the coalitions that are valued, as [begin, end): none, windows, and everyone.

    Parameters
    ----------
    n : int
        Phrases.
    width : int
        Phrases in the widest window (the paper's w_max).
    budget : int
        The most coalitions (the paper's M).
    rng : numpy.random.Generator
        Draws what a truncated family keeps; the published code used one global generator, so its
        draws depended on everything drawn before.

    Raises
    ------
    InputError
        The budget does not allow for the single phrases.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> window_family(3, 8, 96, rng)
    [(0, 0), (0, 1), (1, 2), (2, 3), (0, 2), (1, 3), (0, 3)]
    >>> len(window_family(12, 8, 64, rng)), len(window_family(12, 8, 96, rng))
    (59, 70)
    """
    if n < 1 or width < 1 or budget < n + 2:
        raise InputError(
            f"{n} phrases, width {width} and budget {budget}: give at least one phrase and width, "
            "and a budget of at least two more than the phrases"
        )

    def windows(widest: int) -> list[tuple[int, int]]:
        sizes = range(1, min(widest, n - 1) + 1)
        return [(begin, begin + size) for size in sizes for begin in range(n - size + 1)]

    inner = windows(width)
    if faults.shuffled_truncation and len(inner) > budget - 2:
        inner = [inner[place] for place in rng.permutation(len(inner))[: budget - 2]]
    while len(inner) > budget - 2:
        width -= 1
        inner = windows(width)
    return [(0, 0), *inner, (0, n)]


def window_plan(
    n: int,
    rng: np.random.Generator,
    *,
    width: int = 8,
    budget: int = 96,
    faults: PaperFaults = CORRECTED,
) -> tuple[oc.Plan, NDArray[np.bool_]]:
    """Return the plan of the estimator, and which phrases have any credit in it, ``(n,)``.

    The credit is the sum of the phrase's marginal contributions v(S + j) - v(S) for which both
    coalitions are valued, each weighted ``1 / (n * C(n - 1, |S|))``, the Shapley weight.

    Parameters
    ----------
    n, rng, width, budget
        As in :func:`window_family`.
    """
    family = window_family(n, width, budget, rng, faults)
    return _plan_of(tuple(family), faults.partial_weights)


@lru_cache(maxsize=256)  # texts of as many phrases have the same plan, unless it was truncated
def _plan_of(
    family: tuple[tuple[int, int], ...], partial_weights: bool
) -> tuple[oc.Plan, NDArray[np.bool_]]:
    n = family[-1][1]
    place = {window: k for k, window in enumerate(family)}
    weights, seen = np.zeros((n, len(family))), np.zeros(n)
    for begin, end in family[1:]:
        # A window less its first or its last phrase; less its only one, nobody is left.
        ends = {begin: (begin + 1, end), end - 1: (begin, end - 1)}
        for player, less in ends.items():
            rest = less if less[0] < less[1] else (0, 0)
            if rest in place:
                weight = 1 / (n * comb(n - 1, end - begin - 1))
                weights[player, place[begin, end]] += weight
                weights[player, place[rest]] -= weight
                seen[player] += weight
    if partial_weights:
        assigned = np.ones(n, dtype=np.bool_)
    else:
        assigned = seen > 0
        weights /= np.where(assigned, seen, 1.0)[:, None]
    bounds, players = np.array(family), np.arange(n)
    coalitions = (bounds[:, :1] <= players) & (players < bounds[:, 1:])
    coalitions.flags.writeable = assigned.flags.writeable = False  # they are shared
    plan = oc.Plan(
        n,
        "windows",
        len(family),
        lambda start, stop: coalitions[start:stop],
        lambda values: weights @ (values - values[0]),
        efficient=False,
    )
    return plan, assigned


def window_credit(
    value: Value,
    n: int,
    rng: np.random.Generator,
    *,
    width: int = 8,
    budget: int = 96,
    faults: PaperFaults = CORRECTED,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return each phrase's credit, ``(n,)``, and whether it has any.

    Parameters
    ----------
    value : callable
        ``(m, n) bool`` coalitions to ``(m,)`` values, called once.
    n, rng, width, budget
        As in :func:`window_plan`.

    Examples
    --------
    >>> worth = np.array([3.0, 1.0, 2.0])
    >>> rng = np.random.default_rng(0)
    >>> window_credit(lambda S: S @ worth, 3, rng)[0]
    array([3., 1., 2.])
    >>> window_credit(lambda S: S @ worth, 3, rng, faults=PaperFaults.published())[0].round(2)
    array([2.5 , 0.67, 1.67])
    """
    plan, assigned = window_plan(n, rng, width=width, budget=budget, faults=faults)
    return plan.combine(value(plan.coalitions)), assigned.copy()


def window_asker(width: int = 8, budget: int = 96, faults: PaperFaults = CORRECTED) -> Asker:
    """Return what asks for this credit of the segments of a text.

    A text of more phrases than the budget has room for has none.
    """

    def ask(names: tuple[str, ...], seed: Sequence[int]) -> Ask:
        if budget < len(names) + 2:
            return None
        rng = np.random.default_rng(seed)
        plan, assigned = window_plan(len(names), rng, width=width, budget=budget, faults=faults)
        return (yield from exact(plan, names, assigned=assigned))

    return ask

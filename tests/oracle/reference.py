"""Solution concepts by their textbook definitions, in exact rationals: slow, and beyond doubt.

A game is a function from a frozenset of players 0..n-1 to a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, permutations
from math import comb

Value = Callable[[frozenset[int]], Fraction]


def subsets(players: frozenset[int]) -> Iterator[frozenset[int]]:
    for size in range(len(players) + 1):
        yield from map(frozenset, combinations(sorted(players), size))


def shapley(n: int, v: Value) -> list[Fraction]:
    """Mean marginal contribution over all n! orders (Shapley 1953)."""
    totals = [Fraction(0)] * n
    orders = list(permutations(range(n)))
    for order in orders:
        before: frozenset[int] = frozenset()
        for player in order:
            totals[player] += v(before | {player}) - v(before)
            before |= {player}
    return [total / len(orders) for total in totals]


def runs(coalition: frozenset[int]) -> Iterator[frozenset[int]]:
    """The maximal intervals that a coalition is made of."""
    run: list[int] = []
    for player in sorted(coalition):
        if run and player != run[-1] + 1:
            yield frozenset(run)
            run = []
        run.append(player)
    if run:
        yield frozenset(run)


def myerson_path(n: int, v: Value, max_width: int | None = None) -> list[Fraction]:
    """Shapley value of the run-sum game (Myerson 1977).

    With a ``max_width``, of the game that keeps only the dividends of intervals up to that width.
    """
    empty = v(frozenset())

    def run_sum(coalition: frozenset[int]) -> Fraction:
        return sum((v(run) - empty for run in runs(coalition)), Fraction(0))

    def dividend(coalition: frozenset[int]) -> Fraction:
        signed = ((-1) ** (len(coalition) - len(t)) * run_sum(t) for t in subsets(coalition))
        return sum(signed, Fraction(0))

    width = n if max_width is None else max_width
    credits = [Fraction(0)] * n
    for coalition in subsets(frozenset(range(n))):
        if 0 < len(coalition) <= width:
            for player in coalition:
                credits[player] += dividend(coalition) / len(coalition)
    return credits


def windows(n: int, v: Value, max_width: int) -> list[Fraction]:
    """Shapley weights on the marginals inside {empty, intervals up to max_width, N} (OSPO)."""
    grand = frozenset(range(n))
    family = {frozenset(range(a, a + w)) for w in range(1, max_width + 1) for a in range(n - w + 1)}
    family |= {frozenset(), grand}
    credits = [Fraction(0)] * n
    for player in grand:
        for coalition in family:
            if player not in coalition and coalition | {player} in family:
                weight = Fraction(1, n * comb(n - 1, len(coalition)))
                credits[player] += weight * (v(coalition | {player}) - v(coalition))
    return credits

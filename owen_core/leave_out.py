"""Leaving players out: the few coalitions that the interaction of chosen pairs takes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations, pairwise
from typing import Literal

import numpy as np

from owen_core.coalition import Coalitions
from owen_core.game import Values
from owen_core.interaction_values import Player, position
from owen_core.plan import Plan

ROWS_AT_ONCE = 1 << 12

Pairs = Literal["adjacent"] | Iterable[tuple[Player, Player]]


def listed_pairs(pairs: Pairs | None, names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return the pairs that a caller names, as sorted positions; all pairs for None."""
    n = len(names)
    if pairs is None:
        return list(combinations(range(n), 2))
    if isinstance(pairs, str):
        if pairs != "adjacent":
            raise ValueError(f"pairs must be 'adjacent' or a list of pairs, got {pairs!r}")
        return list(pairwise(range(n)))
    found = set()
    for pair in pairs:
        positions = sorted(position(player, names) for player in pair)
        if len(positions) != 2 or positions[0] == positions[1]:
            raise ValueError(f"pairs must hold two different players each, got {pair!r}")
        found.add((positions[0], positions[1]))
    if not found:
        raise ValueError("pairs is empty; leave it out for all pairs")
    return sorted(found)


def leave_out_plan(n: int, pairs: list[tuple[int, int]]) -> Plan:
    """Return the plan of nobody, everyone but a pair, everyone but a player, and everyone."""
    of_pairs = pairs if n > 2 else []  # without the only pair, nobody is left
    absent = np.array([(n, n), *of_pairs, *((i, i) for i in range(n)), (n, n)])

    def rows(start: int, stop: int) -> Coalitions:
        chosen = absent[start:stop]
        present = np.ones((len(chosen), n + 1), dtype=np.bool_)  # player n stands for no one
        present[np.arange(len(chosen))[:, None], chosen] = False
        if start == 0:
            present[0] = False
        return np.ascontiguousarray(present[:, :n])

    def leave_one_out(values: Values) -> Values:
        return np.asarray(values[-1] - values[-1 - n : -1])

    return Plan(n, "leave-two-out", len(absent), rows, leave_one_out, efficient=False)


def beside(wanted: Plan, pairs: list[tuple[int, int]]) -> tuple[Plan, list[int]]:
    """Return a plan of the same credits that values the leave-out plan's coalitions as well.

    Those that ``wanted`` lacks stand before its last one. The list says where each coalition of
    the leave-out plan stands.
    """
    n, body = wanted.n, len(wanted) - 1
    stands = {bytes(n): 0}
    for start in range(0, body, ROWS_AT_ONCE):
        large = wanted.rows(start, min(start + ROWS_AT_ONCE, body))
        for k in np.flatnonzero(large.sum(axis=1) >= n - 2).tolist():
            stands[large[k].tobytes()] = start + k
    *leaving, everyone = leave_out_plan(n, pairs).coalitions
    lacking = [row for row in leaving if row.tobytes() not in stands]
    stands |= {row.tobytes(): body + k for k, row in enumerate(lacking)}
    tail = np.array([*lacking, everyone])

    def rows(start: int, stop: int) -> Coalitions:
        known = wanted.rows(min(start, body), min(stop, body))
        return np.concatenate([known, tail[max(start - body, 0) : max(stop - body, 0)]])

    def credits(values: Values) -> Values:
        return wanted.transform(np.append(values[:body], values[-1]))

    plan = Plan(n, wanted.concept, body + len(tail), rows, credits, wanted.efficient)
    return plan, [*(stands[row.tobytes()] for row in leaving), len(plan) - 1]


def left_out(values: Values, n: int, pairs: list[tuple[int, int]]) -> dict[tuple[int, ...], float]:
    """Return what leaving out each player, and both of each pair beyond each, costs."""
    lost = (values[-1] - values[-1 - n : -1]).tolist()
    without_both = values[1 : 1 + len(pairs)] if n > 2 else values[:1]
    strengths: dict[tuple[int, ...], float] = {(i,): lost[i] for i in range(n)}
    for (i, j), left in zip(pairs, without_both.tolist(), strict=False):
        strengths[i, j] = lost[i] + lost[j] - (float(values[-1]) - left)
    return strengths

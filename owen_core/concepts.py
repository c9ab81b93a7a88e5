"""Solution concepts: what each one is, and the plan that computes it exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from owen_core import _core
from owen_core.game import Coalitions, Values, player_names
from owen_core.plan import Plan
from owen_core.structure import Path, path

MAX_EXACT_PLAYERS = 26  # a table of 2**26 values is 512 MiB


@dataclass(frozen=True, slots=True)
class Concept:
    """A solution concept of cooperative game theory.

    Attributes
    ----------
    name, meaning, reference : str
        What it is called, what it says of a player, and where it comes from.
    on_path : bool
        Whether the players stand in a line and only intervals of them are evaluated.
    efficient : bool
        Whether the credits always sum to v(N) - v(empty).
    plan : callable
        ``plan(n, structure)`` lists the coalitions that it needs.
    """

    name: str
    meaning: str
    reference: str
    on_path: bool
    efficient: bool
    plan: Callable[[int, Path | None], Plan]


def _shapley(n: int, structure: Path | None) -> Plan:
    if n > MAX_EXACT_PLAYERS:
        raise ValueError(
            f"exact Shapley values of {n} players take 2**{n} evaluations and the limit is "
            f"{MAX_EXACT_PLAYERS} players; if the players stand in a line, concept='myerson' "
            f"takes {n * (n + 1) // 2 + 1} evaluations"
        )
    bits = np.arange(n, dtype=np.uint64)

    def rows(start: int, stop: int) -> Coalitions:
        index = np.arange(start, stop, dtype=np.uint64)[:, None]
        return (index >> bits & np.uint64(1)).astype(np.bool_)

    def transform(values: Values) -> Values:
        return _core.fold_table(values, _core.shapley_weights(n))

    return Plan(n, "shapley", 1 << n, rows, transform)


def _intervals(
    concept: str, transform: Callable[[Values, int, int], Values]
) -> Callable[[int, Path | None], Plan]:
    def plan(n: int, structure: Path | None) -> Plan:
        line = structure or path(n)
        widths = range(1, line.max_width + 1)
        intervals = [(0, 0)]  # in the order of the compiled core's IntervalFamily
        intervals += [(a, a + width) for width in widths for a in range(n - width + 1)]
        if line.max_width < n:
            intervals.append((0, n))
        begin, end = np.array(intervals).T[:, :, None]
        players = np.arange(n)

        def rows(start: int, stop: int) -> Coalitions:
            chosen = slice(start, stop)
            return np.asarray((begin[chosen] <= players) & (players < end[chosen]))

        def combine(values: Values) -> Values:
            return transform(values, n, line.max_width)

        return Plan(n, concept, len(intervals), rows, combine)

    return plan


CONCEPTS = {
    concept.name: concept
    for concept in [
        Concept(
            "shapley",
            "mean marginal contribution over all orders of the players",
            "Shapley (1953), A value for n-person games",
            on_path=False,
            efficient=True,
            plan=_shapley,
        ),
        Concept(
            "myerson",
            "Shapley value of the game in which a coalition is worth the sum of its runs",
            "Myerson (1977), Graphs and cooperation in games",
            on_path=True,
            efficient=True,
            plan=_intervals("myerson", _core.myerson_path),
        ),
        Concept(
            "windows",
            "Shapley weights on the marginal contributions between neighbouring intervals",
            "OSPO (arXiv 2601.08403)",
            on_path=True,
            efficient=False,
            plan=_intervals("windows", _core.window_marginals),
        ),
    ]
}


def plan(players: int, *, concept: str = "shapley", structure: Path | None = None) -> Plan:
    """List the distinct coalitions that a concept needs, before any of them is paid for.

    Parameters
    ----------
    players : int or sequence of str
        How many players there are, or their names.
    concept : {"shapley", "myerson", "windows"}
        The solution concept. ``myerson`` and ``windows`` take the players as standing in a line;
        ``windows``, the published estimator of OSPO, is not efficient.
    structure : Path, optional
        For the concepts on a line: ``path(n, max_width=...)``.

    Returns
    -------
    Plan
        The empty coalition is its first row and the grand coalition its last.

    Raises
    ------
    ValueError
        Unknown concept, a structure that does not fit, or too many players for an exact value.

    Examples
    --------
    >>> import owen_core as oc
    >>> len(oc.plan(10)), len(oc.plan(10, concept="myerson"))
    (1024, 56)
    """
    if concept not in CONCEPTS:
        raise ValueError(f"concept must be one of {', '.join(CONCEPTS)}, got {concept!r}")
    chosen = CONCEPTS[concept]
    n = len(player_names(players))
    if structure is not None:
        if not chosen.on_path:
            raise ValueError(f"concept {concept!r} takes no structure, got {structure}")
        if structure.n != n:
            raise ValueError(f"the structure has {structure.n} players, the game {n}")
    return chosen.plan(n, structure)

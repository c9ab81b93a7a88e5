"""Pair interactions beside credits: from the evaluations of a concept, or from a few more."""

from __future__ import annotations

from collections.abc import Callable

from owen_core.evaluate import Cost
from owen_core.game import Values
from owen_core.interaction_index import INDICES, strengths
from owen_core.interaction_values import Interactions
from owen_core.leave_out import beside, left_out, listed_pairs
from owen_core.plan import Plan
from owen_core.structure import Graph, Structure, Tree
from owen_core.union_games import ORDER, blocks_of, inside_unions, union_games

Strengths = Callable[[Values], dict[tuple[int, ...], float]]
Reader = Callable[[Values, Cost | None], Interactions]


def with_pairs(
    wanted: Plan, names: tuple[str, ...], structure: Structure | None, *, every_coalition: bool
) -> tuple[Plan, Reader]:
    """Return a plan of the same credits, and what reads interactions from its values.

    With ``every_coalition`` in the plan, as a table, the interactions are k-SII of order 2, and
    for the Banzhaf value the Banzhaf interaction index. With flat unions they are those inside
    the unions. Neither takes a further coalition. For any other plan they are what leaving out
    two neighbours costs beyond leaving out each, where the pairs are the edges of a graph, and
    those next to each other otherwise; the coalitions that it lacks are added to it.
    """
    index, plan, found = _reading(wanted, names, structure, every_coalition)

    def read(values: Values, cost: Cost | None) -> Interactions:
        ends = float(values[0]), float(values[-1])
        return Interactions(index, names, ORDER, found(values), *ends, cost)

    return plan, read


def _reading(
    wanted: Plan, names: tuple[str, ...], structure: Structure | None, every_coalition: bool
) -> tuple[str, Plan, Strengths]:
    n = wanted.n
    if every_coalition:
        index = INDICES["BII" if wanted.concept == "banzhaf" else "k-SII"]
        return index.name, wanted, lambda values: strengths(values, range(n), index, ORDER)
    if isinstance(structure, Tree) and structure.flat:
        blocks = blocks_of(structure, names)

        def inside(values: Values) -> dict[tuple[int, ...], float]:
            _, own = union_games(wanted.coalitions, values - values[0], blocks)
            return inside_unions(own, blocks)

        return "SII inside unions", wanted, inside
    pairs = (
        list(structure.edges) if isinstance(structure, Graph) else listed_pairs("adjacent", names)
    )
    extended, where = beside(wanted, pairs)
    return "leave-two-out", extended, lambda values: left_out(values[where], n, pairs)

"""Interactions: what players of a game are worth together, beyond what they are worth apart."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb
from typing import Unpack

from numpy.typing import ArrayLike

from owen_core.concepts import plan
from owen_core.evaluate import Cost, Valuing, check_limits, evaluate
from owen_core.game import Game, ValueFunction, Values, as_game
from owen_core.interaction_index import INDICES, InteractionIndex, strengths
from owen_core.interaction_values import Interactions
from owen_core.leave_out import Pairs, leave_out_plan, left_out, listed_pairs
from owen_core.plan import Plan
from owen_core.plans.table import MAX_PLAYERS
from owen_core.progress import Report
from owen_core.table import checked_table

MAX_SETS = 1 << 20


def interactions(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None = None,
    index: str = "k-SII",
    order: int = 2,
    *,
    pairs: Pairs | None = None,
    budget: int | None = None,
    progress: Report | bool | None = None,
    **options: Unpack[Valuing],
) -> Interactions:
    """Return how players of a game interact.

    Parameters
    ----------
    value : callable or Game
        Maps coalitions, ``(m, n) bool``, to ``(m,)`` floats. Any black box.
    players : int or sequence of str, optional
        How many players there are, or their names. Left out when ``value`` is a Game.
    index : {"k-SII", "SII", "BII", "Moebius", "leave-two-out"}
        The interaction index: k-Shapley values (efficient), the Shapley interaction index, the
        Banzhaf interaction index, Harsanyi's dividends, or, for a few evaluations, what leaving
        two players out costs beyond leaving out each.
    order : int
        The size of the largest sets of players.
    pairs : "adjacent" or iterable of (player, player), optional
        For ``leave-two-out``: the pairs that matter; all by default. They take
        n + len(pairs) + 2 evaluations; the other indices take 2**n.
    budget : int, optional
        The most evaluations that may be paid; a plan that takes more is refused.
    progress, **options
        ``cache``, ``batch_size``, ``executor``, ``retry`` and ``cancel``: as for
        :func:`attribute`.

    Returns
    -------
    Interactions

    Raises
    ------
    ValueError
        Unknown index, an order outside 1 to n, too many players, or a budget that is too small.
    ValueFunctionError
        The value function answered with a wrong shape or a value that is not finite.

    Examples
    --------
    >>> import owen_core as oc
    >>> words = ["cheap", "red", "running", "shoes"]
    >>> def value(coalitions):
    ...     return coalitions @ [0.1, -0.1, 0.3, 0.4] + 0.2 * (coalitions[:, 2] & coalitions[:, 3])
    >>> i = oc.interactions(value, words, "leave-two-out", pairs="adjacent")
    >>> print({pair: round(strength, 9) for pair, strength in i.top(1)}, i.cost.new)
    {('running', 'shoes'): 0.2} 9
    """
    game = as_game(value, players)
    chosen = _checked_index(index, order, game.n)
    listed = listed_pairs(pairs, game.names) if chosen.name == "leave-two-out" else []
    if listed:
        wanted = leave_out_plan(game.n, listed)
        cheaper = ""
    elif pairs is not None:
        raise ValueError(f"pairs belongs to index='leave-two-out', and the index is {index!r}")
    else:
        wanted = _all_coalitions(game.n, chosen, order)
        cheaper = ", or choose index='leave-two-out'"
    values, cost = value_plan(
        game,
        wanted,
        f"{index} of {game.n} players",
        cheaper,
        budget=budget,
        progress=progress,
        **options,
    )
    found = (
        left_out(values, game.n, listed)
        if listed
        else strengths(values, range(game.n), chosen, order)
    )
    baseline, total = float(values[0]), float(values[-1])
    return Interactions(index, game.names, order, found, baseline, total, cost)


def interactions_from_table(
    table: ArrayLike,
    index: str = "k-SII",
    order: int = 2,
    *,
    names: Sequence[str] | None = None,
) -> Interactions:
    """Return how players interact in a game that is given by the table of all its values.

    Parameters
    ----------
    table : array_like
        ``(2**n,)`` values; bit i of the index says whether player i is in the coalition.
    index, order
        As for :func:`interactions`.
    names : sequence of str, optional
        The players' names.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.interactions_from_table([0, 1, 1, 3], "Moebius"))
    0      +1
    1      +1
    0 × 1  +1
    Moebius of order 2, exact; v(N) = 3, v(empty) = 0
    """
    values, labels = checked_table(table, names)
    chosen = _checked_index(index, order, len(labels))
    found = strengths(values, range(len(labels)), chosen, order)
    return Interactions(index, labels, order, found, float(values[0]), float(values[-1]))


def value_plan(
    game: Game,
    wanted: Plan,
    what: str,
    cheaper: str = "",
    *,
    budget: int | None,
    progress: Report | bool | None,
    **options: Unpack[Valuing],
) -> tuple[Values, Cost]:
    """Return the values of a plan's coalitions and their cost, if the budget allows for it.

    ``what`` the plan computes, and what would be ``cheaper``, are named where it does not.
    """
    check_limits(budget=budget, batch_size=options.get("batch_size"))
    if budget is not None and len(wanted) > budget:
        raise ValueError(
            f"{what} takes {len(wanted)} evaluations and the budget is {budget}; "
            f"raise the budget{cheaper}"
        )
    return evaluate(game, wanted, progress=progress, **options)


def _checked_index(index: str, order: int, n: int) -> InteractionIndex:
    if index not in INDICES:
        raise ValueError(f"index must be one of {', '.join(INDICES)}, got {index!r}")
    if not 1 <= order <= n:
        raise ValueError(f"order must be between 1 and the {n} players, got {order}")
    if index == "leave-two-out" and order != 2:
        raise ValueError(f"leave-two-out is of order 2, got order {order}")
    sets = sum(comb(n, t) for t in range(1, order + 1))
    if sets > MAX_SETS and index != "leave-two-out":
        raise ValueError(
            f"order {order} of {n} players has {sets} sets and the limit is {MAX_SETS}; "
            "lower the order"
        )
    return INDICES[index]


def _all_coalitions(n: int, index: InteractionIndex, order: int) -> Plan:
    if n > MAX_PLAYERS:
        raise ValueError(
            f"{index.name} of order {order} of {n} players takes 2**{n} evaluations and the limit "
            f"is {MAX_PLAYERS} players; index='leave-two-out' takes {n + 2} and one for each pair"
        )
    return plan(n, concept="shapley")

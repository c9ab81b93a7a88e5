"""Interactions of players in unions: inside each union, and between the unions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Unpack

from owen_core.concepts import plan
from owen_core.evaluate import Valuing
from owen_core.game import Game, ValueFunction, as_game
from owen_core.interaction_index import INDICES, strengths
from owen_core.interaction_values import Interactions, Player
from owen_core.interactions import value_plan
from owen_core.progress import Report
from owen_core.structure import Tree, unions
from owen_core.union_games import ORDER, blocks_of, inside_unions, union_games


def union_interactions(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None,
    groups: Tree | Iterable[Iterable[Player]],
    *,
    budget: int | None = None,
    progress: Report | bool | None = None,
    **options: Unpack[Valuing],
) -> tuple[Interactions, Interactions]:
    """Return how players interact inside their unions, and how the unions interact.

    Inside a union: the Shapley interaction index of the union's own game, in which a part T of
    the union is worth the mean of v(Q + T), where Q are the unions that come before it in a
    random order of all unions. Between unions: the Shapley interaction index of the quotient
    game, whose players are the unions. The index of single players is the Owen value, and that
    of single unions the Shapley value of the quotient game.

    Parameters
    ----------
    value : callable or Game
        Maps coalitions, ``(m, n) bool``, to ``(m,)`` floats.
    players : int, sequence of str, or None
        How many players there are, or their names; None when ``value`` is a Game.
    groups : Tree or iterable of iterables
        The unions, from :func:`unions` or as lists of players' names or positions. Only the
        coalitions that they admit are evaluated, each once: those of the Owen value.
    budget : int, optional
        The most evaluations that may be paid; a plan that takes more is refused.
    progress, **options
        ``cache``, ``batch_size``, ``executor``, ``retry`` and ``cancel``: as for
        :func:`attribute`.

    Returns
    -------
    inside, between : Interactions
        Of the players, where only pairs of one union have an index; and of the unions, called
        after their players.

    Raises
    ------
    ValueError
        Unions that overlap or leave a player out, or a budget that is too small.
    ValueFunctionError
        The value function answered with a wrong shape or a value that is not finite.

    Examples
    --------
    >>> import owen_core as oc
    >>> words = ["trail", "running", "shoes", "waterproof"]
    >>> both = lambda coalitions: coalitions[:, [1, 2]].all(axis=1) * (1 + coalitions[:, 3])
    >>> inside, between = oc.union_interactions(both, words, [words[:3], words[3:]])
    >>> inside["running", "shoes"], between["trail running shoes", "waterproof"]
    (1.5, 1.0)
    """
    game = as_game(value, players)
    tree = groups if isinstance(groups, Tree) else unions(*groups)
    if not tree.flat:
        raise ValueError(f"interactions are defined for flat unions, got {tree}")
    blocks = blocks_of(tree, game.names)
    wanted = plan(game.names, concept="owen", structure=tree)
    values, cost = value_plan(
        game,
        wanted,
        f"interaction of {game.n} players in {len(blocks)} unions",
        budget=budget,
        progress=progress,
        **options,
    )
    quotient, own = union_games(wanted.coalitions, values - values[0], blocks)
    ends = float(values[0]), float(values[-1])
    labels = tuple(" ".join(game.names[player] for player in block) for block in blocks)
    among = strengths(quotient, range(len(blocks)), INDICES["SII"], ORDER)
    within = inside_unions(own, blocks)
    return (
        Interactions("SII inside unions", game.names, ORDER, within, *ends, cost),
        Interactions("SII between unions", labels, ORDER, among, *ends, cost),
    )

"""The one verb: attribute the value of a game to its players."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from owen_core.attribution import Attribution
from owen_core.cache import MemoryStore
from owen_core.concepts import CONCEPTS, plan
from owen_core.evaluate import evaluate
from owen_core.game import Game, ValueFunction, ValueFunctionError, player_names
from owen_core.structure import Path

AUTO_BUDGET = 1 << 20  # what "auto" pays when no budget is given


def attribute(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None = None,
    concept: str = "auto",
    structure: Path | None = None,
    *,
    budget: int | None = None,
    cache: MemoryStore | None = None,
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Attribution:
    """Attribute the value of a game to its players.

    Parameters
    ----------
    value : callable or Game
        Maps coalitions, ``(m, n) bool``, to ``(m,)`` floats. Any black box.
    players : int or sequence of str, optional
        How many players there are, or their names. Left out when ``value`` is a Game.
    concept : {"auto", "shapley", "myerson", "windows"}
        The solution concept; ``auto`` is the exact Shapley value, or with a ``structure`` the
        Myerson value.
    structure : Path, optional
        ``path(n, max_width=...)`` for players that stand in a line.
    budget : int, optional
        The most new evaluations that may be paid. A plan that needs more is refused before
        anything is paid.
    cache : MemoryStore, optional
        Values already known are taken from it, and new ones are kept in it.
    batch_size : int, optional
        Coalitions per call of ``value``; about a megabyte of them by default.
    progress : callable, optional
        Called with ``(done, all)`` coalitions after every batch.

    Returns
    -------
    Attribution

    Raises
    ------
    ValueError
        The plan does not fit the budget, or the arguments do not fit together.
    ValueFunctionError
        The value function answered with a wrong shape or a value that is not finite.

    Examples
    --------
    >>> import owen_core as oc
    >>> words = ["cheap", "red", "running", "shoes"]
    >>> def value(coalitions):
    ...     return coalitions @ [0.1, -0.1, 0.3, 0.4] + 0.2 * (coalitions[:, 2] & coalitions[:, 3])
    >>> print(oc.attribute(value, words))
    cheap     +0.1
    red       -0.1
    running   +0.4
    shoes     +0.5
    sum       +0.9
    shapley, exact; v(N) = 0.9, v(empty) = 0; 16 evaluations, 0 cached
    """
    game = _game(value, players)
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if budget is not None and budget < 1:
        raise ValueError(f"budget must be at least 1 evaluation, got {budget}")
    if concept == "auto":
        concept = "shapley" if structure is None else "myerson"
        budget = AUTO_BUDGET if budget is None else budget
    wanted = plan(game.n, concept=concept, structure=structure)
    if budget is not None and len(wanted) > budget:
        remedy = (
            ""
            if CONCEPTS[concept].on_path
            else f", or concept='myerson' ({len(plan(game.n, concept='myerson'))} evaluations) "
            "if the players stand in a line"
        )
        raise ValueError(
            f"{concept} of {game.n} players takes {len(wanted)} evaluations and the budget is "
            f"{budget}; raise the budget{remedy}"
        )
    values, cost = evaluate(game, wanted, cache=cache, batch_size=batch_size, progress=progress)
    return Attribution(
        wanted.combine(values),
        game.names,
        float(values[0]),
        float(values[-1]),
        concept,
        structure.max_width if structure is not None else None,
        cost,
    )


def from_table(
    table: ArrayLike,
    concept: str = "shapley",
    structure: Path | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Attribution:
    """Attribute a game that is given by the table of all its values.

    Parameters
    ----------
    table : array_like
        ``(2**n,)`` values; bit i of the index says whether player i is in the coalition.
    concept : {"shapley", "myerson", "windows"}
        The solution concept.
    structure : Path, optional
        For the concepts on a line: ``path(n, max_width=...)``.
    names : sequence of str, optional
        The players' names.

    Raises
    ------
    ValueError
        The length is not a power of two, an entry is not finite, or the names do not fit.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.from_table([0, 0, 0, 1]).values  # both players are needed
    array([0.5, 0.5])
    """
    entries = np.ascontiguousarray(table, dtype=np.float64)
    n = entries.size.bit_length() - 1
    if entries.ndim != 1 or n < 1 or entries.size != 1 << n:
        raise ValueError(
            f"a table has 2**n values for n >= 1 players, got an array of shape {entries.shape}"
        )
    labels = player_names(n if names is None else names)
    if len(labels) != n:
        raise ValueError(
            f"a table of {entries.size} values has {n} players, got {len(labels)} names"
        )
    wanted = plan(n, concept=concept, structure=structure)
    finite = np.isfinite(entries)
    if not finite.all():
        worst = int(np.argmin(finite))
        members = tuple(name for i, name in enumerate(labels) if worst >> i & 1)
        raise ValueFunctionError(
            f"the table holds {entries[worst]} for the coalition {{{', '.join(members)}}}; "
            "every coalition needs a finite value",
            members,
        )
    asked = entries
    if CONCEPTS[concept].on_path:
        asked = entries[wanted.coalitions @ (1 << np.arange(n))]
    return Attribution(
        wanted.combine(asked),
        labels,
        float(entries[0]),
        float(entries[-1]),
        concept,
        structure.max_width if structure is not None else None,
    )


def _game(value: ValueFunction | Game, players: int | Sequence[str] | None) -> Game:
    if isinstance(value, Game):
        if players is not None:
            raise TypeError("a Game names its own players; leave players out")
        return value
    if players is None:
        raise TypeError("players is missing: give their number or their names")
    return Game(value, players)

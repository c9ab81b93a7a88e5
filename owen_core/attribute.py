"""The one verb: attribute the value of a game to its players."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from owen_core.attribution import Attribution
from owen_core.cache import MemoryStore
from owen_core.coalition import pack
from owen_core.concepts import CONCEPTS, default_concept, plan
from owen_core.evaluate import check_limits, evaluate
from owen_core.game import (
    Game,
    ValueFunction,
    ValueFunctionError,
    as_game,
    player_names,
)
from owen_core.plan import Plan
from owen_core.semivalue import Semivalue
from owen_core.structure import Structure

AUTO_BUDGET = 1 << 20  # what "auto" pays when no budget is given


@overload
def attribute(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None = ...,
    concept: str | Semivalue = ...,
    structure: Structure | None = ...,
    *,
    budget: int | None = ...,
    cache: MemoryStore | None = ...,
    batch_size: int | None = ...,
    progress: Callable[[int, int], None] | None = ...,
) -> Attribution: ...


@overload
def attribute(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None,
    concept: list[str | Semivalue],
    structure: Structure | None = ...,
    *,
    budget: int | None = ...,
    cache: MemoryStore | None = ...,
    batch_size: int | None = ...,
    progress: Callable[[int, int], None] | None = ...,
) -> list[Attribution]: ...


def attribute(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None = None,
    concept: str | Semivalue | list[str | Semivalue] = "auto",
    structure: Structure | None = None,
    *,
    budget: int | None = None,
    cache: MemoryStore | None = None,
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Attribution | list[Attribution]:
    """Attribute the value of a game to its players.

    Parameters
    ----------
    value : callable or Game
        Maps coalitions, ``(m, n) bool``, to ``(m,)`` floats. Any black box.
    players : int or sequence of str, optional
        How many players there are, or their names. Left out when ``value`` is a Game, or a game
        of shapiq's.
    concept : str, Semivalue, or list of them
        A solution concept of :data:`CONCEPTS`, or ``auto``: Shapley, with unions Owen, on a path
        or graph Myerson. The concepts of a list share their evaluations; those that take no
        structure ignore it.
    structure : Structure, optional
        Which coalitions make sense: :func:`unions`, :func:`nested`, :func:`contiguous`,
        :func:`path`, :func:`graph`, :func:`neighbourhoods`.
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
    Attribution, or list of Attribution
        One for each concept of a list.

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
    >>> print(oc.attribute(value, words, structure=oc.unions(0, 1, ["running", "shoes"])))
    cheap     +0.1
    red       -0.1
    running   +0.4
    shoes     +0.5
    sum       +0.9
    owen, exact; v(N) = 0.9, v(empty) = 0; 16 evaluations, 0 cached
    """
    game = as_game(value, players)
    check_limits(budget=budget, batch_size=batch_size)
    if not isinstance(concept, list):
        if concept == "auto":
            concept = default_concept(structure)
            budget = AUTO_BUDGET if budget is None else budget
        wanted = plan(game.names, concept=concept, structure=structure)
        _within_budget(len(wanted), budget, f"{wanted.concept} of {game.n} players", game.n)
        return _attribution(game, wanted, structure, cache, batch_size, progress)
    fitting = [None if _takes_no_structure(each) else structure for each in concept]
    plans = [
        plan(game.names, concept=each, structure=its)
        for each, its in zip(concept, fitting, strict=True)
    ]
    if budget is not None:
        distinct = len(np.unique(np.vstack([pack(p.coalitions) for p in plans]), axis=0))
        _within_budget(distinct, budget, f"{len(plans)} concepts of {game.n} players", game.n)
    shared = MemoryStore() if cache is None else cache
    return [
        _attribution(game, wanted, its, shared, batch_size, progress)
        for wanted, its in zip(plans, fitting, strict=True)
    ]


def _attribution(
    game: Game,
    wanted: Plan,
    structure: Structure | None,
    cache: MemoryStore | None,
    batch_size: int | None,
    progress: Callable[[int, int], None] | None,
) -> Attribution:
    values, cost = evaluate(game, wanted, cache=cache, batch_size=batch_size, progress=progress)
    return Attribution(
        wanted.combine(values),
        game.names,
        float(values[0]),
        float(values[-1]),
        wanted.concept,
        None if structure is None else str(structure),
        cost,
    )


def _within_budget(evaluations: int, budget: int | None, what: str, n: int) -> None:
    if budget is None or evaluations <= budget:
        return
    fewer = n * (n + 1) // 2 + 1
    remedy = (
        f", or concept='myerson' ({fewer} evaluations) if the players stand in a line"
        if fewer < evaluations
        else ""
    )
    raise ValueError(
        f"{what} takes {evaluations} evaluations and the budget is {budget}; "
        f"raise the budget{remedy}"
    )


def _takes_no_structure(concept: str | Semivalue) -> bool:
    return isinstance(concept, Semivalue) or (
        concept in CONCEPTS and not CONCEPTS[concept].structures
    )


def from_table(
    table: ArrayLike,
    concept: str | Semivalue = "auto",
    structure: Structure | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Attribution:
    """Attribute a game that is given by the table of all its values.

    Parameters
    ----------
    table : array_like
        ``(2**n,)`` values; bit i of the index says whether player i is in the coalition.
    concept : str or Semivalue
        The solution concept, as for :func:`attribute`.
    structure : Structure, optional
        The coalition structure, as for :func:`attribute`.
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
    wanted = plan(labels, concept=concept, structure=structure)
    finite = np.isfinite(entries)
    if not finite.all():
        worst = int(np.argmin(finite))
        members = tuple(name for i, name in enumerate(labels) if worst >> i & 1)
        raise ValueFunctionError(
            f"the table holds {entries[worst]} for the coalition {{{', '.join(members)}}}; "
            "every coalition needs a finite value",
            members,
        )
    if not _takes_no_structure(default_concept(structure) if concept == "auto" else concept):
        entries = entries[wanted.coalitions @ (1 << np.arange(n))]
    return Attribution(
        wanted.combine(entries),
        labels,
        float(entries[0]),
        float(entries[-1]),
        wanted.concept,
        None if structure is None else str(structure),
    )

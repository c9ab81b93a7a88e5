"""The one verb: attribute the value of a game to its players."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Unpack, overload

import numpy as np

from owen_core.attribution import Attribution
from owen_core.cache import MemoryStore, Store
from owen_core.coalition import pack
from owen_core.concepts import default_concept, plan
from owen_core.estimators import can_sample
from owen_core.evaluate import Evaluator, Valuing, check_limits
from owen_core.executor import Executor
from owen_core.game import Game, ValueFunction, as_game
from owen_core.pairs import Reader, with_pairs
from owen_core.plan import Plan, TooLargeError
from owen_core.progress import Report, reporting
from owen_core.retry import Retry
from owen_core.sampling import estimate
from owen_core.semivalue import Semivalue
from owen_core.stopping import AnyOf, Budget, Stop
from owen_core.structure import Structure
from owen_core.table import takes_table

AUTO_BUDGET = 1 << 20  # what "auto" pays when no budget is given
ELSE_ESTIMATED = "; or give a budget or a stop rule, and it is estimated"
EXACT_ANYWAY = 1 << 12  # evaluations that no rule on errors is worth sampling for


class Options(Valuing, total=False):
    """Options of :func:`attribute`."""

    estimator: str
    interactions: bool
    budget: int | None
    stop: Stop | None
    rng: int | np.random.Generator | None
    repeat: bool
    progress: Report | bool | None


@overload
def attribute(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None = ...,
    concept: str | Semivalue = ...,
    structure: Structure | None = ...,
    **options: Unpack[Options],
) -> Attribution: ...


@overload
def attribute(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None,
    concept: list[str | Semivalue],
    structure: Structure | None = ...,
    **options: Unpack[Options],
) -> list[Attribution]: ...


def attribute(
    value: ValueFunction | Game,
    players: int | Sequence[str] | None = None,
    concept: str | Semivalue | list[str | Semivalue] = "auto",
    structure: Structure | None = None,
    *,
    estimator: str = "auto",
    interactions: bool = False,
    budget: int | None = None,
    stop: Stop | None = None,
    rng: int | np.random.Generator | None = None,
    repeat: bool = False,
    cache: Store | None = None,
    batch_size: int | None = None,
    executor: Executor | None = None,
    retry: Retry | None = None,
    progress: Report | bool | None = None,
    cancel: threading.Event | None = None,
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
    estimator : str
        ``auto``: exact where the budget allows for it, else sampled by what a pilot finds best.
        ``exact``: never sampled. One of :data:`SAMPLERS`: sampled in this way.
    interactions : bool
        Whether to return pair interactions as well, in ``interactions``. Concepts that value all
        coalitions give k-SII of order 2 (``banzhaf``: the Banzhaf interaction index), and those of
        flat unions the Shapley interaction index inside each union, from the same evaluations.
        Every other concept gives what leaving out two neighbours, or two ends of an edge, costs
        beyond leaving out each; that takes one evaluation for every player and pair, but for
        those that the concept takes itself.
    budget : int, optional
        The most new evaluations that may be paid; it is never exceeded. What cannot be computed
        exactly within it is estimated, if it can be sampled, and else refused before anything is
        paid.
    stop : Stop, optional
        When sampling has gone on for long enough: :class:`HalfWidth`, :class:`Rank`,
        :class:`Seconds` and :class:`Budget`, joined with ``&`` and ``|``. With a rule that sets no
        budget, up to 4,096 evaluations are made exact instead.
    rng : int or numpy.random.Generator, optional
        The seed of a sample. The same seed gives the same bits, whatever the batches and workers.
    repeat : bool
        Whether to ask v(N) a second time. The difference is kept in ``noise`` and enters the
        standard errors, as noise of that size on every evaluation.
    cache : Store, optional
        Values already known are taken from it, and new ones are kept in it: a
        :class:`MemoryStore` or a :class:`SqliteStore`.
    batch_size : int, optional
        Coalitions per call of ``value``; about a megabyte of them by default.
    executor : Executor, optional
        Runs batches at the same time: anything with the ``submit`` of :mod:`concurrent.futures`.
    retry : Retry, optional
        Which failures of the value function are not final.
    progress : callable or bool, optional
        Called with ``(done, all)`` coalitions after every batch; True draws a bar.
    cancel : threading.Event, optional
        Set from another thread, it stops the evaluation before the next batch.

    Returns
    -------
    Attribution, or list of Attribution
        One for each concept of a list.

    Raises
    ------
    ValueError
        The budget is too small, or the arguments do not fit together.
    Cancelled
        ``cancel`` was set. What was valued is in the cache.
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

    Forty players have a million million coalitions; two thousand tell this much:

    >>> weights = np.arange(1, 41)
    >>> a = oc.attribute(lambda s: np.sqrt(s @ weights), 40, budget=2000, rng=0)
    >>> low, high = a.confidence_interval()[39]
    >>> print(f"{a[39]:.3f}, from {low:.3f} to {high:.3f}")
    1.322, from 1.314 to 1.329
    """
    game = as_game(value, players)
    check_limits(budget=budget, batch_size=batch_size)
    many = isinstance(concept, list)
    with reporting(progress) as report:
        valuing = partial(
            Evaluator,
            game,
            cache=MemoryStore() if cache is None and many else cache,
            batch_size=batch_size,
            executor=executor,
            retry=retry,
            progress=report,
            cancel=cancel,
        )
        if isinstance(concept, list):
            tasks = [
                _task(game, each, None if takes_table(each) else structure, interactions)
                for each in concept
            ]
            _check_shared(game, tasks, estimator, budget, stop)
            return [_exact(task, valuing, repeat) for task in tasks]
        if concept == "auto":
            concept = default_concept(structure)
            if budget is None and stop is None and estimator == "auto":
                budget, estimator = AUTO_BUDGET, "exact"
        rule = _rule(budget, stop)
        kept = None if cache is None else valuing()
        task = _exact_task(game, concept, structure, estimator, interactions, rule, kept)
        if task is not None:
            return _exact(task, valuing, repeat)
        assert isinstance(concept, str)
        assert rule is not None
        return _estimate(game, concept, structure, estimator, rule, rng, valuing, repeat)


@dataclass(frozen=True, slots=True)
class _Task:
    """What is valued for one concept, and how interactions are read from its values."""

    plan: Plan
    structure: Structure | None
    interactions: Reader | None


def _task(
    game: Game, concept: str | Semivalue, structure: Structure | None, interactions: bool
) -> _Task:
    wanted = plan(game.names, concept=concept, structure=structure)
    if not interactions:
        return _Task(wanted, structure, None)
    table = takes_table(concept if isinstance(concept, Semivalue) else wanted.concept)
    extended, read = with_pairs(wanted, game.names, structure, every_coalition=table)
    return _Task(extended, structure, read)


def _rule(budget: int | None, stop: Stop | None) -> Stop | None:
    if budget is None or stop is None:
        return stop if budget is None else Budget(budget)
    return AnyOf((Budget(budget), stop))


def _exact_task(
    game: Game,
    concept: str | Semivalue,
    structure: Structure | None,
    estimator: str,
    interactions: bool,
    rule: Stop | None,
    kept: Evaluator | None,
) -> _Task | None:
    """Return what is valued exactly; None where sampling must do, or was asked for.

    What ``kept`` finds in its cache costs nothing of the budget.
    """
    sampled = isinstance(concept, str) and can_sample(concept, structure)
    if estimator not in ("auto", "exact"):
        if interactions:
            raise ValueError("interactions are read from exact values; leave estimator out")
        if not isinstance(concept, str):
            raise ValueError(f"the semivalue {concept.name!r} is not sampled; leave estimator out")
        if rule is None:
            raise ValueError(f"estimator {estimator!r} needs a budget or a stop rule")
        return None
    allowed = math.inf if rule is None else rule.limit
    if rule is not None and allowed == math.inf:
        allowed = EXACT_ANYWAY
    may_sample = estimator == "auto" and sampled and rule is not None and not interactions
    try:
        task = _task(game, concept, structure, interactions)
    except TooLargeError as error:
        if may_sample:
            return None
        if not sampled:
            raise
        raise TooLargeError(f"{error}{ELSE_ESTIMATED}") from None
    if len(task.plan) <= allowed or _unknown(task.plan, kept) <= allowed:
        return task
    if may_sample:
        return None
    raise ValueError(
        _over_budget(len(task.plan), allowed, f"{task.plan.concept} of {game.n} players", game.n)
        + (ELSE_ESTIMATED if sampled else "")
    )


def _unknown(plan: Plan, kept: Evaluator | None) -> float:
    """Return how many coalitions of a plan would have to be paid for."""
    if kept is None or len(plan) > AUTO_BUDGET:
        return math.inf
    _, known = kept.find(pack(plan.coalitions))
    return int(np.count_nonzero(~known))


def _check_shared(
    game: Game, tasks: list[_Task], estimator: str, budget: int | None, stop: Stop | None
) -> None:
    if estimator not in ("auto", "exact") or stop is not None:
        raise ValueError("several concepts are computed exactly; leave estimator and stop out")
    if budget is None:
        return
    distinct = len(np.unique(np.vstack([pack(t.plan.coalitions) for t in tasks]), axis=0))
    if distinct > budget:
        raise ValueError(
            _over_budget(distinct, budget, f"{len(tasks)} concepts of {game.n} players", game.n)
        )


def _over_budget(evaluations: int, budget: float, what: str, n: int) -> str:
    fewer = n * (n + 1) // 2 + 1
    remedy = (
        f", or concept='myerson' ({fewer} evaluations) if the players stand in a line"
        if fewer < evaluations
        else ""
    )
    return (
        f"{what} takes {evaluations} evaluations and the budget is {budget}; "
        f"raise the budget{remedy}"
    )


def _exact(task: _Task, valuing: Callable[..., Evaluator], repeat: bool) -> Attribution:
    evaluator = valuing(total=len(task.plan))
    values = evaluator.plan(task.plan)
    noise = _noise(evaluator, values[-1]) if repeat else None
    std_error = None
    if noise:
        player, _, weight = task.plan.weights()
        n = task.plan.n
        of_empty = np.bincount(player, weight, minlength=n)  # v(empty) is taken off every value
        squares = np.bincount(player, weight**2, minlength=n) + of_empty**2
        std_error = noise * np.sqrt(squares / 2)
    cost = evaluator.cost
    return Attribution(
        task.plan.combine(values),
        evaluator.game.names,
        float(values[0]),
        float(values[-1]),
        task.plan.concept,
        None if task.structure is None else str(task.structure),
        cost,
        std_error,
        interactions=None if task.interactions is None else task.interactions(values, cost),
        noise=noise,
    )


def _estimate(
    game: Game,
    concept: str,
    structure: Structure | None,
    estimator: str,
    rule: Stop,
    rng: int | np.random.Generator | None,
    valuing: Callable[..., Evaluator],
    repeat: bool,
) -> Attribution:
    evaluator = valuing(total=None if rule.limit == math.inf else int(rule.limit))
    sample = estimate(evaluator, estimator, concept, structure, rule, rng)
    noise = _noise(evaluator, sample.total) if repeat else None
    std_error = sample.std_error
    if noise and std_error is not None:
        # The noise of single values is in the spread already, but not that of v(N) and v(empty),
        # of which every player has the share 1 / n.
        std_error = np.hypot(std_error, noise / game.n)
    return Attribution(
        sample.values,
        game.names,
        sample.baseline,
        sample.total,
        concept,
        None if structure is None else str(structure),
        evaluator.cost,
        std_error,
        sampling=sample.sampling,
        noise=noise,
    )


def _noise(evaluator: Evaluator, total: float) -> float:
    """How far v(N) is from what it was when it is asked a second time.

    The difference of two values is the standard deviation of one times the root of two.
    """
    everyone = pack(np.ones((1, evaluator.game.n), dtype=np.bool_))
    return abs(float(evaluator.again(everyone)[0]) - float(total))

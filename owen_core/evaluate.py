"""Valuing coalitions: cache first, then the value function in batches."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from owen_core.cache import Store
from owen_core.coalition import Packed, as_packed, pack
from owen_core.executor import IN_FLIGHT, Executor, InPlace, run
from owen_core.game import Game, Values
from owen_core.plan import Plan
from owen_core.progress import Report, reporting
from owen_core.retry import Retry

BATCH_BYTES = 1 << 20  # rows of a megabyte stay in cache while the value function reads them
SHARES = 64  # an executor gets at least so many batches, while there are coalitions for them


class Valuing(TypedDict, total=False):
    """Options of everything that evaluates: see :func:`owen_core.attribute`."""

    cache: Store | None
    batch_size: int | None
    executor: Executor | None
    retry: Retry | None
    cancel: threading.Event | None


Places: TypeAlias = slice | NDArray[np.int64]
Batch: TypeAlias = tuple[Places, Packed]


@dataclass(frozen=True, slots=True)
class Cost:
    """What an attribution cost.

    Attributes
    ----------
    asked : int
        Coalitions whose value was needed, all distinct.
    cached, new : int
        How many of them came from the cache and how many were evaluated.
    calls : int
        Calls of the value function, those that failed and were made again included.
    seconds : float
        Wall time of the evaluation.
    """

    asked: int
    cached: int
    new: int
    calls: int
    seconds: float


class Evaluator:
    """Values the coalitions of one game, and counts what that costs.

    Values are stored as they arrive: after an exception, a cancellation or Ctrl-C, everything
    that was already valued is in the cache.

    Parameters
    ----------
    game : Game
        The game.
    cache : Store, optional
        Values already known are taken from it, and new ones are kept in it.
    batch_size : int, optional
        Coalitions per call of the value function. By default a megabyte of them, and with an
        executor no more than a 64th of those that are paid for together.
    executor : Executor, optional
        Runs batches, up to 256 at the same time. The values are the same bits as without it.
    retry : Retry, optional
        Which failures of a batch are not final.
    progress : callable, optional
        Called with ``(done, all)`` coalitions after every batch.
    cancel : threading.Event, optional
        Set from another thread, it stops the evaluation before the next batch; with an executor,
        within a tenth of a second.
    total : int, optional
        The coalitions there are in all, for ``progress``; those asked so far by default.

    Raises
    ------
    TypeError
        The executor cannot submit, or is a process pool that the game cannot be sent to, or
        ``retry`` is no :class:`Retry`.
    ValueError
        ``batch_size`` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> import owen_core as oc
    >>> evaluator = Evaluator(oc.games.majority(3), cache=oc.MemoryStore())
    >>> words = np.array([[0b011], [0b100]], dtype=np.uint64)
    >>> evaluator(words), evaluator(words)
    (array([1., 0.]), array([1., 0.]))
    >>> evaluator.cost.new, evaluator.cost.cached, evaluator.cost.calls
    (2, 2, 1)
    """

    def __init__(
        self,
        game: Game,
        *,
        cache: Store | None = None,
        batch_size: int | None = None,
        executor: Executor | None = None,
        retry: Retry | None = None,
        progress: Report | None = None,
        cancel: threading.Event | None = None,
        total: int | None = None,
    ) -> None:
        check_limits(budget=None, batch_size=batch_size)
        if executor is not None:
            _check_executor(executor, game)
        if retry is not None and not isinstance(retry, Retry):
            raise TypeError(f"retry must be a Retry, got {retry!r}; say retry=Retry(times=3)")
        self.game = game
        self._cache = cache
        self._batch_size = batch_size
        self._executor = InPlace() if executor is None else executor
        self._in_place = executor is None
        self._retry = retry or Retry(times=0)
        self._progress = progress
        self._cancel = cancel
        self._total = total
        self._cached = self._new = 0
        self._calls = 0
        self._seconds = 0.0

    @property
    def cost(self) -> Cost:
        """What was looked up and paid so far."""
        asked = self._cached + self._new
        return Cost(asked, self._cached, self._new, self._calls, self._seconds)

    def find(self, words: Packed) -> tuple[Values, NDArray[np.bool_]]:
        """Return what the cache knows of packed coalitions; nothing is paid.

        Returns
        -------
        values : ndarray
            ``(m,)``; what is not known has no meaning.
        known : ndarray
            ``(m,) bool``.
        """
        began = time.perf_counter()
        found = self._find(as_packed(words, self.game.n))
        self._seconds += time.perf_counter() - began
        return found

    def pay(self, words: Packed) -> Values:
        """Return the ``(m,)`` values of packed coalitions, of which the cache knows none."""
        return self._paid(words, first=True)

    def __call__(self, words: Packed) -> Values:
        """Return the ``(m,)`` values of packed coalitions, from the cache or paid for."""
        values, known = self.find(words)
        missing = np.flatnonzero(~known)
        if missing.size:
            values[missing] = self.pay(words[missing])
        return values

    def plan(self, plan: Plan) -> Values:
        """Return the ``(len(plan),)`` values of a plan's coalitions, which are listed lazily."""
        values = np.empty(len(plan))
        self._fill(values, self._unknown(plan, values), first=True)
        return values

    def again(self, words: Packed) -> Values:
        """Return the ``(m,)`` values of packed coalitions asked once more, past the cache.

        A noisy game shows itself by the difference to the first answers, which the cache keeps.
        Of the cost, this counts as calls.

        Examples
        --------
        >>> import itertools
        >>> import numpy as np
        >>> import owen_core as oc
        >>> answers = itertools.count()
        >>> noisy = oc.Game(lambda coalitions: [next(answers) for _ in coalitions], 2)
        >>> evaluator = Evaluator(noisy)
        >>> everyone = np.array([[0b11]], dtype=np.uint64)
        >>> evaluator.pay(everyone), evaluator.again(everyone)
        (array([0.]), array([1.]))
        """
        return self._paid(words, first=False)

    def _paid(self, words: Packed, *, first: bool) -> Values:
        words = as_packed(words, self.game.n)
        values = np.empty(len(words))
        self._fill(values, self._batches(words), first=first)
        return values

    def _find(self, words: Packed) -> tuple[Values, NDArray[np.bool_]]:
        if self._cache is None:
            return np.empty(len(words)), np.zeros(len(words), dtype=np.bool_)
        values, known = self._cache.find(self.game.value, words, self.game.n)
        if known.any():
            self._cached += int(known.sum())
            self._report()
        return values, known

    def _batches(self, words: Packed) -> Iterator[Batch]:
        size = self._size(len(words))
        for start in range(0, len(words), size):
            yield slice(start, start + size), words[start : start + size]

    def _unknown(self, plan: Plan, values: Values) -> Iterator[Batch]:
        """List what a plan asks and the cache does not know; what it knows goes to ``values``."""
        size = self._size(len(plan))
        for start in range(0, len(plan), size):
            words = pack(plan.rows(start, min(start + size, len(plan))))
            values[start : start + len(words)], known = self._find(words)
            missing = np.flatnonzero(~known)
            if missing.size == len(words):
                yield slice(start, start + len(words)), words
            elif missing.size:
                yield start + missing, words[missing]

    def _size(self, coalitions: int) -> int:
        if self._batch_size is not None:
            return self._batch_size
        size = BATCH_BYTES // self.game.n
        return max(1, size if self._in_place else min(size, -(-coalitions // SHARES)))

    def _fill(self, values: Values, batches: Iterable[Batch], *, first: bool) -> None:
        """Pay for batches of coalitions; ``first`` answers are kept in the cache."""

        def submit(batch: Batch) -> Future[Values]:
            self._calls += 1
            future = self._executor.submit(value_batch, self.game, batch[1], self._calls)
            if not isinstance(future, Future):
                raise TypeError(_not_an_executor(self._executor))
            return future

        def keep(batch: Batch, paid: Values) -> None:
            places, words = batch
            if first:
                if self._cache is not None:
                    self._cache.put(self.game.value, words, self.game.n, paid)
                self._new += len(words)
            values[places] = paid

        began = time.perf_counter()
        try:
            run(
                batches,
                submit,
                keep,
                self._report,
                in_flight=1 if self._in_place else IN_FLIGHT,
                retry=self._retry,
                cancel=self._cancel,
            )
        except BaseException as error:
            if self._new:
                error.add_note(self._how_to_go_on())
            raise
        finally:
            self._seconds += time.perf_counter() - began

    def _report(self) -> None:
        if self._progress is not None:
            asked = self._cached + self._new
            self._progress(asked, self._total or asked)

    def _how_to_go_on(self) -> str:
        if self._cache is None:
            return (
                f"{self._new} coalitions were valued before, and no cache has kept them; with "
                "cache=MemoryStore() or SqliteStore() the same call would go on from there"
            )
        return (
            f"{self._new} coalitions were valued before, and the cache has them; the same call "
            "with this cache goes on from there"
        )


def value_batch(game: Game, words: Packed, call: int) -> Values:
    """Return the values of a batch, in whatever process an executor runs it.

    The number of the call makes calls differ: Dask's own executor takes an equal one for one made
    before, and would answer a retry with the failure it remembers.
    """
    return game.values(words)


def evaluate(
    game: Game, plan: Plan, *, progress: Report | bool | None = None, **options: Unpack[Valuing]
) -> tuple[Values, Cost]:
    """Return the values, ``(len(plan),)``, of a plan's coalitions, and what they cost.

    The options are those of :class:`Evaluator`; ``progress=True`` draws a bar.
    """
    with reporting(progress) as report:
        evaluator = Evaluator(game, progress=report, total=len(plan), **options)
        return evaluator.plan(plan), evaluator.cost


def check_limits(*, budget: int | None, batch_size: int | None) -> None:
    """Refuse a budget or a batch size below 1."""
    for name, number in (("budget", budget), ("batch_size", batch_size)):
        if number is not None and number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")


def _check_executor(executor: Executor, game: Game) -> None:
    if not hasattr(executor, "submit"):
        raise TypeError(_not_an_executor(executor))
    from concurrent.futures import ProcessPoolExecutor  # it loads all of multiprocessing

    if isinstance(executor, ProcessPoolExecutor):
        try:
            pickle.dumps(game)
        except Exception as error:
            raise TypeError(
                f"processes need a value function that pickle can send them, and {game.value!r} "
                f"is none ({error}); define it at the top of a module, or use threads, Dask or Ray"
            ) from error


def _not_an_executor(found: object) -> str:
    return (
        f"an executor submits and returns a concurrent.futures.Future, got {found!r}; with Dask "
        "give owen_core.DaskExecutor(client), with Ray owen_core.RayExecutor()"
    )

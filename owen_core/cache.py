"""Stores of coalition values, so that nothing is paid for twice."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from owen_core import _core
from owen_core.coalition import Packed
from owen_core.game import ValueFunction, Values


class Store(Protocol):
    """What an evaluation asks of a store: two methods, over packed coalitions of ``n`` players."""

    def find(
        self, value: ValueFunction, coalitions: Packed, n: int
    ) -> tuple[Values, NDArray[np.bool_]]:
        """Return ``(m,)`` values and an ``(m,)`` mask of those that are known."""

    def put(self, value: ValueFunction, coalitions: Packed, n: int, values: Values) -> None:
        """Remember the values of these coalitions."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a store holds and how often it helped.

    Attributes
    ----------
    entries : int
        Values held, of all games together.
    hits, misses : int
        Coalitions that were looked up and known, and those that were not.
    """

    entries: int
    hits: int
    misses: int


class MemoryStore:
    """Coalition values held in memory, for as many games as you like.

    A store tells games apart by their value function (``==``), so one store can serve many games
    and a different function never meets another's values. The store keeps the functions alive.
    Threads may share it.

    Examples
    --------
    >>> import owen_core as oc
    >>> store = oc.MemoryStore()
    >>> def value(coalitions):
    ...     return coalitions.sum(axis=1) ** 2
    >>> oc.attribute(value, 6, cache=store).cost.new
    64
    >>> oc.attribute(value, 6, "myerson", cache=store).cost.new
    0
    >>> store.statistics
    Statistics(entries=64, hits=22, misses=64)
    """

    def __init__(self) -> None:
        self._tables: dict[tuple[ValueFunction, int], _core.CoalitionCache] = {}
        self._hits = self._misses = 0
        self._lock = threading.Lock()  # of the two counts

    def __len__(self) -> int:
        """The number of values held."""
        return sum(len(table) for table in list(self._tables.values()))

    @property
    def statistics(self) -> Statistics:
        """Entries, hits and misses."""
        return Statistics(len(self), self._hits, self._misses)

    def find(
        self, value: ValueFunction, coalitions: Packed, n: int
    ) -> tuple[Values, NDArray[np.bool_]]:
        """Return ``(m,)`` values and an ``(m,)`` mask of those that are known."""
        values, known = self._table(value, n).find(coalitions)
        hits = int(np.count_nonzero(known))
        with self._lock:
            self._hits += hits
            self._misses += len(known) - hits
        return values, known

    def put(self, value: ValueFunction, coalitions: Packed, n: int, values: Values) -> None:
        """Remember the values of these coalitions; what was known of them is replaced."""
        self._table(value, n).put(coalitions, values)

    def _table(self, value: ValueFunction, n: int) -> _core.CoalitionCache:
        try:
            return self._tables.setdefault((value, n), _core.CoalitionCache(n))
        except TypeError as error:
            raise TypeError(
                f"a cache tells games apart by their value function, and {value!r} is not "
                "hashable; wrap it in a function or give its class a __hash__"
            ) from error

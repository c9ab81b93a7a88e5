"""Stores of coalition values, so that nothing is paid for twice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from owen_core import _core
from owen_core.coalition import Coalitions, pack
from owen_core.game import ValueFunction, Values


class MemoryStore:
    """Coalition values held in memory, for as many games as you like.

    A store tells games apart by their value function (``==``), so one store can serve many games
    and a different function never meets another's values. The store keeps the functions alive.

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
    """

    def __init__(self) -> None:
        self._tables: dict[tuple[ValueFunction, int], _core.CoalitionCache] = {}

    def __len__(self) -> int:
        """The number of values held."""
        return sum(len(table) for table in self._tables.values())

    def find(
        self, value: ValueFunction, coalitions: Coalitions
    ) -> tuple[Values, NDArray[np.bool_]]:
        """Return ``(m,)`` values and an ``(m,)`` mask of those that are known."""
        return self._table(value, coalitions).find(pack(coalitions))

    def put(self, value: ValueFunction, coalitions: Coalitions, values: Values) -> None:
        """Remember the values of these coalitions."""
        self._table(value, coalitions).put(pack(coalitions), values)

    def _table(self, value: ValueFunction, coalitions: Coalitions) -> _core.CoalitionCache:
        n = coalitions.shape[1]
        try:
            return self._tables.setdefault((value, n), _core.CoalitionCache(n))
        except TypeError as error:
            raise TypeError(
                f"a cache tells games apart by their value function, and {value!r} is not "
                "hashable; wrap it in a function or give its class a __hash__"
            ) from error

"""Plans: the coalitions that a concept needs, known before any of them is paid for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from owen_core.game import Coalitions, Values


@dataclass(frozen=True, slots=True)
class Plan:
    """Distinct coalitions of ``n`` players, and the linear map from their values to credits.

    ``len(plan)`` is the exact number of evaluations. The first coalition is the empty one, the
    last is the grand coalition.

    Attributes
    ----------
    n : int
        Number of players.
    concept : str
        The solution concept that the plan computes.
    size : int
        Number of distinct coalitions.
    rows : callable
        ``rows(start, stop)`` gives coalitions ``start`` to ``stop`` as a ``(stop - start, n)``
        bool matrix, so that a large plan need never be held at once.
    transform : callable
        Maps the ``(size,)`` values, in the plan's order, to ``(n,)`` credits.

    Examples
    --------
    >>> import owen_core as oc
    >>> plan = oc.plan(4, concept="myerson")
    >>> len(plan)
    11
    >>> plan.combine(plan.coalitions.sum(axis=1))  # an additive game: everyone is worth 1
    array([1., 1., 1., 1.])
    """

    n: int
    concept: str
    size: int
    rows: Callable[[int, int], Coalitions]
    transform: Callable[[Values], Values]

    def __len__(self) -> int:
        return self.size

    @property
    def coalitions(self) -> Coalitions:
        """All coalitions of the plan, ``(size, n) bool``."""
        return self.rows(0, self.size)

    def combine(self, values: Values) -> Values:
        """Return the credits, ``(n,)``, from the values, ``(size,)``, of the plan's coalitions."""
        values = np.ascontiguousarray(values, dtype=np.float64)
        if values.shape != (self.size,):
            raise ValueError(
                f"the plan has {self.size} coalitions, got values of shape {values.shape}"
            )
        return self.transform(values)

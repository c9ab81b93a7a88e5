"""Plans: the coalitions that a concept needs, known before any of them is paid for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from owen_core.coalition import Coalitions
from owen_core.game import Values

MAX_LISTED = 1 << 15


class TooLargeError(ValueError):
    """An exact value takes more evaluations than this project lists; a sample may do."""


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
        Maps the ``(size,)`` values, in the plan's order, to ``(n,)`` credits. It is linear, but
        for v(empty), which is taken off all values first.
    efficient : bool
        Whether the credits always sum to v(N) - v(empty).

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
    efficient: bool

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

    def weights(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Values]:
        """Return the sparse weights as ``(player, coalition, weight)``, one entry each.

        A credit is the sum of its player's weights times the values of their coalitions, with
        v(empty) taken off every value.

        Raises
        ------
        ValueError
            The plan has more than 32,768 coalitions.

        Examples
        --------
        >>> import owen_core as oc
        >>> player, coalition, weight = oc.plan(2).weights()
        >>> print(player, coalition, weight)
        [0 0 0 1 1 1] [1 2 3 1 2 3] [ 0.5 -0.5  0.5 -0.5  0.5  0.5]
        """
        if self.size > MAX_LISTED:
            raise ValueError(
                f"the weights of {self.size} coalitions are not listed (the limit is "
                f"{MAX_LISTED}); use combine"
            )
        columns = np.empty((self.n, self.size))
        one = np.zeros(self.size)
        for k in range(self.size):
            one[k] = 1.0
            columns[:, k] = self.transform(one)
            one[k] = 0.0
        columns[:, 0] = 0.0
        player, coalition = np.nonzero(columns)
        return player, coalition, columns[player, coalition]

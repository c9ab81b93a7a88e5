"""How far apart two systems are, for every pair of systems and every column of the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ospo.paired import Tally, bootstrap_interval, holm, randomization_p, tally

LEVEL = 0.05  # of the tests: a difference is called significant below it


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one system is above another, by one metric with one retriever.

    Attributes
    ----------
    system, other : str
        The difference is that of ``system`` minus that of ``other``.
    retriever, metric : str
    mean : float
        Over the queries.
    low, high : float
        The ends of its 95 % bootstrap interval.
    p : float
        Of the paired randomization test, two-sided.
    p_holm : float
        The same, adjusted for the number of pairs of systems.
    queries : Tally
        How many the system won, tied and lost.
    """

    system: str
    other: str
    retriever: str
    metric: str
    mean: float
    low: float
    high: float
    p: float
    p_holm: float
    queries: Tally

    @property
    def better(self) -> str | None:
        """The system that is significantly better: its adjusted p-value is below the level."""
        if self.p_holm >= LEVEL:
            return None
        return self.system if self.mean > 0 else self.other


def differences(
    values: NDArray[np.float64],
    systems: Sequence[str],
    retrievers: Sequence[str],
    metrics: Sequence[str],
    *,
    seed: int,
) -> tuple[Difference, ...]:
    """Return the differences of all pairs of systems, the later minus the earlier.

    Parameters
    ----------
    values : ndarray
        ``(systems, retrievers, metrics, queries)``
    systems, retrievers, metrics : sequence of str
        What they are called.
    seed : int
        Of the resampling, which all differences share.

    Examples
    --------
    >>> values = np.array([[0.1, 0.2, 0.3], [0.4, 0.6, 0.8]])[:, None, None]
    >>> [found] = differences(values, ["plain", "trained"], ["bm25"], ["RR"], seed=0)
    >>> round(found.mean, 3), found.p, found.queries, found.better
    (0.4, 0.25, Tally(won=3, tied=0, lost=0), None)
    """
    pairs = list(combinations(range(len(systems)), 2))
    if not pairs:
        return ()
    contrasts = np.array([values[later] - values[earlier] for earlier, later in pairs])
    columns = contrasts.reshape(-1, values.shape[-1]).T
    shape = contrasts.shape[:-1]
    low, high = bootstrap_interval(columns, seed=seed).reshape(2, *shape)
    p = randomization_p(columns, seed=seed).reshape(shape)
    p_holm = np.apply_along_axis(holm, 0, p)  # over the pairs of a column of the table
    return tuple(
        Difference(
            system=systems[later],
            other=systems[earlier],
            retriever=retriever,
            metric=metric,
            mean=float(contrasts[k, r, m].mean()),
            low=float(low[k, r, m]),
            high=float(high[k, r, m]),
            p=float(p[k, r, m]),
            p_holm=float(p_holm[k, r, m]),
            queries=tally(contrasts[k, r, m]),
        )
        for k, (earlier, later) in enumerate(pairs)
        for r, retriever in enumerate(retrievers)
        for m, metric in enumerate(metrics)
    )

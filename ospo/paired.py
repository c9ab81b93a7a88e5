"""Two systems on the same queries: how far apart they are, how surely, and who won how often.

What is sampled and counted is the query. Its differences are rounded to :data:`UNIT` first, so that
sums are exact in floating point: ties are found, and a seed gives one result on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

UNIT = 2.0**-30  # sums of 2**23 differences between -1 and 1 stay below 2**53
PERMUTATIONS = 100_000
RESAMPLES = 10_000
AT_A_TIME = 1 << 22  # random numbers in memory


class Tally(NamedTuple):
    """Queries on which the difference is above, at and below 0."""

    won: int
    tied: int
    lost: int


def randomization_p(
    differences: ArrayLike, *, permutations: int = PERMUTATIONS, seed: int = 0
) -> Floats:
    """Return two-sided p-values of the paired randomization test of the mean difference.

    Under the null hypothesis the two systems of a query could change places, so every difference
    has either sign (Fisher 1935; Smucker, Allan and Carterette 2007). With few queries all signs
    are tried and p is exact; otherwise p is ``(1 + c) / (1 + permutations)``, where c random
    signs give a mean at least as far from 0.

    Parameters
    ----------
    differences : array_like
        ``(queries, contrasts)``, each between -1 and 1.
    permutations : int
        The most signs that are tried.
    seed : int
        Decides the signs, which all contrasts share.

    Returns
    -------
    ndarray
        ``(contrasts,)``

    Examples
    --------
    Of the eight ways to sign three differences, two are as extreme as all above 0:

    >>> randomization_p([[0.1], [0.2], [0.3]])
    array([0.25])
    """
    units = _in_units(differences)
    queries = len(units)
    if exact := 2**queries <= permutations:
        permutations = 2**queries
    extreme = np.zeros(units.shape[1], dtype=np.int64)
    # Rounding moves each difference by half a unit at most, so that equal sums stay this near.
    observed = np.abs(units.sum(axis=0)) - queries
    rng = np.random.default_rng(seed)
    for start, stop in _parts(permutations, queries):
        if exact:
            flipped = (np.arange(start, stop)[:, None] >> np.arange(queries)) & 1
        else:
            flipped = rng.integers(0, 2, size=(stop - start, queries), dtype=np.int8)
        extreme += (np.abs((1.0 - 2.0 * flipped) @ units) >= observed).sum(axis=0)
    return extreme / permutations if exact else (1 + extreme) / (1 + permutations)


def bootstrap_interval(
    differences: ArrayLike, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Return the percentile bootstrap interval of the mean difference (Efron 1979).

    Parameters
    ----------
    differences : array_like
        ``(queries, contrasts)``, each between -1 and 1; at least one query.
    level : float
        What share of intervals is to hold the truth. With few queries a smaller share does.
    resamples : int
    seed : int
        Decides which queries are drawn; all contrasts share the draws.

    Returns
    -------
    ndarray
        ``(2, contrasts)``: the lower ends and the upper ends.

    Examples
    --------
    >>> bootstrap_interval([[0.2]] * 5).round(3).tolist()
    [[0.2], [0.2]]
    """
    units = _in_units(differences)
    queries = len(units)
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, units.shape[1]))
    for start, stop in _parts(resamples, queries):
        drawn = rng.integers(0, queries, size=(stop - start, queries))
        # How often each query was drawn: one count for all places of all resamples.
        places = drawn + queries * np.arange(stop - start)[:, None]
        times = np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape)
        means[start:stop] = times.astype(np.float64) @ units / queries
    tail = (1 - level) / 2
    return np.asarray(np.quantile(means, [tail, 1 - tail], axis=0) * UNIT)


def holm(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted for their number by Holm's step-down method (Holm 1979).

    Those below a level keep the chance of any false rejection below that level, whatever the
    dependence between the tests.

    Parameters
    ----------
    p_values : array_like
        ``(tests,)``

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(6)
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return np.minimum(adjusted, 1.0)


def tally(differences: ArrayLike) -> Tally:
    """Return how many differences of one contrast are above, at and below 0, to nine decimals.

    Examples
    --------
    >>> tally([0.1, 0.3 - 0.1 - 0.2, -0.2, -0.1])
    Tally(won=1, tied=1, lost=2)
    """
    units = _in_units(differences)
    return Tally(int((units > 0).sum()), int((units == 0).sum()), int((units < 0).sum()))


def _in_units(differences: ArrayLike) -> Floats:
    return np.asarray(np.rint(np.asarray(differences, dtype=np.float64) / UNIT))


def _parts(rows: int, width: int) -> Iterator[tuple[int, int]]:
    # A multiple of 4: random bytes come in fours, so that the size of a part changes nothing.
    step = max(4, AT_A_TIME // width // 4 * 4)
    for start in range(0, rows, step):
        yield start, min(rows, start + step)

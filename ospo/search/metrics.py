"""Retrieval metrics, computed from the ranks of the judged products alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ir_measures
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ospo.errors import InputError


@dataclass(frozen=True, slots=True)
class NDCG:
    """Normalised discounted cumulative gain with gain ``2**grade - 1`` (Burges et al. 2005).

    Attributes
    ----------
    cutoff : int
        Products below this rank earn nothing.

    Examples
    --------
    >>> NDCG(10)(ranks=[[1, 2], [2, 1], [0, 0]], grades=[3, 1]).round(3)
    array([1.  , 0.71, 0.  ])
    """

    cutoff: int

    def __str__(self) -> str:
        return f"nDCG@{self.cutoff}"

    def __call__(self, ranks: ArrayLike, grades: Sequence[int]) -> NDArray[np.float64]:
        """Return the metric of rankings.

        Parameters
        ----------
        ranks : array_like
            ``(m, r)``: the rank of each judged product in each ranking; 0 = not retrieved.
        grades : sequence of int
            ``(r,)``: the grades of those products; they must be all products with a grade.
        """
        ranks = np.asarray(ranks, dtype=np.int64)
        gains = 2.0 ** np.asarray(grades) - 1.0
        found = (ranks > 0) & (ranks <= self.cutoff)
        discount = np.where(found, 1.0 / np.log2(np.where(found, ranks, 1) + 1.0), 0.0)
        best = np.sort(gains)[::-1][: self.cutoff]
        ideal = (best / np.log2(np.arange(2, len(best) + 2))).sum()
        return np.asarray((discount * gains).sum(axis=-1) / ideal)


def parse_metric(name: str) -> NDCG:
    """Return the metric of an ir-measures name such as ``nDCG@10``.

    Raises
    ------
    InputError
        The name is unknown, or another metric than nDCG at a cutoff.
    """
    try:
        measure = ir_measures.parse_measure(name)
    except (ValueError, NameError, SyntaxError) as error:
        raise InputError(f"metric {name!r} is not known; write for example nDCG@10") from error
    cutoff = measure.params.get("cutoff")
    if measure.NAME != "nDCG" or cutoff is None or len(measure.params) > 1:
        raise InputError(f"metric {name!r} is not supported yet; use nDCG@k, for example nDCG@10")
    return NDCG(int(cutoff))

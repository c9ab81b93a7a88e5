"""Retrieval metrics, computed from the ranks of the judged products alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import ir_measures
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ospo.errors import InputError

Floats = NDArray[np.float64]
Ranks = NDArray[np.int64]


@dataclass(frozen=True)
class Metric:
    """What a ranking is worth, by the ranks of the judged products.

    Parameters
    ----------
    cutoff : int, optional
        Products below this rank count for nothing; by default all count.
    judged_only : bool
        Whether products without a judgment are taken out of the ranking first (condensed lists;
        Sakai 2007). It is fairer to a retriever other than those whose results were judged.

    Examples
    --------
    Restricted to a pool of products, a ranking is condensed to the pool. The cutoff stays fixed,
    and the ideal ranking has all relevant products, retrieved or not:

    >>> judgments, pool = {"a": 1, "b": 1}, ("a", "c", "d")
    >>> judged = dict.fromkeys(pool, 0) | judgments
    >>> ranks = {"c": 2, "a": 40}  # of "c" and "a" in the whole ranking; the rest is not in it
    >>> pooled = NDCG(10, judged_only=True)
    >>> value = pooled([ranks.get(product, 0) for product in judged], list(judged.values()))
    >>> round(float(value), 3)  # "a" is second in the pool, and "b" is not found
    0.387
    """

    name: ClassVar[str]

    cutoff: int | None = None
    judged_only: bool = False

    def __post_init__(self) -> None:
        if self.cutoff is not None and self.cutoff < 1:
            raise InputError(f"the cutoff of {self.name} is {self.cutoff}: give at least 1")

    def __str__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self._options().items())
        return (
            self.name
            + (f"({options})" if options else "")
            + (f"@{self.cutoff}" if self.cutoff is not None else "")
        )

    def __call__(self, ranks: ArrayLike, grades: Sequence[int]) -> Floats:
        """Return the metric of rankings.

        Parameters
        ----------
        ranks : array_like
            ``(..., r)``: the rank of each judged product in each ranking; 0 = not retrieved.
        grades : sequence of int
            ``(r,)``: the grades of those products. They must be all relevant products, and all
            judged ones where the metric is ``judged_only``; one at least is relevant.
        """
        ranks = np.asarray(ranks, dtype=np.int64)
        if self.judged_only:
            ranks = condensed(ranks)
        if self.cutoff is not None:
            ranks = np.where(ranks <= self.cutoff, ranks, 0)
        return np.asarray(self._value(ranks, np.asarray(grades)))

    def relevant(self, grade: int) -> bool:
        """Return whether products of a grade are what the metric looks for."""
        return grade > 0

    def _options(self) -> dict[str, object]:
        """What the name says in brackets: every setting that is not the default."""
        return {"judged_only": True} if self.judged_only else {}

    @abstractmethod
    def _value(self, ranks: Ranks, grades: Ranks) -> Floats:
        """Return the metric of ranks that are already condensed and cut off."""


@dataclass(frozen=True)
class NDCG(Metric):
    """Normalised discounted cumulative gain with gain ``2**grade - 1`` (Burges et al. 2005).

    ``dcg="log2"`` makes the gain the grade itself (Järvelin and Kekäläinen 2002), which is what
    ir-measures means when it is not told.

    Examples
    --------
    >>> NDCG(10)(ranks=[[1, 2], [2, 1], [0, 0]], grades=[3, 1]).round(3)
    array([1.  , 0.71, 0.  ])
    """

    name = "nDCG"

    dcg: Literal["exp-log2", "log2"] = "exp-log2"

    def _options(self) -> dict[str, object]:
        return ({} if self.dcg == "exp-log2" else {"dcg": self.dcg}) | super()._options()

    def _value(self, ranks: Ranks, grades: Ranks) -> Floats:
        gains = 2.0**grades - 1.0 if self.dcg == "exp-log2" else grades.astype(np.float64)
        discount = np.where(ranks > 0, 1.0 / np.log2(np.maximum(ranks, 1) + 1.0), 0.0)
        best = np.sort(gains)[::-1][: self.cutoff]
        ideal = (best / np.log2(np.arange(2, len(best) + 2))).sum()
        return np.asarray((discount * gains).sum(axis=-1) / ideal)


@dataclass(frozen=True)
class Binary(Metric):
    """A metric to which a product is relevant or not.

    Attributes
    ----------
    rel : int
        The lowest grade of a relevant product.
    """

    rel: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rel < 1:
            raise InputError(f"rel of {self.name} is {self.rel}: a relevant grade is at least 1")

    def relevant(self, grade: int) -> bool:
        """Return whether products of a grade are what the metric looks for."""
        return grade >= self.rel

    def _options(self) -> dict[str, object]:
        return ({} if self.rel == 1 else {"rel": self.rel}) | super()._options()

    def _value(self, ranks: Ranks, grades: Ranks) -> Floats:
        return self._binary_value(ranks[..., grades >= self.rel])

    @abstractmethod
    def _binary_value(self, ranks: Ranks) -> Floats:
        """Return the metric of the ranks of the relevant products."""


@dataclass(frozen=True)
class Recall(Binary):
    """The share of the relevant products that is retrieved.

    Examples
    --------
    >>> Recall(10)(ranks=[[1, 12, 3], [1, 2, 3]], grades=[1, 2, 0])
    array([0.5, 1. ])
    """

    name = "R"

    def _binary_value(self, ranks: Ranks) -> Floats:
        return np.asarray((ranks > 0).mean(axis=-1))


@dataclass(frozen=True)
class Precision(Binary):
    """The share of relevant products among the best ``cutoff``.

    Examples
    --------
    >>> Precision(10)(ranks=[[1, 12, 3], [1, 2, 3]], grades=[1, 2, 0])
    array([0.1, 0.2])
    """

    name = "P"

    def __post_init__(self) -> None:
        if self.cutoff is None:
            raise InputError("P has no cutoff: write for example P@10")
        super().__post_init__()

    def _binary_value(self, ranks: Ranks) -> Floats:
        assert self.cutoff is not None
        return np.asarray((ranks > 0).sum(axis=-1) / self.cutoff)


@dataclass(frozen=True)
class ReciprocalRank(Binary):
    """One over the rank of the first relevant product.

    With one target product as the only judgment it says where a query puts the target.

    Examples
    --------
    >>> ReciprocalRank()(ranks=[[4, 2], [0, 0]], grades=[1, 1])
    array([0.5, 0. ])
    """

    name = "RR"

    def _binary_value(self, ranks: Ranks) -> Floats:
        return np.asarray(np.where(ranks > 0, 1.0 / np.maximum(ranks, 1), 0.0).max(axis=-1))


@dataclass(frozen=True)
class AveragePrecision(Binary):
    """The mean, over the relevant products, of the precision at each one's rank.

    Examples
    --------
    >>> AveragePrecision()(ranks=[[2, 4, 0], [1, 2, 3]], grades=[1, 1, 1]).round(3)
    array([0.333, 1.   ])
    """

    name = "AP"

    def _binary_value(self, ranks: Ranks) -> Floats:
        first_come = np.sort(np.where(ranks > 0, ranks, np.iinfo(np.int64).max), axis=-1)
        so_far = np.arange(1, ranks.shape[-1] + 1)
        found = np.arange(ranks.shape[-1]) < (ranks > 0).sum(axis=-1, keepdims=True)
        return np.asarray(np.where(found, so_far / first_come, 0.0).mean(axis=-1))


METRICS: dict[str, type[Metric]] = {
    metric.name: metric for metric in (NDCG, Recall, Precision, ReciprocalRank, AveragePrecision)
}
EXAMPLES = "nDCG@10, nDCG(judged_only=True)@10, R@100, P@10, RR or AP"


def parse_metric(name: str) -> Metric:
    """Return the metric of an ir-measures name such as ``nDCG@10``.

    The name nDCG alone stands for gains of ``2**grade - 1`` here; see :class:`NDCG`.

    Raises
    ------
    InputError
        The name is unknown, or the metric or one of its settings is none of ours.

    Examples
    --------
    >>> parse_metric("AP(rel=2)@100")
    AveragePrecision(cutoff=100, judged_only=False, rel=2)
    """
    try:
        measure: Any = ir_measures.parse_measure(name)
        measure.validate_params()
    except (ValueError, NameError, SyntaxError, AttributeError, TypeError) as error:
        raise InputError(f"metric {name!r} is not known; write for example {EXAMPLES}") from error
    except AssertionError as error:  # how validate_params refuses
        raise InputError(
            f"metric {name!r} is not complete ({error}); write for example {EXAMPLES}"
        ) from error
    try:
        return METRICS[measure.NAME](**measure.params)
    except (KeyError, TypeError) as error:
        raise InputError(f"metric {name!r} is not supported; use one such as {EXAMPLES}") from error


def condensed(ranks: Ranks) -> Ranks:
    """Return the ranks of judged products among themselves, ``(..., r)``; 0 = not retrieved.

    Examples
    --------
    >>> condensed(np.array([40, 0, 2, 7]))
    array([3, 0, 1, 2])
    """
    last = np.where(ranks > 0, ranks, np.iinfo(np.int64).max)
    places = last.argsort(axis=-1, kind="stable").argsort(axis=-1, kind="stable") + 1
    return np.where(ranks > 0, places, 0)


def judged_share(product_ids: Sequence[str], judged: Container[str], cutoff: int) -> float:
    """Return the share of judged products among the best ``cutoff``: ``Judged@cutoff``.

    Where it is low, a metric says little about the ranking: products without a judgment count as
    not relevant.

    Examples
    --------
    >>> judged_share(["a", "b", "c"], {"a": 0, "c": 2}, cutoff=2)
    0.5
    """
    best = product_ids[:cutoff]
    return sum(product in judged for product in best) / len(best) if best else 0.0

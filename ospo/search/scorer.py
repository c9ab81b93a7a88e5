"""Retrievers that score products themselves: ranks are counted, and only the best are sorted."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.retriever import Hit, Retriever, check_depth
from owen_core import _core

MATRIX_BYTES = 1 << 25  # of scores held at a time


class Scorer(Retriever):
    """Ranks the products by their scores; ties are broken by the order of the catalogue.

    A subclass writes :meth:`scores`. None of its scores is NaN, and those of a query must not
    depend on the other queries of the call.

    Attributes
    ----------
    catalogue : Catalogue
    floor : float
        A product is found when its score is above this.
    """

    catalogue: Catalogue
    floor: float = 0.0

    @abstractmethod
    def scores(self, queries: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the products that may be found, and what each query gives them.

        Returns
        -------
        tuple
            Rows of the catalogue, ascending, ``(r,)``; their scores, ``(queries, r)``. Products
            that are left out are not found.
        """

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first; only those that are found."""
        check_depth(k)
        ids = self.catalogue.ids
        results = []
        for rows, scores in self._batches(queries):
            for line in scores:
                places = best(line, k, self.floor)
                found = zip(rows[places].tolist(), line[places].tolist(), strict=True)
                results.append([Hit(ids[row], score) for row, score in found])
        return results

    def ranks(self, queries: Sequence[str], product_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return each product's rank for each query, ``(queries, products)``; 0 = not found."""
        return self.look(queries, product_ids, 0)[0]

    def look(
        self, queries: Sequence[str], product_ids: Sequence[str], k: int
    ) -> tuple[NDArray[np.int64], list[list[str]]]:
        """Return :meth:`ranks`, and the ids of the best ``k`` of each query."""
        ids = self.catalogue.ids
        ranks = np.zeros((len(queries), len(product_ids)), dtype=np.int64)
        first: list[list[str]] = []
        for part, rows, scores, found, targets in self._scores_around(queries, product_ids):
            ranks[part, found] = _core.count_ranks(scores, targets, self.floor)
            for line in scores if k else ():
                first.append([ids[row] for row in rows[best(line, k, self.floor)].tolist()])
        return ranks, first if k else [[] for _ in queries]

    def product_scores(
        self, queries: Sequence[str], product_ids: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return each product's score for each query, ``(queries, products)``; 0 = not found."""
        values = np.zeros((len(queries), len(product_ids)))
        for part, _, scores, found, targets in self._scores_around(queries, product_ids):
            theirs = scores[:, targets]
            values[part, found] = np.where(theirs > self.floor, theirs, 0.0)
        return values

    def _scores_around(
        self, queries: Sequence[str], product_ids: Sequence[str]
    ) -> Iterator[
        tuple[
            slice,
            NDArray[np.int64],
            NDArray[np.float64],
            NDArray[np.bool_],
            NDArray[np.int64],
        ]
    ]:
        """Yield batches of queries: rows, their scores, who of the products is there, and where."""
        unknown = [product for product in product_ids if product not in self.catalogue.position]
        if unknown:
            raise InputError(
                f"product {unknown[0]!r} is not in the catalogue, so it has no rank: "
                "use the judgments of this catalogue"
            )
        wanted = np.array([self.catalogue.position[p] for p in product_ids], dtype=np.int64)
        start = 0
        for rows, scores in self._batches(queries):
            places = np.searchsorted(rows, wanted)
            found = places < len(rows)
            found[found] = rows[places[found]] == wanted[found]
            part = slice(start, start := start + len(scores))
            yield part, rows, scores, found, places[found]

    def _batches(
        self, queries: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float64]]]:
        step = max(1, MATRIX_BYTES // (8 * len(self.catalogue)))
        for start in range(0, len(queries), step):
            yield self.scores(queries[start : start + step])


def best(scores: NDArray[np.float64], k: int, floor: float) -> NDArray[np.int64]:
    """Return where the ``k`` highest scores above ``floor`` stand, best first, ties in order.

    Examples
    --------
    >>> best(np.array([0.0, 2.0, 3.0, 2.0, 1.0]), k=3, floor=0.0)
    array([2, 1, 3])
    """
    found = np.flatnonzero(scores > floor)
    if k < len(found):
        kth = np.partition(scores[found], -k)[-k]
        found = found[scores[found] >= kth]
    return found[np.argsort(-scores[found], kind="stable")[:k]]

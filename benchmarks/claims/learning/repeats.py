"""BM25 that counts a query's terms as often as they are said, so that repeating may pay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.search.bm25 import BM25


class CountingBM25(BM25):
    """BM25 whose scores are sums over all terms of a query, not only over the distinct ones.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> shop = Catalogue(("1", "2"), {"title": ("red shoe", "blue shoe")})
    >>> once, twice = (CountingBM25(shop).scores([query])[1] for query in ("red", "red red"))
    >>> bool((twice == 2 * once).all())
    True
    """

    def key(self, query: str) -> frozenset[tuple[str, int]]:
        """Return the index terms of a query that occur in the catalogue, with their counts."""
        said = (term for term in self._analyze(query) if term in self._postings.column)
        return frozenset(Counter(said).items())

    def scores(self, queries: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the products that hold any term of the queries, ascending, and their scores."""
        counts = [dict(self.key(query)) for query in queries]
        vocabulary = sorted(set().union(*counts))
        said = np.array([[its.get(term, 0) for term in vocabulary] for its in counts], dtype=float)
        rows, matrix = self._term_scores(vocabulary)
        return rows, said.reshape(len(counts), len(vocabulary)) @ matrix

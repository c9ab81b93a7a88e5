"""The vector space model: cosine of TF-IDF vectors, by scikit-learn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.search.analyzer import STEMMER, analyzer
from ospo.search.fields import field_weights, weighted_counts
from ospo.search.scorer import Scorer
from owen_core.optional import needs

with needs("sklearn", "TF-IDF"):
    import sklearn
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.feature_extraction.text import TfidfTransformer


class TFIDF(Scorer):
    """Cosine of TF-IDF vectors over weighted fields, with every query term counted once.

    The weight of a term is ``tf * (1 + ln((1 + N) / (1 + df)))``, scikit-learn's default.

    Parameters
    ----------
    catalogue : Catalogue
    fields : mapping of str to float, optional
        The columns to search and their weights; by default every column, with weight 1.
    stemmer : str, optional
        A Snowball stemmer by its language, or None to compare whole words.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> [hit.product_id for hit in TFIDF(shop).search(["trail shoes"], k=10)[0]]
    ['1', '2']
    """

    def __init__(
        self,
        catalogue: Catalogue,
        *,
        fields: Mapping[str, float] | None = None,
        stemmer: str | None = STEMMER,
    ) -> None:
        self.catalogue = catalogue
        self._analyze = analyzer(stemmer)
        weights = field_weights(catalogue, fields)
        settings = f"tfidf {sklearn.__version__} {weights=} {stemmer=} {catalogue.fingerprint}"
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()
        self._vectorizer, self._weighting = DictVectorizer(), TfidfTransformer()
        counts = self._vectorizer.fit_transform(weighted_counts(catalogue, weights, self._analyze))
        self._vectors = self._weighting.fit_transform(counts)
        self._by_term = self._vectors.T.tocsr()

    def key(self, query: str) -> frozenset[str]:
        """Return the distinct index terms of a query that occur in the catalogue."""
        vocabulary = self._vectorizer.vocabulary_
        return frozenset(term for term in self._analyze(query) if term in vocabulary)

    def scores(self, queries: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return all rows of the catalogue, and their scores; 0 = no term in common."""
        product = self._query_vectors(queries) @ self._by_term
        return np.arange(len(self.catalogue)), product.toarray()

    def _query_vectors(self, queries: Sequence[str]) -> Any:
        """Return the TF-IDF vectors of queries, a sparse ``(queries, terms)`` matrix."""
        present = [dict.fromkeys(self.key(query), 1.0) for query in queries]
        return self._weighting.transform(self._vectorizer.transform(present))

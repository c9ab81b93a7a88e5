"""Latent semantic analysis: TF-IDF vectors in the space of their main directions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.analyzer import STEMMER
from ospo.search.tfidf import TFIDF
from ospo.search.vectors import unit_vectors
from owen_core.optional import needs

with needs("sklearn", "LSA"):
    from sklearn.decomposition import TruncatedSVD


class LSA(TFIDF):
    """Cosine in the space of latent semantic analysis (Deerwester et al. 1990).

    Every product is ranked for every query of which a term is known, also products that share no
    term with it.

    Parameters
    ----------
    catalogue : Catalogue
    dimensions : int
        Directions kept; one less than the products or their terms at most.
    seed : int
        Of the randomised decomposition.
    fields, stemmer
        As for :class:`ospo.search.tfidf.TFIDF`.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> titles = ("laptop computer", "computer", "garden hose")
    >>> shop = Catalogue(("1", "2", "3"), {"title": titles})
    >>> [hit.product_id for hit in LSA(shop, 2).search(["laptop"], k=10)[0]]
    ['1', '2', '3']
    """

    floor = -np.inf

    def __init__(
        self,
        catalogue: Catalogue,
        dimensions: int = 200,
        *,
        seed: int = 0,
        fields: Mapping[str, float] | None = None,
        stemmer: str | None = STEMMER,
    ) -> None:
        super().__init__(catalogue, fields=fields, stemmer=stemmer)
        most = min(self._vectors.shape) - 1
        if not 1 <= dimensions <= most:
            raise InputError(
                f"LSA cannot keep {dimensions} dimensions of {len(catalogue)} products with "
                f"{self._vectors.shape[1]} terms: choose from 1 to {most}"
            )
        settings = f"lsa {dimensions=} {seed=} {self.fingerprint}"
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()
        self._svd = TruncatedSVD(dimensions, random_state=seed)
        self._products = unit_vectors(self._svd.fit_transform(self._vectors))

    def scores(self, queries: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return all rows of the catalogue, and their cosines with each query."""
        vectors = unit_vectors(self._svd.transform(self._query_vectors(queries)))
        cosines = vectors @ self._products.T
        cosines[~vectors.any(axis=1)] = -np.inf  # nothing is found where no term is known
        return np.arange(len(self.catalogue)), cosines

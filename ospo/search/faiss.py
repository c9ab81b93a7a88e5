"""A flat FAISS index over the embeddings of a dense retriever, with the same results."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.search.dense import Dense
from ospo.search.embeddings import take
from ospo.search.retriever import DEPTH, Hit, Retriever, check_depth
from ospo.search.scorer import best
from owen_core.optional import needs

with needs("faiss", "the FAISS index"):
    import faiss

SPARE = 32  # products found beyond k, so that one look is nearly always enough


class FAISS(Retriever):
    """Finds the best products in single precision, and scores them in double precision.

    Products, scores and the order of ties are those of the dense retriever: where the rounding of
    single precision could hide a product of the best ``k``, the search is widened.

    Parameters
    ----------
    dense : Dense
        Whose embeddings are indexed. The index is a second copy of them in memory, of 4 bytes a
        number.
    depth : int
        Products of a ranking that ``ranks`` looks at.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> from ospo.search.encoder import Encoder, minilm_folder
    >>> shop = Catalogue(("1", "2"), {"title": ("garden hose", "Lenovo ThinkPad laptop")})
    >>> dense = Dense(shop, Encoder(minilm_folder()))
    >>> FAISS(dense).search(["portable computer"], k=1) == dense.search(["portable computer"], k=1)
    True
    """

    def __init__(self, dense: Dense, *, depth: int = DEPTH) -> None:
        check_depth(depth)
        self.dense = dense
        self.depth = depth
        self.fingerprint = hashlib.sha256(f"faiss {depth} {dense.fingerprint}".encode()).hexdigest()
        dimensions = dense.embeddings[0].shape[1]
        # Each product and each sum of a dot product of unit vectors is rounded by 2**-24 at most,
        # and so is each vector; twice that is safe.
        self._rounding = (dimensions + 2) * 2.0**-23
        self._index = faiss.IndexFlatIP(dimensions)
        for part in dense.embeddings:
            self._index.add(part.astype(np.float32))

    def key(self, query: str) -> Hashable:
        """Return the token ids that the model sees of a query; empty when it sees nothing."""
        return self.dense.key(query)

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first."""
        check_depth(k)
        results: list[list[Hit]] = [[] for _ in queries]
        vectors = self.dense.query_vectors(queries)
        waiting, wide = np.flatnonzero(vectors.any(axis=1)), k + SPARE
        while len(waiting):
            wide = min(wide, self._index.ntotal)
            scores, rows = self._index.search(vectors[waiting].astype(np.float32), wide)
            unsure = []
            for i, found, least in zip(waiting, np.sort(rows), scores[:, -1], strict=True):
                hits, last = self._hits(vectors[i], found, k)
                if wide == self._index.ntotal or last > least + self._rounding:
                    results[i] = hits
                else:
                    unsure.append(i)
            waiting, wide = np.array(unsure, dtype=np.int64), 4 * wide
        return results

    def _hits(
        self, vector: NDArray[np.float64], rows: NDArray[np.int64], k: int
    ) -> tuple[list[Hit], float]:
        """Return the best ``k`` of some products, and the score of the last of them."""
        cosines = take(self.dense.embeddings, rows) @ vector
        places = best(cosines, k, -np.inf)
        ids = self.dense.catalogue.ids
        found = zip(rows[places].tolist(), cosines[places].tolist(), strict=True)
        hits = [Hit(ids[row], score) for row, score in found]
        return hits, hits[-1].score

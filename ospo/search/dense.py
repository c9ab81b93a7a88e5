"""Dense retrieval: the cosine of a query's and a product's embedding."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.search.embeddings import Progress, embed
from ospo.search.encoder import Encoder
from ospo.search.passage import columns, passage
from ospo.search.scorer import Scorer

VERSION = 1  # of the stored embeddings; raise it when the same settings give other vectors
KEPT = 1 << 16  # vectors of queries in memory


class Dense(Scorer):
    """Ranks products by the cosine of their embedding with the query's.

    Every product is ranked for every query that is not empty. Scores are exact for the vectors,
    so they do not depend on the queries they are computed with; see :class:`Encoder`.

    Parameters
    ----------
    catalogue : Catalogue
    encoder : Encoder
    cache_dir : Path, optional
        Where to keep the embeddings of the products, under a name that depends on everything in
        them; they are mapped from there. Encoding that was interrupted goes on where it was.
    fields : iterable of str, optional
        The columns that are read, one after the other; by default every column.
    progress : callable
        Called while products are encoded with how many are done, and of how many.

    Attributes
    ----------
    embeddings : list of ndarray
        Of the products, in parts of :data:`ospo.search.embeddings.PART` rows.

    Raises
    ------
    InputError
        A column is not in the catalogue, or stored embeddings are damaged.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> from ospo.search.encoder import Encoder, minilm_folder
    >>> shop = Catalogue(("1", "2"), {"title": ("garden hose", "Lenovo ThinkPad laptop")})
    >>> dense = Dense(shop, Encoder(minilm_folder()))
    >>> [hit.product_id for hit in dense.search(["portable computer"], k=10)[0]]
    ['2', '1']
    """

    floor = -np.inf

    def __init__(
        self,
        catalogue: Catalogue,
        encoder: Encoder,
        cache_dir: Path | None = None,
        *,
        fields: Iterable[str] | None = None,
        progress: Progress = lambda done, count: None,
    ) -> None:
        self.catalogue = catalogue
        self.encoder = encoder
        self._fields = columns(catalogue, fields)
        settings = f"dense {VERSION} {encoder.fingerprint} {self._fields} {catalogue.fingerprint}"
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()
        folder = None if cache_dir is None else cache_dir / f"dense-{self.fingerprint[:20]}"
        self.embeddings = embed(
            len(catalogue), self._texts, encoder.encode_documents, folder, progress
        )
        self._known: dict[tuple[int, ...], NDArray[np.float64]] = {}

    def key(self, query: str) -> tuple[int, ...]:
        """Return the token ids that the model sees of a query; empty when it sees nothing."""
        return self.encoder.key(query)

    def scores(self, queries: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return all rows of the catalogue, and their cosines with each query."""
        vectors = self.query_vectors(queries)
        cosines = np.concatenate([vectors @ part.T for part in self.embeddings], axis=1)
        cosines[~vectors.any(axis=1)] = -np.inf  # nothing is found where nothing is seen
        return np.arange(len(self.catalogue)), cosines

    def query_vectors(self, queries: Sequence[str]) -> NDArray[np.float64]:
        """Return the embeddings of queries, ``(queries, d)``; 0 for one that is empty.

        Queries that the model cannot tell apart are encoded once, also across calls.
        """
        keys = [self.key(query) for query in queries]
        distinct = dict(zip(keys, queries, strict=True))
        missing = {key: q for key, q in distinct.items() if key and key not in self._known}
        if missing:
            encoded = self.encoder.encode_queries(list(missing.values()))
            self._known.update(zip(missing, encoded, strict=True))
        nothing = np.zeros(self.embeddings[0].shape[1])
        vectors = np.array([self._known.get(key, nothing) for key in keys])
        for oldest in [*islice(self._known, max(0, len(self._known) - KEPT))]:
            del self._known[oldest]
        return vectors.reshape(-1, len(nothing))

    def _texts(self, rows: range) -> list[str]:
        return [passage(self.catalogue, self._fields, row) for row in rows]

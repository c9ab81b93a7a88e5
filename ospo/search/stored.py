"""Ranks that are kept in a file, so that no run makes a search that another one has made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError
from ospo.search.retriever import Hit, Retriever
from owen_core import SqliteStore, StoreError

ADDRESS_BITS = 256  # of a sha256
WORDS = ADDRESS_BITS // 64
BATCH = 32  # texts searched at a time: they are kept when the retriever fails later


class Stored(Retriever):
    """A retriever whose ranks are kept in a file.

    The file is a :class:`owen_core.SqliteStore`. It is shared by queries, metrics, segmenters and
    concepts, because what is kept is where one product stands for what the retriever sees of one
    text. A rank is found by the retriever's fingerprint, which names the catalogue and every
    setting, and by a hash of ``key(text)`` and the product in place of a coalition.

    An engine outside cannot say what would change its rankings: name its version, else it has a
    new fingerprint in every run and nothing is found.

    Parameters
    ----------
    retriever : Retriever
    path : path
        The file; it is made if there is none.

    Attributes
    ----------
    found : int
        Texts whose ranks were found in the file, so that they were not searched.

    Raises
    ------
    InputError
        The file is no store, is damaged or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from ospo.data.collection import Catalogue
    >>> from ospo.search.bm25 import BM25
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> path = Path(tempfile.mkdtemp()) / "ranks.sqlite"
    >>> Stored(BM25(shop), path).ranks(["red shoe"], ["2"])
    array([[2]])
    >>> tomorrow = Stored(BM25(shop), path)
    >>> tomorrow.ranks(["shoes, red"], ["2"]), tomorrow.found
    (array([[2]]), 1)
    """

    def __init__(self, retriever: Retriever, path: Path) -> None:
        self.retriever = retriever
        self.depth = retriever.depth
        self.fingerprint = retriever.fingerprint
        self.found = 0
        with _refused_as_input():
            self._store = SqliteStore(path, game=f"ranks {self.depth} {self.fingerprint}")

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query; this is not kept."""
        return self.retriever.search(queries, k)

    def key(self, query: str) -> Hashable:
        """Return what the retriever sees of a query."""
        return self.retriever.key(query)

    def ranks(self, queries: Sequence[str], product_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return each product's rank for each query, ``(queries, products)``; 0 = not found."""
        shape = len(queries), len(product_ids)
        addresses = self._addresses(queries, product_ids)
        with _refused_as_input():
            values, known = self._store.find(self.key, addresses.reshape(-1, WORDS), ADDRESS_BITS)
        ranks = values.reshape(shape).astype(np.int64)
        missing = np.flatnonzero(~known.reshape(shape).all(axis=1))
        self.found += len(queries) - len(missing)
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            ranks[part] = self.retriever.ranks([queries[k] for k in part.tolist()], product_ids)
            with _refused_as_input():
                self._store.put(
                    self.key,
                    addresses[part].reshape(-1, WORDS),
                    ADDRESS_BITS,
                    ranks[part].astype(np.float64).ravel(),
                )
        return ranks

    def _addresses(self, queries: Sequence[str], product_ids: Sequence[str]) -> NDArray[np.uint64]:
        """Return the hash of each query and product, ``(queries, products, 4)`` words."""
        products = [json.dumps(product).encode() for product in product_ids]
        digests = bytearray()
        for query in queries:
            seen = hashlib.sha256(json.dumps(self.key(query), default=sorted).encode())
            for product in products:
                both = seen.copy()
                both.update(product)
                digests += both.digest()
        return (
            np.frombuffer(digests, "<u8")
            .astype(np.uint64)
            .reshape(len(queries), len(products), WORDS)
        )


def found_in_store(retriever: Retriever) -> int:
    """Return the texts that a retriever did not search because a file had their ranks."""
    return retriever.found if isinstance(retriever, Stored) else 0


@contextmanager
def _refused_as_input() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise InputError(str(error)) from error

"""Rankings and scores kept in a file, so that no run makes a search that another one has made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ospo.errors import InputError
from ospo.search.numbers import to_numbers, to_texts
from ospo.search.retriever import Hit, Retriever
from ospo.search.scorer import Scorer
from owen_core import SqliteStore, StoreError

ADDRESS_BITS = 256  # of a sha256
WORDS = ADDRESS_BITS // 64
BATCH = 32  # texts searched at a time: they are kept when the retriever fails later


class Stored(Retriever):
    """A retriever whose ranks, and scores if it tells them, are kept in a file.

    The file is a :class:`owen_core.SqliteStore`. It is shared by queries, metrics, segmenters and
    concepts, because what is kept is where one product stands for what the retriever sees of one
    text. A rank or score is found by the retriever's fingerprint, which names the catalogue and
    every setting, and by a hash of ``key(text)`` and the product in place of a coalition.

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
        Texts whose ranks or scores were found in the file, so that they were not searched.

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
        return self.look(queries, product_ids, 0)[0]

    def look(
        self, queries: Sequence[str], product_ids: Sequence[str], k: int
    ) -> tuple[NDArray[np.int64], list[list[str]]]:
        """Return :meth:`ranks`, and the ids of the best ``k`` of each query; both are kept."""
        values, known = self._find(queries, product_ids)
        ranks, best = values.astype(np.int64), self._lists(queries, k)
        missing = np.flatnonzero([not (row.all() and i in best) for i, row in enumerate(known)])
        self.found += len(queries) - len(missing)
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH].tolist()
            texts = [queries[i] for i in part]
            ranks[part], fresh = self.retriever.look(texts, product_ids, k)
            best.update(zip(part, fresh, strict=True))
            self._put(self._addresses(texts, product_ids), ranks[part].ravel())
            if k:
                self._put_lists(texts, fresh, k)
        return ranks, [best[i] for i in range(len(queries))]

    def product_scores(
        self, queries: Sequence[str], product_ids: Sequence[str]
    ) -> NDArray[np.float64]:
        """Return each product's score for each query, ``(queries, products)``; 0 = not found.

        Raises
        ------
        InputError
            The retriever does not score all products itself.
        """
        scorer = scorer_behind(self)
        names = [["score", product] for product in product_ids]
        scores, known = self._find(queries, names)
        missing = np.flatnonzero(~known.all(axis=1))
        self.found += len(queries) - len(missing)
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH].tolist()
            texts = [queries[i] for i in part]
            scores[part] = scorer.product_scores(texts, product_ids)
            self._put(self._addresses(texts, names), scores[part].ravel())
        return scores

    def _lists(self, queries: Sequence[str], k: int) -> dict[int, list[str]]:
        """Return the lists that are kept, by the place of their query."""
        if not k:
            return {i: [] for i in range(len(queries))}
        sizes, known = self._find(queries, [["best", k]])
        kept = {i: int(sizes[i, 0]) for i in np.flatnonzero(known[:, 0]).tolist()}
        longest = max(kept.values(), default=0)
        numbers, _ = self._find(queries, [["best", k, at] for at in range(longest)])
        return {i: to_texts(numbers[i, :size].tolist()) for i, size in kept.items()}

    def _put_lists(self, queries: Sequence[str], lists: Sequence[Sequence[str]], k: int) -> None:
        addresses, numbers = [], list[float]()
        for query, products in zip(queries, lists, strict=True):
            said = to_numbers(products)
            names = [["best", k], *(["best", k, at] for at in range(len(said)))]
            addresses.append(self._addresses([query], names)[0])
            numbers += [len(said), *said]
        self._put(np.concatenate(addresses), numbers)

    def _find(
        self, queries: Sequence[str], names: Sequence[object]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return what is kept under each query and name, and whether it is there."""
        addresses = self._addresses(queries, names).reshape(-1, WORDS)
        with _refused_as_input():
            values, known = self._store.find(self.key, addresses, ADDRESS_BITS)
        shape = len(queries), len(names)
        return values.reshape(shape), known.reshape(shape)

    def _put(self, addresses: NDArray[np.uint64], numbers: ArrayLike) -> None:
        with _refused_as_input():
            self._store.put(
                self.key,
                addresses.reshape(-1, WORDS),
                ADDRESS_BITS,
                np.asarray(numbers, dtype=np.float64),
            )

    def _addresses(self, queries: Sequence[str], names: Sequence[object]) -> NDArray[np.uint64]:
        """Return the hash of each query and name, ``(queries, names, 4)`` words."""
        named = [json.dumps(name).encode() for name in names]
        digests = bytearray()
        for query in queries:
            seen = hashlib.sha256(json.dumps(self.key(query), default=sorted).encode())
            for name in named:
                both = seen.copy()
                both.update(name)
                digests += both.digest()
        return (
            np.frombuffer(digests, "<u8").astype(np.uint64).reshape(len(queries), len(named), WORDS)
        )


def found_in_store(retriever: Retriever) -> int:
    """Return the texts that a retriever did not search because a file had their ranks."""
    return retriever.found if isinstance(retriever, Stored) else 0


def behind(retriever: Retriever) -> Retriever:
    """Return what searches, whether a file keeps its ranks or not."""
    return retriever.retriever if isinstance(retriever, Stored) else retriever


def scorer_behind(retriever: Retriever) -> Scorer:
    """Return what scores all products itself, whether a file keeps its scores or not.

    Raises
    ------
    InputError
        The retriever is none that does.
    """
    scorer = behind(retriever)
    if not isinstance(scorer, Scorer):
        raise InputError(
            f"{type(scorer).__name__} scores the products that it finds and no others: "
            "use the metric RR for a single target"
        )
    return scorer


@contextmanager
def _refused_as_input() -> Iterator[None]:
    try:
        yield
    except StoreError as error:
        raise InputError(str(error)) from error

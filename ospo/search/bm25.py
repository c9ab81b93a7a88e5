"""BM25 as an additive retriever: a term is a vector of scores, a query is a sum of them."""

from __future__ import annotations

import hashlib
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.retriever import Hit
from ospo.storage import whole
from ospo.text.terms import terms
from owen_core import _core

FIELDS = ("title", "brand", "description")
VERSION = 1  # of the stored index; raise it when the same settings give other scores
# Scores are multiples of 2**-20, so every sum of them is exact: a ranking does not depend on the
# order of summation, hence not on the batch, the BLAS or the processor.
SCALE = 2.0**20
MATRIX_BYTES = 1 << 25


@dataclass(frozen=True, slots=True)
class Postings:
    """The scores of every term, column by column (compressed sparse columns)."""

    column: dict[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    scores: NDArray[np.float64]


class BM25:
    """Okapi BM25 in Lucene's form, with every query term counted once.

    A product's score is the sum, over the distinct terms of the query, of
    ``idf * tf / (tf + k1 * (1 - b + b * length / mean length))`` with
    ``idf = ln(1 + (N - df + 1/2) / (df + 1/2))``. Products that share no term with the query are
    not retrieved; ties are broken by the order of the catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        The products.
    cache_dir : Path, optional
        Where to keep the index, under a name that depends on everything in it; it is built again
        only when the catalogue or a setting changes.
    k1, b : float
        Saturation of the term frequency and strength of the length normalisation.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> [hit.product_id for hit in BM25(shop).search(["red shoes"], k=10)[0]]
    ['1', '2']
    """

    def __init__(
        self,
        catalogue: Catalogue,
        cache_dir: Path | None = None,
        *,
        k1: float = 1.2,
        b: float = 0.75,
    ) -> None:
        self.catalogue = catalogue
        settings = f"bm25 {VERSION} k1={k1} b={b} fields={FIELDS} {catalogue.fingerprint}"
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()
        stored = None if cache_dir is None else cache_dir / f"bm25-{self.fingerprint[:20]}.npz"
        if stored is not None and stored.exists():
            self._postings = _load(stored)
        else:
            self._postings = _build(catalogue, k1, b)
            if stored is not None:
                _save(self._postings, stored)

    def key(self, query: str) -> frozenset[str]:
        """Return the distinct index terms of a query that occur in the catalogue."""
        return frozenset(term for term in terms(query) if term in self._postings.column)

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first."""
        results = []
        for query in queries:
            rows, matrix = self._score_matrix(sorted(self.key(query)))
            scores = matrix.sum(axis=0)
            best = np.lexsort((rows, -scores))[:k]
            ids = self.catalogue.ids
            results.append([Hit(ids[rows[j]], float(scores[j])) for j in best])
        return results

    def ranks(self, queries: Sequence[str], product_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the rank of each product for each query, ``(queries, products)``; 0 = not found.

        All queries share one matrix product, and ranks are counted, not sorted.
        """
        keys = [self.key(query) for query in queries]
        vocabulary = sorted(frozenset().union(*keys))
        position = {term: i for i, term in enumerate(vocabulary)}
        present = np.zeros((len(keys), len(vocabulary)))
        for i, key in enumerate(keys):
            present[i, [position[term] for term in key]] = 1.0
        wanted = np.array([self.catalogue.position[p] for p in product_ids], dtype=np.int64)
        rows, matrix = self._score_matrix(vocabulary)
        found = np.isin(wanted, rows)
        targets = np.searchsorted(rows, wanted[found])
        ranks = np.zeros((len(keys), len(wanted)), dtype=np.int64)
        step = max(1, MATRIX_BYTES // (8 * max(1, len(rows))))
        for start in range(0, len(keys), step):
            scores = present[start : start + step] @ matrix
            ranks[start : start + step, found] = _core.count_ranks(scores, targets, 0.0)
        return ranks

    def _score_matrix(
        self, vocabulary: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the products that hold any of the terms, ascending, and (terms, products)."""
        p = self._postings
        columns = [p.column[term] for term in vocabulary]
        spans = [slice(p.starts[c], p.starts[c + 1]) for c in columns]
        held = [p.rows[span] for span in spans]
        seen = np.zeros(len(self.catalogue), dtype=np.bool_)
        for rows in held:
            seen[rows] = True
        union = np.flatnonzero(seen)
        matrix = np.zeros((len(spans), len(union)))
        for i, (span, rows) in enumerate(zip(spans, held, strict=True)):
            matrix[i, np.searchsorted(union, rows)] = p.scores[span]
        return union, matrix


def _build(catalogue: Catalogue, k1: float, b: float) -> Postings:
    columns = [catalogue.fields[name] for name in FIELDS if name in catalogue.fields]
    column: dict[str, int] = {}
    entries: list[tuple[int, int, int]] = []
    lengths = np.zeros(len(catalogue))
    for row, texts in enumerate(zip(*columns, strict=True)):
        words = terms(" ".join(texts))
        lengths[row] = len(words)
        for term, count in Counter(words).items():
            entries.append((column.setdefault(term, len(column)), row, count))
    if not entries:
        raise InputError(
            f"none of the {len(catalogue)} products has a word in {', '.join(FIELDS)}; "
            "check which columns the catalogue was read from"
        )
    term, rows, counts = np.array(sorted(entries), dtype=np.int64).T
    starts = np.searchsorted(term, np.arange(len(column) + 1))
    df = np.diff(starts)
    idf = np.log1p((len(catalogue) - df + 0.5) / (df + 0.5))
    norm = k1 * (1 - b + b * lengths / lengths.mean())
    scores = idf[term] * counts / (counts + norm[rows])
    return Postings(column, starts, rows.astype(np.int32), np.rint(scores * SCALE) / SCALE)


def _save(postings: Postings, path: Path) -> None:
    vocabulary = "\n".join(postings.column).encode()
    with whole(path) as draft, draft.open("wb") as file:
        np.savez(
            file,
            vocabulary=np.frombuffer(vocabulary, dtype=np.uint8),
            starts=postings.starts,
            rows=postings.rows,
            scores=postings.scores,
        )


def _load(path: Path) -> Postings:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            vocabulary = arrays["vocabulary"].tobytes().decode()
            column = {term: i for i, term in enumerate(vocabulary.split("\n"))}
            return Postings(column, arrays["starts"], arrays["rows"], arrays["scores"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"the stored index {path} is damaged ({error}); delete it and it is built again"
        ) from error

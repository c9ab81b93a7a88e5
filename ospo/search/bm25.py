"""BM25 as an additive retriever: a term is a vector of scores, a query is a sum of them."""

from __future__ import annotations

import hashlib
import zipfile
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.analyzer import STEMMER, Analyzer, analyzer
from ospo.search.fields import field_weights, weighted_counts
from ospo.search.scorer import Scorer
from ospo.storage import whole

VERSION = 1  # of the stored index; raise it when the same settings give other scores
# Scores are multiples of 2**-20, so every sum of them is exact: a ranking does not depend on the
# order of summation, hence not on the batch, the BLAS or the processor.
SCALE = 2.0**20


@dataclass(frozen=True, slots=True)
class Postings:
    """The scores of every term, column by column (compressed sparse columns)."""

    column: dict[str, int]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    scores: NDArray[np.float64]


class BM25(Scorer):
    """Okapi BM25 in Lucene's form over weighted fields, with every query term counted once.

    A product's score is the sum, over the distinct terms of the query, of
    ``idf * tf / (tf + k1 * (1 - b + b * length / mean length))`` with
    ``idf = ln(1 + (N - df + 1/2) / (df + 1/2))``. Term frequencies and lengths are sums over the
    fields, each times its weight (BM25F with one ``b``; Robertson, Zaragoza and Taylor 2004).
    Products that share no term with the query are not retrieved; ties are broken by the order of
    the catalogue.

    Parameters
    ----------
    catalogue : Catalogue
        The products.
    cache_dir : Path, optional
        Where to keep the index, under a name that depends on everything in it; it is built again
        only when the catalogue or a setting changes.
    fields : mapping of str to float, optional
        The columns to search and their weights; by default every column, with weight 1.
    stemmer : str, optional
        A Snowball stemmer by its language, or None to compare whole words.
    k1, b : float
        Saturation of the term frequency, at least 0, and strength of the length normalisation,
        from 0 to 1.

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
        fields: Mapping[str, float] | None = None,
        stemmer: str | None = STEMMER,
        k1: float = 1.2,
        b: float = 0.75,
    ) -> None:
        if not (k1 >= 0 and 0 <= b <= 1):
            raise InputError(f"BM25 needs k1 of at least 0 and b from 0 to 1, got {k1} and {b}")
        self.catalogue = catalogue
        self._analyze = analyzer(stemmer)
        weights = field_weights(catalogue, fields)
        settings = f"bm25 {VERSION} {k1=} {b=} {weights=} {stemmer=} {catalogue.fingerprint}"
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()
        stored = None if cache_dir is None else cache_dir / f"bm25-{self.fingerprint[:20]}.npz"
        if stored is not None and stored.exists():
            self._postings = _load(stored)
        else:
            self._postings = _build(catalogue, weights, self._analyze, k1, b)
            if stored is not None:
                _save(self._postings, stored)

    def key(self, query: str) -> frozenset[str]:
        """Return the distinct index terms of a query that occur in the catalogue."""
        return frozenset(term for term in self._analyze(query) if term in self._postings.column)

    def scores(self, queries: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the products that hold any term of the queries, ascending, and their scores."""
        keys = [self.key(query) for query in queries]
        vocabulary = sorted(frozenset().union(*keys))
        position = {term: i for i, term in enumerate(vocabulary)}
        present = np.zeros((len(keys), len(vocabulary)))
        for i, key in enumerate(keys):
            present[i, [position[term] for term in key]] = 1.0
        rows, matrix = self._term_scores(vocabulary)
        return rows, present @ matrix

    def phrase_scores(self, phrases: Sequence[str]) -> NDArray[np.float64]:
        """Return what each phrase gives each product, ``(phrases, products)``.

        Examples
        --------
        >>> from ospo.data.collection import Catalogue
        >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
        >>> BM25(shop).phrase_scores(["red", "blue shoes"]).round(2)
        array([[0.29, 0.  ],
               [0.08, 0.43]])
        """
        rows, scores = self.scores(phrases)
        everywhere = np.zeros((len(phrases), len(self.catalogue)))
        everywhere[:, rows] = scores
        return everywhere

    def _term_scores(
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
        place = np.empty(len(seen), dtype=np.int64)
        place[union] = np.arange(len(union))
        matrix = np.zeros((len(spans), len(union)))
        for line, span, rows in zip(matrix, spans, held, strict=True):
            line[place[rows]] = p.scores[span]
        return union, matrix


def _build(
    catalogue: Catalogue, weights: Mapping[str, float], analyze: Analyzer, k1: float, b: float
) -> Postings:
    column: dict[str, int] = {}
    # Flat arrays: an entry as a Python tuple would take ten times the memory.
    entry_terms, entry_rows, entry_counts = array("i"), array("i"), array("d")
    lengths = np.zeros(len(catalogue))
    for row, counts in enumerate(weighted_counts(catalogue, weights, analyze)):
        lengths[row] = sum(counts.values())
        entry_terms.extend(column.setdefault(term, len(column)) for term in counts)
        entry_rows.extend([row] * len(counts))
        entry_counts.extend(counts.values())
    term = np.frombuffer(entry_terms, dtype=np.int32)
    order = np.argsort(term, kind="stable")  # by term, then by row
    term = term[order]
    rows = np.frombuffer(entry_rows, dtype=np.int32)[order]
    counts_of = np.frombuffer(entry_counts, dtype=np.float64)[order]
    starts = np.searchsorted(term, np.arange(len(column) + 1))
    df = np.diff(starts)
    idf = np.log1p((len(catalogue) - df + 0.5) / (df + 0.5))
    norm = k1 * (1 - b + b * lengths / lengths.mean())
    scores = idf[term] * counts_of / (counts_of + norm[rows])
    return Postings(column, starts, rows, np.rint(scores * SCALE) / SCALE)


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

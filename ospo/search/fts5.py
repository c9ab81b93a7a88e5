"""SQLite's own full-text index, with its ``bm25()``, as a retriever."""

from __future__ import annotations

import hashlib
import sqlite3
import weakref
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.analyzer import STEMMER, Analyzer, analyzer
from ospo.search.fields import documents, field_weights
from ospo.search.scorer import Scorer
from ospo.storage import whole

VERSION = 1  # of the stored index; raise it when the same settings give other scores
# The index holds words that are stemmed already, and this tokenizer keeps each in one piece: it
# parts at ASCII punctuation and blanks only, of which a word holds at most "_".
TOKENIZER = "ascii tokenchars '_'"


class FTS5(Scorer):
    """BM25 of SQLite FTS5 over weighted fields, with every query term counted once.

    Parameters
    ----------
    catalogue : Catalogue
    cache_dir : Path, optional
        Where to keep the database, under a name that depends on everything in it; without it the
        database lives in memory.
    fields : mapping of str to float, optional
        The columns to search and their weights; by default every column, with weight 1.
    stemmer : str, optional
        A Snowball stemmer by its language, or None to compare whole words.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> [hit.product_id for hit in FTS5(shop).search(['red" AND (shoes'], k=10)[0]]
    ['1', '2']
    """

    def __init__(
        self,
        catalogue: Catalogue,
        cache_dir: Path | None = None,
        *,
        fields: Mapping[str, float] | None = None,
        stemmer: str | None = STEMMER,
    ) -> None:
        self.catalogue = catalogue
        self._analyze = analyzer(stemmer)
        weights = field_weights(catalogue, fields)
        settings = (
            f"fts5 {VERSION} {sqlite3.sqlite_version} {weights=} {stemmer=} {catalogue.fingerprint}"
        )
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()
        if cache_dir is None:
            self._database = sqlite3.connect(":memory:", check_same_thread=False)
            _build(self._database, catalogue, weights, self._analyze)
        else:
            stored = cache_dir / f"fts5-{self.fingerprint[:20]}.sqlite"
            if not stored.exists():
                with whole(stored) as draft, closing(sqlite3.connect(draft)) as database:
                    _build(database, catalogue, weights, self._analyze)
            self._database = _open(stored)
        weakref.finalize(self, self._database.close)
        self._score = f"-bm25(products, {', '.join(map(repr, weights.values()))})"
        self._vocabulary = frozenset(
            term for (term,) in self._database.execute("SELECT term FROM vocabulary")
        )

    def key(self, query: str) -> frozenset[str]:
        """Return the distinct index terms of a query that occur in the catalogue."""
        return frozenset(term for term in self._analyze(query) if term in self._vocabulary)

    def scores(self, queries: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return all rows of the catalogue, and their scores; 0 = no term in common."""
        scores = np.zeros((len(queries), len(self.catalogue)))
        statement = f"SELECT rowid, {self._score} FROM products WHERE products MATCH ?"
        for line, query in zip(scores, queries, strict=True):
            # Quotation marks make each term a plain word; none holds one itself.
            match = " OR ".join(f'"{term}"' for term in sorted(self.key(query)))
            if match:
                found = self._database.execute(statement, (match,)).fetchall()
                rows, values = zip(*found, strict=True)
                line[list(rows)] = values
        return np.arange(len(self.catalogue)), scores


def _build(
    database: sqlite3.Connection,
    catalogue: Catalogue,
    weights: Mapping[str, float],
    analyze: Analyzer,
) -> None:
    columns = [f"field_{i}" for i in range(len(weights))]  # whatever the catalogue calls them
    database.execute(
        f"CREATE VIRTUAL TABLE products USING fts5({', '.join(columns)}, content='', "
        f'tokenize="{TOKENIZER}")'
    )
    rows = (
        (row, *map(" ".join, texts))
        for row, texts in enumerate(documents(catalogue, weights, analyze))
    )
    marks = ", ".join("?" * (1 + len(columns)))
    database.executemany(
        f"INSERT INTO products(rowid, {', '.join(columns)}) VALUES ({marks})", rows
    )
    database.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(products, row)")
    database.commit()


def _open(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    database = sqlite3.connect(uri, uri=True, check_same_thread=False)
    try:
        database.execute("SELECT 1 FROM vocabulary")
        (verdict,) = database.execute("PRAGMA quick_check").fetchone()
    except sqlite3.DatabaseError as error:
        verdict = str(error)
    if verdict != "ok":
        raise InputError(
            f"the stored index {path} is damaged ({verdict}); delete it and it is built again"
        )
    return database

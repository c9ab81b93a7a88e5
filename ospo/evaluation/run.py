"""Runs: the rankings of a system's texts by a retriever, and what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Catalogue
from ospo.search.metrics import Metric
from ospo.search.retriever import Retriever

BATCH = 256  # texts searched at a time

Progress = Callable[[int, int], None]  # texts searched, texts to search


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The products that a text retrieves, best first.

    Attributes
    ----------
    rows : ndarray
        ``(k,)``: their rows in the catalogue.
    scores : ndarray
        ``(k,)``
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]

    def ranks(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rank of products, given by their rows in the catalogue; 0 = not retrieved."""
        places = np.arange(1, len(self.rows) + 1)
        return np.asarray(places @ (self.rows[:, None] == rows), dtype=np.int64)


def search(
    texts: Iterable[str], retriever: Retriever, catalogue: Catalogue, progress: Progress
) -> dict[str, Ranking]:
    """Return the ranking of each text, as deep as the retriever looks.

    Texts that the retriever cannot tell apart are searched once and share one ranking; one in
    which it sees nothing retrieves nothing and is not searched.

    Examples
    --------
    >>> from ospo.search.bm25 import BM25
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> found = search(["trail shoe", "shoes, trail", ""], BM25(shop), shop, lambda *_: None)
    >>> found["trail shoe"].rows.tolist(), found[""].rows.tolist()
    ([0, 1], [])
    >>> found["trail shoe"] is found["shoes, trail"]
    True
    """
    keys = {text: retriever.key(text) for text in texts}
    todo = {key: text for text, key in keys.items() if key}
    nothing = Ranking(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))
    rankings = dict.fromkeys(keys.values(), nothing)
    for start in range(0, len(todo), BATCH):
        batch = dict(islice(todo.items(), start, start + BATCH))
        answers = retriever.search(list(batch.values()), retriever.depth)
        for key, hits in zip(batch, answers, strict=True):
            rankings[key] = Ranking(
                np.array([catalogue.position[hit.product_id] for hit in hits], dtype=np.int32),
                np.array([hit.score for hit in hits], dtype=np.float32),
            )
        progress(min(start + BATCH, len(todo)), len(todo))
    return {text: rankings[key] for text, key in keys.items()}


def worth(
    rankings: Sequence[Ranking],
    judgments: Mapping[str, int],
    metrics: Sequence[Metric],
    catalogue: Catalogue,
) -> NDArray[np.float64]:
    """Return the mean metrics of the rankings of one query's texts, ``(metrics,)``."""
    rows = np.array([catalogue.position[product] for product in judgments])
    ranks = np.array([ranking.ranks(rows) for ranking in rankings])
    grades = list(judgments.values())
    return np.array([metric(ranks, grades).mean() for metric in metrics])

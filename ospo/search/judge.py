"""The judge: what a query text is worth, by one person's judgments and one retriever."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError
from ospo.search.metrics import Metric
from ospo.search.retriever import Retriever

# Texts searched at a time: what was found is kept when the retriever fails later.
BATCH = 256


class Judge:
    """Values query texts by the metric of what they retrieve, and never searches twice.

    Two texts that the retriever cannot tell apart share one search, whether they come in the same
    call or years of training apart.

    Parameters
    ----------
    retriever : Retriever
    judgments : mapping
        Product id to grade. One target product, ``{"B07X1": 1}``, is enough for ``RR``.
    metric : Metric

    Attributes
    ----------
    product_ids, grades : tuple
        The products whose ranks the metric needs, best grade first: the relevant ones, and for a
        condensed metric every judged one.
    asked, searched : int
        Texts valued and searches made so far.
    """

    def __init__(self, retriever: Retriever, judgments: Mapping[str, int], metric: Metric) -> None:
        if not any(metric.relevant(grade) for grade in judgments.values()):
            raise InputError(
                f"the query has no relevant product for {metric} in the judgments, so every "
                "ranking is worth the same; choose a query with at least one such grade"
            )
        needed = sorted(
            (-grade, product)
            for product, grade in judgments.items()
            if metric.judged_only or metric.relevant(grade)
        )
        self.retriever = retriever
        self.metric = metric
        self.product_ids = tuple(product for _, product in needed)
        self.grades = tuple(-grade for grade, _ in needed)
        self.asked = 0
        self.searched = 0
        self._known: dict[Hashable, NDArray[np.int64]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the metric of each text's ranking, ``(len(texts),)``."""
        return self.metric(self.ranks(texts), self.grades)

    def ranks(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the rank of each needed product for each text, ``(texts, products)``."""
        return self.look(texts, 0)[0]

    def look(self, texts: Sequence[str], k: int) -> tuple[NDArray[np.int64], list[list[str]]]:
        """Return :meth:`ranks`, and the ids of the best ``k`` products for each text.

        One search serves both. Lists are not remembered: with ``k``, a known text is searched.
        """
        keys = [self.retriever.key(text) for text in texts]
        distinct = dict(zip(keys, texts, strict=True))
        missing = {
            key: text for key, text in distinct.items() if key and (k or key not in self._known)
        }
        first: dict[Hashable, list[str]] = {}
        self.asked += len(texts)
        for start in range(0, len(missing), BATCH):
            batch = dict(islice(missing.items(), start, start + BATCH))
            found, best = self.retriever.look(list(batch.values()), self.product_ids, k)
            self._known.update(zip(batch, found, strict=True))
            first.update(zip(batch, best, strict=True))
            self.searched += len(batch)
        nothing = np.zeros(len(self.product_ids), dtype=np.int64)  # an empty query needs no search
        ranks = np.array([self._known[key] if key else nothing for key in keys])
        return ranks.reshape(len(texts), -1), [first.get(key, []) for key in keys]

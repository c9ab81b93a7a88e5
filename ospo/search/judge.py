"""The judge: what a query text is worth, by one person's judgments and one retriever."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError
from ospo.search.metrics import NDCG
from ospo.search.retriever import Retriever


class Judge:
    """Values query texts by the metric of what they retrieve, and never searches twice.

    Two texts that the retriever cannot tell apart share one search, whether they come in the same
    call or years of training apart.

    Parameters
    ----------
    retriever : Retriever
    judgments : mapping
        Product id to grade.
    metric : NDCG

    Attributes
    ----------
    product_ids, grades : tuple
        The relevant products (grade above 0), best grade first.
    asked, searched : int
        Texts valued and searches made so far.
    """

    def __init__(self, retriever: Retriever, judgments: Mapping[str, int], metric: NDCG) -> None:
        relevant = sorted((-grade, product) for product, grade in judgments.items() if grade > 0)
        if not relevant:
            raise InputError(
                "the query has no relevant product in the judgments, so every ranking is worth "
                "the same; choose a query with at least one grade above 0"
            )
        self.retriever = retriever
        self.metric = metric
        self.product_ids = tuple(product for _, product in relevant)
        self.grades = tuple(-grade for grade, _ in relevant)
        self.asked = 0
        self.searched = 0
        self._known: dict[Hashable, NDArray[np.int64]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the metric of each text's ranking, ``(len(texts),)``."""
        return self.metric(self.ranks(texts), self.grades)

    def ranks(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the rank of each relevant product for each text, ``(texts, products)``."""
        keys = [self.retriever.key(text) for text in texts]
        distinct = dict(zip(keys, texts, strict=True))
        missing = {key: text for key, text in distinct.items() if key and key not in self._known}
        if missing:
            found = self.retriever.ranks(list(missing.values()), self.product_ids)
            self._known.update(zip(missing, found, strict=True))
        self.asked += len(texts)
        self.searched += len(missing)
        nothing = np.zeros(len(self.product_ids), dtype=np.int64)  # an empty query needs no search
        return np.array([self._known[key] if key else nothing for key in keys]).reshape(
            len(texts), -1
        )

"""The retrieval reward: how well a completion, as a query, finds what was wanted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ospo.data.collection import Collection
from ospo.errors import InputError
from ospo.reward.reward import Reward, Row, Values, text_of
from ospo.search.judge import Judge
from ospo.search.metrics import Metric
from ospo.search.retriever import Retriever
from ospo.search.stored import found_in_store


class Retrieval(Reward):
    """The metric of what a text retrieves, for the judged query in the column ``query_id``.

    All texts for one query are searched in one call, and none that the retriever cannot tell from
    another one twice, in the whole training.

    Parameters
    ----------
    collection : Collection
        Holds the judgments.
    retriever : Retriever
        Searches its catalogue. A :class:`ospo.search.stored.Stored` one remembers other runs.
    metric : Metric

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.search.bm25 import BM25
    >>> from ospo.search.metrics import NDCG
    >>> shop = load("shop")
    >>> reward = Retrieval(shop, BM25(shop.catalogue), NDCG(10))
    >>> wanted = shop.answerable[0]
    >>> reward.value([shop.queries[wanted], ""], [{"query_id": wanted}] * 2).round(2)
    array([1., 0.])
    """

    def __init__(self, collection: Collection, retriever: Retriever, metric: Metric) -> None:
        self.collection = collection
        self.retriever = retriever
        self.metric = metric
        self._judges: dict[str, Judge] = {}
        self._found_before = found_in_store(retriever)

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return the metric of each text for the query of its row."""
        places: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            places.setdefault(text_of(row, "query_id"), []).append(place)
        values = np.empty(len(texts))
        for query, its in places.items():
            values[its] = self.judge(query)([texts[place] for place in its])
        return values

    def judge(self, query_id: str) -> Judge:
        """Return the judge of one query; all texts for it share what it has searched."""
        if query_id not in self._judges:
            if query_id not in self.collection.qrels:
                raise InputError(
                    f"query {query_id!r} has no judgments in {self.collection.name}: use the ids "
                    "of its answerable queries"
                )
            judgments = self.collection.qrels[query_id]
            self._judges[query_id] = Judge(self.retriever, judgments, self.metric)
        return self._judges[query_id]

    @property
    def asked(self) -> int:
        """Texts valued so far."""
        return sum(judge.asked for judge in self._judges.values())

    @property
    def searched(self) -> int:
        """Searches made so far."""
        found = found_in_store(self.retriever) - self._found_before
        return sum(judge.searched for judge in self._judges.values()) - found

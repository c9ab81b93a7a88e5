"""The reward: how well the query that a completion writes retrieves what was wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ospo.data.collection import Collection
from ospo.search.judge import Judge
from ospo.search.metrics import NDCG
from ospo.search.retriever import Retriever


class RetrievalReward:
    """A reward function for TRL that can also say what each segment contributed.

    The data set must have a ``query_id`` column: the judged query that a completion should serve.

    Parameters
    ----------
    collection : Collection
        Holds the judgments.
    retriever : Retriever
        Searches its catalogue.
    metric : NDCG
    end : int, optional
        Id of the end-of-sequence token. Completions that do not end with it are worth 0 and get no
        credit: otherwise repeating a good phrase until the limit is free, and safer than stopping.
        By default every completion is worth what it retrieves.
    """

    __name__ = "retrieval"  # what TRL calls it in its logs

    def __init__(
        self,
        collection: Collection,
        retriever: Retriever,
        metric: NDCG,
        *,
        end: int | None = None,
    ) -> None:
        self.collection = collection
        self.retriever = retriever
        self.metric = metric
        self.end = end
        self._judges: dict[str, Judge] = {}

    def __call__(
        self,
        completions: Sequence[str],
        query_id: Sequence[str],
        completion_ids: Sequence[Sequence[int]],
        **_: Any,
    ) -> list[float]:
        """Return the metric of each completion, as TRL asks for it."""
        return [
            float(self.judge(wanted)([text])[0]) if self.finished(ids) else 0.0
            for text, wanted, ids in zip(completions, query_id, completion_ids, strict=True)
        ]

    def finished(self, ids: Sequence[int]) -> bool:
        """Return whether a completion ended by itself, where that matters."""
        return self.end is None or (len(ids) > 0 and ids[-1] == self.end)

    def judge(self, query_id: str) -> Judge:
        """Return the judge of one query; all completions for it share what it has searched."""
        if query_id not in self._judges:
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
        return sum(judge.searched for judge in self._judges.values())

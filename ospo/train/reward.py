"""Rewards as TRL asks for them: of a batch of completions, and of finished ones only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ospo.credit import Written, read
from ospo.data.collection import Collection
from ospo.errors import InputError
from ospo.reward.checked import checked
from ospo.reward.retrieval import Retrieval
from ospo.reward.reward import Reward, Row
from ospo.search.judge import Judge
from ospo.search.metrics import Metric
from ospo.search.retriever import Retriever
from ospo.text.align import Decoder
from ospo.text.render import render
from ospo.text.segment import Segmenter, segment


class TrainingReward:
    """A reward, and which completions may have one.

    Parameters
    ----------
    reward : Reward
    end : int, optional
        Id of the end-of-sequence token. Completions that do not end with it are worth 0 and get no
        credit: otherwise repeating a good phrase until the limit is free, and safer than stopping.
        By default every completion has its reward.
    segmenter : Segmenter
        Cuts a completion into the players that share the reward. What they share is the reward of
        what they tile: all of it, or with :class:`ospo.text.answer.Answer` the answer alone. The
        part that is not attributed is always of the whole completion.
    """

    def __init__(
        self, reward: Reward, *, end: int | None = None, segmenter: Segmenter = segment
    ) -> None:
        self.reward = reward
        self.end = end
        # A completion is cut when it is valued, and again when its tokens are credited.
        self.segmenter: Segmenter = lru_cache(maxsize=4096)(segmenter)
        self.__name__ = type(reward).__name__.lower()  # what TRL calls it in its logs

    def read(self, tokenizer: Decoder, ids: Sequence[int], own: NDArray[np.bool_]) -> Written:
        """Return a completion, read from its ids, with the segments that share its reward.

        Parameters
        ----------
        tokenizer : Decoder
        ids : sequence of int
            All ids of the completion, ``(T,)``.
        own : ndarray
            ``(T,) bool``: those that the model wrote.

        Raises
        ------
        InputError
            An environment wrote some of them: phrases would be its words too.
        """
        if not own.all():
            raise InputError(
                f"{(~own).sum()} of the {len(own)} ids of a completion are not the model's, and "
                f"{type(self).__name__} cuts a text whatever wrote it: give ospo.train.TurnReward, "
                "which credits turns"
            )
        return read(tokenizer, ids, self.segmenter)

    def finished(self, ids: Sequence[int]) -> bool:
        """Return whether a completion ended by itself, where that matters."""
        return self.end is None or (len(ids) > 0 and ids[-1] == self.end)

    def values(
        self,
        completions: Sequence[str],
        rows: Sequence[Row],
        completion_ids: Sequence[Sequence[int]],
    ) -> list[float]:
        """Return the reward of each completion: of all finished ones in one call.

        Raises
        ------
        RewardError
            The reward is no finite number for some row.
        """
        finished = [place for place, ids in enumerate(completion_ids) if self.finished(ids)]
        texts = [completions[place] for place in finished]
        its_rows = [rows[place] for place in finished]
        values = np.zeros(len(completions))
        name = type(self.reward).__name__
        said = [*map(self.said, texts)]
        values[finished] = checked(self.reward.value(said, its_rows), said, finished, name)
        rest = self.reward.unattributed(texts, its_rows)
        values[finished] += checked(rest, texts, finished, name)
        return values.tolist()

    def said(self, completion: str) -> str:
        """Return what of a completion is valued: what its segments tile."""
        segments = self.segmenter(completion)
        return render(completion, segments, np.ones(len(segments), dtype=np.bool_))

    @property
    def asked(self) -> int:
        """Texts valued so far."""
        return self.reward.asked

    @property
    def searched(self) -> int:
        """Searches made, or texts otherwise paid for, so far."""
        return self.reward.searched


class CompletionReward(TrainingReward):
    """Any reward as a reward function for TRL.

    Examples
    --------
    >>> from ospo.reward.similarity import Similarity
    >>> alike = CompletionReward(Similarity(lambda texts: [[len(t), 0] for t in texts]), end=2)
    >>> alike(prompts=["?", "?"], completions=["red", "red"], completion_ids=[[7, 2], [7, 7]],
    ...       reference=["red", "red"])
    [1.0, 0.0]
    """

    def __call__(
        self,
        prompts: Sequence[str],
        completions: Sequence[str],
        completion_ids: Sequence[Sequence[int]],
        **columns: Any,
    ) -> list[float]:
        """Return the reward of each completion; columns of the data set are lists."""
        messages = [text for text in completions if not isinstance(text, str)]
        if messages:
            raise InputError(
                f"a completion is {messages[0]!r} and not a text: give the data set prompts that "
                "are texts, not messages"
            )
        lists = {name: column for name, column in columns.items() if isinstance(column, list)}
        table = {"prompt": prompts, **lists}
        rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
        return self.values(completions, rows, completion_ids)


class RetrievalReward(TrainingReward):
    """A reward function for TRL: how well the query that a completion writes retrieves.

    The data set must have a ``query_id`` column: the judged query that a completion should serve.

    Parameters
    ----------
    collection : Collection
        Holds the judgments.
    retriever : Retriever
        Searches its catalogue.
    metric : Metric
    end, segmenter
        As in :class:`TrainingReward`.
    """

    def __init__(
        self,
        collection: Collection,
        retriever: Retriever,
        metric: Metric,
        *,
        end: int | None = None,
        segmenter: Segmenter = segment,
    ) -> None:
        self.retrieval = Retrieval(collection, retriever, metric)
        super().__init__(self.retrieval, end=end, segmenter=segmenter)

    def __call__(
        self,
        completions: Sequence[str],
        query_id: Sequence[str],
        completion_ids: Sequence[Sequence[int]],
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,
    ) -> list[float]:
        """Return the metric of each completion, as TRL asks for it."""
        rows = [{"query_id": query} for query in query_id]
        values = self.values(completions, rows, completion_ids)
        if log_metric is not None:
            empty = [not self.said(completion).strip() for completion in completions]
            log_metric(f"retrieval/{self.retrieval.metric}", float(np.mean(values)))
            log_metric("retrieval/empty_frac", float(np.mean(empty)))
        return values

    @property
    def collection(self) -> Collection:
        """What holds the judgments."""
        return self.retrieval.collection

    def judge(self, query_id: str) -> Judge:
        """Return the judge of one query; all completions for it share what it has searched."""
        return self.retrieval.judge(query_id)

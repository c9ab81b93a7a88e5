"""The reward manager: what a completion is worth, and the credit of its tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ospo.credit import token_credits
from ospo.data import load
from ospo.errors import InputError
from ospo.reward.reward import Row
from ospo.search.load import load_retriever
from ospo.search.metrics import parse_metric
from ospo.search.stored import Stored
from ospo.storage import cache_dir
from ospo.text.load import load_segmenter
from ospo.train.reward import RetrievalReward, TrainingReward
from ospo.train.verl.dense import dense_rewards
from ospo.train.verl.settings import read_settings

REWARDS = "ospo_rewards"  # where the agent loop finds the rewards of the tokens


def retrieval_reward(
    data: str,
    retriever: str = "bm25",
    metric: str = "nDCG@100",
    segmenter: str = "phrases",
    end: int | None = None,
    cache: str | None = None,
) -> RetrievalReward:
    """Return the retrieval reward of a collection, all by the names that ``ospo train`` takes.

    verl's data set must have a column ``query_id``, or that entry in ``extra_info``.

    Parameters
    ----------
    data, retriever, metric, segmenter : str
        As :func:`ospo.data.load`, :func:`ospo.search.load.load_retriever`,
        :func:`ospo.search.metrics.parse_metric` and :func:`ospo.text.load.load_segmenter` name
        them.
    end : int, optional
        Id of the end-of-sequence token; completions that do not end with it are worth 0.
    cache : str, optional
        File that keeps what was searched, for all reward workers and for other runs.

    Examples
    --------
    >>> reward = retrieval_reward("shop", metric="nDCG@10")
    >>> wanted = reward.collection.answerable[0]
    >>> reward([reward.collection.queries[wanted], "?"], [wanted] * 2, [[1], [1]])
    [1.0, 0.0]
    """
    collection = load(data)
    searcher = load_retriever(retriever, collection.catalogue, cache_dir())
    return RetrievalReward(
        collection,
        searcher if cache is None else Stored(searcher, Path(cache)),
        parse_metric(metric),
        end=end,
        segmenter=load_segmenter(segmenter, collection.catalogue.fields),
    )


class CreditRewardManager:
    """verl's reward manager ``ospo``.

    ``reward.custom_reward_function`` names a function that returns a
    :class:`ospo.train.reward.TrainingReward`; it is called once, with ``reward_kwargs``.

    As no advantage is known yet when a completion is valued, the credit of every one is computed,
    unless the rule reads none or it was cut off: then its last segment is not what the policy
    meant. Completions are valued one after the other, in a thread of their own, while others are
    generated.

    Parameters
    ----------
    config : mapping
        verl's configuration.
    tokenizer : PreTrainedTokenizerBase
        Decodes generated ids.
    compute_score : callable
        The function that makes the reward.

    Raises
    ------
    InputError
        The configuration would train without credit, or names no reward.
    """

    def __init__(
        self,
        config: Any,
        tokenizer: Any,
        compute_score: Callable[[], TrainingReward],
        **_: Any,
    ) -> None:
        self.settings = read_settings(config.algorithm)
        groups = config.algorithm.get("filter_groups")
        if groups and groups.enable and groups.metric == "reward":
            raise InputError(
                "algorithm.filter_groups.metric is reward, whose sum over tokens is rounded, so "
                "equal rewards would seem to differ: set it to score"
            )
        if not config.reward.custom_reward_function.path:
            raise InputError(
                "reward.custom_reward_function.path is not set: name a function that returns a "
                "TrainingReward, as pkg://ospo.train.verl.reward with the name retrieval_reward"
            )
        made = compute_score()
        if not isinstance(made, TrainingReward):
            raise InputError(
                "reward.custom_reward_function returned "
                f"{type(made).__name__}, expected a TrainingReward: name a function that makes one"
            )
        self.reward = made
        self.tokenizer = tokenizer
        self._limit = config.actor_rollout_ref.rollout.response_length
        self._thread = ThreadPoolExecutor(max_workers=1)

    async def run_single(self, data: Any) -> dict[str, Any]:
        """Value the last completion of a batch in verl's form."""
        item = data[-1]
        prompt_length = item.batch["prompts"].shape[-1]
        length = int(item.batch["attention_mask"][prompt_length:].sum())
        ids = item.batch["responses"][:length].tolist()
        row = {**item.non_tensor_batch, **item.non_tensor_batch.get("extra_info", {})}
        loop = asyncio.get_running_loop()
        reward, dense = await loop.run_in_executor(self._thread, self.value, ids, row)
        return {"reward_score": reward, "reward_extra_info": {"score": reward, REWARDS: dense}}

    def value(self, ids: Sequence[int], row: Row) -> tuple[float, NDArray[np.float32]]:
        """Return what a completion is worth, and the rewards of its tokens, ``(T,)``.

        Parameters
        ----------
        ids : sequence of int
            The generated ids, special tokens included.
        row : mapping
            What the data set says of its prompt.
        """
        text = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        (reward,) = self.reward.values([text], [row], [ids])
        credit, credited = np.zeros(len(ids)), np.zeros(len(ids), dtype=np.bool_)
        cut = len(ids) >= self._limit and ids[-1] != self.tokenizer.eos_token_id
        if self.settings.reads_credit and self.reward.finished(ids) and not cut:
            (found,) = token_credits(
                self.tokenizer,
                [ids],
                [row],
                self.reward.reward,
                self.settings.credit,
                self.reward.segmenter,
            )
            credit, credited = found.values, found.credited
        return reward, dense_rewards(reward, credit, credited)

    @classmethod
    def assemble_rm_scores(cls, data: Any, scores: Sequence[float]) -> Any:
        """Refuse a reward model that shares the policy's devices: verl asks it without columns."""
        raise InputError(
            "reward.reward_model.enable is on without a resource pool of its own, where rewards "
            "are single numbers: switch it off"
        )

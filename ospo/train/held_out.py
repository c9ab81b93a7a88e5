"""Held-out evaluation: what a policy writes for contexts of queries it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ospo.data.contexts import Context
from ospo.errors import InputError
from ospo.paired import bootstrap_interval, tally
from ospo.record import from_plain
from ospo.reward.reward import Row
from ospo.train.reward import TrainingReward
from owen_core import json_file


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One held-out context, what was written for it, and what that is worth.

    Attributes
    ----------
    query_id, context : str
        The judged query and the noisy context around it.
    wanted, copied : float
        The reward of the judged query itself, and of the whole context used as the query.
    before, after : str
        What the policy wrote before and after training.
    value_before, value_after : float
        The reward of that.
    """

    query_id: str
    context: str
    wanted: float
    copied: float
    before: str
    after: str
    value_before: float
    value_after: float


def compare(
    contexts: Sequence[Context],
    rows: Sequence[Row],
    before: Sequence[str],
    after: Sequence[str],
    reward: TrainingReward,
) -> list[HeldOut]:
    """Value what was written before training beside what the policy writes now.

    Parameters
    ----------
    contexts : sequence of Context
    rows : sequence of mapping
        Of the data set, one for each context; ``reference`` is the judged query.
    before, after : sequence of str
        What was written for each context.
    reward : TrainingReward
        Values all of it in one call, finished or not.
    """
    texts = [
        text
        for context, row, *written in zip(contexts, rows, before, after, strict=True)
        for text in (row["reference"], context.text, *map(reward.said, written))
    ]
    of_texts = [row for row in rows for _ in range(4)]
    values = reward.reward.value(texts, of_texts) + reward.reward.unattributed(texts, of_texts)
    return [
        HeldOut(
            query_id=context.query_id,
            context=context.text,
            wanted=wanted,
            copied=copied,
            before=old,
            after=new,
            value_before=value_before,
            value_after=value_after,
        )
        for context, old, new, (wanted, copied, value_before, value_after) in zip(
            contexts, before, after, values.reshape(-1, 4).tolist(), strict=True
        )
    ]


@dataclass(frozen=True, slots=True)
class Gain:
    """A paired difference of means with its 95 % bootstrap interval, and who won.

    The mean and the interval are over queries, not contexts: contexts of one query are not
    independent. Contexts are counted.
    """

    mean: float
    low: float
    high: float
    won: int
    tied: int
    lost: int


def gain(records: Sequence[HeldOut]) -> Gain:
    """Return the gain of training over the held-out contexts."""
    each = [record.value_after - record.value_before for record in records]
    by_query: dict[str, list[float]] = {}
    for record, difference in zip(records, each, strict=True):
        by_query.setdefault(record.query_id, []).append(difference)
    differences = np.array([[np.mean(values)] for values in by_query.values()])
    (low,), (high,) = bootstrap_interval(differences).tolist()
    return Gain(float(differences.mean()), low, high, *tally(each))


def read_held_out(path: Path) -> list[HeldOut]:
    """Read what a finished run wrote for its held-out contexts.

    Raises
    ------
    InputError
        A line of the file is none that a run writes.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [from_plain(HeldOut, json_file.parse(line)) for line in lines]
    except ValueError as error:
        raise InputError(
            f"{path} is damaged ({error}): compare the run again with ospo eval"
        ) from error

"""Held-out evaluation: what a policy writes for contexts of queries it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ospo.data.contexts import Context
from ospo.train.policy.policy import Policy
from ospo.train.reward import RetrievalReward


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One held-out context, what was written for it, and what that is worth.

    Attributes
    ----------
    query_id, context : str
        The judged query and the noisy context around it.
    wanted, copied : float
        The metric of the judged query itself, and of the whole context used as the query.
    before, after : str
        What the policy wrote before and after training.
    value_before, value_after : float
        The metric of that.
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
    contexts: Sequence[Context], before: Sequence[str], policy: Policy, reward: RetrievalReward
) -> list[HeldOut]:
    """Value what was written before training beside what the policy writes now."""
    records = []
    after = policy.rewrite([context.text for context in contexts])
    for context, old, new in zip(contexts, before, after, strict=True):
        wanted = reward.collection.queries[context.query_id]
        values = reward.judge(context.query_id)([wanted, context.text, old, new]).tolist()
        records.append(
            HeldOut(
                context.query_id, context.text, values[0], values[1], old, new, values[2], values[3]
            )
        )
    return records


@dataclass(frozen=True, slots=True)
class Gain:
    """A paired difference of means with its 95 % bootstrap interval, and who won.

    Queries are resampled, not contexts: contexts of one query are not independent.
    """

    mean: float
    low: float
    high: float
    won: int
    tied: int
    lost: int


def gain(records: Sequence[HeldOut], *, draws: int = 2000, seed: int = 0) -> Gain:
    """Return the gain of training over the held-out contexts."""
    by_query: dict[str, list[float]] = {}
    for record in records:
        by_query.setdefault(record.query_id, []).append(record.value_after - record.value_before)
    differences = np.array([np.mean(values) for values in by_query.values()])
    rng = np.random.default_rng(seed)
    resampled = rng.choice(differences, size=(draws, len(differences))).mean(axis=1)
    low, high = np.quantile(resampled, [0.025, 0.975])
    each = np.array([record.value_after - record.value_before for record in records])
    return Gain(
        float(differences.mean()),
        float(low),
        float(high),
        int((each > 0).sum()),
        int((each == 0).sum()),
        int((each < 0).sum()),
    )

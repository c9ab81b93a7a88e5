"""What a reward must show: it prefers what readers do, and it counts sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import numpy as np

from benchmarks.claims.learning.report import table
from benchmarks.claims.sentences.preferences import comparisons, spoiled
from benchmarks.claims.sentences.task import Request, Task
from ospo.data.draw import pick
from ospo.reward.reward import Reward, Values

MOST = 3  # wanted sentences of a draft
ADDED = ("nothing", "an unwanted sentence", "a sentence said again", "a spoiled sentence")


def agreement(task: Task, reward: Reward, count: int = 2000) -> float:
    """Return how often a reward prefers what readers of new pages did; a tie counts half."""
    told = list(islice(comparisons(task, seed=1), count))
    rows = [{"wish": its.wish} for its in told for _ in range(2)]
    scores = reward.value([draft for its in told for draft in its.drafts], rows).reshape(-1, 2)
    return float(((1 + np.sign(scores[:, 0] - scores[:, 1])) / 2).mean())


def counted(task: Task, reward: Reward, pages: int = 200) -> Values:
    """Return the scores of drafts of test pages, less that of the empty draft.

    Returns
    -------
    ndarray
        ``(pages, ADDED, MOST + 1)``: by what is added to how many wanted sentences. To an empty
        draft there is nothing to say again.
    """
    rng = random.Random(0)
    requests = task.requests(task.parts[2], seed=2)
    asked = list(islice((its for its in requests if len(task.wanted(its)) >= MOST), pages))
    drafts = [draft for request in asked for draft in _drafts(rng, request, task)]
    rows = [{"wish": its.wish} for its in asked for _ in range(len(drafts) // len(asked))]
    scores = reward.value(drafts, rows).reshape(pages, MOST + 1, len(ADDED)).swapaxes(1, 2)
    return scores - scores[:, :1, :1]


def _drafts(rng: random.Random, request: Request, task: Task) -> Iterator[str]:
    wanted = task.wanted(request)
    others = [each for each in request.page if each not in wanted]
    for count in range(MOST + 1):
        draft = wanted[:count]
        bad = spoiled(rng, pick(rng, request.page), request.page)
        for more in ([], [pick(rng, others)], draft[:1], [bad]):
            yield " ".join(draft + more)


def counting(task: Task, rewards: dict[str, Reward]) -> str:
    """Return the table of the mean scores, with how often readers are agreed with."""
    rows = []
    for name, reward in rewards.items():
        means = counted(task, reward).mean(axis=0)
        agreed = f"{agreement(task, reward):.1%}"
        for added, scores in zip(ADDED, means, strict=True):
            rows.append([name, agreed, added, *(f"{score:+.2f}" for score in scores)])
            name = agreed = ""
    heads = ["reward", "agrees with readers", "added"]
    return "\n".join(table([*heads, *(f"{k} wanted" for k in range(MOST + 1))], rows))

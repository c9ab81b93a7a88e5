"""What readers prefer: comparisons of two drafts from one page."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.claims.sentences.task import WISHES, Request, Task, Wanted
from ospo.data.draw import between, pick, shuffled

LONGEST = 4  # sentences of a draft
LEANING = 0.7  # of the drafts begin with all sentences of one sort
TOLD = 0.4  # of these sorts are surely the wished one
EDITED = 0.6  # of the second drafts are the first with a sentence more
SPOILED = 0.2  # of the sentences are the beginning of one and the end of another
DECIDED = 2.0  # how much a difference in worth tells a reader


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a reader wished, and two drafts with what they are worth, the preferred one first."""

    wish: str
    drafts: tuple[str, ...]
    worth: tuple[float, ...]


def comparisons(task: Task, seed: int) -> Iterator[Comparison]:
    """Yield comparisons of two drafts from one page, of any products, without end.

    The first draft is preferred with the probability of Bradley and Terry, 1 / (1 + exp(-2 d)),
    where d is by how much more it is worth.
    """
    rng = random.Random(seed)
    truth = Wanted(task)
    for request in task.requests(task.products, rng.getrandbits(32)):
        first = _draft(rng, request, task)
        if rng.random() < EDITED:
            second = first.copy()
            second.insert(between(rng, 0, len(first)), _sentence(rng, request, task))
        else:
            second = _draft(rng, request, task)
        drafts = (" ".join(first), " ".join(second))
        worth = tuple(truth.value(drafts, [{"wish": request.wish}] * 2).tolist())
        chance = 1 / (1 + np.exp(DECIDED * (worth[1] - worth[0])))
        order = 1 if rng.random() < chance else -1
        yield Comparison(request.wish, drafts[::order], worth[::order])


def spoiled(rng: random.Random, told: str, page: Sequence[str]) -> str:
    """Return the beginning of a sentence with the end of another, as policies spoil them."""
    begun, ended = told.split(), pick(rng, page).split()
    kept = begun[: between(rng, 1, len(begun) - 1)]
    return " ".join(kept + ended[between(rng, 1, len(ended) - 1) :])


def _draft(rng: random.Random, request: Request, task: Task) -> list[str]:
    """Some sentences of the page. In a leaning draft, those of one sort come first."""
    told = shuffled(rng, request.page)
    if rng.random() < LEANING:
        sort = request.wish if rng.random() < TOLD else pick(rng, (*WISHES, None))
        told.sort(key=lambda each: task.wishes.get(each) != sort)
    return [_perhaps(rng, each, request) for each in told[: between(rng, 0, LONGEST)]]


def _sentence(rng: random.Random, request: Request, task: Task) -> str:
    """A sentence of the page, every second time a wanted one."""
    wanted = task.wanted(request)
    told = pick(rng, wanted if wanted and rng.random() < 0.5 else request.page)
    return _perhaps(rng, told, request)


def _perhaps(rng: random.Random, told: str, request: Request) -> str:
    return spoiled(rng, told, request.page) if rng.random() < SPOILED else told

"""Valuing the coalitions of a plan: cache first, then the value function in batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from owen_core.cache import MemoryStore
from owen_core.game import Game, Values
from owen_core.plan import Plan

BATCH_BYTES = 1 << 20  # rows of a megabyte stay in cache while the value function reads them


@dataclass(frozen=True, slots=True)
class Cost:
    """What an attribution cost.

    Attributes
    ----------
    asked : int
        Coalitions whose value was needed, all distinct.
    cached, new : int
        How many of them came from the cache and how many were evaluated.
    calls : int
        Calls of the value function.
    seconds : float
        Wall time of the evaluation.
    """

    asked: int
    cached: int
    new: int
    calls: int
    seconds: float


def check_limits(*, budget: int | None, batch_size: int | None) -> None:
    """Refuse a budget or a batch size below 1."""
    for name, number in (("budget", budget), ("batch_size", batch_size)):
        if number is not None and number < 1:
            raise ValueError(f"{name} must be at least 1, got {number}")


def evaluate(
    game: Game,
    plan: Plan,
    *,
    cache: MemoryStore | None = None,
    batch_size: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Values, Cost]:
    """Return the values, ``(len(plan),)``, of a plan's coalitions, and what they cost.

    Values are stored as they arrive: after an exception in the value function, everything that
    was already valued is in the cache.
    """
    size = batch_size or max(1, BATCH_BYTES // plan.n)
    values = np.empty(len(plan))
    new = calls = 0
    began = time.perf_counter()
    for start in range(0, len(plan), size):
        rows = plan.rows(start, min(start + size, len(plan)))
        batch = values[start : start + len(rows)]
        missing = np.ones(len(rows), dtype=np.bool_)
        if cache is not None:
            batch[:], known = cache.find(game.value, rows)
            missing = ~known
        if missing.any():
            paid = rows[missing]
            batch[missing] = game(paid)
            new += len(paid)
            calls += 1
            if cache is not None:
                cache.put(game.value, paid, batch[missing])
        if progress is not None:
            progress(start + len(rows), len(plan))
    seconds = time.perf_counter() - began
    return values, Cost(len(plan), len(plan) - new, new, calls, seconds)

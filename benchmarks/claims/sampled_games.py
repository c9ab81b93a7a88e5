"""Families of games with known Shapley values, of any number of players."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Game = Callable[[NDArray[np.bool_]], NDArray[np.float64]]
Truth = NDArray[np.float64]


def pairwise(n: int, rng: np.random.Generator) -> tuple[Game, Truth]:
    """Players have a worth each, and 2n pairs of them one together."""
    alone, together = rng.normal(size=n), rng.normal(size=2 * n)
    first = rng.integers(0, n, 2 * n)
    second = (first + rng.integers(1, n, 2 * n)) % n
    truth = alone.copy()
    np.add.at(truth, first, together / 2)
    np.add.at(truth, second, together / 2)
    return lambda s: s @ alone + (s[:, first] & s[:, second]) @ together, truth


def _largest(costs: NDArray[np.float64]) -> tuple[Game, Truth]:
    """A coalition is worth its largest cost; Littlechild & Owen (1973)."""
    order = np.argsort(costs)
    truth = np.empty(len(costs))
    steps = np.diff(costs[order], prepend=0.0)
    truth[order] = np.cumsum(steps / np.arange(len(costs), 0, -1))
    return lambda s: np.where(s, costs, 0.0).max(axis=1), truth


def airport(n: int, rng: np.random.Generator) -> tuple[Game, Truth]:
    """The airport game with uniform costs."""
    return _largest(rng.uniform(size=n))


def maximum(n: int, rng: np.random.Generator) -> tuple[Game, Truth]:
    """The best of a few outstanding players and many small ones."""
    return _largest(np.exp(rng.normal(size=n)))


def unanimity(n: int, rng: np.random.Generator) -> tuple[Game, Truth]:
    """A sum of 2n unanimity games of two to seven players."""
    worths = rng.uniform(size=2 * n)
    terms = [rng.choice(n, rng.integers(2, 8), replace=False) for _ in range(2 * n)]
    truth = np.zeros(n)
    for worth, term in zip(worths, terms, strict=True):
        truth[term] += worth / len(term)

    def game(s: NDArray[np.bool_]) -> NDArray[np.float64]:
        value = np.zeros(len(s))
        for worth, term in zip(worths, terms, strict=True):
            value += worth * s[:, term].all(axis=1)
        return value

    return game, truth


def _of_sums(weights: NDArray[np.int64], of: Game) -> tuple[Game, Truth]:
    """A function of the sum of weights: its Shapley value by counting sums, size by size."""
    n, total = len(weights), int(weights.sum())
    values = of(np.arange(total + 1))
    truth = np.empty(n)
    for i in range(n):
        chance = np.zeros((n, total + 1))  # of each sum, among coalitions of each size
        chance[0, 0] = 1.0
        for k, weight in enumerate(np.delete(weights, i), start=1):
            size = np.arange(k + 1)[:, None]
            without = chance[: k + 1] * (k - size) / k
            with_it = np.zeros_like(without)
            with_it[1:, weight:] = chance[:k, : total + 1 - weight] * size[1:] / k
            chance[: k + 1] = without + with_it
        gains = np.zeros(total + 1)
        gains[: total + 1 - weights[i]] = values[weights[i] :] - values[: total + 1 - weights[i]]
        truth[i] = (chance @ gains).mean()
    return lambda s: of(s @ weights), truth


def square_root(n: int, rng: np.random.Generator) -> tuple[Game, Truth]:
    """The square root of a sum of weights: it saturates, as many scores do."""
    return _of_sums(rng.integers(1, 20, n), np.sqrt)


def voting(n: int, rng: np.random.Generator) -> tuple[Game, Truth]:
    """A weighted majority."""
    weights = rng.integers(1, 20, n)
    quota = weights.sum() / 2
    return _of_sums(weights, lambda total: (total > quota).astype(float))


FAMILIES = {
    "pairwise": pairwise,
    "airport": airport,
    "unanimity": unanimity,
    "sqrt-sum": square_root,
    "max": maximum,
    "voting": voting,
}

"""What the records say: each arm at its best rate against GRPO at its own, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims.learning.run import EVERY, Key

Floats = NDArray[np.float64]
BASE = "grpo"
LAST = 3  # evaluations that the end level is the mean of, and over which curves are smoothed
RESAMPLES = 10_000


class Curves:
    """The test and validation curves of one arm at one rate, by (policy, seed)."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self.of = {(record["policy"], record["seed"]): record for record in records}

    def stacked(self, pairs: Sequence[tuple[int, int]], part: str) -> Floats:
        """Return the curves of some runs, ``(runs, evaluations)``."""
        return np.array([self.of[pair][part] for pair in pairs])


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    estimate: float
    low: float
    high: float

    @classmethod
    def of(cls, figure: float, draws: Floats) -> Estimate:
        """Return a figure with the percentiles of its bootstrap draws."""
        low, high = np.quantile(draws, [0.025, 0.975], method="inverted_cdf")
        return cls(float(figure), float(low), float(high))


def by_rate(
    records: Mapping[Key, Mapping[str, Any]], *, steps: int, group: int
) -> dict[str, dict[float, Curves]]:
    """Return the curves of each arm at each rate."""
    found: dict[str, dict[float, list[Mapping[str, Any]]]] = {}
    for key, record in records.items():
        if key.steps == steps and key.group == group:
            found.setdefault(key.arm, {}).setdefault(key.rate, []).append(record)
    return {
        arm: {rate: Curves(runs) for rate, runs in sorted(rates.items())}
        for arm, rates in found.items()
    }


def best_rate(rates: Mapping[float, Curves]) -> float:
    """Return the rate of the highest mean validation curve, over the runs that all rates share."""
    shared = set.intersection(*(set(curves.of) for curves in rates.values()))
    if not shared:
        raise SystemExit(f"no run was made at all of the rates {', '.join(map(str, rates))}")
    pairs = sorted(shared)
    return max(rates, key=lambda rate: rates[rate].stacked(pairs, "validation").mean())


def smoothed(curve: Floats) -> Floats:
    """Return the running mean of the last evaluations up to each, ``(..., evaluations)``."""
    total = np.cumsum(np.insert(curve, 0, 0.0, axis=-1), axis=-1)
    at = np.arange(1, curve.shape[-1] + 1)
    first = np.maximum(at - LAST, 0)
    return np.asarray((total[..., at] - total[..., first]) / (at - first))


def steps_to(level: Floats, curves: Floats) -> Floats:
    """Return after how many steps curves first reach a level, ``(m,)``; infinite if never.

    Parameters
    ----------
    level : ndarray
        ``(m,)``
    curves : ndarray
        ``(m, evaluations)``; between evaluations they are straight.
    """
    reached = curves >= level[:, None]
    at = reached.argmax(axis=1)
    row = np.arange(len(curves))
    before = np.maximum(at - 1, 0)
    rise = curves[row, at] - curves[row, before]
    part = np.where(at > 0, (level - curves[row, before]) / np.where(rise > 0, rise, 1.0), 0.0)
    steps = EVERY * (before + np.where(at > 0, part, 0.0))
    return np.where(reached.any(axis=1), steps, np.inf)


@dataclass(frozen=True)
class Comparison:
    """An arm against GRPO, each at its own rate, on the test queries.

    Attributes
    ----------
    runs : int
        (Policy, seed) pairs that both have.
    rate, base_rate : float
    area, end : Estimate
        Differences of the mean over the whole curve, and of the end level.
    level, base_level : float
        The end levels.
    steps_ratio : Estimate
        Steps to GRPO's end level, as a share of those that GRPO takes; infinite if never.
    """

    runs: int
    rate: float
    base_rate: float
    area: Estimate
    end: Estimate
    level: float
    base_level: float
    steps_ratio: Estimate


def compare(
    arm: tuple[float, Curves], base: tuple[float, Curves], *, seed: int = 0
) -> Comparison | None:
    """Compare two arms over the runs that both have; None if they share fewer than two."""
    pairs = sorted(set(arm[1].of) & set(base[1].of))
    if len(pairs) < 2:
        return None
    mine, theirs = (curves.stacked(pairs, "test") for _, curves in (arm, base))
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(pairs), size=(RESAMPLES, len(pairs)))
    weights = np.array([np.bincount(row, minlength=len(pairs)) for row in drawn]) / len(pairs)
    everyone = np.full((1, len(pairs)), 1 / len(pairs))

    def figures(weights: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        own, other = smoothed(weights @ mine), smoothed(weights @ theirs)
        level, base_level = own[:, -1], other[:, -1]
        ratio = steps_to(base_level, own) / steps_to(base_level, other)
        area = (weights @ (mine - theirs)).mean(axis=1)
        return area, level - base_level, level, base_level, ratio

    area, end, level, base_level, ratio = (float(each[0]) for each in figures(everyone))
    draws = figures(weights)
    return Comparison(
        len(pairs),
        arm[0],
        base[0],
        Estimate.of(area, draws[0]),
        Estimate.of(end, draws[1]),
        level,
        base_level,
        Estimate.of(ratio, draws[4]),
    )

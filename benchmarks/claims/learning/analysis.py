"""What the records say: each arm at its best rate against GRPO at its own, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims.learning.arms import ARMS
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
    records: Mapping[Key, Mapping[str, Any]],
    *,
    steps: int,
    group: int,
    arms: Iterable[str] = ARMS,
) -> dict[str, dict[float, Curves]]:
    """Return the curves of each arm at each rate, in the order of the arms."""
    found: dict[str, dict[float, list[Mapping[str, Any]]]] = {}
    for key, record in records.items():
        if key.steps == steps and key.group == group:
            found.setdefault(key.arm, {}).setdefault(key.rate, []).append(record)
    return {
        arm: {rate: Curves(runs) for rate, runs in sorted(found[arm].items())}
        for arm in arms
        if arm in found
    }


def best_rate(rates: Mapping[float, Curves]) -> float:
    """Return the rate of the highest mean validation curve.

    Each in turn is compared with the best so far over the runs that both have, so that a rate that
    was tried a few times does not take the other runs away from those that were tried often.
    """
    best, *others = rates
    for rate in others:
        shared = sorted(set(rates[best].of) & set(rates[rate].of))
        if not shared:
            raise SystemExit(f"no run was made at both of the rates {best} and {rate}")
        means = [rates[each].stacked(shared, "validation").mean() for each in (best, rate)]
        if means[1] > means[0]:
            best = rate
    return best


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


def ratio(own: Floats, other: Floats) -> Floats:
    """Return own steps over another's; where neither takes any, 1.

    An arm that never reaches what another begins with takes infinitely many times as long.
    """
    both = (own == 0) & (other == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(both, 1.0, own / other)


@dataclass(frozen=True)
class Comparison:
    """An arm against GRPO on the test queries.

    Attributes
    ----------
    runs : int
        (Policy, seed) pairs that both have.
    rate, base_rate : float
    area, end : Estimate
        Differences of the mean over the whole curve, and of the end level.
    final : Estimate
        Difference after the last step, with test queries drawn as well.
    level, base_level : float
        The end levels.
    steps_ratio : Estimate
        Steps to GRPO's end level, as a share of those that GRPO takes; infinite if never.
    headroom : Estimate
        Steps to a level between the beginning and what the hidden queries themselves are worth,
        at 90 % of the way; infinite if never.
    """

    runs: int
    rate: float
    base_rate: float
    area: Estimate
    end: Estimate
    final: Estimate
    level: float
    base_level: float
    steps_ratio: Estimate
    headroom: Estimate


def compare(
    arm: tuple[float, Curves], base: tuple[float, Curves], *, ceiling: float, seed: int = 0
) -> Comparison | None:
    """Compare two arms over the runs that both have; None if they share fewer than two.

    Intervals are of the bootstrap: initial policies are drawn, and for each its seeds, the same
    for both arms.

    Parameters
    ----------
    arm, base : (float, Curves)
        A rate, and the curves at it.
    ceiling : float
        What the hidden queries themselves are worth.
    """
    pairs = sorted(set(arm[1].of) & set(base[1].of))
    if len(pairs) < 2:
        return None
    mine, theirs = (curves.stacked(pairs, "test") for _, curves in (arm, base))
    everyone, weights = _everyone(pairs), _drawn(pairs, np.random.default_rng(seed))
    goal = 0.9 * ceiling + 0.1 * theirs[:, 0].mean()

    def figures(weights: Floats) -> dict[str, Floats]:
        own, other = smoothed(weights @ mine), smoothed(weights @ theirs)
        level, base_level = own[:, -1], other[:, -1]
        return {
            "area": (weights @ (mine - theirs)).mean(axis=1),
            "end": level - base_level,
            "steps_ratio": ratio(steps_to(base_level, own), steps_to(base_level, other)),
            "headroom": steps_to(np.full(len(own), goal), own),
        }

    estimates, draws = figures(everyone), figures(weights)
    apart = arm[1].stacked(pairs, "queries") - base[1].stacked(pairs, "queries")
    return Comparison(
        runs=len(pairs),
        rate=arm[0],
        base_rate=base[0],
        level=float(smoothed(everyone @ mine)[0, -1]),
        base_level=float(smoothed(everyone @ theirs)[0, -1]),
        final=crossed(pairs, apart, seed=seed),
        **{name: Estimate.of(found[0], draws[name]) for name, found in estimates.items()},
    )


def mean(pairs: Sequence[tuple[int, int]], figures: Floats, *, seed: int = 0) -> Estimate:
    """Return the mean of a figure of each run, with policies and their seeds drawn.

    Parameters
    ----------
    pairs : sequence of (int, int)
        The (policy, seed) of each run.
    figures : ndarray
        ``(runs,)``
    seed : int
    """
    draws = _drawn(pairs, np.random.default_rng(seed)) @ figures
    return Estimate.of((_everyone(pairs) @ figures)[0], draws)


def crossed(pairs: Sequence[tuple[int, int]], apart: Floats, *, seed: int = 0) -> Estimate:
    """Return a mean difference, with policies, their seeds and the test queries drawn.

    Parameters
    ----------
    pairs : sequence of (int, int)
        The (policy, seed) of each run.
    apart : ndarray
        ``(runs, queries)``
    seed : int
    """
    rng = np.random.default_rng(seed)
    queries = apart.shape[1]
    weights = _drawn(pairs, rng)
    counts = rng.multinomial(queries, np.full(queries, 1 / queries), size=RESAMPLES)
    draws = np.einsum("dq,dq->d", weights @ apart, counts / queries)
    return Estimate.of((_everyone(pairs) @ apart).mean(), draws)


def _everyone(pairs: Sequence[tuple[int, int]]) -> Floats:
    """Return the weight of each pair, ``(1, pairs)``: each policy has as much as any other."""
    seeds = Counter(policy for policy, _ in pairs)
    return np.array([[1 / (len(seeds) * seeds[policy]) for policy, _ in pairs]])


def _drawn(pairs: Sequence[tuple[int, int]], rng: np.random.Generator) -> Floats:
    """Return weights of policies that are drawn, and of seeds of each, ``(RESAMPLES, pairs)``."""
    own = [
        [place for place, pair in enumerate(pairs) if pair[0] == policy]
        for policy in dict.fromkeys(policy for policy, _ in pairs)
    ]
    weights = np.zeros((RESAMPLES, len(pairs)))
    times = rng.multinomial(len(own), np.full(len(own), 1 / len(own)), size=RESAMPLES)
    for places, drawn in zip(own, times.T, strict=True):
        counts = rng.multinomial(drawn * len(places), np.full(len(places), 1 / len(places)))
        weights[:, places] = counts / (len(own) * len(places))
    return weights

"""Curves of a training: each metric over the steps, of one run or beside a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Log = Sequence[Mapping[str, float]]

POINTS = 24  # of a curve: through more, noise hides the trend
WIDTH, HEIGHT = 300, 100  # of the box that a curve is drawn in
METRICS = {
    "Reward": {
        "reward": "reward",
        "prune/reward_written": "reward of what was written",
        "prune/replaced": "share replaced by a part",
        "eval_reward": "reward of held-out contexts, sampled",
        "frac_reward_zero_std": "share of groups with equal rewards",
        "entropy": "entropy, nats per token",
        "kl": "KL from the reference",
    },
    "What it writes": {
        "completions/mean_length": "tokens per completion",
        "completions/clipped_ratio": "share of completions cut off",
        "retrieval/empty_frac": "share of completions without words",
        "credit/segments_mean": "segments per completion",
    },
    "Credit": {
        "credit/concentration": "share of the credit on one segment",
        "credit/negative_frac": "share of credits below 0",
        "credit/zero_frac": "share of credits that are 0",
        "credit/unassigned_frac": "share of segments without credit",
        "credit/exact_frac": "share of exact credits",
        "credit/halfwidth_mean": "half-width of estimated credits",
    },
    "Cost": {
        "game/evaluations": "evaluations per round",
        "game/cache_hit_rate": "share of evaluations known before",
        "time/credit_share": "share of the time for credit",
        "step_time": "seconds per step",
    },
}


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric of one run, in a box from (0, 0) to (WIDTH, HEIGHT) in which y points down.

    Attributes
    ----------
    line : str
        The path through the means of a few logged values each.
    band : str
        The path around their smallest and largest.
    first, last : float
        The first and the last of the means.
    """

    line: str
    band: str
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One metric: its curves, that of the run first, and the ends of their common scales."""

    title: str
    curves: tuple[Curve, ...]
    low: float
    high: float
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Panels:
    """The metrics of one family: those that change as panels, the others by title and value."""

    title: str
    panels: tuple[Panel, ...]
    constant: Mapping[str, float]


def panels(logs: Sequence[Log]) -> list[Panels]:
    """Return the curves of what the first run logged, with those of the others beside them.

    Every curve is drawn through at most :data:`POINTS` points, each the mean of equally many
    logged values one after the other, with a band from the smallest of them to the largest.

    Examples
    --------
    >>> (reward,) = panels([[{"step": 1, "reward": 0.5, "kl": 0.0}, {"step": 2, "reward": 0.7}]])
    >>> reward.panels[0].curves[0].line, reward.constant
    ('M0 100h0L300 0', {'KL from the reference': 0.0})
    """
    steps = [line["step"] for log in logs for line in log]
    first, last = (min(steps), max(steps)) if steps else (0.0, 0.0)
    found = []
    for family, metrics in METRICS.items():
        drawn, constant = [], {}
        for name, title in metrics.items():
            binned = [_binned(log, name) for log in logs]
            if not len(binned[0]):
                continue
            shown = [points for points in binned if len(points)]
            low, high = _ends(shown)
            if low == high:
                constant[title] = low
                continue
            curves = (_curve(points, (first, last), (low, high)) for points in shown)
            drawn.append(Panel(title, tuple(curves), low, high, first, last))
        if drawn or constant:
            found.append(Panels(family, tuple(drawn), constant))
    return found


def short(value: float) -> str:
    """Return a value of any metric with about three digits.

    Examples
    --------
    >>> short(0.5), short(-12.34), short(1234.5), short(0.00004), short(0)
    ('0.500', '−12.3', '1,234', '4e-05', '0')
    """
    size = abs(value)
    form = ",.0f" if size >= 100 else "#.3g" if size >= 1 else ".3f" if size >= 0.001 else ".2g"
    return f"{value:{form}}".replace("-", "−", value < 0)


def _binned(log: Log, name: str) -> NDArray[np.float64]:
    """Return the mean step, the smallest, mean and largest value of each bin, ``(bins, 4)``."""
    points = np.array([(line["step"], line[name]) for line in log if name in line])
    size = -(-len(points) // POINTS)  # a mix of single values and means of two would look jagged
    bins = np.array_split(points, -(-len(points) // size)) if size else []
    rows = [(*part.mean(axis=0), part[:, 1].min(), part[:, 1].max()) for part in bins]
    return np.array(rows).reshape(-1, 4)


def _ends(binned: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """Return the ends of a scale that holds the band of the first run and the other lines."""
    values = np.concatenate([binned[0][:, 1:].ravel(), *(points[:, 1] for points in binned[1:])])
    return float(values.min()), float(values.max())


def _curve(
    points: NDArray[np.float64], steps: tuple[float, float], ends: tuple[float, float]
) -> Curve:
    x = (points[:, 0] - steps[0]) / ((steps[1] - steps[0]) or 1.0) * WIDTH
    y = (ends[1] - points[:, 1:]) / (ends[1] - ends[0]) * HEIGHT
    mean, low, high = ([f"{a:.5g} {b:.4g}" for a, b in zip(x, line, strict=True)] for line in y.T)
    return Curve(
        line=f"M{mean[0]}h0" + "".join(f"L{place}" for place in mean[1:]),  # h0: one point is a dot
        band=f"M{'L'.join([*high, *low[::-1]])}Z",
        first=float(points[0, 1]),
        last=float(points[-1, 1]),
    )

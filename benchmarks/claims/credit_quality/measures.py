"""Measures of a credit: sums over cases, and what they say with an interval over queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.claims.credit_quality.credits import Credit, Floats

RESAMPLES, SEED = 2000, 8
LEVEL = 0.95
NOTHING = 12  # decimals: less is rounding
DIGITS = 6  # decimals that are kept

# What one case contributes to each measure: two sums whose ratio it is, or three of which the first
# is divided by the root of the product of the others.
Parts: TypeAlias = dict[str, tuple[float, ...]]
Figures: TypeAlias = dict[str, list[float]]  # estimate, and both ends of its interval


def of_case(
    real: NDArray[np.bool_], credit: Credit | None, shapley: Floats, left_out: Floats, table: Floats
) -> Parts:
    """Return what a case says of a credit.

    Parameters
    ----------
    real : ndarray
        ``(n,) bool``: the phrases that are no junk.
    credit : Credit or None
    shapley, left_out : ndarray
        The exact Shapley value and leave-one-out, ``(n,)``.
    table : ndarray
        What every coalition is worth, ``(2**n,)``.

    Returns
    -------
    dict
        ``auc``: how often a real phrase has more credit than a junk phrase; ``gap``: the same less
        that of the Shapley value; ``r_shapley``, ``r_left_out``: correlations within texts;
        ``negative``: junk below 0; ``gain``: what the metric gains when all phrases without
        positive credit are dropped, nothing where that would be all; ``worse``: texts that lose by
        it; ``evaluations``.
    """
    if credit is None:
        return {"credited": (0.0, 1.0)}
    values = credit.values.round(NOTHING)
    kept = values > 0
    everything = len(table) - 1
    best = int(kept @ (1 << np.arange(len(real)))) or everything
    gain = float(table[best] - table[everything])
    found = auc(real, values)
    return {
        "credited": (1.0, 1.0),
        "auc": (found, 1.0),
        "gap": (found - auc(real, shapley), 1.0),
        "r_shapley": within(values, shapley),
        "r_left_out": within(values, left_out),
        "negative": (float((values[~real] < 0).sum()), float((~real).sum())),
        "gain": (gain, 1.0),
        "worse": (float(round(gain, NOTHING) < 0), 1.0),
        "evaluations": (float(credit.evaluations), 1.0),
    }


def of_draws(real: NDArray[np.bool_], draws: Sequence[Credit | None], shapley: Floats) -> Parts:
    """Return what a case says of a credit that was drawn several times.

    Returns
    -------
    dict
        ``variance`` of a phrase's credit over the draws; ``chance``: the part of the spread of
        credits within a text that differs from draw to draw, which is 1 less the correlation of
        two draws; and some of :func:`of_case`, as means over the draws.
    """
    if None in draws:
        return {"credited": (0.0, 1.0)}
    found = [credit for credit in draws if credit is not None]
    values = np.array([credit.values for credit in found]).round(NOTHING)
    count, n = values.shape
    spread = values - values.mean(axis=1, keepdims=True)
    own = float(np.square(spread).sum()) / count
    common = (float(np.square(spread.sum(axis=0)).sum()) - count * own) / (count * (count - 1))
    return {
        "credited": (1.0, 1.0),
        "variance": (float(values.var(axis=0, ddof=1).sum()), float(n)),
        "chance": (own - common, own),
        "r_shapley": tuple(np.sum([within(row, shapley) for row in values], axis=0).tolist()),
        "auc": (float(np.mean([auc(real, row) for row in values])), 1.0),
        "evaluations": (float(np.mean([credit.evaluations for credit in found])), 1.0),
    }


def auc(real: NDArray[np.bool_], values: Floats) -> float:
    """Return how often a real phrase has more than a junk phrase; a tie counts half.

    Examples
    --------
    >>> auc(np.array([True, True, False]), np.array([0.3, 0.1, 0.1]))
    0.75
    """
    rounded = values.round(NOTHING)
    differences = rounded[real][:, None] - rounded[~real]
    return float(((differences > 0) + 0.5 * (differences == 0)).mean())


def within(one: Floats, other: Floats) -> tuple[float, float, float]:
    """Return the sums of a correlation within texts: each has its own mean."""
    a, b = ((values - values.mean()).round(NOTHING) for values in (one, other))
    return float(a @ b), float(a @ a), float(b @ b)


def figures(cases: Sequence[tuple[str, Mapping[str, tuple[float, ...]]]]) -> Figures:
    """Return each measure over cases, with its percentile bootstrap interval over queries.

    One that is not defined, such as the correlation with what does not vary, is left out.

    Parameters
    ----------
    cases : sequence of (str, mapping)
        The query that each case is of, or other units that are drawn together, and its parts.
    """
    units = {unit: k for k, unit in enumerate(dict.fromkeys(unit for unit, _ in cases))}
    count = len(units)
    drawn = np.random.default_rng(SEED).integers(count, size=(RESAMPLES, count))
    weights = np.array([np.bincount(row, minlength=count) for row in drawn])
    found = {}
    for name in dict.fromkeys(name for _, parts in cases for name in parts):
        its = [(units[unit], parts[name]) for unit, parts in cases if name in parts]
        sums = np.zeros((count, len(its[0][1])))
        np.add.at(sums, [unit for unit, _ in its], [part for _, part in its])
        if np.isnan(whole(sums.sum(axis=0))):  # nothing varies, or nothing is there
            continue
        draws = whole(weights @ sums)
        ends = np.quantile(draws[~np.isnan(draws)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        found[name] = [float(x) for x in (whole(sums.sum(axis=0)), *ends)]
    return found


def rounded(part: Any) -> Any:
    """Return the record with the digits that any processor finds."""
    if isinstance(part, dict):
        return {key: rounded(value) for key, value in part.items()}
    if isinstance(part, list):
        return [rounded(value) for value in part]
    return round(part, DIGITS) or 0.0 if isinstance(part, float) else part


def whole(sums: Floats) -> Floats:
    """Return a measure from its sums, ``(..., 2 or 3)``; nan where it is not defined."""
    below = sums[..., 1] if sums.shape[-1] == 2 else np.sqrt(sums[..., 1] * sums[..., 2])
    found: Floats = np.full(below.shape, np.nan)
    return np.divide(sums[..., 0], below, out=found, where=below > 0)

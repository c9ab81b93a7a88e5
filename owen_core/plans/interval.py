"""Plans over the intervals of players in a line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from owen_core import _core
from owen_core.coalition import Coalitions
from owen_core.game import Values
from owen_core.plan import Plan
from owen_core.structure import Path

Bounds = NDArray[np.int64]  # (m, 2): [begin, end) of each interval


def _plan(
    line: Path, concept: str, bounds: Bounds, combine: Callable[[Values], Values], efficient: bool
) -> Plan:
    players = np.arange(line.n)

    def rows(start: int, stop: int) -> Coalitions:
        begin, end = bounds[start:stop, :1], bounds[start:stop, 1:]
        return np.asarray((begin <= players) & (players < end))

    return Plan(line.n, concept, len(bounds), rows, combine, efficient)


def _windows(line: Path) -> Bounds:
    """Empty, then every interval up to max_width, narrow ones first: the core's IntervalFamily."""
    n, width = line.n, line.max_width
    counts = n - np.arange(width)
    widths = np.repeat(np.arange(1, width + 1), counts)
    begin = np.arange(len(widths)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.vstack([[[0, 0]], np.column_stack([begin, begin + widths])])


def _ends(n: int) -> Bounds:
    """Prefixes of width 1 to n - 1, then suffixes of width 1 to n - 1."""
    widths = np.arange(1, n)
    prefixes = np.column_stack([np.zeros_like(widths), widths])
    return np.vstack([prefixes, np.column_stack([n - widths, np.full_like(widths, n)])])


def window_plan(line: Path, concept: str) -> Plan:
    """Return the plan of ``growth``, ``myerson`` or ``windows``."""
    n, width = line.n, line.max_width
    transform = {
        "growth": _core.growing_interval,
        "myerson": _core.myerson_path,
        "windows": _core.window_marginals,
    }[concept]
    if line.residual == "ends" and concept != "myerson":
        raise ValueError(f"residual='ends' is defined for 'myerson', not for {concept!r}")
    bounds = _windows(line)
    whole = len(bounds)
    by_ends = line.residual == "ends" and width < n
    if by_ends:
        ends = _ends(n)
        wide = ends[ends[:, 1] - ends[:, 0] > width]
        bounds = np.vstack([bounds, wide])
    if width < n:
        bounds = np.vstack([bounds, [[0, n]]])

    def combine(values: Values) -> Values:
        family = np.append(values[:whole], values[-1]) if width < n else values
        credits = transform(family, n, width)
        if line.residual == "report" or width == n:
            return credits
        if line.residual == "equal":
            return np.asarray(credits + (values[-1] - values[0] - credits.sum()) / n)
        return np.asarray(credits + _average_tree(*_residual_game(values - values[0], n, width)))

    efficient = (concept != "windows" and width == n) or line.residual != "report"
    return _plan(line, concept, bounds, combine, efficient)


def ends_plan(line: Path, concept: str) -> Plan:
    """Return the plan of ``average-tree`` or ``ends``: prefixes and suffixes only."""
    n = line.n
    if line.max_width != n:
        raise ValueError(f"{concept!r} needs all prefixes and suffixes; leave max_width out")
    bounds = np.vstack([[[0, 0]], _ends(n), [[0, n]]])

    def combine(values: Values) -> Values:
        centred = values - values[0]
        prefixes = np.concatenate([[0.0], centred[1:n], centred[-1:]])
        suffixes = np.concatenate([[0.0], centred[n : 2 * n - 1], centred[-1:]])
        if concept == "average-tree":
            return _average_tree(prefixes, suffixes)
        return np.asarray((np.diff(prefixes) + np.diff(suffixes)[::-1]) / 2)

    return _plan(line, concept, bounds, combine, efficient=True)


def _average_tree(prefixes: Values, suffixes: Values) -> Values:
    """Average-tree solution on a path from v of the first, and of the last, 0 to n players."""
    n = len(prefixes) - 1
    i = np.arange(n)
    to_left, to_right = prefixes[:-1], suffixes[::-1][1:]
    root = prefixes[-1] - to_left - to_right
    below = i * np.diff(suffixes)[::-1] + (n - 1 - i) * np.diff(prefixes)
    return np.asarray((below + root) / n)


def _residual_game(centred: Values, n: int, width: int) -> tuple[Values, Values]:
    """Prefix and suffix values of v minus the game of its dividends up to ``width``."""
    first = np.concatenate([[0], 1 + np.cumsum(n - np.arange(width))])  # per width, from width 1

    def interval(begin: int, wide: int) -> float:
        return float(centred[1 + (wide - 1) * n - (wide - 1) * (wide - 2) // 2 + begin])

    local = np.zeros((2, n + 1))
    for k in range(1, n + 1):
        if k <= width:
            local[:, k] = interval(0, k), interval(n - k, k)
            continue
        overlap = width - 1
        before = interval(k - width, overlap) if overlap else 0.0
        after = interval(n - k + 1, overlap) if overlap else 0.0
        local[0, k] = local[0, k - 1] + interval(k - width, width) - before
        local[1, k] = local[1, k - 1] + interval(n - k, width) - after
    wide = centred[first[-1] : -1].reshape(2, -1)  # prefixes and suffixes wider than max_width
    value = local.copy()
    value[:, width + 1 : n] = wide
    value[:, n] = centred[-1]
    return value[0] - local[0], value[1] - local[1]

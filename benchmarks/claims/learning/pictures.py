"""The figures of the results page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.claims.learning.analysis import BASE, Comparison, Curves
from benchmarks.claims.learning.run import EVERY
from owen_core.plots.style import BLUE, FAINT, FONT, INK, MUTED, RED

# What is drawn, the last on top: its colour, its name, and how its line is drawn.
DRAWN = {
    "paper-prop": (RED, "OSPO as published (PROP)", "-"),
    "placebo": (MUTED, "placebo: credit in wrong places", ":"),
    BASE: (INK, "GRPO", "-"),
    "pruned-praise": ("#7cc4fb", "praise and pruning", "-"),
    "praise": (BLUE, "OSPO, praise (the default)", "-"),
}


def draw_curves(
    curves: Mapping[str, Mapping[str, Curves]], ceilings: Mapping[str, float], path: Path
) -> None:
    """Draw the test metric over training, a panel for each task."""
    figure = _figure(4.6 * len(curves), 4.2)
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (task, arms) in zip(panels, curves.items(), strict=True):
        for arm, (colour, label, style) in DRAWN.items():
            if arm not in arms:
                continue
            runs = arms[arm].stacked(sorted(arms[arm].of), "test")
            steps = EVERY * np.arange(runs.shape[1])
            mean = runs.mean(axis=0)
            error = 1.96 * runs.std(axis=0, ddof=1) / len(runs) ** 0.5
            axes.fill_between(steps, mean - error, mean + error, color=colour, alpha=0.12, lw=0)
            axes.plot(steps, mean, style, color=colour, label=label, linewidth=1.8)
        axes.axhline(ceilings[task], color=MUTED, linewidth=0.8)
        axes.annotate("the hidden query itself", (0, ceilings[task]), (0, -10), size=8, color=MUTED,
                      textcoords="offset points", family=FONT)  # fmt: skip
        axes.set_title(f"{task}: nDCG@100 of test queries", loc="left", family=FONT, size=10)
        axes.set_xlabel("training steps", family=FONT, color=INK)
        _plain(axes)
    lines = {line.get_label(): line for axes in panels for line in axes.get_lines()}
    shown = [lines[label] for _, label, _ in DRAWN.values() if label in lines]
    panels[-1].legend(handles=shown, loc="lower right", frameon=False, fontsize=8.5)
    _save(figure, path)


def draw_arms(found: Mapping[str, Mapping[str, Comparison]], path: Path) -> None:
    """Draw how much higher than GRPO's the whole curve of each arm is, a panel for each task."""
    arms = list(dict.fromkeys(arm for own in found.values() for arm in own if arm != BASE))
    figure = _figure(4.6 * len(found), 1.2 + 0.27 * len(arms))
    panels = figure.subplots(1, len(found), squeeze=False, sharey=True)[0]
    for axes, (task, own) in zip(panels, found.items(), strict=True):
        for place, arm in enumerate(reversed(arms)):
            if arm in own:
                area = own[arm].area
                colour = BLUE if area.low > 0 else RED if area.high < 0 else MUTED
                axes.plot([area.low, area.high], [place, place], color=colour, linewidth=1.8)
                axes.plot(area.estimate, place, "o", color=colour, markersize=5)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(arms)), reversed(arms), family=FONT)
        axes.locator_params(axis="x", nbins=5)
        axes.set_title(f"{task}: mean of the curve, less GRPO's", loc="left", family=FONT, size=10)
        _plain(axes)
    _save(figure, path)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _plain(axes: Axes) -> None:
    axes.tick_params(length=0, colors=INK)
    axes.grid(axis="both", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=160)

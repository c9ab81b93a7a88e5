"""The stored figures as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from owen_core.plots.style import BLUE, FAINT, FONT, INK, MUTED, RED

Record = Mapping[str, Any]
PANELS = (("icecat", "BM25"), ("icecat", "MiniLM"), ("shop", "BM25"), ("shop", "MiniLM"))
KIND = "shuffled"
SHOWN = (
    "shapley",
    "banzhaf",
    "owen",
    "growth",
    "windows, corrected",
    "windows",
    "myerson",
    "ends",
    "average-tree",
    "shapley, 12",
    "leave-one-out",
    "solo",
    "prefix",
)
LINES = {
    "owen": (BLUE, "Owen, tree of neighbours"),
    "shapley": (INK, "Shapley, sampled orders"),
    "owen, semantic": (MUTED, "Owen, unions of like meaning"),
    "growth": ("#2a9d8f", "growth, sampled"),
    "windows, corrected": ("#f4a261", "windows, corrected"),
    "windows, published": (RED, "windows, published"),
    "random subsets": ("#9d4edd", "published weights, any coalitions"),
}


def draw(record: Record, folder: Path) -> None:
    """Draw who finds junk, and how much of a credit is chance at which budget."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = _figure(10.0, 4.6)
    for axes, (collection, metric) in zip(
        figure.subplots(1, len(PANELS), sharex=True, sharey=True), PANELS, strict=True
    ):
        credits = record[collection]["planted"][metric][KIND]["credits"]
        _found(axes, credits)
        axes.set_title(f"{collection}, {metric}", loc="left", family=FONT, size=10, color=INK)
    figure.suptitle(
        "How often a wanted word has more credit than planted junk (95 % intervals over queries)",
        family=FONT,
        color=INK,
        size=11,
    )
    figure.savefig(folder / "credit_junk.png", dpi=160)

    figure = _figure(10.0, 4.2)
    settings = record["icecat"]["redraws"]["BM25"]["settings"]
    budgets = [name for name in settings if "w=" not in name]
    titles = {
        "chance": "Chance: what another draw changes",
        "r_shapley": "Correlation with the exact Shapley value",
    }
    for axes, (measure, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        _by_budget(axes, settings, budgets, measure)
        axes.set_title(title, loc="left", family=FONT, size=10, color=INK)
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=9
    )
    figure.savefig(folder / "credit_chance.png", dpi=160)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _found(axes: Axes, credits: Record) -> None:
    for place, name in enumerate(reversed(SHOWN)):
        estimate, low, high = credits[name]["auc"]
        colour = BLUE if name == "shapley" else INK
        axes.plot([low, high], [place, place], color=colour, linewidth=1.5)
        axes.plot(estimate, place, "o", color=colour, markersize=5)
    axes.axvline(credits["shapley"]["auc"][0], color=BLUE, linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(SHOWN)), reversed(SHOWN), family=FONT)
    _plain(axes)


def _by_budget(axes: Axes, settings: Record, budgets: Sequence[str], measure: str) -> None:
    for name, (colour, label) in LINES.items():
        known = [
            (place, settings[budget][name][measure])
            for place, budget in enumerate(budgets)
            if measure in settings[budget][name]
        ]
        places = [place for place, _ in known]
        low, high = ([own[end] for _, own in known] for end in (1, 2))
        axes.fill_between(places, low, high, color=colour, alpha=0.12)
        axes.plot(places, [own[0] for _, own in known], "o-", color=colour, label=label, ms=3.5)
    axes.set_xticks(range(len(budgets)), [budget.removeprefix("M=") for budget in budgets])
    axes.set_xlabel("coalitions valued for a text of twelve phrases", family=FONT, color=INK)
    axes.set_ylim(-0.02, 1.02)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.tick_params(length=0, colors=INK)
    axes.grid(axis="both", color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)

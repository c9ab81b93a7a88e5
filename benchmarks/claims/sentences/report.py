"""The report: what each arm at its best rate does against GRPO at its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.claims.learning import analysis
from benchmarks.claims.learning.analysis import BASE, Curves
from benchmarks.claims.learning.report import at_best, best, comparisons, short, table
from benchmarks.claims.learning.run import EVERY, Key
from owen_core.plots.style import BLUE, FAINT, FONT, INK, MUTED, RED

PAGES = Path(__file__).parents[3] / "docs" / "results"
TABLES = PAGES / "sentences.md"
FIGURE = PAGES / "figures" / "sentences.png"
Records = Mapping[Key, Mapping[str, Any]]
MEASURES = {"test": "Score of the reward model", "worth": "True worth to the reader"}
DRAWN = {
    BASE: (INK, "GRPO"),
    "placebo": (MUTED, "placebo: credit in wrong places"),
    "praise": (BLUE, "OSPO, praise"),
    "oracle": (RED, "praise by the reader's own credit"),
}


def curves(
    records: Records, measure: str, *, steps: int
) -> tuple[dict[str, dict[float, Curves]], float]:
    """Return the curves of a measure on test pages, by arm and rate, and its ceiling."""
    of = {
        key: {**record, "test": record[measure], "queries": record["queries"][measure]}
        for key, record in records.items()
    }
    ceilings = [record["ceilings"][measure] for record in records.values()]
    return analysis.by_rate(of, steps=steps, group=Key.group), max(ceilings, default=0.0)


def report(records: Records, *, steps: int) -> None:
    """Print the tables, and write them and the picture of the curves for the results page."""
    text = markdown(records, steps=steps)
    print(text, end="")
    TABLES.write_text(text, encoding="utf-8")
    draw(records, steps=steps)


def markdown(records: Records, *, steps: int) -> str:
    """Return all tables."""
    told = []
    for measure, meaning in MEASURES.items():
        rates, ceiling = curves(records, measure, steps=steps)
        with np.errstate(invalid="ignore"):  # a level below the beginning is reached in 0 steps
            found = comparisons(rates, ceiling)
        told += [f"{meaning}; all wanted sentences: {ceiling:.3f}", "", *table(*at_best(found)), ""]
    told += ["Mean of the curve on validation pages, and runs:", "", *_rates(rates)]
    return "\n".join(told) + "\n"


def _rates(arms: Mapping[str, Mapping[float, Curves]]) -> list[str]:
    tried = sorted({rate for rates in arms.values() for rate in rates})
    rows = [
        [
            arm,
            *(
                f"{own.stacked(sorted(own.of), 'validation').mean():.3f} ({len(own.of)})"
                if (own := rates.get(rate))
                else ""
                for rate in tried
            ),
        ]
        for arm, rates in arms.items()
    ]
    return table(["arm", *map(short, tried)], rows)


def draw(records: Records, *, steps: int) -> None:
    """Draw the mean curves of test pages, by both measures."""
    figure = Figure(figsize=(9.2, 3.8), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(MEASURES))
    for axes, (measure, meaning) in zip(panels, MEASURES.items(), strict=True):
        rates, ceiling = curves(records, measure, steps=steps)
        for arm, rate in best(rates).items():
            if arm in DRAWN:
                runs = rates[arm][rate].stacked(sorted(rates[arm][rate].of), "test")
                ink, label = DRAWN[arm]
                axes.plot(
                    EVERY * np.arange(runs.shape[1]), runs.mean(axis=0), color=ink, label=label
                )
        axes.axhline(ceiling, color=MUTED, linewidth=0.8)
        axes.set_title(meaning, loc="left", family=FONT, size=10)
        axes.set_xlabel("training steps", family=FONT, color=INK)
        axes.grid(color=FAINT, linewidth=0.5)
        axes.tick_params(length=0, colors=INK)
        axes.spines[["top", "right", "left"]].set_visible(False)
    panels[0].legend(frameon=False, fontsize=8.5)
    FIGURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(FIGURE, dpi=160)

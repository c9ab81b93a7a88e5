"""What the records say, written to where the results page reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import Any

from benchmarks.claims.learning import analysis, records
from benchmarks.claims.learning.analysis import Comparison
from benchmarks.claims.learning.arms import MAIN
from benchmarks.claims.learning.pictures import draw_arms, draw_curves
from benchmarks.claims.learning.report import best, comparisons, markdown, plain, signed
from benchmarks.claims.learning.studies import studies
from benchmarks.claims.learning.task import Task

ROOT = Path(__file__).parents[3]
STORED = ROOT / "benchmarks" / "results" / "learning.json"
PAGES = ROOT / "docs" / "results"
STEPS, GROUP = 120, 8
DEFAULT = "praise"  # the arm of `ospo train`


def publish(tasks: Sequence[Task]) -> None:
    """Write the comparisons as JSON, tables as Markdown and figures as PNG."""
    known = {task.name: records.read(task.name) for task in tasks}
    rates = {
        name: analysis.by_rate(runs, steps=STEPS, group=GROUP, arms=MAIN)
        for name, runs in known.items()
    }
    found = {task.name: comparisons(rates[task.name], task.ceiling) for task in tasks}
    summary = {
        "default": DEFAULT,
        "steps_ratio": {name: asdict(own[DEFAULT].steps_ratio) for name, own in found.items()},
        "best_rate": {
            name: {arm: asdict(own) for arm, own in its.items()} for name, its in found.items()
        },
    }
    text = json.dumps(_finite(summary), indent=1, allow_nan=False)
    STORED.write_text(text + "\n", encoding="utf-8")
    (PAGES / "learning_headline.md").write_text(_headline(found), encoding="utf-8")
    for task in tasks:
        tables = markdown(task, rates[task.name], steps=STEPS, group=GROUP)
        (PAGES / f"learning_{task.name}.md").write_text(tables, encoding="utf-8")
        ablated = studies(task, known[task.name])
        (PAGES / f"learning_{task.name}_studies.md").write_text(ablated, encoding="utf-8")
    draw_curves(
        {
            task.name: {
                arm: rates[task.name][arm][rate] for arm, rate in best(rates[task.name]).items()
            }
            for task in tasks
        },
        {task.name: task.ceiling for task in tasks},
        PAGES / "figures" / "learning_curves.png",
    )
    draw_arms(found, PAGES / "figures" / "learning_arms.png")


def _headline(found: Mapping[str, Mapping[str, Comparison]]) -> str:
    """Return the claim, as it came out."""
    lines = [
        "Each at its best rate, on test queries that chose nothing, OSPO as `ospo train` runs it",
        "(praise by Myerson credit):",
        "",
    ]
    for task, own in found.items():
        it = own[DEFAULT]
        lines.append(
            f"- **{task}** ({it.runs} paired runs): reached GRPO's final nDCG@100 in "
            f"**{plain(it.steps_ratio, 2)}** of GRPO's steps; the mean of the whole curve was "
            f"{signed(it.area)} above GRPO's, the end level {signed(it.end)}."
        )
    return "\n".join(lines) + "\n"


def _finite(value: Any) -> Any:
    """Return a value with null where a level was never reached, which JSON has no number for."""
    if isinstance(value, dict):
        return {name: _finite(own) for name, own in value.items()}
    return None if value == inf else value

"""The ablations: what one choice at a time changes, all at one learning rate, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.claims.learning import analysis
from benchmarks.claims.learning.analysis import BASE, Curves, Estimate, Floats
from benchmarks.claims.learning.arms import ARMS, CREDITS, RULES, STUDIES
from benchmarks.claims.learning.report import at_best, comparisons, signed, table
from benchmarks.claims.learning.run import Key
from benchmarks.claims.learning.task import Task

RATE = 8e-4  # the best of most arms of the main comparison
LONG = 300
GROUPS = (2, 4, 8, 16)
FEWEST = 3  # runs that are shown
Records = Mapping[Key, Mapping[str, Any]]
HEADS = ("arm", "against", "runs", "area apart", "end apart", "phrases", "of them repeated")
TITLES = {
    "widths": "Widths of windows (PROP without its faults)",
    "budgets": "Budgets of sampled Shapley credit (praise)",
    "faults": "Each fault of the published form alone",
    "noise": "Noise on every value",
    "repeats": "A retriever that counts repeated terms",
    "segmenters": "Whole phrases: one phrase alone is never cut into words",
}


def studies(task: Task, records: Records) -> str:
    """Return the tables of all studies of which there are runs."""
    found = _at_rate(records)
    parts = [_long(task, records), _groups(task, records), _crossed(found)]
    for name, title in TITLES.items():
        rows = list(_against(found, list(STUDIES[name])))
        if rows:
            parts.append([f"**{title}**", "", *table(HEADS, rows)])
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _at_rate(records: Records, *, steps: int = 120, group: int = 8) -> dict[str, Curves]:
    rates = analysis.by_rate(records, steps=steps, group=group)
    return {arm: own[RATE] for arm, own in rates.items() if RATE in own}


def _against(found: Mapping[str, Curves], arms: Sequence[str]) -> Iterator[list[str]]:
    for arm in arms:
        base = ARMS[arm].base
        if arm not in found or base not in found or arm == base:
            continue
        pairs = sorted(set(found[arm].of) & set(found[base].of))
        if len(pairs) < FEWEST:
            continue
        area, end = (_apart(found[arm], found[base], pairs, last) for last in (None, analysis.LAST))
        said = (_last(found[arm], pairs, name) for name in ("phrases", "repeated"))
        written = (f"{figure:.2f}" for figure in said)
        yield [arm, base, str(len(pairs)), signed(area), signed(end), *written]


def _apart(
    mine: Curves, theirs: Curves, pairs: Sequence[tuple[int, int]], last: int | None
) -> Estimate:
    """Return how far two mean curves are apart, or their last evaluations."""
    both = (curves.stacked(pairs, "test") for curves in (mine, theirs))
    means = [runs[:, -(last or runs.shape[1]) :].mean(axis=1) for runs in both]
    return analysis.mean(pairs, means[0] - means[1])


def _last(curves: Curves, pairs: Sequence[tuple[int, int]], name: str) -> float:
    return float(np.mean([curves.of[pair][name][-1] for pair in pairs]))


def _long(task: Task, records: Records) -> list[str]:
    rates = analysis.by_rate(records, steps=LONG, group=8)
    if BASE not in rates:
        return []
    heads, rows = at_best(comparisons(rates, task.ceiling))
    return [f"**{LONG} steps, each arm at its best rate**", "", *table(heads, rows)]


def _groups(task: Task, records: Records) -> list[str]:
    heads = ("group", "runs", "end of GRPO", "area − GRPO", "end − GRPO")
    rows = []
    for group in GROUPS:
        found = _at_rate(records, group=group)
        if {BASE, "praise"} <= set(found):
            _, _, runs, area, end, *_ = next(_against(found, ["praise"]))
            pairs = sorted(set(found[BASE].of) & set(found["praise"].of))
            level = found[BASE].stacked(pairs, "test")[:, -analysis.LAST :].mean()
            rows.append([str(group), runs, f"{level:.3f}", area, end])
    return ["**Sizes of groups (praise)**", "", *table(heads, rows)] if len(rows) > 1 else []


def _crossed(found: Mapping[str, Curves]) -> list[str]:
    """Return areas less GRPO's, a row for each credit and a column for each rule."""
    cells = [[f"{rule}, {credit}" for credit in CREDITS] for rule in RULES]
    arms = [arm for row in cells for arm in row]
    if not {BASE, *arms} <= set(found):
        return []
    pairs = sorted(set.intersection(*(set(found[arm].of) for arm in (BASE, *arms))))
    if len(pairs) < FEWEST:
        return []
    base = found[BASE].stacked(pairs, "test").mean(axis=1)
    areas = np.array(
        [[found[arm].stacked(pairs, "test").mean(axis=1) for arm in row] for row in cells]
    )
    apart: Floats = (areas - base).transpose(2, 0, 1)  # (runs, rules, credits)
    effect = apart.mean(axis=1) - apart.mean(axis=(1, 2))[:, None]
    rows = [
        [
            credit,
            *(signed(analysis.mean(pairs, apart[:, rule, place])) for rule in range(len(RULES))),
            signed(analysis.mean(pairs, effect[:, place])),
        ]
        for place, credit in enumerate(CREDITS)
    ]
    own = apart.mean(axis=2) - apart.mean(axis=(1, 2))[:, None]
    rules = [signed(analysis.mean(pairs, own[:, rule])) for rule in range(len(RULES))]
    rows.append(["*effect of the rule*", *rules, ""])
    heads = ("credit", *RULES, "effect of the credit")
    said = f"Area less GRPO's, {len(pairs)} runs of each; effects are from the mean of all cells."
    return ["**Rules crossed with credits**", "", said, "", *table(heads, rows)]

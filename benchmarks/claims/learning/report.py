"""The report: what each arm at its best rate does against GRPO at its own."""

from __future__ import annotations

from benchmarks.claims.learning import analysis, records
from benchmarks.claims.learning.task import Task


def print_report(data: str, *, steps: int, group: int) -> None:
    """Print a line for every arm."""
    task = Task(data)
    rates = analysis.by_rate(records.read(task.name), steps=steps, group=group)
    best = {arm: analysis.best_rate(curves) for arm, curves in rates.items()}
    base = best[analysis.BASE], rates[analysis.BASE][best[analysis.BASE]]
    print(f"{task.name}, {steps} steps, groups of {group}; test queries; against grpo at {base[0]}")
    for arm, curves in rates.items():
        found = analysis.compare((best[arm], curves[best[arm]]), base)
        print(arm, best[arm], found)
        for rate, own in curves.items():
            runs = sorted(own.of)
            area = own.stacked(runs, "validation").mean()
            end = own.stacked(runs, "test")[:, -3:].mean()
            print(f"    {rate:g}: {len(runs)} runs, validation area {area:.3f}, test end {end:.3f}")

"""The report: what each arm at its best rate does against GRPO at its own."""

from __future__ import annotations

from benchmarks.claims.learning import analysis, records
from benchmarks.claims.learning.analysis import BASE, LAST, Estimate
from benchmarks.claims.learning.task import Task


def print_report(data: str, *, steps: int, group: int) -> None:
    """Print a line for every arm at its best rate, and one for every rate."""
    task = Task(data)
    rates = analysis.by_rate(records.read(task.name), steps=steps, group=group)
    if BASE not in rates:
        raise SystemExit(f"there is no run of {BASE} with {steps} steps to compare with")
    best = {arm: analysis.best_rate(curves) for arm, curves in rates.items()}
    base = best[BASE], rates[BASE][best[BASE]]
    validation, test = len(task.parts[1]), len(task.parts[2])
    print(f"{task.name}, {task.metric}, {steps} steps, groups of {group}: figures of {test} test")
    print(f"queries, each arm at the rate that is best on {validation} validation queries")
    print(f"\n{'arm':<15}{'rate':>8}{'runs':>5}   {'area − grpo':<24}{'end':>6}", end="   ")
    print(f"{'end − grpo':<24}steps to grpo's end / grpo's")
    for arm, curves in rates.items():
        found = analysis.compare((best[arm], curves[best[arm]]), base, ceiling=task.ceiling)
        if found is None:
            print(f"{arm:<15}{best[arm]:>8.1e}   too few runs that both have")
            continue
        print(f"{arm:<15}{found.rate:>8.1e}{found.runs:>5}   {_signed(found.area):<24}", end="")
        ratio = found.steps_ratio
        print(f"{found.level:>6.3f}   {_signed(found.end):<24}", end="")
        print(f"{ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]")
    print(f"\n{'arm':<15}{'rate':>8}{'runs':>5}   validation area   test area   test end")
    for arm, curves in rates.items():
        for rate, own in curves.items():
            runs = sorted(own.of)
            area, test = (own.stacked(runs, part) for part in ("validation", "test"))
            print(f"{arm:<15}{rate:>8.1e}{len(runs):>5}   {area.mean():>15.3f}", end="")
            print(f"{test.mean():>12.3f}{test[:, -LAST:].mean():>11.3f}")


def _signed(figure: Estimate) -> str:
    return f"{figure.estimate:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"

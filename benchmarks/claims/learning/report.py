"""The report: what each arm at its best rate does against GRPO at its own, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from benchmarks.claims.learning import analysis
from benchmarks.claims.learning.analysis import BASE, LAST, Comparison, Curves, Estimate
from benchmarks.claims.learning.task import Task

Rates = Mapping[str, Mapping[float, Curves]]
BEST = (
    *("arm", "rate", "runs", "area − GRPO", "end", "end − GRPO"),
    *("steps to GRPO's end / GRPO's", "steps to 90 % of the headroom"),
)
CHECKS = (("praise", "placebo"), ("placebo", "grpo"), ("oracle", "praise"))
COSTS = {
    "phrases": "phrases of a query",
    "repeated": "of them repeated",
    "zero": "rewards of 0",
    "asked": "texts valued",
    "searched": "searches",
    "seconds": "CPU seconds",
}


def best(rates: Rates) -> dict[str, float]:
    """Return the rate of each arm that is best on validation queries."""
    if BASE not in rates:
        raise SystemExit(f"there is no run of {BASE} to compare with: train it")
    return {arm: analysis.best_rate(curves) for arm, curves in rates.items()}


def comparisons(rates: Rates, ceiling: float, *, equal: bool = False) -> dict[str, Comparison]:
    """Compare each arm with GRPO, each at its own best rate, or both at GRPO's."""
    own = best(rates)
    base = own[BASE], rates[BASE][own[BASE]]
    found = {}
    for arm in rates:
        rate = own[BASE] if equal else own.get(arm)
        if rate is not None and rate in rates.get(arm, {}):
            compared = analysis.compare((rate, rates[arm][rate]), base, ceiling=ceiling)
            if compared is not None:
                found[arm] = compared
    return found


def markdown(task: Task, rates: Rates, *, steps: int, group: int) -> str:
    """Return all tables of a task."""
    own = comparisons(rates, task.ceiling)
    equal = comparisons(rates, task.ceiling, equal=True)
    validation, test = len(task.parts[1]), len(task.parts[2])
    lines = [
        f"{task.metric} of {test} test queries, {steps} steps of groups of {group}; the hidden",
        f"queries themselves are worth {task.ceiling:.3f}. Rates were chosen on {validation} other",
        "queries. 95 % intervals of the bootstrap over initial policies and seeds.",
        "",
        "Each arm at its best rate against GRPO at its own:",
        "",
        *table(*at_best(own)),
        "",
        "What the harness must show, each at its best rate: credit in its place against the same",
        "weights shuffled, and the planted truth against the reward's credit under the same rule:",
        "",
        *table(["arms", "runs", "area", "end"], _checks(rates, task.ceiling)),
        "",
        f"All at the rate that is GRPO's best, {short(next(iter(equal.values())).rate)}:",
        "",
        *table(
            ["arm", "runs", "area − GRPO", "end − GRPO"],
            ([arm, str(c.runs), signed(c.area), signed(c.end)] for arm, c in equal.items()),
        ),
        "",
        "What they write and cost at their best rates, means of runs; the first three are of the",
        "last tenth of training, the norm of the gradient is of the first:",
        "",
        *table(["arm", *COSTS.values(), "gradient"], _costs(rates)),
        "",
        "Every rate:",
        "",
        *table(["arm", "rate", "runs", "validation area", "test area", "test end"], _every(rates)),
    ]
    return "\n".join(lines) + "\n"


def at_best(found: Mapping[str, Comparison]) -> tuple[Sequence[str], list[list[str]]]:
    """Return heads and rows of what each arm does at its best rate against GRPO at its own."""
    rows = []
    for arm, c in found.items():
        level = f"{c.level:.3f}"
        steps = plain(c.steps_ratio, 2), plain(c.headroom, 0)
        rows.append([arm, short(c.rate), str(c.runs), signed(c.area), level, signed(c.end), *steps])
    return BEST, rows


def _checks(rates: Rates, ceiling: float) -> Iterator[list[str]]:
    own = {arm: (rate, rates[arm][rate]) for arm, rate in best(rates).items()}
    for arm, other in CHECKS:
        if arm in own and other in own:
            c = analysis.compare(own[arm], own[other], ceiling=ceiling)
            if c is not None:
                yield [f"{arm} − {other}", str(c.runs), signed(c.area), signed(c.end)]


def _costs(rates: Rates) -> Iterator[list[str]]:
    for arm, rate in best(rates).items():
        records = rates[arm][rate].of.values()
        means = {
            name: np.mean([np.atleast_1d(record[name])[-1] for record in records]) for name in COSTS
        }
        small = [f"{means[name]:.2f}" for name in ("phrases", "repeated", "zero")]
        large = [f"{means[name]:,.0f}" for name in ("asked", "searched", "seconds")]
        yield [arm, *small, *large, f"{np.mean([record['norm'][0] for record in records]):.2f}"]


def _every(rates: Rates) -> Iterator[list[str]]:
    for arm, curves in rates.items():
        for rate, own in curves.items():
            runs = sorted(own.of)
            validation, test = (own.stacked(runs, part) for part in ("validation", "test"))
            figures = validation.mean(), test.mean(), test[:, -LAST:].mean()
            yield [arm, short(rate), str(len(runs)), *(f"{figure:.3f}" for figure in figures)]


def table(heads: Sequence[str], rows: Iterable[list[str]]) -> list[str]:
    """Return the lines of a table."""
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return ["| " + " | ".join(row) + " |" for row in (heads, rule, *rows)]


def signed(figure: Estimate) -> str:
    """Return a difference with its interval."""
    text = f"{figure.estimate:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"
    return text.replace("-", "−")


def short(rate: float) -> str:
    """Return a learning rate.

    Examples
    --------
    >>> short(0.0008), short(1.6e-3)
    ('8e-4', '1.6e-3')
    """
    return f"{rate:.1e}".replace(".0e", "e").replace("e-0", "e-")


def plain(figure: Estimate, digits: int) -> str:
    """Return a number with its interval; what is infinite never happens."""
    parts = (
        "never" if np.isinf(part) else f"{part:.{digits}f}"
        for part in (figure.estimate, figure.low, figure.high)
    )
    estimate, low, high = parts
    return f"{estimate} [{low}, {high}]"

"""The stored figures as tables in Markdown: the lines that stand in docs/results/credit.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
KINDS = ("whole", "words", "shuffled")
ALONE = ("real", "junk")
NONE = "–"
EXACT = (
    *("banzhaf", "owen", "owen, semantic", "owen, random", "growth", "windows, corrected"),
    *("windows", "myerson", "ends", "average-tree", "leave-one-out", "solo", "prefix"),
)


def lines(record: Record) -> Iterator[str]:
    """Yield every table, each below a line that names it."""
    for kind in KINDS:
        yield f"\nAUC less that of the Shapley value, {kind}\n"
        yield from gaps(record, kind)
    for collection, parts in record.items():
        for metric, kinds in parts.get("planted", {}).items():
            counts = ", ".join(str(kinds[kind]["cases"]) for kind in KINDS)
            yield f"\n{collection}, {metric}: {counts} texts\n"
            yield from junk(kinds)
            worth = ("/".join(short(kinds[k]["alone"][of][0]) for k in KINDS) for of in ALONE)
            yield "\nalone, a real phrase is worth {}, a junk phrase {}".format(*worth)
            for kind in KINDS:
                for sort in ("worst_auc", "worst_drop"):
                    yield f"\n{collection}, {metric}, {kind}, {sort}\n"
                    yield from map(said, kinds[kind][sort])
        for metric, found in parts.get("redraws", {}).items():
            settings = found["settings"]
            budgets = [name for name in settings if "w=" not in name]
            widths = [name for name in settings if "w=" in name]
            for measure in ("chance", "variance", "r_shapley", "auc", "evaluations"):
                for names in (budgets, widths):
                    yield f"\n{collection}, {metric}, {found['cases']} texts: {measure}\n"
                    yield from grid(settings, names, measure)


def gaps(record: Record, kind: str) -> Iterator[str]:
    """Yield a row for each exact credit: its junk AUC less that of the Shapley value."""
    columns = {
        f"{collection}, {metric}": kinds[kind]["credits"]
        for collection, parts in record.items()
        for metric, kinds in parts.get("planted", {}).items()
    }
    yield from heading("credit", *columns)
    for credit in EXACT:
        yield row(credit, *(interval(credits[credit]["gap"]) for credits in columns.values()))


def junk(kinds: Record) -> Iterator[str]:
    """Yield a row for each credit: three kinds of text in a cell."""
    yield from heading(
        "credit",
        "coalitions",
        "junk AUC",
        "r Shapley",
        "r leave-one-out",
        "junk below 0",
        "nDCG gain",
        "texts that lose",
    )
    for credit in kinds[KINDS[0]]["credits"]:
        of = [kinds[kind]["credits"][credit] for kind in KINDS]
        cells = [
            "/".join(f"{own['evaluations'][0]:.0f}" for own in of),
            "/".join(short(own["auc"][0], 3) + covered(own) for own in of),
            *("/".join(short(own[name][0]) for own in of) for name in ("r_shapley", "r_left_out")),
            "/".join(short(own["negative"][0]) for own in of),
            "/".join(short(own["gain"][0]) for own in of),
            "/".join(f"{own['worse'][0]:.1%}" for own in of),
        ]
        yield row(credit, *cells)


def covered(own: Record) -> str:
    """Return what share of the texts has a credit, where not all have."""
    return f" ({own['credited'][0]:.0%})" if own["credited"][0] < 1 else ""


def grid(settings: Record, names: Sequence[str], measure: str) -> Iterator[str]:
    """Yield a row for each credit and a cell for each setting."""
    yield from heading("credit", *names)
    for credit in settings[names[0]]:
        found = [settings[name][credit].get(measure) for name in names]
        yield row(credit, *(NONE if own is None else cell(own[0], measure) for own in found))


def said(case: Record) -> str:
    """Return a text with the credit of its phrases; the real ones are bold."""
    phrases = (
        f"{mark}{p['phrase']}{mark} {signed(p['credit'])}"
        for p in case["phrases"]
        for mark in ["**" if p["real"] else ""]
    )
    numbers = f"AUC {case['auc']:.2f}, gain {signed(case['gain'])}, missed {case['missed']:.2f}"
    return f"- {' · '.join(phrases)} ({numbers})"


def cell(figure: float, measure: str) -> str:
    if measure == "evaluations":
        return f"{figure:.0f}"
    return f"{figure:.1e}" if measure == "variance" and figure else short(figure)


def short(figure: float, digits: int = 2) -> str:
    return f"{round(figure, digits) or 0.0:.{digits}f}".replace("-", "−")


def signed(figure: float, digits: int = 2) -> str:
    return f"{round(figure, digits) or 0.0:+.{digits}f}".replace("-", "−")


def interval(figures: Sequence[float]) -> str:
    estimate, low, high = (signed(figure, 3) for figure in figures)
    return f"{estimate} [{low}, {high}]"


def heading(*names: str) -> Iterator[str]:
    yield row(*names)
    yield row(*("---" if place == 0 else "---:" for place, _ in enumerate(names)))


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"

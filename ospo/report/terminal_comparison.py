"""Terminal view of two explanations of one wish: by two retrievers, or of two texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, RenderableType
from rich.text import Text

from ospo.explanation import Explanation
from ospo.report.comparison import compared_phrases, compared_products
from ospo.report.printable import direction_mark, printable, show
from ospo.report.terminal import (
    MAX_TITLE_CELLS,
    SHOWN_PHRASES,
    SHOWN_PRODUCTS,
    advice,
    credit_table,
    dim_table,
    indented,
    labelled,
    listed,
    place,
    searched,
    signed,
)

NAMES = ("first", "second")
RANKS_CELLS = 26  # beside the titles


def print_comparison(
    explanations: tuple[Explanation, Explanation], console: Console, *, wrote: Sequence[Path] = ()
) -> None:
    """Print where two explanations disagree: on which phrases, and on which products."""
    first, second = explanations
    same = first.segments == second.segments
    head = [("context", first.context)] if first.context is not None else []
    if first.intent not in (None, first.query):
        head.append(("wanted", first.intent))
    for name, e in zip(NAMES, explanations, strict=True):
        head += [
            (name, " · ".join(e.segments)),
            ("", f"{e.metric} {e.total:.3f}   {searched(e)}"),
        ]
    parts: list[RenderableType] = [labelled([(label, text or "") for label, text in head]), ""]
    if same:
        parts += [_phrases(first, second), ""]
    else:
        for name, e in zip(NAMES, explanations, strict=True):
            parts += [Text(f"  {name}", style="dim"), credit_table(e, console.width), ""]
    parts += [_products(first, second, console.width), ""]
    tail = [(name, advice(e)) for name, e in zip(NAMES, explanations, strict=True)]
    costs = [e.cost for e in explanations]
    tail.append(
        (
            "cost",
            f"{sum(cost.asked for cost in costs):,} query texts asked: "
            f"{sum(cost.searched for cost in costs):,} searched; "
            f"{sum(cost.seconds for cost in costs):.2f} s",
        )
    )
    if wrote:
        tail.append(("wrote", listed(wrote)))
    show(console, *parts, labelled(tail))


def _phrases(first: Explanation, second: Explanation) -> RenderableType:
    table = dim_table(2)
    table.add_column("phrase", min_width=8)
    for name in (*NAMES, "difference"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    rows = compared_phrases(first, second)
    for row in rows[:SHOWN_PHRASES]:
        opposed = row.first * row.second < 0
        table.add_row(
            Text(printable(row.phrase)),
            direction_mark(row.phrase) + signed(row.first),
            signed(row.second),
            signed(row.second - row.first),
            "opposed" if opposed else "",
        )
    hidden = len(rows) - SHOWN_PHRASES
    notes = ["credits; opposed: the phrase helps the one and hurts the other"]
    if hidden > 0:
        notes.append(f"not shown: {hidden} on which they differ less")
    return indented(table, *notes)


def _products(first: Explanation, second: Explanation, width: int) -> RenderableType:
    table = dim_table(2)
    title_cells = min(MAX_TITLE_CELLS, width - RANKS_CELLS)
    table.add_column("relevant product", no_wrap=True, width=title_cells)
    for name in ("grade", *NAMES):
        table.add_column(name, justify="right", no_wrap=True)
    rows = [row for row in compared_products(first, second) if row.first != row.second]
    for row in rows[:SHOWN_PRODUCTS]:
        title = row.product.title
        grade = f"{direction_mark(title)}{row.product.grade}"
        table.add_row(Text(printable(title)), grade, place(row.first), place(row.second))
    if not rows:
        return Text("  both rank every relevant product alike", style="dim")
    notes = ["rank by each, the farthest apart first; — not retrieved"]
    if len(rows) > SHOWN_PRODUCTS:
        notes.append(f"not shown: {len(rows) - SHOWN_PRODUCTS} that they rank less differently")
    return indented(table, *notes)

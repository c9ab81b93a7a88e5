"""Terminal view of a worklist: the queries to look at first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ospo.report.printable import direction_mark, printable, show
from ospo.report.template import number
from ospo.report.terminal import POSITIVE, dim_table, indented, signed
from ospo.worklist import Overview, Row

SHOWN_QUERIES = 8


def print_worklist(rows: Sequence[Row], metric: str, console: Console, *, wrote: Path) -> None:
    """Print how many queries were explained, those that gain most from one drop, and the file."""
    overview = Overview.of(rows)
    explained, failed = len(overview.explained), len(overview.failed)
    show(console, Text(f"{len(rows):,} queries: {explained:,} explained, {failed:,} not"))
    if explained:
        text = (
            f"better without one phrase: {overview.better:,}; without it in each, mean {metric} "
            f"{number(overview.mean)} → {number(overview.reachable)}"
        )
        show(console, Text(text), Text())
    if overview.better:
        show(console, indented(_first(overview, metric)), Text())
    show(console, Text(f"wrote {wrote}"))


def _first(overview: Overview, metric: str) -> Table:
    table = dim_table(2)
    table.add_column("query")
    table.add_column(metric, justify="right", no_wrap=True)
    table.add_column("drop")
    table.add_column("without it", justify="right", no_wrap=True)
    table.add_column("change", justify="right", no_wrap=True)
    for each in overview.explained[: min(SHOWN_QUERIES, overview.better)]:
        query, summary = each.row.query, each.summary
        phrase, value = summary.segments[summary.drop], summary.without[summary.drop]
        table.add_row(
            Text(printable(query)),
            direction_mark(query) + number(summary.value),
            Text(printable(phrase)),
            direction_mark(phrase) + number(value),
            Text(signed(summary.gain), style=POSITIVE),
        )
    return table

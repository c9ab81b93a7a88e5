"""The end of a training run, in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from ospo.report.terminal import signed
from ospo.train.held_out import HeldOut, gain
from ospo.train.run import Progress, Result

SAMPLES = 2  # best and worst contexts shown


@contextmanager
def live_progress(console: Console) -> Iterator[Progress]:
    """Show one bar per stage of a run; where there is no terminal, a line now and then."""
    if not console.is_terminal:
        yield lambda stage, done, total, note: _line(console, stage, done, total, note)
        return
    columns: list[ProgressColumn] = [
        TextColumn("{task.description:<11}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    ]
    with Bars(*columns, console=console) as bars:
        tasks: dict[str, Any] = {}

        def progress(stage: str, done: int, total: int, note: str) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total, note=note)
            bars.update(tasks[stage], completed=done, note=note)

        yield progress


def _line(console: Console, stage: str, done: int, total: int, note: str) -> None:
    if done == total or done % max(1, total // 10) == 0:
        console.print(f"{stage:<11} {done:>5} of {total}   {note}", highlight=False)


def print_training(result: Result, console: Console) -> None:
    """Print held-out values before and after, the best and the worst rewrites, and the cost."""
    records = result.held_out
    queries = len({record.query_id for record in records})
    difference = gain(records)
    console.print(
        f"held-out {result.metric}, rule {result.rule}, {result.steps} steps\n"
        f"{queries} queries × {len(records) // queries} contexts, greedy decoding\n",
        highlight=False,
    )
    table = Table.grid(padding=(0, 2))
    for label, values in [
        ("the whole context as the query", [r.copied for r in records]),
        ("the policy before training", [r.value_before for r in records]),
        ("the policy after training", [r.value_after for r in records]),
        ("the wanted query itself", [r.wanted for r in records]),
    ]:
        table.add_row("", label, f"{sum(values) / len(values):.3f}")
    console.print(table)
    console.print(
        f"\ngain      {signed(difference.mean)}, 95 % interval over queries "
        f"[{signed(difference.low)}, {signed(difference.high)}]\n"
        f"contexts  {difference.won} better · {difference.tied} as before · "
        f"{difference.lost} worse",
        highlight=False,
    )
    ordered = sorted(records, key=lambda r: r.value_after - r.value_before)
    for title, chosen in [("best", ordered[::-1][:SAMPLES]), ("worst", ordered[:SAMPLES])]:
        console.print(f"\n{title}")
        for record in chosen:
            console.print(_sample(record))
    saved = 1 - result.searched / max(result.asked, 1)
    console.print(
        f"\ncost      {result.asked:,} evaluations asked in training: {result.searched:,} searches "
        f"made, {saved:.0%} saved",
        highlight=False,
    )
    console.print(f"wrote     {result.folder}", highlight=False, markup=False)


def _sample(record: HeldOut) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("", Text("context", style="dim"), "", Text(record.context))
    for label, text, value in [
        ("before", record.before, record.value_before),
        ("after", record.after, record.value_after),
    ]:
        table.add_row("", Text(label, style="dim"), f"{value:.3f}", Text(text.strip()))
    return table

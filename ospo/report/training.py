"""A training in the terminal: what was found before it, how it goes, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from ospo.report.printable import printable
from ospo.report.terminal import sign_colour, signed
from ospo.train.held_out import HeldOut, gain
from ospo.train.memory import Memory
from ospo.train.preflight import Preflight
from ospo.train.run import Result
from ospo.train.sample import Sample
from ospo.train.view import View

SAMPLES = 2  # best and worst contexts shown
LINES = 10  # a stage prints where there is no terminal to redraw


@contextmanager
def live(console: Console) -> Iterator[View]:
    """Show a run: one bar a stage, and where there is no terminal, a line now and then."""
    columns: list[ProgressColumn] = [
        TextColumn("{task.description:<10}"),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
    ]
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        yield LiveView(console, bars)


class LiveView(View):
    """Shows a run on a console.

    Parameters
    ----------
    console : rich.console.Console
    bars : rich.progress.Progress
    """

    samples = 10

    def __init__(self, console: Console, bars: Progress) -> None:
        self.console = console
        self.bars = bars
        self._stages: dict[str, Any] = {}

    def warming(self, done: int, steps: int, loss: float) -> None:
        """Show a step of the warm start."""
        self._stage("warm start", done, steps, f"loss {loss:.2f}")

    def indexing(self, done: int, products: int) -> None:
        """Show how many products are encoded."""
        self._stage("encoding", done, products, "products")

    def begins(self, found: Preflight) -> None:
        """Show what was found before the first step."""
        print_preflight(found, self.console)

    def step(self, step: int, steps: int, logs: Mapping[str, float]) -> None:
        """Show a step."""
        self._stage("training", step, steps, status(logs))

    def writes(self, step: int, sample: Sample) -> None:
        """Show what the policy writes for a held-out context."""
        line = Text(f"{'':<10} {sample.value:.3f}  ", style="dim").append_text(strip(sample))
        self.console.print(line, no_wrap=True, overflow="ellipsis")

    def notice(self, text: str) -> None:
        """Show a line that a person should read."""
        self.console.print(f"! {text}", style="yellow", highlight=False, markup=False)

    def _stage(self, stage: str, done: int, total: int, note: str) -> None:
        if stage not in self._stages:
            self._stages[stage] = self.bars.add_task(stage, total=total, note=note)
        self.bars.update(self._stages[stage], completed=done, note=note)
        if not self.console.is_terminal and (done == total or done % max(1, total // LINES) == 0):
            line = f"{stage:<10} {done:>5} of {total}   {note}"
            self.console.print(line, highlight=False, markup=False)


def status(logs: Mapping[str, float]) -> str:
    """Return what a step logged, in one line: the last share is that of its time.

    Examples
    --------
    >>> status({"reward": 0.51, "game/cache_hit_rate": 0.88, "game/searches": 40, "step_time": 0.5,
    ...         "time/credit_share": 0.06})
    'reward 0.510 · 88% known · 80 searches/s · credit 6%'
    """
    told = [f"reward {logs['reward']:.3f}"]
    if "game/cache_hit_rate" in logs:
        told.append(f"{logs['game/cache_hit_rate']:.0%} known")
    if logs.get("step_time") and "game/searches" in logs:
        told.append(f"{logs['game/searches'] / logs['step_time']:.0f} searches/s")
    if "time/credit_share" in logs:
        told.append(f"credit {logs['time/credit_share']:.0%}")
    return " · ".join(told)


def strip(sample: Sample) -> Text:
    """Return what a policy wrote with the credit of each segment.

    Examples
    --------
    >>> strip(Sample("?", "red shoes, for me", 0.3, (("red shoes", 0.31), ("for me", -0.01)))).plain
    'red shoes +0.310 | for me −0.010'
    """
    parts = Text()
    for k, (phrase, credit) in enumerate(sample.credit):
        parts.append(" | " * (k > 0), style="dim")
        parts.append(f"{printable(phrase)} ").append(signed(credit), style=sign_colour(credit))
    return parts if sample.credit else Text("nothing", style="dim")


def print_preflight(found: Preflight, console: Console) -> None:
    """Print what was found before the first step."""
    table = Table.grid(padding=(0, 2))
    for label, text in [
        ("data", found.collection),
        (
            "queries",
            f"{found.training:,} to train on, {found.held_out:,} held out; "
            f"{found.judged:.0%} of all have a relevant product",
        ),
        (
            "sample",
            f"{found.completions} completions: median {found.segments:g} segments, "
            f"{found.ended:.0%} ended by themselves, mean reward {found.reward:.3f}",
        ),
        (
            "cost",
            f"about {found.evaluations:,} evaluations for such a batch: {found.searches:,} "
            f"searches, {1 - found.searches / max(found.evaluations, 1):.0%} saved",
        ),
        ("memory", in_memory(found.memory)),
        ("prompt", found.sample.prompt),
    ]:
        table.add_row(Text(label, style="dim"), Text(printable(text)))
    wrote = Text(f"{found.sample.value:.3f}  ").append_text(strip(found.sample))
    table.add_row(Text("wrote", style="dim"), wrote)
    console.print(table)
    console.print()


def in_memory(memory: Memory) -> str:
    """Return the memory that a training takes, in words.

    Examples
    --------
    >>> in_memory(Memory(2 * 10**9, 2 * 10**9, 4 * 10**9, 5 * 10**8))
    '8.5 GB and activations (weights 2.0 GB, gradients 2.0 GB, Adam 4.0 GB, logits 500.0 MB)'
    """
    parts = [("weights", memory.weights), ("gradients", memory.gradients)]
    parts += [("Adam", memory.optimizer), ("logits", memory.logits)]
    told = ", ".join(f"{name} {decimal(size)}" for name, size in parts)
    return f"{decimal(memory.total)} and activations ({told})"


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
    table.add_row("", Text("context", style="dim"), "", Text(printable(record.context)))
    for label, text, value in [
        ("before", record.before, record.value_before),
        ("after", record.after, record.value_after),
    ]:
        table.add_row("", Text(label, style="dim"), f"{value:.3f}", Text(printable(text.strip())))
    return table

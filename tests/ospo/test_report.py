"""The training report: golden text."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from ospo.report.training import print_training
from ospo.train.held_out import HeldOut, gain
from ospo.train.run import Result

GOLDEN = Path(__file__).parents[1] / "golden"
# query, metric of the wanted query and of the context, then before and after training
VALUES = [("lamp", 0.9, 0.4, 0.2, 0.9), ("lamp", 0.9, 0.5, 0.3, 0.3), ("desk", 0.8, 0.6, 0.7, 0.1)]
RECORDS = [
    HeldOut(
        query, f"need a {query}, [bold]not[/bold] a bag", wanted, copied, "bag", query, old, new
    )
    for query, wanted, copied, old, new in VALUES
]


def plain():
    return Console(file=io.StringIO(), width=80, color_system=None, legacy_windows=False)


def test_the_training_report_is_golden(request):
    console = plain()
    result = Result(Path("runs/[x]"), "nDCG@100", "praise", 120, RECORDS, asked=400, searched=100)
    print_training(result, console)
    lines = console.file.getvalue().splitlines()
    text = "\n".join(line.rstrip() for line in lines) + "\n"
    path = GOLDEN / "training.txt"
    if request.config.getoption("--write-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_a_gain_weighs_queries_equally_and_counts_contexts():
    found = gain(RECORDS)
    assert found.mean == pytest.approx(((0.7 + 0.0) / 2 - 0.6) / 2)
    assert (found.won, found.tied, found.lost) == (1, 1, 1)
    assert found.low <= found.mean <= found.high
    assert gain(RECORDS) == found

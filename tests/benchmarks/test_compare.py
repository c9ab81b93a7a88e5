"""The comparison of stored results: what it shows, and what it leaves out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "compare.py"


def compare(*arguments):
    """What the command prints."""
    command = [sys.executable, SCRIPT, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def results(tmp_path):
    def write(folder, **found):
        path = tmp_path / folder / "fold.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"processor": "x86_64"} | found))
        return path

    return write


def test_changes_are_shown_the_largest_first_and_small_ones_not(results):
    before = results("before", ms=[4.0, 1.0, 2.0], n=10, rate=100.0, left=0.0)
    now = results("now", ms=[1.0, 1.0, 9.0], n=10, rate=105.0, left=3.0)
    lines = compare(before, now).stdout.splitlines()
    assert lines[0] == "2 of 4 numbers changed by more than 10 %"
    assert [line.split()[-1] for line in lines[1:]] == ["left", "ms"]
    assert lines[2].split() == ["2", "->", "1", "x", "0.50", "ms"]
    assert "rate" in compare(before, now, "--over", 4).stdout


def test_two_processors_and_numbers_of_one_side_are_said(results):
    before = results("before", ms=1.0, old=1.0).parent
    now = results("now", ms=1.0, processor="arm64").parent
    (now / "new.json").write_text("{}")
    told = compare(before, now).stdout
    assert "fold.json: of two processors, x86_64 and arm64" in told
    assert "1 of one of the two only" in told
    assert "new.json: only now" in told


def test_a_revision_is_read_from_git_and_what_is_none_is_refused(results):
    now = results("now", ms=1.0).parent
    assert "exact.json: only before" in compare("HEAD", now).stdout
    refused = compare("no-such-revision")
    assert refused.returncode == 1
    assert "no revision: name one of these" in refused.stderr

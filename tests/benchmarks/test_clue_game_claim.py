"""The clue game's benchmark: rates come from the validation seed, figures from the others."""

from __future__ import annotations

import json

import pytest

from benchmarks.claims import clue_game
from benchmarks.claims.clue_game import Run, rate_of, read, report

LEVELS = {
    Run("GRPO", 1e-3, 0, 50): 0.9,
    Run("GRPO", 2e-3, 0, 50): 0.1,
    Run("GRPO", 1e-3, 1, 50): 0.25,
    Run("GRPO", 1e-3, 2, 50): 0.25,
    Run("GRPO", 2e-3, 1, 50): 0.75,
    Run("prefix", 2e-3, 1, 50): 0.5,
    Run("prefix", 2e-3, 2, 50): 0.5,
    Run("prefix", 4e-3, 1, 60): 0.0,
}


@pytest.fixture
def known(tmp_path, monkeypatch):
    monkeypatch.setattr(clue_game, "RESULTS", tmp_path / "runs.jsonl")
    rows = [run._asdict() | {"mean": level, "end": level} for run, level in LEVELS.items()]
    clue_game.RESULTS.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read()


def test_runs_are_read_as_they_were_kept(known):
    assert {run: its["mean"] for run, its in known.items()} == LEVELS


def test_the_validation_seed_chooses_the_rate_and_a_single_rate_needs_none(known):
    assert rate_of("GRPO", known, 50) == 1e-3
    assert rate_of("prefix", known, 50) == 2e-3


def test_the_validation_seed_is_in_no_figure(known, capsys):
    report(known, 50)
    _, _, grpo, prefix = capsys.readouterr().out.splitlines()
    assert grpo.split()[:5] == ["GRPO", "0.001", "2", "0.250", "0.250"]
    assert prefix.split()[:6] == ["prefix", "0.002", "2", "0.500", "0.500", "+0.250"]


def test_no_run_is_made_twice(known):
    before = clue_game.RESULTS.read_text()
    clue_game.make(LEVELS, workers=1)
    assert clue_game.RESULTS.read_text() == before

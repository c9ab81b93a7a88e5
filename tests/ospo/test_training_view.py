"""What a training shows in the terminal while it goes."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from transformers import TrainerState

from ospo.report.training import live
from ospo.train.alarms import alarms
from ospo.train.recorder import Recorder
from ospo.train.sample import Sample
from ospo.train.settings import parse
from ospo.train.view import View

GOOD = {
    "reward": 0.5,
    "credit/efficiency_gap": 1e-12,
    "credit/segments_mean": 3.0,
    "game/cache_hit_rate": 0.8,
    "game/evaluations": 90.0,
    "game/searches": 12.0,
    "retrieval/empty_frac": 0.02,
    "step_time": 0.5,
}


def shown(*, terminal: bool = False, width: int = 80):
    """A view, and what it has shown so far."""
    console = Console(width=width, file=io.StringIO(), force_terminal=terminal, record=True)
    return live(console), lambda: console.export_text(clear=False)


def test_where_there_is_no_terminal_a_stage_prints_ten_lines():
    watching, text = shown()
    with watching as view:
        for step in range(1, 101):
            view.step(step, 100, GOOD)
    lines = text().splitlines()
    assert len(lines) == 10
    assert lines[0] == "training      10 of 100   reward 0.500 · 80% known · 24 searches/s"


def test_a_line_fits_80_columns_whatever_is_logged():
    watching, text = shown()
    with watching as view:
        view.step(1000, 1000, GOOD | {"time/credit_share": 0.31, "game/searches": 9999.0})
        view.writes(1000, Sample("?", "a", 0.25, (("trail shoes " * 20, 0.31), ("red", -0.1))))
    assert max(map(len, text().splitlines())) <= 80
    assert "0.250  trail shoes" in text()


def test_a_sample_shows_every_sign_and_interprets_nothing():
    watching, text = shown()
    with watching as view:
        view.writes(3, Sample("?", "", 0.5, (("[red]lamp\x1b[0m", 0.6), ("desk", -0.1))))
        view.writes(4, Sample("?", "", 0.0, ()))
    assert "[red]lamp␛[0m +0.600 | desk −0.100" in text()
    assert "0.000  nothing" in text()


def test_an_alarm_is_told_once(tmp_path):
    told = []

    class Watching(View):
        def notice(self, text):
            told.append(text)

    recorder = Recorder(tmp_path / "metrics.jsonl", Watching(), None)
    _, args = parse([])
    for step, gap in ((1, 0.0), (2, 0.5), (3, 0.4)):
        state = TrainerState(global_step=step, max_steps=3)
        recorder.on_log(args, state, None, GOOD | {"credit/efficiency_gap": gap})
    assert len(told) == 1
    assert told[0].startswith("step 2: credits miss the reward by 5.0e-01")


def test_what_was_logged_after_the_checkpoint_is_dropped_and_so_is_half_a_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    lines = [f'{{"step": {step}, "reward": 0.5}}\n' for step in (1, 2, 3)]
    path.write_text("".join(lines) + '{"step": 4, "rew')
    recorder = Recorder(path, View(), None)
    recorder.on_train_begin(None, TrainerState(global_step=2, max_steps=9), None)
    assert path.read_text() == "".join(lines[:2])


def test_on_a_terminal_every_stage_has_a_line_of_its_own():
    watching, text = shown(terminal=True, width=100)
    with watching as view:
        view.warming(1, 2, 1.0)
        view.warming(2, 2, 0.5)
        view.step(1, 1, GOOD)
    assert "warm start" in text()
    assert "reward 0.500" in text()


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("credit/efficiency_gap", 1e-5),
        ("credit/segments_mean", 1.1),
        ("game/cache_hit_rate", 0.0),
        ("retrieval/empty_frac", 0.4),
    ],
)
def test_each_metric_has_its_alarm_and_a_good_step_has_none(metric, value):
    assert alarms(GOOD) == {}
    assert list(alarms(GOOD | {metric: value})) == [metric]


def test_credit_that_need_not_add_up_raises_no_alarm():
    assert alarms(GOOD | {"credit/efficiency_gap": 0.4}, efficient=False) == {}

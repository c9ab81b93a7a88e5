"""What is written and shown while a policy trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from ospo.train.alarms import adds_up, alarms
from ospo.train.log import read_log
from ospo.train.sample import Sample
from ospo.train.view import View


class Recorder(TrainerCallback):
    """Writes what TRL logs to ``metrics.jsonl``, line by line, and tells it to the view.

    Each alarm is told once.

    Parameters
    ----------
    path : Path
    view : View
    sample : callable or None
        Gives what the policy writes now, for the k-th time; None where nothing wants to see it.
    """

    def __init__(self, path: Path, view: View, sample: Callable[[int], Sample] | None) -> None:
        self.path = path
        self.view = view
        self.sample = sample
        self._every = self._samples = 0
        self._alarmed: set[str] = set()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Drop what was logged after the checkpoint that training resumes from."""
        self._every = -(-state.max_steps // max(self.view.samples, 1))
        self._samples = state.global_step // self._every
        if not state.is_world_process_zero:
            return
        logged = read_log(self.path).lines
        kept = [json.dumps(line) for line in logged if line["step"] <= state.global_step]
        self.path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Append one line, and show now and then what the policy writes."""
        if not state.is_world_process_zero:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, **logs}) + "\n")
        if "reward" not in logs:
            return
        self.view.step(state.global_step, state.max_steps, logs)
        found = alarms(logs, efficient=adds_up(vars(args)))
        for metric, text in found.items():
            if metric not in self._alarmed:
                self.view.notice(f"step {state.global_step}: {text}")
        self._alarmed |= found.keys()
        if self.sample is not None and (due := state.global_step // self._every) > self._samples:
            self._samples = due
            self.view.writes(state.global_step, self.sample(due))

"""What a run of ``ospo train`` has left in its directory so far, finished or not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ospo.errors import InputError
from ospo.train.belongs import belongs
from ospo.train.held_out import HeldOut, read_held_out
from ospo.train.log import read_log
from ospo.train.settings_file import read_settings
from owen_core import json_file

# What two runs need to have alike to be compared, and what any run has in its settings.
MEASURED = ("data", "contexts", "retriever", "reward", "metric")
NEEDED = (
    *MEASURED,
    *("segmenter", "cache", "rule", "credit", "credit_budget", "max_width", "paper"),
    *("seed", "max_steps"),
    *("gradient_accumulation_steps", "steps_per_generation", "num_iterations"),
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run has left so far.

    Attributes
    ----------
    folder : Path
    settings : mapping
        Of ``config.yaml``.
    log : list of mapping
        The finite numbers of each line of ``metrics.jsonl``, with the ``step``.
    cut : bool
        Whether the last line of it is half written.
    held_out : list of HeldOut or None
        None = the run is not finished, or its model is in shards.
    saved : bool
        Whether the trained model is there.
    """

    folder: Path
    settings: Mapping[str, Any]
    log: list[Mapping[str, float]]
    cut: bool
    held_out: list[HeldOut] | None
    saved: bool

    @property
    def name(self) -> str:
        """The name of its directory."""
        return self.folder.resolve().name

    @property
    def measure(self) -> str:
        """What its values are: the metric of what is retrieved, or another reward."""
        reward = str(self.settings["reward"])
        return str(self.settings["metric"]) if reward == "retrieval" else reward

    @property
    def steps(self) -> list[Mapping[str, float]]:
        """What it logged of training steps, which is not all that it logged."""
        return [line for line in self.log if "reward" in line]


def read_run(folder: Path) -> RunRecord:
    """Read what a run has left so far.

    Raises
    ------
    InputError
        The folder is not that of a run, or a file in it is damaged.
    """
    held_out = folder / "held_out.jsonl"
    log, cut = read_log(folder / "metrics.jsonl") if folder.is_dir() else ([], False)
    return RunRecord(
        folder=folder,
        settings=read_settings(folder, NEEDED),
        log=[_finite(line) for line in log],
        cut=cut,
        held_out=read_held_out(held_out) if held_out.is_file() else None,
        saved=(folder / "model").is_dir(),
    )


def differences(run: RunRecord, baseline: RunRecord) -> dict[str, tuple[Any, Any]]:
    """Return the settings that decide a training and differ, with their values in both.

    Raises
    ------
    InputError
        The two were measured on different data, or differently, so that no value of the one can
        be held against one of the other.
    """
    ours, theirs = belongs(run.settings, {}), belongs(baseline.settings, {})
    differ = {
        name: (ours.get(name), theirs.get(name))
        for name in {**ours, **theirs}
        if ours.get(name) != theirs.get(name)
    }
    told = [
        f"{name} {ours[name]!r} here, {theirs[name]!r} there" for name in MEASURED if name in differ
    ]
    if not told and run.held_out and baseline.held_out and _asked(run) != _asked(baseline):
        told = [f"{run.settings['data']!r} holds other queries out"]
    if told:
        raise InputError(
            f"{baseline.folder} is no baseline for {run.folder} ({'; '.join(told)}): give a run "
            f"with the same {', '.join(MEASURED)}"
        )
    return differ


def _asked(run: RunRecord) -> Sequence[tuple[str, str, float]]:
    return [(known.query_id, known.context, known.wanted) for known in run.held_out or ()]


def _finite(line: Mapping[str, Any]) -> dict[str, float]:
    return {
        name: value
        for name, value in line.items()
        if json_file.is_number(value) and math.isfinite(value)
    }

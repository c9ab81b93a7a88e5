"""Records: one line for each finished run, kept as it finishes and never made twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, fields
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.claims.learning.run import Key, train
from benchmarks.claims.learning.task import Task

RESULTS = Path(__file__).parents[2] / "results" / "learning"
NAMES = [field.name for field in fields(Key)]
_task: Task | None = None  # of a worker


def path_of(task: str) -> Path:
    """Return the file of a task's records."""
    return RESULTS / f"{task}.jsonl"


def read(task: str) -> dict[Key, dict[str, Any]]:
    """Return the records of a task, by key."""
    path = path_of(task)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    if lines and not lines[-1].endswith("\n"):  # it was being written when all ended
        path.write_text("".join(lines := lines[:-1]), encoding="utf-8")
    records = map(json.loads, lines)
    return {Key(**{name: record[name] for name in NAMES}): record for record in records}


def make(data: str, keys: Sequence[Key], *, jobs: int) -> Iterator[tuple[int, int, Key]]:
    """Make the runs that are missing, and yield how many are done, of how many, and which."""
    task = Task(data)
    known = read(task.name)
    missing = [key for key in dict.fromkeys(keys) if key not in known]
    for policy in sorted({key.policy for key in missing}):
        task.policy(policy)  # once, and not in every worker
    path = path_of(task.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        ProcessPoolExecutor(jobs, get_context("spawn"), _begin, (data,)) as pool,
        path.open("a", encoding="utf-8") as file,
    ):
        runs = {pool.submit(_train, key): key for key in missing}
        for done, run in enumerate(as_completed(runs), start=1):
            file.write(json.dumps(asdict(runs[run]) | run.result()) + "\n")
            file.flush()
            yield done, len(missing), runs[run]


def _begin(data: str) -> None:
    global _task
    _task = Task(data)


def _train(key: Key) -> dict[str, Any]:
    assert _task is not None
    return train(key, _task)

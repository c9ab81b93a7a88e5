"""Checkpoints: what one belongs to, which is the last whole one, and the one that a failure leaves.

The engine writes ``checkpoint-N``. When it is complete, ``ospo.json`` is added, with the settings
of the run and the fingerprints of what it was trained against; a folder without it is half
written. Training resumes from a whole one that belongs to the same run, and from no other.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from ospo.errors import InputError
from ospo.storage import whole
from ospo.train.interrupt import whole_rounds

MARK = "ospo.json"
Belongs = Mapping[str, Any]  # name -> what must be the same for training to resume


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint in a run directory."""
    marks = folder.glob(f"checkpoint-*/{MARK}")
    steps = {int(mark.parent.name.partition("-")[2]): mark.parent for mark in marks}
    return steps[max(steps)] if steps else None


def check_belongs(checkpoint: Path, now: Belongs) -> None:
    """Refuse to resume from the checkpoint of another run.

    Raises
    ------
    InputError
        It names what differs.
    """
    then = json.loads((checkpoint / MARK).read_text(encoding="utf-8"))
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    if names:
        told = "; ".join(f"{name} was {then.get(name)!r}, is {now.get(name)!r}" for name in names)
        raise InputError(
            f"{checkpoint} belongs to another training ({told}): resume with the settings in its "
            "run's config.yaml, or start a new run"
        )


class Checkpoints(TrainerCallback):
    """Marks checkpoints as whole, and saves the last finished step when the next one fails.

    Parameters
    ----------
    belongs : mapping
        As :func:`ospo.train.belongs.belongs` returns it.
    notice : callable
        Is given a line that a person should read.
    """

    def __init__(self, belongs: Belongs, notice: Callable[[str], None]) -> None:
        self.belongs = belongs
        self.notice = notice
        self._tokens = 0
        self._random: dict[str, Any] = {}

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Mark the checkpoint that was just written."""
        if state.is_world_process_zero:
            with whole(_folder(args, state) / MARK) as draft:
                draft.write_text(json.dumps(self.belongs, indent=1), encoding="utf-8")

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Remember what the step changes before it can fail."""
        self._remember(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Remember the same for what comes between two steps, such as an evaluation."""
        self._remember(state)

    def _remember(self, state: Any) -> None:
        self._tokens = state.num_input_tokens_seen
        self._random = {
            "python": random.getstate(),
            "numpy": np.random.get_state(),  # noqa: NPY002  (the engine draws from it)
            "torch": torch.random.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    @contextmanager
    def kept(self, trainer: Any) -> Iterator[None]:
        """Let a training that fails leave its last finished step behind.

        Raises
        ------
        InputError
            A checkpoint could not be written; the ones before are as they were.
        """
        try:
            yield
        except Exception as error:
            half = _folder(trainer.args, trainer.state)
            if half.is_dir() and not (half / MARK).exists():
                raise _unwritten(half, error) from error
            if trainer.state.global_step and trainer.args.world_size == 1:
                self._save(trainer)
            raise

    def _save(self, trainer: Any) -> None:
        args, state = trainer.args, trainer.state
        if not whole_rounds(state.global_step, args):
            return
        if not (_folder(args, state) / MARK).exists():
            self._recall(state)
            try:
                trainer._save_checkpoint(trainer.model, trial=None)
                self.on_save(args, state, trainer.control)
            except Exception as error:
                raise _unwritten(_folder(args, state), error) from error
        self.notice(f"step {state.global_step} is saved; go on with --resume")

    def _recall(self, state: Any) -> None:
        state.num_input_tokens_seen = self._tokens
        random.setstate(self._random["python"])
        np.random.set_state(self._random["numpy"])  # noqa: NPY002
        torch.random.set_rng_state(self._random["torch"])
        if self._random["cuda"]:
            torch.cuda.set_rng_state_all(self._random["cuda"])


def _folder(args: Any, state: Any) -> Path:
    return Path(args.output_dir) / f"checkpoint-{state.global_step}"


def _unwritten(half: Path, error: Exception) -> InputError:
    """Remove what was written of a checkpoint, and say why it is not there."""
    shutil.rmtree(half, ignore_errors=True)
    before = last_checkpoint(half.parent)
    remedy = "start again" if before is None else f"go on from {before.name} with --resume"
    return InputError(f"{half} could not be written ({error}): make room on the disk, and {remedy}")

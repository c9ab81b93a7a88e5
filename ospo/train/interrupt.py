"""Ctrl-C in training: the step is finished and saved, then training stops."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch
from torch import distributed
from transformers import TrainerCallback

from ospo.train.config import OSPOConfig


def whole_rounds(step: int, args: OSPOConfig) -> bool:
    """Return whether no completions that were generated are left over after a step.

    Only there a checkpoint holds everything: completions are not in it.

    Examples
    --------
    >>> from ospo.train.settings import parse
    >>> _, args = parse(["--steps_per_generation", "12", "--num_iterations", "2"])
    >>> args.gradient_accumulation_steps, [step for step in range(9) if whole_rounds(step, args)]
    (6, [0, 4, 8])
    """
    return step % round_steps(args) == 0


def round_steps(args: OSPOConfig) -> int:
    """Return the fewest steps that use up all completions of their rounds of generation."""
    micro: int = args.gradient_accumulation_steps
    return math.lcm(args.steps_per_generation * args.num_iterations, micro) // micro


class Interrupt(TrainerCallback):
    """Stops a training when a person interrupts it, and saves it first.

    Parameters
    ----------
    notice : callable
        Is given a line that a person should read.

    Attributes
    ----------
    asked : bool
        Whether it was interrupted.
    """

    def __init__(self, notice: Callable[[str], None]) -> None:
        self.notice = notice
        self.asked = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen for SIGINT; the second one stops at once.

        The handler is set whatever the shell says: one that starts a job in the background has it
        ignore interrupts.
        """
        before = signal.signal(signal.SIGINT, self._ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self.notice("interrupted: finishing this step and saving it; once more stops at once")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Save and stop, all processes after the same step."""
        asked = self.asked
        if distributed.is_initialized():
            anyone = torch.tensor(int(asked), device=args.device)
            distributed.all_reduce(anyone, distributed.ReduceOp.MAX)
            asked = bool(anyone)
        if asked and whole_rounds(state.global_step, args):
            self.asked = control.should_save = control.should_training_stop = True

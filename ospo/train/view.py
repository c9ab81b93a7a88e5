"""What may watch a run: a terminal, a notebook, or nobody."""

from __future__ import annotations

from collections.abc import Mapping

from ospo.train.preflight import Preflight
from ospo.train.sample import Sample


class View:
    """Is told what happens, and by default shows nothing of it; override what is wanted.

    Attributes
    ----------
    samples : int
        How often in a run :meth:`writes` is told what the policy writes; each takes a generation.
    """

    samples = 0

    def warming(self, done: int, steps: int, loss: float) -> None:
        """See a step of the warm start, from 1, with its loss in nats per token."""

    def indexing(self, done: int, products: int) -> None:
        """See how many products are encoded."""

    def begins(self, found: Preflight) -> None:
        """See what was found before the first step."""

    def step(self, step: int, steps: int, logs: Mapping[str, float]) -> None:
        """See what TRL logs, after a step from 1."""

    def writes(self, step: int, sample: Sample) -> None:
        """See what the policy writes for a held-out context."""

    def notice(self, text: str) -> None:
        """See one line that a person should read."""

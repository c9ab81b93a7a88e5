"""Value functions that can be sent to other processes, sound and faulty ones."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def roots(coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the root of each coalition's weight, which no two summations round alike."""
    return np.sqrt(coalitions @ np.arange(1.0, coalitions.shape[1] + 1))


def disconnect(values: NDArray[np.float64]) -> NDArray[np.float64]:
    raise ConnectionError("engine down")


def answer_nan(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.full_like(values, np.nan)


def die(values: NDArray[np.float64]) -> NDArray[np.float64]:
    os.kill(os.getpid(), signal.SIGKILL)
    return values


@dataclass(frozen=True)
class Faulty:
    """Roots, but for a fault in the batch with the coalition of the last player alone.

    With ``mended``, a file that the fault leaves behind, it comes once and never again.
    """

    fault: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    mended: Path | None = None

    def __call__(self, coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
        values = roots(coalitions)
        hit = (coalitions.sum(axis=1) == 1) & coalitions[:, -1]
        if not hit.any() or (self.mended is not None and self.mended.exists()):
            return values
        if self.mended is not None:
            self.mended.touch()
        return self.fault(values)

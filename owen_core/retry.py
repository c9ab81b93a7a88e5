"""Asking again after a failure that may pass."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retry:
    """How often, how soon and after which errors a failed batch is asked again.

    The pauses grow: ``wait``, ``wait * factor``, ``wait * factor**2``, ... seconds.

    Parameters
    ----------
    times : int
        How often one batch is asked again before its error is raised.
    wait : float
        Seconds before it is asked again for the first time.
    factor : float
        By how much each pause is longer than the one before; at least 1.
    on : exception type, or tuple of them
        The errors that may pass. ``OSError`` includes ``ConnectionError`` and ``TimeoutError``.

    Examples
    --------
    >>> retry = Retry(times=3, wait=1.0)
    >>> [retry.pause(ConnectionError("busy"), asked) for asked in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, None]
    """

    times: int = 3
    wait: float = 0.5
    factor: float = 2.0
    on: type[Exception] | tuple[type[Exception], ...] = OSError

    def __post_init__(self) -> None:
        for name, least in (("times", 0), ("wait", 0), ("factor", 1)):
            number = getattr(self, name)
            if not least <= number < math.inf:
                raise ValueError(f"{name} of a retry must be at least {least}, got {number}")
        errors = self.on if isinstance(self.on, tuple) else (self.on,)
        for error in errors:
            if not (isinstance(error, type) and issubclass(error, Exception)):
                raise TypeError(f"a retry is on types of exceptions, got {error!r}")

    def pause(self, error: Exception, asked: int) -> float | None:
        """Return the seconds until a batch that was ``asked`` so often is asked again, if it is."""
        if not isinstance(error, self.on):
            return None
        if asked > self.times:
            if self.times:
                error.add_note(f"asked {asked} times, which is the limit of {self}")
            return None
        return self.wait * self.factor ** (asked - 1)

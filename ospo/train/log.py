"""``metrics.jsonl``: what a run logged, one line of JSON each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ospo.errors import InputError
from owen_core import json_file


class Log(NamedTuple):
    """What a run logged.

    Attributes
    ----------
    lines : list of dict
        Metric to value, with the ``step``.
    cut : bool
        Whether the last line was half written, by a run that was killed or is writing it, and is
        left out.
    """

    lines: list[dict[str, Any]]
    cut: bool


def read_log(path: Path) -> Log:
    r"""Read what a run has logged so far; nothing where there is no file yet.

    Raises
    ------
    InputError
        A whole line is none that a run writes.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "metrics.jsonl"
    >>> _ = path.write_text('{"step": 1, "reward": 0.5}\n{"step": 2, "rew')
    >>> read_log(path)
    Log(lines=[{'step': 1, 'reward': 0.5}], cut=True)
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    *whole, rest = text.split("\n")
    lines = []
    for number, line in enumerate(whole, start=1):
        try:
            logged = json_file.parse(line)
            lines.append({**logged, "step": int(logged["step"])})
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise InputError(
                f"line {number} of {path} is not what a run logs, JSON with a step: remove the line"
            ) from error
    return Log(lines, bool(rest))

"""Texts as numbers, for a store that keeps numbers only."""

from __future__ import annotations

import json
from collections.abc import Sequence

BYTES = 6  # of a number: every whole number below 2**48 is a float


def to_numbers(texts: Sequence[str]) -> list[float]:
    """Return numbers that say a list of texts.

    Examples
    --------
    >>> to_numbers(["p1", "p2"])
    [48525369942619.0, 102401456480800.0]
    >>> to_texts(_)
    ['p1', 'p2']
    """
    said = json.dumps(list(texts)).encode()
    parts = (said[start : start + BYTES] for start in range(0, len(said), BYTES))
    return [float(int.from_bytes(part, "little")) for part in parts]


def to_texts(numbers: Sequence[float]) -> list[str]:
    """Return the list of texts that numbers say."""
    said = b"".join(int(number).to_bytes(BYTES, "little") for number in numbers)
    texts: list[str] = json.loads(said.rstrip(b"\0"))
    return texts

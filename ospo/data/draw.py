"""Random choices that are the same on every machine and in every version of Python.

Only ``random()`` is promised to give the same numbers for a seed; ``choice`` and ``shuffle`` are
free to change, and with them every generated catalogue and context.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")


def pick(rng: random.Random, options: Sequence[T]) -> T:
    """Return one of the options.

    Examples
    --------
    >>> pick(random.Random(7), ["red", "blue", "green"])
    'red'
    """
    return options[int(rng.random() * len(options))]


def between(rng: random.Random, low: int, high: int) -> int:
    """Return an integer from ``low`` to ``high``, both included."""
    return low + int(rng.random() * (high - low + 1))


def shuffled(rng: random.Random, items: Iterable[T]) -> list[T]:
    """Return the items in random order."""
    return sorted(items, key=lambda _: rng.random())

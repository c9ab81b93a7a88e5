"""Beeswarms: how the credits of many phrases are spread, as columns of dots."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

COLUMNS = 60  # of dots, on either side of 0
TALLEST = 15  # dots of a column
NOISE = 1e-9  # of credits


@dataclass(frozen=True, slots=True)
class Swarm:
    """The credits of one kind of phrase.

    Attributes
    ----------
    kind : str
    count : int
        Phrases of this kind, one for each query that has it.
    mean : float
        Of their credits.
    below : int
        How many of them are below 0.
    more, less, none : str
        The columns of dots above, below and at 0, as SVG paths for a stroke of round dots. A unit
        is one dot.
    height : int
        Dots of the tallest column.
    """

    kind: str
    count: int
    mean: float
    below: int
    more: str
    less: str
    none: str
    height: int


@dataclass(frozen=True, slots=True)
class Swarms:
    """The swarms of all kinds, that of most phrases first, on one scale.

    Attributes
    ----------
    rows : list of Swarm
    largest : float
        The size of a credit at the ends of the scale.
    each : int
        How many phrases one dot stands for, at most.
    """

    rows: list[Swarm]
    largest: float
    each: int


def swarms(credits: Mapping[str, Sequence[float]]) -> Swarms:
    """Return the swarms of the credits of each kind.

    Examples
    --------
    >>> found = swarms({"brand": [0.5, 0.5, -0.25], "number": [0.0]})
    >>> found.rows[0].more, found.rows[0].less, found.rows[1].none
    ('M60 -0.5v1.01', 'M-30 0v.01', 'M0 0v.01')
    """
    largest = max((abs(c) for values in credits.values() for c in values), default=0.0)
    scale = COLUMNS / (largest or 1.0)
    columns = {kind: Counter(_column(c, scale) for c in credits[kind]) for kind in credits}
    tallest = max((max(counts.values()) for counts in columns.values()), default=1)
    each = math.ceil(tallest / TALLEST)
    rows = [
        Swarm(
            kind,
            count=len(credits[kind]),
            mean=fmean(credits[kind]),
            below=sum(credit < -NOISE for credit in credits[kind]),
            more=_path((x, n) for x, n in counts.items() if x > 0),
            less=_path((x, n) for x, n in counts.items() if x < 0),
            none=_path((x, n) for x, n in counts.items() if x == 0),
            height=max(counts.values()),
        )
        for kind, found in columns.items()
        for counts in [{x: math.ceil(found[x] / each) for x in sorted(found)}]
    ]
    return Swarms(sorted(rows, key=lambda swarm: -swarm.count), largest, each)


def _column(credit: float, scale: float) -> int:
    """Return the column of a credit; only 0 itself, but for rounding, is in the middle."""
    if abs(credit) <= NOISE:
        return 0
    return int(math.copysign(max(1, round(abs(credit) * scale)), credit))


def _path(columns: Iterable[tuple[int, int]]) -> str:
    """Return columns of dots; each is a little longer, lest its last dot fall beyond its end."""
    return "".join(f"M{x} {(1 - n) / 2:g}v{f'{n - 1:d}' if n > 1 else ''}.01" for x, n in columns)

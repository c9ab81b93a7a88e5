"""What the rows of a worklist say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ospo.worklist.row import Row, Summary

MOST_HARMFUL = 20
NOISE = 1e-9  # of sums of metrics


class Explained(NamedTuple):
    """A row that has a summary, and that."""

    row: Row
    summary: Summary


@dataclass(slots=True)
class Harmful:
    """What a phrase does in all queries that have it.

    Attributes
    ----------
    phrase : str
    queries : int
        How often it occurs.
    better : int
        How many of them are better without it.
    change : float
        The sum of what dropping it changes in each.
    worst : Explained
        The query that gains most.
    gain : float
        How much that is.
    """

    phrase: str
    queries: int
    better: int
    change: float
    worst: Explained
    gain: float


@dataclass(frozen=True)
class Overview:
    """What the rows of a worklist say together.

    Attributes
    ----------
    explained : list of Explained
        The largest gain from one drop first.
    failed : list of Row
    """

    explained: list[Explained]
    failed: list[Row]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Overview:
        """Return the overview of rows."""
        explained = [Explained(row, row.summary) for row in rows if row.summary is not None]
        explained.sort(key=lambda each: -each.summary.gain)
        return cls(explained, [row for row in rows if row.summary is None])

    @property
    def better(self) -> int:
        """How many queries are better without one phrase."""
        return sum(each.summary.gain > NOISE for each in self.explained)

    @property
    def mean(self) -> float:
        """The mean metric of the explained queries."""
        return sum(each.summary.value for each in self.explained) / len(self.explained)

    @property
    def reachable(self) -> float:
        """The mean metric if each of them lost the phrase without which it is better."""
        gained = sum(max(each.summary.gain, 0.0) for each in self.explained)
        return self.mean + gained / len(self.explained)

    @property
    def estimated(self) -> list[float]:
        """The half widths of the credits that are not exact."""
        widths = (each.summary.half_width for each in self.explained)
        return [width for width in widths if width is not None]

    def harmful(self) -> list[Harmful]:
        """Return the phrases whose loss would raise the sum of the metric most."""
        found: dict[str, Harmful] = {}
        for each in self.explained:
            summary = each.summary
            for segment, without in zip(summary.segments, summary.without, strict=True):
                gain = without - summary.value
                phrase = found.setdefault(
                    segment.lower(), Harmful(segment.lower(), 0, 0, 0.0, each, gain)
                )
                phrase.queries += 1
                phrase.better += gain > NOISE
                phrase.change += gain
                if gain > phrase.gain:
                    phrase.worst, phrase.gain = each, gain
        ranked = sorted(found.values(), key=lambda phrase: -phrase.change)
        return [phrase for phrase in ranked[:MOST_HARMFUL] if phrase.change > NOISE]

    def credits(self) -> dict[str, list[float]]:
        """Return the credits of all phrases by their kind."""
        found: dict[str, list[float]] = {}
        for each in self.explained:
            for kind, credit in zip(each.summary.kinds, each.summary.credit, strict=True):
                found.setdefault(kind, []).append(credit)
        return found

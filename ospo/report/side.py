"""One explanation as a page shows it: what comes first, what is folded away, how long bars are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ospo.explanation import Explanation, Interaction
from ospo.report.moves import Lists, lists, moved
from ospo.report.switchboard import Switchboard
from ospo.report.template import head
from ospo.report.terminal import advice, searched

MOST_IN_WORDS = 4  # interactions


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values lie between the ends of a bar, in percent."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float]) -> Scale:
        """Return the scale of 0 and some values."""
        values = (0.0, *values)
        return cls(min(values), max(values))

    def at(self, value: float) -> float:
        """Return the place of a value, 0 to 100."""
        return round(100 * (value - self.low) / ((self.high - self.low) or 1.0), 2)

    def bar(self, begin: float, end: float) -> tuple[float, float]:
        """Return the left end and the width of a bar between two values."""
        left, right = sorted((self.at(begin), self.at(end)))
        return left, round(right - left, 2)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the waterfall, from one value of the metric to another."""

    name: str
    begin: float
    end: float


@dataclass(frozen=True)
class Side:
    """One explanation on a page.

    Parameters
    ----------
    explanation : Explanation
    label : str
        What tells it from the other one.
    """

    explanation: Explanation
    label: str

    @property
    def shown(self) -> list[int]:
        """The phrases with the largest credits, the highest first."""
        return sorted(head(self.explanation.strongest), key=self._by_credit)

    @property
    def folded(self) -> list[int]:
        """The other phrases, likewise."""
        strongest = self.explanation.strongest
        return sorted(strongest[len(head(strongest)) :], key=self._by_credit)

    def _by_credit(self, phrase: int) -> float:
        return -self.explanation.credit[phrase]

    def strength(self, phrase: int) -> float:
        """Return the size of a credit as a share of the largest."""
        largest = max(map(abs, self.explanation.credit)) or 1.0
        return round(abs(self.explanation.credit[phrase]) / largest, 3)

    def unsure(self, phrase: int) -> bool:
        """Whether the interval of a credit covers 0."""
        interval = self.explanation.interval
        return interval is not None and interval[phrase][0] <= 0 <= interval[phrase][1]

    def precision(self, phrase: int) -> str:
        """Return how sure a credit is: ``exact``, or half of its 95 % interval."""
        e = self.explanation
        if e.interval is not None:
            low, high = e.interval[phrase]
            return f"± {(high - low) / 2:.3f}"
        return "exact" if e.method.estimator is None else "estimated"

    @cached_property
    def scale(self) -> Scale:
        """The common scale of the credits and their intervals."""
        e = self.explanation
        return Scale.over([*e.credit, *(end for pair in e.interval or () for end in pair)])

    @cached_property
    def steps(self) -> list[Step]:
        """The way from the empty query to the query, the largest credits first."""
        e = self.explanation
        single = head(e.strongest)
        changes = [(e.segments[k], e.credit[k]) for k in single]
        if others := e.strongest[len(single) :]:
            changes.append((f"{len(others)} others", sum(e.credit[k] for k in others)))
        if e.residual:
            changes.append(("residual", e.residual))
        steps = [Step("empty query", 0.0, e.baseline)]
        for name, change in changes:
            steps.append(Step(name, steps[-1].end, steps[-1].end + change))
        return steps

    @cached_property
    def waterfall_scale(self) -> Scale:
        """The scale of the waterfall."""
        return Scale.over(step.end for step in self.steps)

    @cached_property
    def switchboard(self) -> Switchboard:
        """The data of the switchboard."""
        return Switchboard(self.explanation)

    @cached_property
    def drops(self) -> list[int]:
        """The phrases, the best one to drop first."""
        without = self.explanation.without
        return sorted(range(len(without)), key=lambda k: -without[k].value)

    def lists(self, phrase: int) -> Lists:
        """Return the first products with and without a phrase."""
        return lists(self.explanation, self.explanation.without[phrase])

    def direction(self, product: int, phrase: int) -> str:
        """Return where a relevant product, by its place, goes without a phrase."""
        e = self.explanation
        return moved(e.variants[0].ranks[product], e.without[phrase].ranks[product])[1]

    @property
    def searched(self) -> str:
        """What was searched, in words."""
        return searched(self.explanation)

    @property
    def advice(self) -> str:
        """The one thing to try."""
        return advice(self.explanation)

    @property
    def paired(self) -> list[int]:
        """The phrases with the largest interactions, in the order of the query."""
        total = dict.fromkeys(range(len(self.explanation.segments)), 0.0)
        for pair, value in self.pairs.items():
            for k in pair:
                total[k] += abs(value)
        return sorted(head(sorted(total, key=lambda k: -total[k])))

    @cached_property
    def pairs(self) -> dict[tuple[int, int], float]:
        """The interaction of each pair of phrases."""
        return {(i.first, i.second): i.value for i in self.explanation.interactions}

    @property
    def every_pair(self) -> bool:
        """Whether the interaction of every pair is known."""
        return len(self.pairs) == math.comb(len(self.explanation.segments), 2)

    @property
    def in_words(self) -> list[Interaction]:
        """The largest interactions."""
        ranked = sorted(self.explanation.interactions, key=lambda i: -abs(i.value))
        return [i for i in ranked[:MOST_IN_WORDS] if i.value]

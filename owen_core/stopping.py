"""When sampling has gone on for long enough: rules that combine with ``&`` and ``|``.

Rules on the error are asked at checkpoints only, after numbers of units that are fixed in advance,
so that the batch size does not change where sampling ends. Asking more often would also make the
intervals too narrow: a run that stops at the first lucky look is not a fair sample.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from owen_core.game import Values
from owen_core.quantile import t_quantile


@dataclass(frozen=True)
class Progress:
    """How far an estimate has come.

    Attributes
    ----------
    estimate : callable
        Gives the ``(n,)`` credits, their standard errors, NaN where there is no honest one yet,
        and the errors' degrees of freedom. It is called once, when a rule asks for one of them.
    evaluations : int
        Distinct new evaluations that were paid.
    seconds : float
        Time since sampling began.
    """

    estimate: Callable[[], tuple[Values, Values, float]]
    evaluations: int
    seconds: float

    @cached_property
    def _estimated(self) -> tuple[Values, Values, float]:
        return self.estimate()

    @property
    def values(self) -> Values:
        """The credits, ``(n,)``."""
        return self._estimated[0]

    @property
    def std_error(self) -> Values:
        """Their standard errors, ``(n,)``."""
        return self._estimated[1]

    @property
    def degrees_of_freedom(self) -> float:
        """The degrees of freedom of the standard errors."""
        return self._estimated[2]

    def half_widths(self, level: float) -> Values:
        """Return half the width of each credit's confidence interval, ``(n,)``."""
        if self.degrees_of_freedom < 1:
            return np.full(len(self.values), np.nan)
        return t_quantile((1 + level) / 2, self.degrees_of_freedom) * self.std_error


class Stop(Protocol):
    """A rule that ends sampling."""

    def met(self, progress: Progress) -> bool:
        """Whether sampling may end here."""

    @property
    def limit(self) -> float:
        """The number of new evaluations that must not be exceeded; infinite if there is none."""


class _Combines:
    """Rules join with ``&``, all must be met, and ``|``, one is enough."""

    __slots__ = ()

    def __and__(self: Stop, other: Stop) -> AllOf:
        return AllOf((self, other))

    def __or__(self: Stop, other: Stop) -> AnyOf:
        return AnyOf((self, other))


@dataclass(frozen=True, slots=True)
class AllOf(_Combines):
    """Every one of the rules; what ``a & b`` makes."""

    rules: tuple[Stop, ...]

    def met(self, progress: Progress) -> bool:
        """Whether all rules are met."""
        return all(rule.met(progress) for rule in self.rules)

    @property
    def limit(self) -> float:
        """The largest limit: sampling goes on until the last rule is met."""
        return max(rule.limit for rule in self.rules)


@dataclass(frozen=True, slots=True)
class AnyOf(_Combines):
    """Any one of the rules; what ``a | b`` makes."""

    rules: tuple[Stop, ...]

    def met(self, progress: Progress) -> bool:
        """Whether one of the rules is met."""
        return any(rule.met(progress) for rule in self.rules)

    @property
    def limit(self) -> float:
        """The smallest limit."""
        return min(rule.limit for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Budget(_Combines):
    """Stop before more than so many distinct new evaluations are paid.

    Examples
    --------
    >>> import owen_core as oc
    >>> rule = oc.Budget(10_000) | oc.HalfWidth(0.01)
    >>> rule.limit
    10000
    """

    evaluations: int

    def __post_init__(self) -> None:
        if self.evaluations < 1:
            raise ValueError(f"budget must be at least 1, got {self.evaluations}")

    def met(self, progress: Progress) -> bool:
        """Whether the budget is spent."""
        return progress.evaluations >= self.evaluations

    @property
    def limit(self) -> float:
        """The budget."""
        return self.evaluations


@dataclass(frozen=True, slots=True)
class HalfWidth(_Combines):
    """Stop when every credit is known to within ``width``, in the units of the value function.

    Attributes
    ----------
    width : float
        Half the width of the widest confidence interval.
    level : float
        Confidence of each interval.
    """

    width: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if not self.width > 0:
            raise ValueError(f"width must be positive, got {self.width}")
        _check_level(self.level)

    def met(self, progress: Progress) -> bool:
        """Whether all intervals are narrow enough."""
        return bool((progress.half_widths(self.level) <= self.width).all())

    @property
    def limit(self) -> float:
        """None: infinite."""
        return math.inf


@dataclass(frozen=True, slots=True)
class Rank(_Combines):
    """Stop when the players of highest credit are settled, and their order.

    Attributes
    ----------
    top : int
        How many places must be settled: each of these players' intervals lies above the next.
    level : float
        Confidence of each interval.
    """

    top: int = 1
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.top < 1:
            raise ValueError(f"top must be at least 1, got {self.top}")
        _check_level(self.level)

    def met(self, progress: Progress) -> bool:
        """Whether no two of the first intervals overlap, nor the last of them with the next."""
        order = np.argsort(-progress.values, kind="stable")[: self.top + 1]
        half = progress.half_widths(self.level)[order]
        gaps = -np.diff(progress.values[order])
        return bool((gaps > half[:-1] + half[1:]).all())

    @property
    def limit(self) -> float:
        """None: infinite."""
        return math.inf


@dataclass(frozen=True, slots=True)
class Seconds(_Combines):
    """Stop after so much time. The result then depends on the speed of the machine."""

    seconds: float

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"seconds must be positive, got {self.seconds}")

    def met(self, progress: Progress) -> bool:
        """Whether the time is over."""
        return progress.seconds >= self.seconds

    @property
    def limit(self) -> float:
        """None: infinite."""
        return math.inf


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")

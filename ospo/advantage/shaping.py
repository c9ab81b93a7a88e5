"""The settings of a rule, checked once and before anything is paid for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ospo.advantage.rules import RULES, Settings
from ospo.errors import InputError


@dataclass(frozen=True, slots=True)
class Shaping:
    """How credit shapes token advantages.

    Attributes
    ----------
    rule : str
        One of :data:`RULES`.
    mix : float
        Share of the rule in a blend with ``uniform``, 0 to 1.
    cap : float, optional
        The most that a segment's advantage may be in units of A, above 1; what is cut off goes to
        the other segments, so the mean stays. For mean-preserving rules.
    weight : float, optional
        Weight of credit in a linear rule, at least 0; by default the rule's own. ``prefix`` has
        none: fit it with :class:`PrefixFit`.
    trace : float
        Of ``prefix``: how far later segments answer for a segment, 0 to 1.
    temperature : float
        Of ``softmax``, above 0.
    outside, delimiter, special : float
        Share of A that tokens carry which belong to no segment, 0 to 1, by what they are.
    truncated : float or None
        Share of A that every token carries of a completion that was cut off; its last segment is
        not what the policy meant, so it is not shaped. None treats it as any other.

    Raises
    ------
    InputError
        A setting is out of range, or does not go with the rule.

    Examples
    --------
    >>> Shaping("praise").needs_credit(torch.tensor([0.5, 0.0, -0.5]))
    tensor([ True, False, False])
    """

    rule: str = "praise"
    mix: float = 1.0
    cap: float | None = None
    weight: float | None = None
    trace: float = 1.0
    temperature: float = 1.0
    outside: float = 1.0
    delimiter: float = 1.0
    special: float = 1.0
    truncated: float | None = 1.0

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise InputError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")
        for name in ("mix", "trace", "outside", "delimiter", "special", "truncated"):
            share = getattr(self, name)
            if share is not None and not 0 <= share <= 1:
                raise InputError(f"{name} is {share}, expected a number from 0 to 1")
        if not (0 < self.temperature < math.inf):
            raise InputError(f"temperature is {self.temperature}, expected a number above 0")
        linear = RULES[self.rule].kind == "linear"
        if self.cap is not None and linear:
            raise InputError(f"rule {self.rule!r} is linear and would not be so capped; drop cap")
        if self.cap is not None and not self.cap > 1:
            raise InputError(f"cap is {self.cap}, expected a number above 1 (times A)")
        if self.weight is not None and not linear:
            raise InputError(f"rule {self.rule!r} multiplies A and takes no weight; use mix")
        if self.weight is not None and not 0 <= self.weight < math.inf:
            raise InputError(f"weight is {self.weight}, expected a number of at least 0")
        if self.weight is None and linear and RULES[self.rule].weight is None:
            raise InputError(f"rule {self.rule!r} needs a weight; fit one with PrefixFit")

    @property
    def settings(self) -> Settings:
        """What the rule itself may depend on."""
        usual = RULES[self.rule].weight or 0.0
        weight = usual if self.weight is None else self.weight
        return Settings(weight, self.trace, self.temperature, self.cap)

    @property
    def tells_kinds(self) -> bool:
        """Whether it matters of any token what it is that belongs to no segment."""
        return any(share != 1 for share in (self.outside, self.delimiter, self.special))

    def needs_credit(self, advantages: Tensor, truncated: Tensor | None = None) -> Tensor:
        """Return of which completions credit is read, ``(B,) bool``, before any search for it.

        Parameters
        ----------
        advantages : Tensor
            Sequence advantages, ``(B,)``.
        truncated : Tensor, optional
            ``(B,) bool``: completions that were cut off.
        """
        rule = RULES[self.rule]
        if self.mix == 0 or (rule.kind == "linear" and self.settings.weight == 0):
            return torch.zeros_like(advantages, dtype=torch.bool)
        needed = rule.reads(advantages)
        if truncated is None or self.truncated is None:
            return needed
        return needed & ~truncated

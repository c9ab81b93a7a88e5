"""Several rewards as one: a weighted sum, of which segments earn a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ospo.errors import InputError
from ospo.reward.reward import Reward, Row, Values


@dataclass(frozen=True, slots=True)
class Part:
    """One reward of a sum.

    Attributes
    ----------
    reward : Reward
    weight : float
    attributed : bool
        Whether segments share it by what they contribute. A reward for the form or the length of
        a whole completion means nothing for pieces of it: False shares it out equally.
    """

    reward: Reward
    weight: float = 1.0
    attributed: bool = True


class Weighted(Reward):
    """The weighted sum of rewards.

    A game is played for the attributed parts alone, so the others are never asked about
    coalitions. What they are worth reaches every segment in the same share.

    Parameters
    ----------
    parts : sequence of Part
        At least one is attributed.

    Raises
    ------
    InputError
        No part is attributed, or a weight is not finite.

    Examples
    --------
    >>> from ospo.reward.similarity import Similarity
    >>> class Polite(Reward):
    ...     def value(self, texts, rows):
    ...         return np.array([float("please" in text) for text in texts])
    >>> def letters(texts):
    ...     return [[text.count("a"), text.count("b")] for text in texts]
    >>> both = Weighted([Part(Similarity(letters)), Part(Polite(), 0.5, attributed=False)])
    >>> texts, rows = ["b, please"], [{"reference": "b"}]
    >>> both.value(texts, rows).round(2), both.unattributed(texts, rows)
    (array([0.71]), array([0.5]))
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        if not any(part.attributed for part in parts):
            raise InputError(
                f"none of the {len(parts)} rewards is attributed, so there is no credit to give: "
                "attribute one, or train with the rule uniform"
            )
        for part in parts:
            if not np.isfinite(part.weight):
                raise InputError(
                    f"the weight of {type(part.reward).__name__} is {part.weight}: "
                    "give a finite number"
                )
        self.parts = tuple(parts)

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return the weighted sum of what the attributed rewards say."""
        values = np.zeros(len(texts))
        for part in self.parts:
            if part.attributed:
                values += part.weight * part.reward.value(texts, rows)
        return values

    def unattributed(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return the weighted sum of what the other rewards say."""
        values = np.zeros(len(texts))
        for part in self.parts:
            values += part.weight * part.reward.unattributed(texts, rows)
            if not part.attributed:
                values += part.weight * part.reward.value(texts, rows)
        return values

    @property
    def asked(self) -> int:
        """Texts that the rewards valued so far."""
        return sum(part.reward.asked for part in self.parts)

    @property
    def searched(self) -> int:
        """Texts that the rewards paid for so far."""
        return sum(part.reward.searched for part in self.parts)

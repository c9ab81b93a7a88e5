"""A noisy reward: what a text is worth, and an error that is always the same for what it says."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from ospo.reward.reward import Reward, Row, Values
from ospo.text.terms import terms


class Noisy(Reward):
    """Another reward with normal errors.

    An error is drawn once for the terms of a text and its query, as if a judge had erred on them:
    asking again does not take it away.

    Parameters
    ----------
    reward : Reward
    scale : float
        Standard deviation of an error.
    seed : int
    """

    def __init__(self, reward: Reward, scale: float, seed: int) -> None:
        self.reward = reward
        self.scale = scale
        self.seed = seed

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return what each text seems to be worth; nothing is worth 0, as it is known to be."""
        errors = [
            Random(f"{self.seed} {row['query_id']} {said}").gauss(0.0, self.scale) if said else 0.0
            for row, said in zip(rows, (sorted(set(terms(text))) for text in texts), strict=True)
        ]
        return self.reward.value(texts, rows) + np.array(errors)

    @property
    def asked(self) -> int:
        """Texts valued so far."""
        return self.reward.asked

    @property
    def searched(self) -> int:
        """Searches made so far."""
        return self.reward.searched

"""A reward with noise, for experiments on how much of it a training can bear."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from ospo.errors import InputError
from ospo.reward.reward import Reward, Row, Values


class Noisy(Reward):
    """A reward plus normal noise, drawn once for each text.

    The noise of a text follows from the seed and the text alone. So the same text is worth the
    same whenever it is asked, and every coalition of a game has noise of its own.

    Parameters
    ----------
    reward : Reward
    scale : float
        Standard deviation of the noise, at least 0.
    seed : int

    Examples
    --------
    >>> class Nothing(Reward):
    ...     def value(self, texts, rows):
    ...         return np.zeros(len(texts))
    >>> Noisy(Nothing(), scale=0.1, seed=7).value(["red", "shoes", "red"], [{}] * 3).round(3)
    array([-0.034,  0.084, -0.034])
    """

    def __init__(self, reward: Reward, scale: float, seed: int = 0) -> None:
        if not 0 <= scale < np.inf:
            raise InputError(f"the scale of the noise is {scale}: give a number of at least 0")
        self.reward = reward
        self.scale = scale
        self.seed = seed

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return what the reward says, and noise."""
        noise = np.array([self._normal(text) for text in texts], dtype=np.float64)
        return self.reward.value(texts, rows) + self.scale * noise

    def unattributed(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return what the reward says of whole completions, without noise."""
        return self.reward.unattributed(texts, rows)

    @property
    def asked(self) -> int:
        """Texts that the reward valued so far."""
        return self.reward.asked

    @property
    def searched(self) -> int:
        """Texts that the reward paid for so far."""
        return self.reward.searched

    def _normal(self, text: str) -> float:
        digest = hashlib.sha256(f"{self.seed} {text}".encode("utf-8", "surrogatepass")).digest()
        uniform = (int.from_bytes(digest[:6]) + 0.5) / 2**48  # never 0 or 1
        return NormalDist().inv_cdf(uniform)

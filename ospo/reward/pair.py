"""Rewards that compare a text with one other text, such as its prompt."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from ospo.errors import RewardError
from ospo.reward.reward import Reward, Row, Values, text_of

BATCH = 256  # pairs computed at a time: what was computed is kept when the model fails later


class PairReward(Reward):
    """A reward of pairs of texts; no pair is computed twice.

    A subclass writes :meth:`compute`.

    Parameters
    ----------
    column : str
        The column of the data set that holds the other text.
    """

    def __init__(self, column: str) -> None:
        self.column = column
        self._asked = 0
        self._known: dict[tuple[str, str], float] = {}

    @abstractmethod
    def compute(self, pairs: Sequence[tuple[str, str]]) -> Values:
        """Return the reward of each pair (other text, text), ``(len(pairs),)``."""

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return the reward of each text beside the other text of its row."""
        pairs = [(text_of(row, self.column), text) for text, row in zip(texts, rows, strict=True)]
        missing = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        self._asked += len(texts)
        for start in range(0, len(missing), BATCH):
            batch = missing[start : start + BATCH]
            for pair, value in zip(batch, self.compute(batch).tolist(), strict=True):
                if not np.isfinite(value):
                    raise RewardError(
                        f"{type(self).__name__} says that {pair[1]!r} is worth {value}, beside "
                        f"{pair[0]!r}: look at what the model makes of this text"
                    )
                self._known[pair] = value
        return np.array([self._known[pair] for pair in pairs], dtype=np.float64)

    @property
    def asked(self) -> int:
        """Texts valued so far."""
        return self._asked

    @property
    def searched(self) -> int:
        """Pairs computed so far."""
        return len(self._known)

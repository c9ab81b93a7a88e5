"""What a reward is to ospo: one method to write, and what follows from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError

Values = NDArray[np.float64]
Row = Mapping[str, Any]  # of the data set: column -> what it holds for one prompt


class Reward(ABC):
    """Values texts: whole completions, and what is left of them without some segments.

    Only ``value`` must be written. What it says of a text and a row must not depend on the other
    texts of the call.

    Examples
    --------
    >>> class Short(Reward):
    ...     def value(self, texts, rows):
    ...         return np.array([1.0 if len(text) <= row["limit"] else 0.0
    ...                          for text, row in zip(texts, rows, strict=True)])
    >>> Short().value(["a lamp", "a lamp, or so"], [{"limit": 6}, {"limit": 6}])
    array([1., 0.])
    """

    @abstractmethod
    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return what each text is worth for its row, ``(len(texts),)``: what segments share."""

    def unattributed(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return what whole completions are worth beside, ``(len(texts),)``.

        No game says which segment earned it, so all segments of a completion have the same share.
        """
        return np.zeros(len(texts))

    @property
    def asked(self) -> int:
        """Texts valued so far, where the reward counts them."""
        return 0

    @property
    def searched(self) -> int:
        """Texts that were paid for, by a search or a model, because they were not known."""
        return 0


def text_of(row: Row, column: str) -> str:
    """Return the text that a column of the data set holds.

    Examples
    --------
    >>> text_of({"prompt": "a lamp for my desk"}, "prompt")
    'a lamp for my desk'
    """
    found = row.get(column)
    if not isinstance(found, str):
        raise InputError(
            f"the reward needs a text in the column {column!r} and found {found!r}: add it to the "
            f"data set, which has {', '.join(row) or 'no columns'}"
        )
    return found

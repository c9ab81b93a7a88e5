"""The planted truth: which words of a context are those of the hidden query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ospo.reward.reward import Reward, Row, Values
from ospo.text.terms import terms


class Planted(Reward):
    """What the words of a text are worth if one knows the hidden query: 1 for each of its stems.

    Other stems cost half as much as one of its own brings. As a word counts once, phrases are
    credited fairly where they repeat each other.

    Parameters
    ----------
    queries : mapping
        Query id to text.
    """

    JUNK = 0.5

    def __init__(self, queries: Mapping[str, str]) -> None:
        self.wanted = {query: frozenset(terms(text)) for query, text in queries.items()}

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> Values:
        """Return what each text is worth for its row's query."""
        worth = []
        for text, row in zip(texts, rows, strict=True):
            said, wanted = set(terms(text)), self.wanted[row["query_id"]]
            worth.append(len(said & wanted) - self.JUNK * len(said - wanted))
        return np.array(worth, dtype=float)

"""The retrieval game: text and search as a value function."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.search.judge import Judge
from ospo.text.render import render
from ospo.text.segment import Segment, segment

# Solution concepts for the segments of a text: they need no structure, or intervals, or a tree of
# intervals.
CONCEPTS = ("shapley", "banzhaf", "owen", "growth", "myerson", "average-tree", "ends", "windows")


class RetrievalGame:
    """A game whose players are the segments of a query.

    The value of a coalition is the metric of what its rendered text retrieves, so the grand
    coalition is worth what the query itself is worth, and the empty one 0.

    Parameters
    ----------
    text : str
        The query.
    judge : Judge
        Values texts.
    segments : sequence of Segment, optional
        Segments that tile the text; :func:`ospo.text.segment.segment` by default.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> from ospo.search.bm25 import BM25
    >>> from ospo.search.metrics import NDCG
    >>> titles = ("trail running shoes", "running socks", "trail map")
    >>> shop = Catalogue(("shoes", "socks", "map"), {"title": titles})
    >>> game = RetrievalGame("running map", Judge(BM25(shop), {"socks": 3}, NDCG(10)))
    >>> game.attribute().values.round(2)
    array([ 0.82, -0.18])
    """

    def __init__(self, text: str, judge: Judge, segments: Sequence[Segment] | None = None) -> None:
        self.text = text
        self.judge = judge
        self.segments = tuple(segment(text) if segments is None else segments)

    @property
    def names(self) -> tuple[str, ...]:
        """The phrases."""
        return tuple(s.phrase for s in self.segments)

    def __call__(self, coalitions: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the values, ``(m,)``, of ``(m, n) bool`` coalitions."""
        return self.judge(self.texts(coalitions))

    def texts(self, coalitions: NDArray[np.bool_]) -> list[str]:
        """Return the query that each coalition says."""
        return [render(self.text, self.segments, coalition) for coalition in coalitions]

    def attribute(self, concept: str = "shapley") -> oc.Attribution:
        """Return the credit of each segment by one of :data:`CONCEPTS`.

        ``owen`` takes the balanced binary tree of intervals as its unions.
        """
        tree = oc.contiguous(len(self.segments)) if concept == "owen" else None
        return oc.attribute(self, self.names, concept, tree)

"""The retrieval game: text and what texts are worth as a value function over segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.game.concepts import structure_of
from ospo.text.render import render
from ospo.text.segment import Segment, segment

# What texts are worth, (m,): a Judge, a TargetScore, or any function.
TextValue = Callable[[Sequence[str]], NDArray[np.float64]]


class RetrievalGame:
    """A game whose players are the segments of a query.

    The value of a coalition is what its rendered text is worth, so the grand coalition is worth
    what the query itself is worth; by a metric of what is retrieved, the empty one is worth 0.

    Parameters
    ----------
    text : str
        The query.
    judge : callable
        Values texts: a :class:`ospo.search.judge.Judge`, or without judgments a
        :class:`ospo.search.target.TargetScore`.
    segments : sequence of Segment, optional
        Segments that tile the text; :func:`ospo.text.segment.segment` by default.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> from ospo.search.bm25 import BM25
    >>> from ospo.search.judge import Judge
    >>> from ospo.search.metrics import NDCG
    >>> titles = ("trail running shoes", "running socks", "trail map")
    >>> shop = Catalogue(("shoes", "socks", "map"), {"title": titles})
    >>> game = RetrievalGame("running map", Judge(BM25(shop), {"socks": 3}, NDCG(10)))
    >>> game.attribute().values.round(2)
    array([ 0.82, -0.18])
    """

    def __init__(
        self, text: str, judge: TextValue, segments: Sequence[Segment] | None = None
    ) -> None:
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
        """Return the credit of each segment by one of :data:`ospo.game.CONCEPTS`."""
        return oc.attribute(self, self.names, concept, structure_of(concept, len(self.segments)))

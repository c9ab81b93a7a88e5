"""The retrieval game: text and what texts are worth as a value function over segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.text.render import render
from ospo.text.segment import Segment, segment

# What texts are worth, (m,): a Judge, a TargetScore, or any function.
TextValue = Callable[[Sequence[str]], NDArray[np.float64]]

# Solution concepts for the segments of a text: they need no structure, or intervals, or a tree of
# intervals.
CONCEPTS = ("shapley", "banzhaf", "owen", "growth", "myerson", "average-tree", "ends", "windows")


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
        """Return the credit of each segment by one of :data:`CONCEPTS`.

        ``owen`` takes the balanced binary tree of intervals as its unions.
        """
        return oc.attribute(self, self.names, concept, _structure(concept, len(self.segments)))


def attribute_together(
    texts: Sequence[str],
    segments: Sequence[Sequence[Segment]],
    value: Callable[[Sequence[str], Sequence[int]], NDArray[np.float64]],
    concept: str = "shapley",
) -> list[oc.Attribution]:
    """Attribute many texts, such as the rollouts of a batch, in one call of their value function.

    Parameters
    ----------
    texts : sequence of str
    segments : sequence of sequence of Segment
        The players of each text, at least one.
    value : callable
        ``value(queries, owners)`` gives what each query is worth, ``(m,)``. It is of a coalition
        of the text at ``owners[k]``. Texts that say the same are for the function to find.
    concept : str
        One of :data:`CONCEPTS`.

    Returns
    -------
    list of Attribution
        The same numbers as one :class:`RetrievalGame` a text gives.

    Examples
    --------
    >>> texts = ["red shoes", "shoes, red, blue"]
    >>> def letters(queries, owners):
    ...     return np.array([len(query.replace(", ", "")) for query in queries], dtype=float)
    >>> together = attribute_together(texts, [segment(text) for text in texts], letters, "myerson")
    >>> [a.values.tolist() for a in together]
    [[3.5, 5.5], [5.0, 3.0, 4.0]]
    """
    trees = [_structure(concept, len(own)) for own in segments]
    plans = [
        oc.plan([s.phrase for s in own], concept=concept, structure=tree)
        for own, tree in zip(segments, trees, strict=True)
    ]
    queries = [
        render(text, own, coalition)
        for text, own, plan in zip(texts, segments, plans, strict=True)
        for coalition in plan.coalitions
    ]
    owners = [k for k, plan in enumerate(plans) for _ in range(len(plan))]
    values = value(queries, owners)
    attributions = []
    for own, tree, plan in zip(segments, trees, plans, strict=True):
        part, values = values[: len(plan)], values[len(plan) :]
        attributions.append(
            oc.Attribution(
                plan.combine(part),
                tuple(s.phrase for s in own),
                float(part[0]),
                float(part[-1]),
                plan.concept,
                None if tree is None else str(tree),
            )
        )
    return attributions


def _structure(concept: str, n: int) -> oc.Tree | None:
    return oc.contiguous(n) if concept == "owen" else None

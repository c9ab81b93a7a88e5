"""The credits that the segments of a text may have, and the coalitions that each of them takes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.named import Named
from owen_core.structure import Structure

# Solution concepts for the segments of a text: they need no structure, or intervals, or a tree of
# intervals.
NAMES = ("shapley", "banzhaf", "owen", "growth", "myerson", "average-tree", "ends", "windows")


class _Concepts(Named[oc.Concept]):
    def __missing__(self, name: str) -> oc.Concept:
        """Import a concept of one's own; the core knows it by the same name."""
        return oc.CONCEPTS.setdefault(name, super().__missing__(name))


CONCEPTS = _Concepts(oc.Concept, [oc.CONCEPTS[name] for name in NAMES])

# One marginal contribution for each segment: to all others, to nobody, to those before it. The last
# is the information gain of a turn (IGPO, arXiv 2510.14967), with the reward as what is gained.
MARGINALS = ("leave-one-out", "solo", "prefix")

# What estimates a concept that takes too many evaluations.
SAMPLED = {
    "shapley": "antithetic",
    "owen": "antithetic",
    "banzhaf": "reuse",
    "growth": "intervals",
    "myerson": "intervals",
}


def structure_of(concept: str, n: int, max_width: int | None = None) -> Structure | None:
    """Return what a concept knows of n segments in a line; None if they may join as they like.

    ``owen`` takes the balanced binary tree of intervals as its unions. Intervals may have up to
    ``max_width`` segments.
    """
    if concept == "owen":
        return oc.contiguous(n)
    return None if max_width is None else oc.path(n, max_width=min(max_width, n))


@lru_cache(maxsize=256)
def plan_of(concept: str, n: int, max_width: int | None = None) -> oc.Plan:
    """Return the plan of one of :data:`CONCEPTS` or :data:`MARGINALS` for n segments in a line.

    Raises
    ------
    owen_core.TooLargeError
        No exact value of so many segments is listed.

    Examples
    --------
    >>> for concept in ("shapley", "myerson", "prefix"):
    ...     print(concept, len(plan_of(concept, 8)))
    shapley 256
    myerson 37
    prefix 9
    """
    if concept not in MARGINALS:
        return oc.plan(n, concept=concept, structure=structure_of(concept, n, max_width))
    if concept == "prefix":
        return _marginals(n, concept, np.tri(n + 1, n, -1, dtype=np.bool_))
    alone = np.eye(n, dtype=np.bool_)
    others = alone if concept == "solo" else ~alone
    nobody, everyone = np.zeros((1, n), dtype=np.bool_), np.ones((1, n), dtype=np.bool_)
    return _marginals(n, concept, np.concatenate([nobody, others, everyone]))


def _marginals(n: int, concept: str, coalitions: NDArray[np.bool_]) -> oc.Plan:
    def transform(values: NDArray[np.float64]) -> NDArray[np.float64]:
        with_it, without = {
            "prefix": (values[1:], values[:-1]),
            "solo": (values[1:-1], values[:1]),
            "leave-one-out": (values[-1:], values[1:-1]),
        }[concept]
        return np.subtract(with_it, without)

    return oc.Plan(
        n,
        concept,
        len(coalitions),
        lambda start, stop: coalitions[start:stop],
        transform,
        efficient=concept == "prefix",
    )

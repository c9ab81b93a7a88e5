"""Reciprocal rank fusion: several retrievers as one."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence

from ospo.errors import InputError
from ospo.search.retriever import DEPTH, Hit, Retriever, check_depth

RANK_CONSTANT = 60.0


class Fusion(Retriever):
    """Sums reciprocal ranks over retrievers (Cormack, Clarke and Büttcher 2009).

    A product's score is the sum of ``weight / (constant + rank)`` over the retrievers that find
    it. Ties are broken by who comes first in the first retriever's ranking, then the second's.

    Parameters
    ----------
    retrievers : sequence of Retriever
        At least two, over the same catalogue.
    weights : sequence of float, optional
        Above 0, one for each retriever; 1 by default.
    constant : float
        How little the first ranks count more than later ones; at least 0.
    depth : int
        Products of each ranking that are fused.

    Examples
    --------
    >>> class Fixed(Retriever):
    ...     def __init__(self, *products):
    ...         self.products = products
    ...
    ...     def search(self, queries, k):
    ...         return [[Hit(product, 1.0) for product in self.products[:k]] for _ in queries]
    >>> fused = Fusion([Fixed("a", "b", "c"), Fixed("c", "b")])
    >>> [hit.product_id for hit in fused.search(["any"], k=10)[0]]
    ['c', 'b', 'a']
    """

    def __init__(
        self,
        retrievers: Sequence[Retriever],
        *,
        weights: Sequence[float] | None = None,
        constant: float = RANK_CONSTANT,
        depth: int = DEPTH,
    ) -> None:
        self.retrievers = tuple(retrievers)
        self.weights = (1.0,) * len(self.retrievers) if weights is None else tuple(weights)
        self.constant = constant
        self.depth = depth
        check_depth(depth)
        if len(self.retrievers) < 2:
            raise InputError(f"a fusion of {len(self.retrievers)} retrievers: give at least two")
        if len(self.weights) != len(self.retrievers) or not all(w > 0 for w in self.weights):
            raise InputError(
                f"the weights {self.weights} do not fit {len(self.retrievers)} retrievers: "
                "give a number above 0 for each"
            )
        if not constant >= 0:
            raise InputError(f"the rank constant is {constant}: give a number of at least 0")
        parts = [retriever.fingerprint for retriever in self.retrievers]
        settings = f"fusion {parts} {self.weights} {constant} {depth}"
        self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()

    def key(self, query: str) -> Hashable:
        """Return what the retrievers see of a query; empty when none sees anything."""
        keys = tuple(retriever.key(query) for retriever in self.retrievers)
        return keys if any(keys) else ()

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first."""
        check_depth(k)
        rankings = [retriever.search(queries, self.depth) for retriever in self.retrievers]
        return [self._fuse(of_query)[:k] for of_query in zip(*rankings, strict=True)]

    def _fuse(self, rankings: Sequence[Sequence[Hit]]) -> list[Hit]:
        scores: dict[str, float] = {}
        for hits, weight in zip(rankings, self.weights, strict=True):
            for rank, hit in enumerate(hits, start=1):
                gain = weight / (self.constant + rank)
                scores[hit.product_id] = scores.get(hit.product_id, 0.0) + gain
        return [Hit(p, score) for p, score in sorted(scores.items(), key=lambda s: -s[1])]

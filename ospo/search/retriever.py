"""What a retriever is to ospo: one method to write, and what follows from it."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError

DEPTH = 1000


class Hit(NamedTuple):
    """One retrieved product."""

    product_id: str
    score: float


class RetrieverError(RuntimeError):
    """A retriever could not be reached, or what it answered is no ranking of the catalogue.

    It is never counted as a query that finds nothing.
    """


class Retriever(Protocol):
    """Ranks the products of a catalogue for a query.

    Only ``search`` must be written; a subclass inherits the rest, and overrides what it can do
    better.

    Attributes
    ----------
    depth : int
        Products of a ranking that ``ranks`` looks at, unless it can look at all for nothing.

    Examples
    --------
    >>> class Alphabet(Retriever):
    ...     def search(self, queries, k):
    ...         return [[Hit(letter, 1.0) for letter in sorted(set(q))[:k]] for q in queries]
    >>> Alphabet().ranks(["cab", "b"], ["a", "b"])
    array([[1, 2],
           [0, 1]])
    >>> Alphabet().key(" cab ")
    'cab'
    """

    depth: int = DEPTH

    @abstractmethod
    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first, or fewer."""

    def ranks(self, queries: Sequence[str], product_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return each product's rank for each query, ``(queries, products)``; 0 = not found.

        Unless a subclass knows better, a product is found when it is among the best ``depth``.
        """
        return self.look(queries, product_ids, 0)[0]

    def look(
        self, queries: Sequence[str], product_ids: Sequence[str], k: int
    ) -> tuple[NDArray[np.int64], list[list[str]]]:
        """Return :meth:`ranks`, and the ids of the best ``k`` of each query, by one search each.

        Examples
        --------
        >>> class Alphabet(Retriever):
        ...     def search(self, queries, k):
        ...         return [[Hit(letter, 1.0) for letter in sorted(set(q))[:k]] for q in queries]
        >>> Alphabet().look(["cab"], ["c", "d"], k=2)
        (array([[3, 0]]), [['a', 'b']])
        """
        column = {product: j for j, product in enumerate(product_ids)}
        ranks = np.zeros((len(queries), len(product_ids)), dtype=np.int64)
        results = self.search(queries, self.depth)
        for i, hits in enumerate(results):
            for rank, hit in enumerate(hits, start=1):
                if hit.product_id in column:
                    ranks[i, column[hit.product_id]] = rank
        return ranks, [[hit.product_id for hit in hits[:k]] for hits in results]

    def key(self, query: str) -> Hashable:
        """Return what the retriever sees of a query; empty when it sees nothing.

        Equal keys mean equal rankings, so such queries share one search. Unless a subclass knows
        better, that is the text without the blanks around it.
        """
        return query.strip()

    @cached_property
    def fingerprint(self) -> str:
        """Names everything that changes a ranking: catalogue, settings, version of the method.

        What was stored under a fingerprint is trusted, so one that nobody wrote is new for every
        object: nothing is shared then between runs.
        """
        return f"{type(self).__qualname__} {uuid.uuid4().hex}"


@runtime_checkable
class Additive(Protocol):
    """What a retriever offers beside, when a query's score is a sum over its distinct terms."""

    def phrase_scores(self, phrases: Sequence[str]) -> NDArray[np.float64]:
        """Return what each phrase gives each product, ``(phrases, products)``.

        The scores of a query are the sum over its phrases, as far as they share no term.
        """
        ...


def check_depth(k: int) -> None:
    """Refuse a number of products below 1."""
    if k < 1:
        raise InputError(f"k is {k}: ask for at least 1 product")

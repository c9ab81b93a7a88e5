"""What a retriever is to ospo."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Hit(NamedTuple):
    """One retrieved product."""

    product_id: str
    score: float


class Retriever(Protocol):
    """Ranks the products of a catalogue for a query."""

    @property
    def fingerprint(self) -> str:
        """Names everything that changes a ranking: catalogue, settings, version of the method."""
        ...

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first, without ties."""
        ...

    def ranks(self, queries: Sequence[str], product_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return each product's rank for each query, ``(queries, products)``; 0 = not found."""
        ...

    def key(self, query: str) -> Hashable:
        """Return what the retriever sees of a query; empty when it sees nothing.

        Equal keys mean equal rankings.
        """
        ...

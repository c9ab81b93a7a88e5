"""The meter's games: a completion is n segments, each one of three symbols, fixed by formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import log2, prod

import numpy as np
from numpy.typing import NDArray

SYMBOLS = 3
DOCUMENTS, DIMENSIONS = 8, 4

Chosen = Sequence[tuple[int, int]]  # the segments of a coalition, each with its symbol


def outcomes(n: int) -> NDArray[np.int64]:
    """Return every completion of n segments, ``(3**n, n)``."""
    return np.array(list(product(range(SYMBOLS), repeat=n)))


def table(game: str, n: int) -> NDArray[np.float64]:
    """Return what every coalition of every completion is worth, ``(3**n, 2**n)``."""
    value = GAMES[game]
    return np.array(
        [
            [
                value(n, [(k, a) for k, a in enumerate(symbols) if coalition >> k & 1])
                for coalition in range(1 << n)
            ]
            for symbols in outcomes(n).tolist()
        ],
        dtype=np.float64,
    )


def _q(k: int, a: int) -> int:
    return (7 * k + 5 * a + 3 * k * a + 2) % 11


def _sum(chosen: Chosen) -> float:
    return sum(_q(k, a) / 10 - 0.2 for k, a in chosen)


def _good(chosen: Chosen) -> int:
    return sum(a == k % SYMBOLS for k, a in chosen)


def _pairwise(n: int, chosen: Chosen) -> float:
    pairs = sum(
        ((3 * j + 5 * k + 7 * a + 2 * b + a * b) % 7 - 3) / 6
        for j, a in chosen
        for k, b in chosen
        if j < k
    )
    return (_sum(chosen) + pairs) / n


def _ndcg(n: int, chosen: Chosen) -> float:
    """Rank eight documents by their product with the sum of embeddings; the first is wanted."""
    if not chosen:
        return 0.0
    query = [
        sum((3 * k + 5 * a + 2 * d + k * a * d) % 7 - 3 for k, a in chosen)
        for d in range(DIMENSIONS)
    ]
    scores = [
        sum(((4 * i + 3 * d + i * d) % 9 - 4) * query[d] for d in range(DIMENSIONS))
        for i in range(DOCUMENTS)
    ]
    return 1 / log2(2 + sum(score > scores[0] for score in scores))


GAMES: dict[str, Callable[[int, Chosen], float]] = {
    "additive": lambda n, chosen: _sum(chosen) / n,
    "pairwise": _pairwise,
    "saturating": lambda n, chosen: 1 - prod(1 - 0.7 * (_q(k, a) + 1) / 12 for k, a in chosen),
    "max": lambda n, chosen: max(((_q(k, a) + 1) / 12 for k, a in chosen), default=0.0),
    "threshold": lambda n, chosen: float(_good(chosen) >= n - 1),
    "and": lambda n, chosen: float(_good(chosen) >= n),
    "ndcg": _ndcg,
}

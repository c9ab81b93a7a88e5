"""Interaction indices: what players are worth together, beyond what they are worth apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from owen_core import _core
from owen_core.game import Values


@dataclass(frozen=True, slots=True)
class InteractionIndex:
    """A weighted sum of discrete derivatives.

    The discrete derivative of T at a coalition S without T is the alternating sum of v(S + L)
    over the subsets L of T: for a pair, v(S+i+j) - v(S+i) - v(S+j) + v(S).

    Attributes
    ----------
    name, meaning, reference : str
        What it is called, what it says of players together, and where it comes from.
    weights : callable
        ``weights(n, t)`` gives ``(n - t + 1,)`` weights: entry s is the weight of the derivative
        of t players at each coalition of s of the others.
    aggregated : bool
        Whether the higher orders are then shared among the lower ones, so that all sum to
        v(N) - v(empty).
    """

    name: str
    meaning: str
    reference: str
    weights: Callable[[int, int], Values]
    aggregated: bool = False


def _shapley_weights(n: int, t: int) -> Values:
    return np.array([1 / ((n - t + 1) * comb(n - t, s)) for s in range(n - t + 1)])


def _only(position: int) -> Callable[[int, int], Values]:
    return lambda n, t: np.eye(n - t + 1)[position]


INDICES = {
    index.name: index
    for index in [
        InteractionIndex(
            "SII",
            "mean derivative over all orders in which the players of T arrive together",
            "Grabisch & Roubens (1999), An axiomatic approach to the concept of interaction",
            _shapley_weights,
        ),
        InteractionIndex(
            "k-SII",
            "SII of the highest order, with lower orders corrected so that all sum to v(N)",
            "Lundberg et al. (2020), From local explanations to global understanding; "
            "Bordt & von Luxburg (2023), From Shapley values to generalized additive models",
            _shapley_weights,
            aggregated=True,
        ),
        InteractionIndex(
            "BII",
            "mean derivative over all coalitions of the others",
            "Grabisch & Roubens (1999), An axiomatic approach to the concept of interaction",
            lambda n, t: np.full(n - t + 1, 0.5 ** (n - t)),
        ),
        InteractionIndex(
            "Moebius",
            "dividend: the value of T that no smaller coalition explains",
            "Harsanyi (1963), A simplified bargaining model for the n-person game",
            _only(0),
        ),
        InteractionIndex(
            "leave-two-out",
            "derivative where everyone else is present: what leaving both out costs, beyond each",
            "second difference of v at the grand coalition",
            _only(-1),
        ),
    ]
}


def interaction_table(values: Values, n: int, index: InteractionIndex, order: int) -> Values:
    """Return an index of every set of up to ``order`` players, from the values of all coalitions.

    Parameters
    ----------
    values : ndarray
        ``(2**n,)`` values; bit i of the position says whether player i is in the coalition.
    n, order : int
        Number of players, and the size of the largest sets.
    index : InteractionIndex
        The index.

    Returns
    -------
    ndarray
        ``(2**n,)``, by set in the same way; zero for the empty set and for sets beyond ``order``.
    """
    table = np.zeros(values.size)
    weights = [np.ascontiguousarray(index.weights(n, t)) for t in range(1, order + 1)]

    def descend(derivative: Values, players: int, size: int, first: int) -> None:
        # The index of these players and one more is that player's semivalue of their derivative.
        with_each = _core.fold_table(derivative, weights[size]).tolist()
        for player in range(first, n):
            joined, bit = players | 1 << player, player - size  # those derived away have no bit
            table[joined] = with_each[bit]
            if size + 1 < order:
                halves = derivative.reshape(-1, 2, 1 << bit)
                descend((halves[:, 1] - halves[:, 0]).ravel(), joined, size + 1, player + 1)

    descend(values, 0, 0, 0)
    if index.aggregated:
        _aggregate(table, n, order)
    return table


def strengths(
    values: Values, players: Sequence[int], index: InteractionIndex, order: int
) -> dict[tuple[int, ...], float]:
    """Return an index by the set of players, for a table of the coalitions of these players."""
    n = len(players)
    table = interaction_table(values, n, index, min(order, n))
    return {
        tuple(players[i] for i in chosen): float(table[sum(1 << i for i in chosen)])
        for size in range(1, order + 1)
        for chosen in combinations(range(n), size)
    }


def _aggregate(table: Values, n: int, order: int) -> None:
    """From SII to k-SII: the sum of B_j SII(T) over all T with j players more, up to ``order``."""
    sets, bernoulli = [_sets(n, size) for size in range(order + 1)], _bernoulli(order)
    for size in range(2, order + 1):  # adds to smaller sets only
        above = np.zeros(table.size)
        above[sets[size]] = table[sets[size]]
        for j in range(1, size):
            for player in range(n):
                holding = sets[size - j + 1][sets[size - j + 1] >> player & 1 == 1]
                # A set of j players more is reached in j ways from those of j - 1 more.
                above[holding ^ 1 << player] += above[holding] / j
            table[sets[size - j]] += bernoulli[j] * above[sets[size - j]]


def _sets(n: int, size: int) -> NDArray[np.int64]:
    """All sets of so many players, by their bits."""
    return np.array([sum(1 << i for i in each) for each in combinations(range(n), size)])


def _bernoulli(last: int) -> Values:
    numbers = [Fraction(1)]
    for j in range(1, last + 1):
        numbers.append(-sum(comb(j + 1, i) * numbers[i] for i in range(j)) / Fraction(j + 1))
    return np.array([float(number) for number in numbers])

"""Interaction indices by their textbook definitions, in exact rationals."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, permutations

from reference import Value, orders, subsets

Strengths = dict[tuple[int, ...], Fraction]

BERNOULLI = [Fraction(*b) for b in [(1, 1), (-1, 2), (1, 6), (0, 1), (-1, 30), (0, 1), (1, 42)]]


def sets(n: int, order: int) -> list[tuple[int, ...]]:
    return [t for size in range(1, order + 1) for t in combinations(range(n), size)]


def derivative(v: Value, together: tuple[int, ...], at: frozenset[int]) -> Fraction:
    """Alternating sum of v over the coalitions between ``at`` and ``at`` with all of the set."""
    signed = (
        (-1) ** (len(together) - len(part)) * v(at | part) for part in subsets(frozenset(together))
    )
    return sum(signed, Fraction(0))


def sii(n: int, v: Value, order: int) -> Strengths:
    """Mean derivative over the orders in which the set arrives as one player."""
    strengths = {}
    for together in sets(n, order):
        rest = [i for i in range(n) if i not in together]
        arrivals = list(permutations([*rest, n]))
        before = (frozenset(arrival[: arrival.index(n)]) for arrival in arrivals)
        total = sum((derivative(v, together, s) for s in before), Fraction(0))
        strengths[together] = total / len(arrivals)
    return strengths


def bii(n: int, v: Value, order: int) -> Strengths:
    """Mean derivative over all coalitions of the others."""
    strengths = {}
    for together in sets(n, order):
        others = list(subsets(frozenset(range(n)) - set(together)))
        total = sum((derivative(v, together, s) for s in others), Fraction(0))
        strengths[together] = total / len(others)
    return strengths


def moebius(n: int, v: Value, order: int) -> Strengths:
    """Dividends, by their recursion: what v(T) has beyond the dividends of smaller coalitions."""
    dividends: Strengths = {}
    for together in sets(n, n):
        smaller = (d for t, d in dividends.items() if set(t) < set(together))
        dividends[together] = v(frozenset(together)) - v(frozenset()) - sum(smaller, Fraction(0))
    return {t: dividends[t] for t in sets(n, order)}


def k_sii(n: int, v: Value, order: int) -> Strengths:
    """n-Shapley values by their recursion over the order (Bordt & von Luxburg 2023)."""
    shapley = sii(n, v, order)
    strengths: Strengths = {}
    for k in range(1, order + 1):
        for together in sets(n, k - 1):
            larger = (shapley[t] for t in combinations(range(n), k) if set(together) < set(t))
            strengths[together] += BERNOULLI[k - len(together)] * sum(larger, Fraction(0))
        for together in combinations(range(n), k):
            strengths[together] = shapley[together]
    return strengths


def leave_out(n: int, v: Value, order: int) -> Strengths:
    """Derivative where everyone else is present."""
    grand = frozenset(range(n))
    return {t: derivative(v, t, grand - set(t)) for t in sets(n, order)}


def sii_inside(unions: list[list[int]], v: Value) -> Strengths:
    """Mean derivative over the orders that keep unions together and the set as one player."""
    strengths = {}
    for union in unions:
        for size in (1, 2):
            for together in combinations(sorted(union), size):
                tree = [
                    [i for i in other if i not in together] + [-1] * (other is union)
                    for other in unions
                ]
                arrivals = list(orders(tree))
                before = (frozenset(arrival[: arrival.index(-1)]) for arrival in arrivals)
                total = sum((derivative(v, together, s) for s in before), Fraction(0))
                strengths[together] = total / len(arrivals)
    return strengths


def sii_between(unions: list[list[int]], v: Value) -> Strengths:
    """Shapley interaction index of the game whose players are the unions."""

    def quotient(chosen: frozenset[int]) -> Fraction:
        return v(frozenset(i for k in chosen for i in unions[k]))

    return sii(len(unions), quotient, min(2, len(unions)))

"""Solution concepts by their textbook definitions, in exact rationals: slow, and beyond doubt.

A game is a function from a frozenset of players 0..n-1 to a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb

Value = Callable[[frozenset[int]], Fraction]


def subsets(players: frozenset[int]) -> Iterator[frozenset[int]]:
    for size in range(len(players) + 1):
        yield from map(frozenset, combinations(sorted(players), size))


def shapley(n: int, v: Value) -> list[Fraction]:
    """Mean marginal contribution over all n! orders (Shapley 1953)."""
    totals = [Fraction(0)] * n
    orders = list(permutations(range(n)))
    for order in orders:
        before: frozenset[int] = frozenset()
        for player in order:
            totals[player] += v(before | {player}) - v(before)
            before |= {player}
    return [total / len(orders) for total in totals]


def runs(coalition: frozenset[int]) -> Iterator[frozenset[int]]:
    """The maximal intervals that a coalition is made of."""
    run: list[int] = []
    for player in sorted(coalition):
        if run and player != run[-1] + 1:
            yield frozenset(run)
            run = []
        run.append(player)
    if run:
        yield frozenset(run)


def myerson_path(n: int, v: Value, max_width: int | None = None) -> list[Fraction]:
    """Shapley value of the run-sum game (Myerson 1977).

    With a ``max_width``, of the game that keeps only the dividends of intervals up to that width.
    """
    empty = v(frozenset())

    def run_sum(coalition: frozenset[int]) -> Fraction:
        return sum((v(run) - empty for run in runs(coalition)), Fraction(0))

    def dividend(coalition: frozenset[int]) -> Fraction:
        signed = ((-1) ** (len(coalition) - len(t)) * run_sum(t) for t in subsets(coalition))
        return sum(signed, Fraction(0))

    width = n if max_width is None else max_width
    credits = [Fraction(0)] * n
    for coalition in subsets(frozenset(range(n))):
        if 0 < len(coalition) <= width:
            for player in coalition:
                credits[player] += dividend(coalition) / len(coalition)
    return credits


def windows(n: int, v: Value, max_width: int) -> list[Fraction]:
    """Shapley weights on the marginals inside {empty, intervals up to max_width, N} (OSPO)."""
    grand = frozenset(range(n))
    family = {frozenset(range(a, a + w)) for w in range(1, max_width + 1) for a in range(n - w + 1)}
    family |= {frozenset(), grand}
    credits = [Fraction(0)] * n
    for player in grand:
        for coalition in family:
            if player not in coalition and coalition | {player} in family:
                weight = Fraction(1, n * comb(n - 1, len(coalition)))
                credits[player] += weight * (v(coalition | {player}) - v(coalition))
    return credits


def semivalue(n: int, v: Value, weights: list[Fraction]) -> list[Fraction]:
    """Marginal contributions weighted by the size of the coalition that is joined."""
    return [
        sum(
            (weights[len(s)] * (v(s | {i}) - v(s)) for s in subsets(frozenset(range(n)) - {i})),
            Fraction(0),
        )
        for i in range(n)
    ]


def leaves(tree: int | list) -> list[int]:
    return [tree] if isinstance(tree, int) else [leaf for part in tree for leaf in leaves(part)]


def orders(tree: int | list) -> Iterator[list[int]]:
    """Every order of the players that keeps each union of the tree together."""
    if isinstance(tree, int):
        yield [tree]
        return
    for parts in permutations(tree):
        for chosen in product(*(list(orders(part)) for part in parts)):
            yield [player for part in chosen for player in part]


def owen(tree: list, v: Value) -> list[Fraction]:
    """Mean marginal contribution over the orders that respect the unions (Owen, Winter)."""
    totals = [Fraction(0)] * len(leaves(tree))
    admissible = list(orders(tree))
    for order in admissible:
        before: frozenset[int] = frozenset()
        for player in order:
            totals[player] += v(before | {player}) - v(before)
            before |= {player}
    return [total / len(admissible) for total in totals]


def banzhaf_with_unions(unions: list[list[int]], v: Value, within: str) -> list[Fraction]:
    """Banzhaf among unions, ``banzhaf`` or ``shapley`` inside (Owen 1982; Alonso-Meijide 2002)."""
    credits = [Fraction(0)] * sum(map(len, unions))
    for union in unions:
        others = [other for other in unions if other is not union]
        for chosen in subsets(frozenset(range(len(others)))):
            around = frozenset(player for k in chosen for player in others[k])
            for player in union:
                rest = frozenset(union) - {player}
                for inside in subsets(rest):
                    if within == "banzhaf":
                        weight = Fraction(1, 2 ** len(rest))
                    else:
                        weight = Fraction(1, len(union) * comb(len(rest), len(inside)))
                    joined = around | inside
                    marginal = v(joined | {player}) - v(joined)
                    credits[player] += weight * marginal / 2 ** len(others)
    return credits


def growth(n: int, v: Value, max_width: int | None = None) -> list[Fraction]:
    """Marginals over the random orders that grow an interval towards a uniformly drawn player."""
    credits = [Fraction(0)] * n

    def grow(a: int, b: int, chance: Fraction) -> None:  # the interval is [a, b]
        width = b - a + 1
        if width == (n if max_width is None else max_width):
            return
        here = frozenset(range(a, b + 1))
        for player, towards in ((a - 1, a), (b + 1, n - 1 - b)):
            if towards:
                step = chance * Fraction(towards, n - width)
                credits[player] += step * (v(here | {player}) - v(here))
                grow(min(a, player), max(b, player), step)

    for start in range(n):
        credits[start] += Fraction(1, n) * (v(frozenset({start})) - v(frozenset()))
        grow(start, start, Fraction(1, n))
    return credits


def average_tree(n: int, v: Value) -> list[Fraction]:
    """Mean over all roots of what a player adds to the branches behind it (Herings et al. 2008)."""

    def worth(a: int, b: int) -> Fraction:  # of [a, b), centred
        return v(frozenset(range(a, b))) - v(frozenset())

    credits = [Fraction(0)] * n
    for root in range(n):
        for i in range(n):
            if i < root:
                gain = worth(0, i + 1) - worth(0, i)
            elif i > root:
                gain = worth(i, n) - worth(i + 1, n)
            else:
                gain = worth(0, n) - worth(0, i) - worth(i + 1, n)
            credits[i] += gain / n
    return credits


def ends(n: int, v: Value) -> list[Fraction]:
    """Mean marginal contribution in reading order and in reverse."""

    def gain(i: int, before: range) -> Fraction:
        return v(frozenset(before) | {i}) - v(frozenset(before))

    return [(gain(i, range(i)) + gain(i, range(i + 1, n))) / 2 for i in range(n)]


def components(coalition: frozenset[int], edges: list[tuple[int, int]]) -> list[frozenset[int]]:
    parts: list[frozenset[int]] = []
    for player in sorted(coalition):
        linked = [
            part
            for part in parts
            if any((a in part and b == player) or (b in part and a == player) for a, b in edges)
        ]
        merged = frozenset({player}).union(*linked)
        parts = [part for part in parts if part not in linked] + [merged]
    return parts


def myerson_graph(n: int, v: Value, edges: list[tuple[int, int]]) -> list[Fraction]:
    """Shapley value of the game in which a coalition is worth the sum of its components."""
    empty = v(frozenset())

    def worth(coalition: frozenset[int]) -> Fraction:
        return sum((v(part) - empty for part in components(coalition, edges)), Fraction(0))

    return shapley(n, worth)


def neighbourhood_shapley(n: int, v: Value, radius: int, connected: bool) -> list[Fraction]:
    """L-Shapley, or with ``connected`` C-Shapley, as Chen et al. (2019) define them on a line."""
    credits = [Fraction(0)] * n
    for i in range(n):
        near = frozenset(range(max(0, i - radius), min(n, i + radius + 1)))
        for rest in subsets(near - {i}):
            joined = rest | {i}
            size = len(joined)
            if not connected:
                weight = Fraction(1, len(near) * comb(len(near) - 1, size - 1))
            elif max(joined) - min(joined) + 1 == size:
                weight = Fraction(2, size * (size + 1) * (size + 2))
            else:
                continue
            credits[i] += weight * (v(joined) - v(rest))
    return credits

"""Plans from a list of weighted coalitions."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from owen_core import _core
from owen_core.coalition import Coalitions, pack, unpack
from owen_core.game import Values
from owen_core.plan import Plan
from owen_core.structure import Graph, Neighbourhoods

MAX_CONNECTED = 1 << 22


def _plan(
    n: int,
    concept: str,
    coalitions: NDArray[np.uint64],
    player: ArrayLike,
    weight: ArrayLike,
    efficient: bool,
) -> Plan:
    """Return the plan in which entry k adds ``weight[k] * v(coalitions[k])`` to ``player[k]``."""
    ends = pack(np.array([[False] * n, [True] * n]))
    # Sorted by their words, the empty coalition comes first and the grand coalition last.
    distinct, entry = np.unique(np.vstack([ends, coalitions]), axis=0, return_inverse=True)
    entry = entry.ravel()[2:]
    players, weights = np.asarray(player), np.asarray(weight, dtype=np.float64)

    def rows(start: int, stop: int) -> Coalitions:
        return unpack(distinct[start:stop], n)

    def combine(values: Values) -> Values:
        centred = values - values[0]
        return np.bincount(players, weights * centred[entry], minlength=n).astype(np.float64)

    return Plan(n, concept, len(distinct), rows, combine, efficient)


def graph_plan(graph: Graph) -> Plan:
    """Return the plan of the Myerson value on a graph.

    A connected coalition S with m neighbours is exactly one component when its last player
    arrives after its others and before its neighbours: each member counts v(S) with probability
    (s-1)! m! / (s+m)!, and each neighbour -v(S) with s! (m-1)! / (s+m)!.
    """
    n = graph.n
    neighbours = [0] * n
    for a, b in graph.edges:
        neighbours[a] |= 1 << b
        neighbours[b] |= 1 << a
    masks = _core.connected_coalitions(neighbours, MAX_CONNECTED)
    member = unpack(masks[:, None], n)
    adjacent = np.array([[mask >> j & 1 for j in range(n)] for mask in neighbours], dtype=np.bool_)
    border = (member @ adjacent) & ~member
    size, around = member.sum(axis=1), border.sum(axis=1)
    # (s-1)! m! / (s+m)! = 1 / (s C(s+m, s)), and s! (m-1)! / (s+m)! = 1 / (m C(s+m, m)).
    binomial = np.array(
        [comb(int(s + m), int(s)) for s, m in zip(size, around, strict=True)], float
    )
    inside, joining = np.nonzero(member), np.nonzero(border)
    return _plan(
        n,
        "myerson",
        masks[np.concatenate([inside[0], joining[0]]), None],
        np.concatenate([inside[1], joining[1]]),
        np.concatenate(
            [
                1 / (size * binomial)[inside[0]],
                -1 / (around * binomial)[joining[0]],
            ]
        ),
        efficient=bool(member.all(axis=1).any()),  # of a connected graph
    )


def neighbourhood_plan(line: Neighbourhoods, concept: str) -> Plan:
    """Return the plan of C-Shapley or L-Shapley (Chen, Song, Wainwright & Jordan 2019).

    L-Shapley is the Shapley value of each player in the game of its neighbourhood. C-Shapley uses
    the intervals U of the neighbourhood only, with weights 2 / (|U| (|U|+1) (|U|+2)).
    """
    n, radius = line.n, line.radius
    if concept == "l-shapley" and radius > 8:
        raise ValueError(
            f"l-shapley of radius {radius} takes 2**{2 * radius} evaluations for a player; "
            "the limit is radius 8, and c-shapley takes fewer"
        )
    coalitions, players, weights = [], [], []
    for i in range(n):
        first, last = max(0, i - radius), min(n - 1, i + radius)
        near = [j for j in range(first, last + 1) if j != i]
        if concept == "c-shapley":
            intervals = [(a, b) for a in range(first, i + 1) for b in range(i, last + 1)]
            others = [[j for j in near if a <= j <= b] for a, b in intervals]
        else:
            others = [list(t) for size in range(len(near) + 1) for t in combinations(near, size)]
        for rest in others:
            s = len(rest)
            if concept == "c-shapley":
                weight = 2 / ((s + 1) * (s + 2) * (s + 3))
            else:
                weight = 1 / ((len(near) + 1) * comb(len(near), s))
            for members, signed in (([*rest, i], weight), (rest, -weight)):
                coalition = np.zeros(n, dtype=np.bool_)
                coalition[members] = True
                coalitions.append(coalition)
                players.append(i)
                weights.append(signed)
    return _plan(n, concept, pack(np.array(coalitions)), players, weights, efficient=False)

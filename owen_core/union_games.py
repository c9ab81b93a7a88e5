"""The games that unions make: of the unions among each other, and inside each."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np

from owen_core.coalition import Coalitions
from owen_core.game import Values
from owen_core.interaction_index import INDICES, strengths
from owen_core.structure import Tree

ORDER = 2  # the largest sets of players, or of unions
Block = list[int]  # the players of a union


def blocks_of(tree: Tree, names: Sequence[str]) -> list[Block]:
    """Return the unions of a flat tree, each as its players' positions in rising order."""
    placed = tree.resolve(names)
    if len(tree.parts) == 1:  # one union of all players resolves to the players themselves
        return [sorted(placed)]
    return [sorted(part) if isinstance(part, list) else [part] for part in placed]


def union_games(
    coalitions: Coalitions, values: Values, blocks: list[Block]
) -> tuple[Values, list[Values]]:
    """Return the tables of the quotient game, and of each union's own game.

    Parameters
    ----------
    coalitions : ndarray
        ``(m, n) bool``: those of the Owen value.
    values : ndarray
        ``(m,)``, with v(empty) taken off.
    blocks : list of list of int
        The unions.

    Returns
    -------
    quotient : ndarray
        ``(2**unions,)``: the value of every set of whole unions.
    own : list of ndarray
        For each union, ``(2**players,)``: a part T of it is worth the mean of v(Q + T), where Q
        are the unions that come before it in a random order of all unions.
    """
    m = len(blocks)
    part = np.stack(
        [coalitions[:, block] @ (1 << np.arange(len(block))) for block in blocks], axis=1
    )
    whole = np.array([(1 << len(block)) - 1 for block in blocks])
    present = (part == whole) @ (1 << np.arange(m))
    split = (part > 0) & (part < whole)
    quotient = np.empty(1 << m)
    united = ~split.any(axis=1)
    quotient[present[united]] = values[united]
    unions_present = np.arange(1 << m)
    size = np.bitwise_and(unions_present[:, None] >> np.arange(m), 1).sum(axis=1)
    own = []
    for k, block in enumerate(blocks):
        table = np.zeros((1 << m, 1 << len(block)))
        table[present[split[:, k]], part[split[:, k], k]] = values[split[:, k]]
        others = unions_present[unions_present >> k & 1 == 0]
        table[others, 0] = quotient[others]
        table[others, -1] = quotient[others | 1 << k]
        weights = np.array([1 / (m * comb(m - 1, s)) for s in range(m)])[size[others]]
        own.append((weights[:, None] * table[others]).sum(axis=0))
    return quotient, own


def inside_unions(own: list[Values], blocks: list[Block]) -> dict[tuple[int, ...], float]:
    """Return the Shapley interaction index in the own game of each union, pairs after players."""
    found: dict[tuple[int, ...], float] = {}
    for block, table in zip(blocks, own, strict=True):
        found |= strengths(table, block, INDICES["SII"], ORDER)
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))

"""Two rankings side by side: which product moved where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ospo.explanation import Explanation, Variant


@dataclass(frozen=True, slots=True)
class Move:
    """One product in a ranking, and its move between two.

    Attributes
    ----------
    product : str
        Its id.
    rank : int
        Its rank in the ranking that shows it; 0 = not retrieved.
    text : str
        The move in words: ``↑2``, ``↓1``, ``new``, ``to 14``, ``out``; empty = it stays.
    direction : str
        ``more`` where it rises, ``less`` where it falls, empty where it stays.
    """

    product: str
    rank: int
    text: str
    direction: str


@dataclass(frozen=True, slots=True)
class Lists:
    """The first products before and after a change of the query.

    Attributes
    ----------
    before, after : tuple of Move
    arrows : tuple of (int, int, str)
        From which line of ``before`` to which line of ``after``, counted from 0, and the direction.
    """

    before: tuple[Move, ...]
    after: tuple[Move, ...]
    arrows: tuple[tuple[int, int, str], ...]


def moved(before: int, after: int) -> tuple[str, str]:
    """Return a move between two ranks, 0 = not retrieved, as text and direction.

    Examples
    --------
    >>> moved(4, 2), moved(1, 88), moved(3, 3), moved(0, 7), moved(2, 0)
    (('↑2', 'more'), ('↓87', 'less'), ('', ''), ('new', 'more'), ('out', 'less'))
    """
    if before == after:
        return "", ""
    if not before:
        return "new", "more"
    if not after:
        return "out", "less"
    return (f"↑{before - after}", "more") if after < before else (f"↓{after - before}", "less")


def lists(explanation: Explanation, variant: Variant) -> Lists:
    """Return the first products of the query beside those of a variant of it."""
    query = explanation.variants[0]
    old, new = _known_ranks(explanation, query), _known_ranks(explanation, variant)
    before = []
    for rank, product in enumerate(query.ranking, start=1):
        leaves = product not in variant.ranking
        to = new.get(product, 0)
        text = "" if not leaves else f"to {to}" if to else "out"
        before.append(Move(product, rank, text, "less" if leaves else ""))
    after = [
        Move(product, rank, *moved(old.get(product, 0), rank))
        for rank, product in enumerate(variant.ranking, start=1)
    ]
    line = {move.product: i for i, move in enumerate(before)}
    arrows = tuple(
        (line[move.product], j, move.direction)
        for j, move in enumerate(after)
        if move.product in line
    )
    return Lists(tuple(before), tuple(after), arrows)


def _known_ranks(explanation: Explanation, variant: Variant) -> Mapping[str, int]:
    """Return the ranks that the record knows: of what the list shows, and of the relevant."""
    relevant = zip(explanation.relevant, variant.ranks, strict=True)
    shown = {product: rank for rank, product in enumerate(variant.ranking, start=1)}
    return {product: rank for product, rank in relevant if rank} | shown

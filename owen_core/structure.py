"""Coalition structures: which coalitions of the players make sense together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

Label = int | str
Part = Any  # a label, or a tuple of parts; mypy cannot say so recursively in a dataclass
Residual = Literal["report", "equal", "ends"]


@dataclass(frozen=True, slots=True)
class Path:
    """Players in a line; the coalitions that count are its intervals.

    Attributes
    ----------
    n : int
        Number of players.
    max_width : int
        The widest interval that may be evaluated, besides the grand coalition.
    residual : {"report", "equal", "ends"}
        What happens to the value that intervals up to ``max_width`` do not explain.
    """

    n: int
    max_width: int
    residual: Residual = "report"

    def __str__(self) -> str:
        width = "" if self.max_width == self.n else f", intervals up to {self.max_width}"
        return f"path of {self.n}{width}" + ("" if not width else f", residual: {self.residual}")


@dataclass(frozen=True, slots=True)
class Tree:
    """Players in unions, and unions in unions.

    Attributes
    ----------
    parts : tuple
        The parts of the grand coalition; each is a player (number or name) or a tuple of parts.
    """

    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "unions " + " ".join(_written(part) for part in self.parts)

    @property
    def flat(self) -> bool:
        """Whether no union is part of another."""
        return all(not isinstance(p, tuple) for part in self.parts for p in _players_or_parts(part))

    def resolve(self, names: Sequence[str]) -> list[Any]:
        """Return the tree as nested lists of player numbers, in which every player stands once.

        Raises
        ------
        ValueError
            A player is unknown, left out, or in two places.
        """
        number = {name: i for i, name in enumerate(names)}
        seen: dict[int, Label] = {}

        def place(part: Part) -> Any:
            if isinstance(part, tuple):
                return [place(inner) for inner in part]
            player = number.get(part, -1) if isinstance(part, str) else part
            if not 0 <= player < len(names):
                raise ValueError(f"the structure names {part!r}, and the players are {names}")
            if player in seen:
                raise ValueError(
                    f"player {names[player]!r} stands in the structure twice; "
                    "unions must not overlap"
                )
            seen[player] = part
            return player

        tree = _without_single_parts(place(self.parts))
        missing = [name for i, name in enumerate(names) if i not in seen]
        if missing:
            raise ValueError(
                f"the structure leaves out {', '.join(map(repr, missing))}; "
                "put every player in one union, if need be alone"
            )
        return tree if isinstance(tree, list) else [tree]


@dataclass(frozen=True, slots=True)
class Graph:
    """Players that can only work together along edges.

    Attributes
    ----------
    n : int
        Number of players.
    edges : tuple of (int, int)
        Pairs of players that are linked.
    """

    n: int
    edges: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return f"graph of {self.n} players and {len(self.edges)} edges"


@dataclass(frozen=True, slots=True)
class Neighbourhoods:
    """Players in a line that matter to others at most ``radius`` away.

    Attributes
    ----------
    n, radius : int
        Number of players, and how far each one's neighbourhood reaches on both sides.
    """

    n: int
    radius: int

    def __str__(self) -> str:
        return f"path of {self.n}, neighbourhoods of radius {self.radius}"


Structure = Path | Tree | Graph | Neighbourhoods


def path(n: int, max_width: int | None = None, *, residual: Residual = "report") -> Path:
    """Return ``n`` players in a line, such as the phrases of a text.

    Parameters
    ----------
    n : int
        Number of players.
    max_width : int, optional
        Evaluate no interval wider than this (besides the grand coalition). All by default.
    residual : {"report", "equal", "ends"}
        What to do with the value that those intervals do not explain: leave it in the
        attribution's ``residual``; share it equally; or, for the Myerson value, share it by the
        average-tree solution of the residual game, which takes the prefixes and suffixes too.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.path(5, max_width=2))
    path of 5, intervals up to 2, residual: report
    """
    _at_least_one_player(n)
    width = n if max_width is None else max_width
    if not 1 <= width <= n:
        raise ValueError(f"max_width must be between 1 and the {n} players, got {max_width}")
    if residual not in ("report", "equal", "ends"):
        raise ValueError(f"residual must be 'report', 'equal' or 'ends', got {residual!r}")
    return Path(n, width, residual)


def unions(*groups: Iterable[Label] | Label) -> Tree:
    """Return players in unions: a coalition has whole unions and part of at most one.

    Parameters
    ----------
    *groups : iterable of int or str, or a single one
        The unions, by player number or name; a player alone is a union.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.unions("cheap", "red", ["running", "shoes"]))
    unions cheap red (running shoes)
    """
    tree = nested(groups)
    if not tree.flat:
        raise ValueError(f"unions are flat lists of players, got {tree}; use nested")
    return tree


def nested(parts: Iterable[Any]) -> Tree:
    """Return players in unions of unions, of any depth.

    Parameters
    ----------
    parts : nested iterables of int or str
        A player, or an iterable of parts.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.nested([[0, 1], [[2, 3], 4]]))
    unions (0 1) ((2 3) 4)
    """
    frozen = _frozen(parts)
    if not isinstance(frozen, tuple):
        raise TypeError(f"a structure is a list of parts, got {parts!r}")
    return Tree(frozen)


def contiguous(n: int, branching: int = 2) -> Tree:
    """Return a balanced tree of intervals over ``n`` players in a line.

    Parameters
    ----------
    n : int
        Number of players.
    branching : int
        Parts of every union, as equal in size as can be.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.contiguous(6))
    unions ((0 1) 2) ((3 4) 5)
    """
    _at_least_one_player(n)
    if branching < 2:
        raise ValueError(f"branching must be at least 2, got {branching}")

    def split(begin: int, end: int) -> Part:
        if end - begin == 1:
            return begin
        parts = min(branching, end - begin)
        size, larger = divmod(end - begin, parts)
        cuts = [begin + k * size + min(k, larger) for k in range(parts + 1)]
        return tuple(split(a, b) for a, b in pairwise(cuts))

    tree = split(0, n)
    return Tree(tree if isinstance(tree, tuple) else (tree,))


def from_boundaries(n: int, boundaries: Iterable[int]) -> Tree:
    """Return unions of neighbours: ``n`` players in a line, cut before each boundary.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.from_boundaries(6, [2, 5]))
    unions (0 1) (2 3 4) 5
    """
    _at_least_one_player(n)
    inner = list(boundaries)
    cuts = [0, *inner, n]
    if any(a >= b for a, b in pairwise(cuts)):
        raise ValueError(f"boundaries must rise from 1 to {n - 1}, got {inner}")
    return Tree(tuple(a if b == a + 1 else tuple(range(a, b)) for a, b in pairwise(cuts)))


def from_linkage(linkage: ArrayLike, *, contiguous: bool = False) -> Tree:
    """Return the binary tree of a hierarchical clustering in scipy's form.

    Parameters
    ----------
    linkage : array_like
        ``(n - 1, 4)``, from ``scipy.cluster.hierarchy.linkage``; row k merges the two clusters
        that its first columns number, into cluster n + k.
    contiguous : bool
        Refuse a cluster that is not an interval of the players.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.from_linkage([[0, 1, 0.1, 2], [2, 3, 0.5, 3]]))
    unions 2 (0 1)
    """
    rows = np.asarray(linkage, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != 4 or not len(rows):
        raise ValueError(f"a linkage has shape (n - 1, 4), got {rows.shape}")
    n = len(rows) + 1
    clusters: list[Part] = list(range(n))
    for k, (first, second) in enumerate(rows[:, :2]):
        for child in (first, second):
            if not (float(child).is_integer() and 0 <= child < n + k):
                raise ValueError(f"row {k} of the linkage merges cluster {child:g}: not made yet")
        merged = (clusters[int(first)], clusters[int(second)])
        members = sorted(int(player) for player in _leaves(merged))
        if contiguous and members[-1] - members[0] + 1 != len(members):
            raise ValueError(f"row {k} of the linkage makes {members}, which is not an interval")
        clusters.append(merged)
    return Tree(clusters[-1])


def graph(edges: Iterable[tuple[int, int]], n: int | None = None) -> Graph:
    """Return players that can only work together along edges.

    Parameters
    ----------
    edges : iterable of (int, int)
        Pairs of linked players.
    n : int, optional
        Number of players; by default, up to the largest number in an edge.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.graph([(0, 1), (1, 2)]))
    graph of 3 players and 2 edges
    """
    pairs = tuple((int(a), int(b)) for a, b in edges)
    count = n if n is not None else 1 + max((max(pair) for pair in pairs), default=-1)
    _at_least_one_player(count)
    for a, b in pairs:
        if a == b or not (0 <= a < count and 0 <= b < count):
            raise ValueError(f"edge ({a}, {b}) does not link two of the players 0 to {count - 1}")
    return Graph(count, tuple(sorted({(min(pair), max(pair)) for pair in pairs})))


def neighbourhoods(n: int, radius: int) -> Neighbourhoods:
    """Return ``n`` players in a line, each with the neighbours up to ``radius`` away.

    Examples
    --------
    >>> import owen_core as oc
    >>> print(oc.neighbourhoods(8, 2))
    path of 8, neighbourhoods of radius 2
    """
    _at_least_one_player(n)
    if radius < 1:
        raise ValueError(f"radius must be at least 1, got {radius}")
    return Neighbourhoods(n, radius)


def _at_least_one_player(n: int) -> None:
    if n < 1:
        raise ValueError(f"a structure needs at least one player, got n={n}")


def _frozen(part: Any) -> Part:
    if isinstance(part, str | int | np.integer):
        return part if isinstance(part, str) else int(part)
    inner = tuple(_frozen(p) for p in part)
    if not inner:
        raise ValueError("a union is empty; leave it out")
    return inner


def _leaves(part: Part) -> Iterator[Label]:
    for inner in _players_or_parts(part):
        if isinstance(inner, tuple):
            yield from _leaves(inner)
        else:
            yield inner


def _players_or_parts(part: Part) -> tuple[Part, ...]:
    return part if isinstance(part, tuple) else (part,)


def _written(part: Part) -> str:
    return f"({' '.join(map(_written, part))})" if isinstance(part, tuple) else str(part)


def _without_single_parts(tree: Any) -> Any:
    """A union of one part is that part."""
    if not isinstance(tree, list):
        return tree
    parts = [_without_single_parts(part) for part in tree]
    return parts[0] if len(parts) == 1 else parts

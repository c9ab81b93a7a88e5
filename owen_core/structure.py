"""Coalition structures: which coalitions of the players make sense together."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Path:
    """Players in a line; the coalitions that count are its intervals.

    Attributes
    ----------
    n : int
        Number of players.
    max_width : int
        The widest interval that may be evaluated, besides the grand coalition.
    """

    n: int
    max_width: int


def path(n: int, max_width: int | None = None) -> Path:
    """Return ``n`` players in a line, such as the phrases of a text.

    Parameters
    ----------
    n : int
        Number of players.
    max_width : int, optional
        Evaluate no interval wider than this (besides the grand coalition). All by default.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.path(5, max_width=2)
    Path(n=5, max_width=2)
    """
    if n < 1:
        raise ValueError(f"a path needs at least one player, got n={n}")
    width = n if max_width is None else max_width
    if not 1 <= width <= n:
        raise ValueError(f"max_width must be between 1 and the {n} players, got {max_width}")
    return Path(n, width)

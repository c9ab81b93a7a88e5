"""The rows of a plot: the strongest players, and the others together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from owen_core.attribution import Attribution


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a plot.

    Attributes
    ----------
    name : str
    credit : float
    std_error, half_width : float or None
        Standard error, and half of the 95 % interval. None for exact credits and for several
        players together, whose errors may go together.
    together : bool
        Whether it stands for several players.
    """

    name: str
    credit: float
    std_error: float | None = None
    half_width: float | None = None
    together: bool = False


def in_order(a: Attribution) -> list[Row]:
    """Return every player's row, in the players' order."""
    if a.std_error is None:
        return [Row(name, credit) for name, credit in a]
    half_widths = a.confidence_interval()[:, 1] - a.values
    return [
        Row(name, credit, error, half)
        for (name, credit), error, half in zip(
            a, a.std_error.tolist(), half_widths.tolist(), strict=True
        )
    ]


def strongest(a: Attribution, max_players: int) -> list[Row]:
    """Return the players by size of credit; those after the first ``max_players`` are one row.

    A single player left over keeps its own row.
    """
    if max_players < 1:
        raise ValueError(f"max_players must be at least 1, got {max_players}")
    ranked = sorted(in_order(a), key=lambda row: -abs(row.credit))
    if len(ranked) <= max_players + 1:
        return ranked
    others = ranked[max_players:]
    credit = sum(row.credit for row in others)
    return [*ranked[:max_players], Row(f"{len(others)} others", credit, together=True)]


def caption(a: Attribution) -> str:
    """Return the line under a plot that does not draw the residual."""
    return f"{a.summary}; residual {a.residual:+.3g}" if a.leaves_residual else a.summary

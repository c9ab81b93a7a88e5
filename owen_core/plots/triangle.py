"""The triangle: what every pair of players is worth together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from owen_core.plots.figure import Plot, fit, sheet, width_of, write
from owen_core.plots.style import CAPTION, MARGIN, MUTED, NUMBER, number_format, tint

CELL_HEIGHT = 0.42  # inches
NAMES_WIDTH = 2.8  # at most, inches
ROUNDING = 1e-9  # relative; two sums in another order are still symmetric


def triangle(
    matrix: ArrayLike, names: Sequence[str], *, max_players: int = 12, caption: str = ""
) -> Plot:
    """Plot pair interactions: red pairs are worth more together, blue pairs less.

    A player's name stands on the diagonal; its pairs are to the left of it and below it.

    Parameters
    ----------
    matrix : array_like
        ``(n, n)`` interactions, symmetric; the diagonal is not drawn, nor are pairs that are NaN:
        not computed.
    names : sequence of str
        The n players.
    max_players : int
        Only the so many players with the strongest interactions are drawn, in their order.
    caption : str
        A line at the foot.

    Raises
    ------
    ValueError
        The matrix is not symmetric, holds an infinity, or does not fit the names.
    ModuleNotFoundError
        matplotlib is not installed.

    Examples
    --------
    >>> import owen_core as oc
    >>> plot = oc.plots.triangle([[0, 1, 0], [1, 0, -2], [0, -2, 0]], ["a", "b", "c"])
    """
    pairs = _checked(matrix, names)
    if max_players < 1:
        raise ValueError(f"max_players must be at least 1, got {max_players}")
    if len(names) > max_players:
        strength = np.nansum(np.abs(pairs - np.diag(np.diag(pairs))), axis=1)
        kept = np.sort(np.argsort(-strength, kind="stable")[:max_players]).tolist()
        note = f"the {max_players} of {len(names)} players with the strongest interactions"
        caption = f"{caption}; {note}" if caption else note
        pairs, names = pairs[np.ix_(kept, kept)], [names[i] for i in kept]
    known = np.argwhere(np.tril(~np.isnan(pairs), -1)).tolist()
    drawn = [(i, j, float(pairs[i, j])) for i, j in known]
    number = number_format([value for *_, value in drawn])
    plot = sheet()
    labels = [fit(plot, name, NAMES_WIDTH) for name in names]
    widest = max((width_of(plot, number(value), NUMBER) for *_, value in drawn), default=0.0)
    cell = max(0.6, widest + 0.16)
    ends = [cell * k + 0.08 + width_of(plot, label) for k, label in enumerate(labels)]
    wide = max(*ends, width_of(plot, caption, CAPTION)) + 2 * MARGIN
    high = CELL_HEIGHT * len(names) + 2 * MARGIN + (0.3 if caption else 0.0)
    plot.figure.set_size_inches(wide, high)
    plot.axes.set_xlim(-MARGIN, wide - MARGIN)
    plot.axes.set_ylim(high - MARGIN, -MARGIN)
    for k, label in enumerate(labels):
        write(plot.axes, cell * k + 0.08, CELL_HEIGHT * (k + 0.5), label)
    _draw(plot, drawn, cell)
    for i, j, value in drawn:
        x, y = cell * (j + 0.5), CELL_HEIGHT * (i + 0.5)
        write(plot.axes, x, y, number(value), size=NUMBER, ha="center")
    if caption:
        write(plot.axes, 0.0, CELL_HEIGHT * len(names) + 0.2, caption, size=CAPTION, color=MUTED)
    return plot


def _draw(plot: Plot, pairs: list[tuple[int, int, float]], cell: float) -> None:
    from matplotlib.patches import Rectangle

    strongest = max((abs(value) for *_, value in pairs), default=0.0) or 1.0
    for i, j, value in pairs:
        square = Rectangle(
            (cell * j, CELL_HEIGHT * i),
            cell,
            CELL_HEIGHT,
            facecolor=tint(value / strongest),
            edgecolor="white",
            linewidth=1.5,
        )
        plot.axes.add_patch(square)


def _checked(matrix: ArrayLike, names: Sequence[str]) -> NDArray[np.float64]:
    pairs = np.asarray(matrix, dtype=np.float64)
    n = len(names)
    if pairs.shape != (n, n) or n < 1:
        raise ValueError(
            f"interactions of {n} players are a ({n}, {n}) matrix, got shape {pairs.shape}"
        )
    if np.isinf(pairs).any():
        i, j = np.argwhere(np.isinf(pairs))[0].tolist()
        raise ValueError(f"the interaction of {names[i]!r} and {names[j]!r} is {pairs[i, j]}")
    unknown = np.isnan(pairs)
    gap = np.where(unknown & unknown.T, 0.0, np.abs(pairs - pairs.T))
    gap[unknown != unknown.T] = np.inf
    noise = ROUNDING * np.abs(pairs[~unknown]).max(initial=0.0)
    if gap.max() > noise:
        i, j = divmod(int(gap.argmax()), n)
        raise ValueError(
            f"interactions must be symmetric, got {pairs[i, j]} for {names[i]!r} with "
            f"{names[j]!r} and {pairs[j, i]} the other way round"
        )
    return np.where(np.abs(pairs) <= noise, 0.0, pairs)  # arithmetic, no interaction

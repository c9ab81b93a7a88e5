"""The text strip: the players as words on a line, coloured by their credit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from owen_core.plots.figure import Plot, fit, sheet, width_of, write
from owen_core.plots.rows import caption
from owen_core.plots.style import (
    CAPTION,
    INK,
    MARGIN,
    MUTED,
    NUMBER,
    WIDTH,
    number_format,
    tint,
)

if TYPE_CHECKING:
    from owen_core.attribution import Attribution

WORD = 12.0  # type size, points
LINE_HEIGHT, BOX_HEIGHT, BELOW = 0.72, 0.34, 0.29  # inches; BELOW: from a word to its number
PADDING, SPACE = 0.09, 0.07  # inside a box and between boxes, inches


def text(a: Attribution) -> Plot:
    """Plot the players in their order as a text, each on its colour, with its credit below.

    Every player is drawn, on as many lines as it takes; a name too long for a line is cut.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is not installed.
    """
    from_edge = WIDTH - 2 * MARGIN
    plot = sheet()
    number = number_format(a.values.tolist())
    strongest = max(abs(credit) for _, credit in a) or 1.0
    words = []
    x, y = MARGIN, 0.0
    for name, credit in a:
        word, below = fit(plot, name, from_edge - 2 * PADDING, WORD), number(credit)
        width = 2 * PADDING + max(width_of(plot, word, WORD), width_of(plot, below, NUMBER))
        if x + width > WIDTH - MARGIN and x > MARGIN:
            x, y = MARGIN, y + LINE_HEIGHT
        words.append((x, y, width, word, below, credit / strongest))
        x += width + SPACE
    longest = max(x + width for x, _, width, *_ in words)
    foot = fit(plot, caption(a), from_edge, CAPTION)
    wide = max(longest, MARGIN + width_of(plot, foot, CAPTION)) + MARGIN
    high = y + LINE_HEIGHT + 0.2 + 2 * MARGIN
    plot.figure.set_size_inches(wide, high)
    plot.axes.set_xlim(0, wide)
    plot.axes.set_ylim(high - MARGIN, -MARGIN)
    _draw(plot, words)
    write(plot.axes, MARGIN, y + LINE_HEIGHT + 0.1, foot, size=CAPTION, color=MUTED)
    return plot


def _draw(plot: Plot, words: list[tuple[float, float, float, str, str, float]]) -> None:
    from matplotlib.patches import FancyBboxPatch

    for x, y, width, word, below, strength in words:
        box = FancyBboxPatch(
            (x, y),
            width,
            BOX_HEIGHT,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=tint(strength),
            linewidth=0,
        )
        plot.axes.add_patch(box)
        middle, centre = x + width / 2, y + BOX_HEIGHT / 2
        write(plot.axes, middle, centre, word, size=WORD, ha="center")
        write(plot.axes, middle, centre + BELOW, below, size=NUMBER, ha="center", color=INK)

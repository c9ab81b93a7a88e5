"""The frame of plots with one player a line: names on the left, a common scale on the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from owen_core.plots.figure import Plot, fit, sheet, width_of, write
from owen_core.plots.style import CAPTION, INK, MARGIN, MUTED, NUMBER, WIDTH

ROW_HEIGHT = 0.36  # inches
BAR_HEIGHT = 0.6  # of a row
NAMES_WIDTH = 2.8  # at most, inches
GAP = 0.08  # between a bar and its number, inches


@dataclass(frozen=True, slots=True)
class Line:
    """What is written on one line of a chart.

    Attributes
    ----------
    name, number : str
    beside : float
        Where on the scale the number stands: to the right of it, or to the left.
    leftwards : bool
        Whether the number stands to the left.
    player : bool
        Whether the line is one player's own.
    """

    name: str
    number: str
    beside: float
    leftwards: bool = False
    player: bool = True


def chart(lines: Sequence[Line], reach: Sequence[float], caption: str) -> Plot:
    """Return a plot with names and numbers written; line k is at y = k, x is the value.

    ``reach`` holds positions that the scale must include.
    """
    plot = sheet()
    names = [fit(plot, line.name, NAMES_WIDTH) for line in lines]
    left = MARGIN + max(width_of(plot, name) for name in names) + 2 * GAP
    scale_width = WIDTH - left - MARGIN
    foot = fit(plot, caption, WIDTH - 2 * MARGIN, CAPTION)
    height = ROW_HEIGHT * (len(lines) + 1) + 2 * MARGIN
    plot.figure.set_size_inches(WIDTH, height)
    box = (left, MARGIN + ROW_HEIGHT, scale_width, ROW_HEIGHT * len(lines))
    plot.axes.set_position((box[0] / WIDTH, box[1] / height, box[2] / WIDTH, box[3] / height))
    low, high = _limits(plot, lines, reach, scale_width)
    plot.axes.set_xlim(low, high)
    plot.axes.set_ylim(len(lines) - 0.5, -0.5)
    gap = GAP * (high - low) / scale_width
    for row, (line, name) in enumerate(zip(lines, names, strict=True)):
        ink = INK if line.player else MUTED
        write(plot.axes, low - 2 * gap, row, name, ha="right", color=ink)
        x, side = (line.beside - gap, "right") if line.leftwards else (line.beside + gap, "left")
        write(plot.axes, x, row, line.number, ha=side, color=ink, size=NUMBER)
    middle = len(lines) - 0.5 + (0.5 * ROW_HEIGHT + 0.5 * MARGIN) / ROW_HEIGHT
    from_left = low - (left - MARGIN) * (high - low) / scale_width
    write(plot.axes, from_left, middle, foot, size=CAPTION, color=MUTED)
    return plot


def _limits(
    plot: Plot, lines: Sequence[Line], reach: Sequence[float], scale_width: float
) -> tuple[float, float]:
    low, high = min(reach), max(reach)
    if low == high:
        low, high = low - 0.5, high + 0.5
    inner = low, high
    widths = [GAP + width_of(plot, line.number, NUMBER) for line in lines]
    for _ in range(40):  # numbers take inches, and what an inch is worth follows from them
        inch = (high - low) / scale_width
        low, high = inner
        for line, width in zip(lines, widths, strict=True):
            if line.leftwards:
                low = min(low, line.beside - width * inch)
            else:
                high = max(high, line.beside + width * inch)
    return low, high

"""Bars: the credits by size, with intervals where they are estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from owen_core.plots.chart import BAR_HEIGHT, Line, chart
from owen_core.plots.figure import Plot
from owen_core.plots.rows import caption, strongest
from owen_core.plots.style import INK, MUTED, colour, number_format

if TYPE_CHECKING:
    from owen_core.attribution import Attribution


def bars(a: Attribution, *, max_players: int = 12) -> Plot:
    """Plot the credits as bars, the largest first.

    Parameters
    ----------
    a : Attribution
    max_players : int
        Players after the first so many are drawn together.

    Returns
    -------
    Plot
        Estimated credits have their 95 % interval, that of ``confidence_interval``; players drawn
        together have none, as their errors may go together.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is not installed.
    """
    rows = strongest(a, max_players)
    number = number_format([row.credit for row in rows])
    margins = [row.half_width or 0.0 for row in rows]
    tips = [
        min(row.credit - margin, 0.0) if row.credit < 0 else row.credit + margin
        for row, margin in zip(rows, margins, strict=True)
    ]
    lines = [
        Line(row.name, number(row.credit), tip, row.credit < 0, not row.together)
        for row, tip in zip(rows, tips, strict=True)
    ]
    lows = [row.credit - margin for row, margin in zip(rows, margins, strict=True)]
    highs = [row.credit + margin for row, margin in zip(rows, margins, strict=True)]
    foot = caption(a) if a.exact else f"{caption(a)}; lines: 95 % intervals"
    plot = chart(lines, [0.0, *lows, *highs], foot)
    plot.axes.axvline(0.0, color=MUTED, linewidth=1)
    for y, (row, margin) in enumerate(zip(rows, margins, strict=True)):
        (bar,) = plot.axes.barh(
            y, row.credit, BAR_HEIGHT, color=colour(row.credit), label=row.name, linewidth=0
        )
        bar.set_alpha(0.45 if row.together else 1.0)
        if margin:
            reach = [row.credit - margin, row.credit + margin]
            plot.axes.plot(reach, [y, y], "|-", color=INK, linewidth=1.2, markersize=6)
    return plot

"""The waterfall: from v(empty), player by player, to v(N)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from owen_core.plots.chart import BAR_HEIGHT, Line, chart
from owen_core.plots.figure import Plot
from owen_core.plots.rows import Row, strongest
from owen_core.plots.style import FAINT, MUTED, WIDTH, colour, number_format

if TYPE_CHECKING:
    from owen_core.attribution import Attribution

ARROW = 0.07  # of a bar's head, inches


def waterfall(a: Attribution, *, max_players: int = 12) -> Plot:
    """Plot how the credits lead from v(empty) to v(N), the largest first.

    Parameters
    ----------
    a : Attribution
    max_players : int
        Players after the first so many are drawn together.

    Returns
    -------
    Plot
        A concept that is not efficient has a last step called residual.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is not installed.
    """
    rows = strongest(a, max_players)
    if a.leaves_residual:
        rows = [*rows, Row("residual", a.residual, together=True)]
    number = number_format([row.credit for row in rows], [a.baseline, a.total])
    ends = [a.baseline]
    for row in rows:
        ends.append(ends[-1] + row.credit)
    steps = [
        Line(row.name, number(row.credit), end, row.credit < 0, not row.together)
        for row, end in zip(rows, ends[1:], strict=True)
    ]
    first = Line("v(empty)", number(a.baseline, sign="-"), a.baseline, player=False)
    last = Line("v(N)", number(a.total, sign="-"), a.total, player=False)
    plot = chart([first, *steps, last], ends, a.summary)
    _draw(plot, rows, ends)
    return plot


def _draw(plot: Plot, rows: list[Row], ends: list[float]) -> None:
    from matplotlib.patches import Polygon

    low, high = plot.axes.get_xlim()
    head = ARROW * (high - low) / (plot.axes.get_position().width * WIDTH)
    half = BAR_HEIGHT / 2
    for y, (row, begin, end) in enumerate(zip(rows, ends, ends[1:], strict=False), start=1):
        neck = end - min(head, abs(end - begin)) * (1 if end >= begin else -1)
        outline = [
            (begin, y - half), (neck, y - half), (end, y), (neck, y + half), (begin, y + half)
        ]  # fmt: skip
        bar = Polygon(outline, facecolor=colour(row.credit), linewidth=0, label=row.name)
        bar.set_alpha(0.45 if row.together else 1.0)
        plot.axes.add_patch(bar)
    for y, end in enumerate(ends):
        plot.axes.plot([end, end], [y, y + 1], color=FAINT, linewidth=1, zorder=0)
    plot.axes.plot(
        [ends[0], ends[-1]], [0, len(rows) + 1], "o", color=MUTED, markersize=5, clip_on=False
    )

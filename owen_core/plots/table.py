"""The table that a notebook shows: signed numbers and bars, on light and dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from owen_core.plots.rows import Row, in_order, strongest
from owen_core.plots.style import colour

if TYPE_CHECKING:
    from owen_core.attribution import Attribution

MOST = 40  # rows; of more players, the strongest
BARS_WIDTH = 14  # em
CELL = "padding:.1em .6em .1em 0;text-align"
NAME = "max-width:24em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;" + CELL + ":left"
NUMBER = "font-variant-numeric:tabular-nums;white-space:nowrap;" + CELL + ":right"


def html_table(a: Attribution) -> str:
    """Return an attribution as an HTML table that needs no style sheet and no script.

    Text and background are the page's own. Of more than 40 players the strongest are listed, and
    the others together.
    """
    rows = in_order(a) if len(a) <= MOST else strongest(a, MOST)
    low = min(0.0, *(row.credit for row in rows))
    span = max(0.0, *(row.credit for row in rows)) - low or 1.0
    totals = [Row("sum", float(a.values.sum()), together=True)]
    if a.leaves_residual:
        totals.append(Row("residual", a.residual, together=True))
    lines = [_line(row, _bar(row.credit, low, span)) for row in rows]
    lines += [_line(row, "") for row in totals]
    foot = [a.summary] if a.interactions is None else [a.summary, a.interactions.summary]
    return (
        '<table style="border-collapse:collapse;color:inherit;background:none">'
        '<caption style="caption-side:bottom;text-align:left;white-space:nowrap;opacity:.7">'
        f"{'<br>'.join(map(escape, foot))}</caption><tbody>{''.join(lines)}</tbody></table>"
    )


def _line(row: Row, bar: str) -> str:
    name = escape(row.name)
    number = f"{row.credit:+z.6g}"
    if row.std_error is not None:
        number += f" ± {row.std_error:.2g}"
    faded = ' style="opacity:.7"' if row.together else ""
    return (
        f'<tr{faded}><td style="{NAME}" title="{name}">{name}</td>'
        f'<td style="{NUMBER}">{number}</td>'
        f'<td style="padding:0;min-width:{BARS_WIDTH}em">{bar}</td></tr>'
    )


def _bar(credit: float, low: float, span: float) -> str:
    begin = 100 * (min(credit, 0.0) - low) / span
    width = 100 * abs(credit) / span
    return (
        f'<div style="margin-left:{begin:.2f}%;width:{width:.2f}%;height:.8em;'
        f'border-radius:2px;background:{colour(credit)}"></div>'
    )

"""How every plot looks: colours, type, and the way numbers are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

RED, BLUE = "#ff0051", "#008bfb"  # more and less, as shap colours them
INK, MUTED, FAINT = "#1f2430", "#6b7280", "#d5d9e0"
EMPTY = "#f3f4f6"  # the background of a credit of nothing

# DejaVu Sans comes with matplotlib, so that every machine sets the same lines; letters that it
# lacks are taken from the font that the reader chose.
FONT = ("DejaVu Sans", "sans-serif")
LABEL, NUMBER, CAPTION = 10.5, 9.5, 8.5  # type sizes, points

WIDTH = 8.0  # of a figure, inches
MARGIN = 0.15
ROUNDING = 1e-12  # of the largest credit; what is less is 0 but for the order of a sum
STRONGEST_TINT = 0.72  # dark type stays readable on the fullest red and blue


def colour(credit: float) -> str:
    """Return red for more, blue for less."""
    return RED if credit >= 0 else BLUE


def tint(strength: float) -> str:
    """Return a background between white and red (1) or blue (-1)."""
    if abs(strength) < ROUNDING:
        return EMPTY
    share = STRONGEST_TINT * (0.1 + 0.9 * min(abs(strength), 1.0))
    full = colour(strength)
    channels = (int(full[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 + share * (channel - 255)):02x}" for channel in channels)


def number_format(credits: Sequence[float], totals: Sequence[float] = ()) -> Callable[..., str]:
    """Return how to write the numbers of one plot: ``write(number, sign="+")``.

    All have the same decimals: three significant digits of the largest credit, less the zeros
    that all of them end with.

    Examples
    --------
    >>> write = number_format([0.4, -0.1], [1.25])
    >>> write(0.4), write(-0.1), write(1.25, sign="-")
    ('+0.40', '−0.10', '1.25')
    """
    shown = [*credits, *totals]
    largest = max(map(abs, credits), default=0.0) or max(map(abs, shown), default=0.0)
    if largest and not 1e-4 <= largest < 1e9:
        form = ".3g"
    else:
        decimals = max(0, 2 - math.floor(math.log10(largest))) if largest else 0
        while decimals and all(round(x, decimals) == round(x, decimals - 1) for x in shown):
            decimals -= 1
        form = f",.{decimals}f"

    def write(number: float, sign: str = "+") -> str:
        if abs(number) < ROUNDING * largest:
            number = 0.0
        return f"{number or 0.0:{sign if number else '-'}{form}}".replace("-", "−")

    return write

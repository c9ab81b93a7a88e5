"""Pictures of an explanation, for slides and papers: PNG, SVG or PDF by the name of the file."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import bidirectional

import numpy as np

import owen_core as oc
from ospo.explanation import Explanation
from ospo.report.printable import printable
from owen_core.plots import Plot
from owen_core.plots.figure import fit, sheet, width_of, write
from owen_core.plots.style import CAPTION, MARGIN, MUTED, NUMBER, WIDTH, number_format, tint
from owen_core.quantile import t_quantile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORD = 14.0  # type size of a phrase, points
LINE, BOX, BELOW = 0.8, 0.4, 0.32  # inches: line to line, a box, from a phrase to its number
PADDING, SPACE = 0.1, 0.08  # inside a box and between boxes, inches
HEADLINE = 0.4  # inches


def picture(explanation: Explanation) -> Plot:
    """Plot the query as a sentence of coloured phrases, over bars of their credits.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    Plot
        ``.save("explain.png")`` or ``.save("explain.svg")`` writes it whole, at twice the
        resolution of the screen. Every phrase is in the sentence; the bars are those of the
        twelve strongest, with 95 % intervals where credits are estimated.

    Raises
    ------
    ModuleNotFoundError
        matplotlib is not installed.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.explain import explain
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> plot = picture(explain("patio bench", BM25(shop.catalogue), shop.qrels["q002"]))
    >>> [text.get_text() for text in plot.figure.axes[1].texts]
    ['nDCG@10 0.429 · BM25', 'patio', '−0.070', 'bench', '+0.499']
    """
    plot = oc.plots.bars(_attribution(explanation))
    words, lines = _lay_out(explanation)
    below, above = plot.figure.get_figheight(), MARGIN + HEADLINE + lines * LINE
    share = below / (below + above)
    x, y, width, height = plot.axes.get_position().bounds
    plot.figure.set_figheight(below + above)
    plot.axes.set_position((x, y * share, width, height * share))
    strip = plot.figure.add_axes((0.0, share, 1.0, 1.0 - share))
    strip.set_axis_off()
    strip.set_xlim(0.0, WIDTH)
    strip.set_ylim(above, 0.0)
    head = f"{explanation.metric} {explanation.total:.3f} · {explanation.method.retriever}"
    headline = fit(plot, _drawable(head), WIDTH - 2 * MARGIN, CAPTION)
    write(strip, MARGIN, MARGIN + HEADLINE / 3, headline, size=CAPTION, color=MUTED)
    _draw(strip, words)
    return plot


def waterfall(explanation: Explanation) -> Plot:
    """Plot how the credits lead from the empty query to the query, the largest first.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.explain import explain
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> plot = waterfall(explain("patio bench", BM25(shop.catalogue), shop.qrels["q002"]))
    >>> [text.get_text() for text in plot.axes.texts][:6]
    ['v(empty)', '0.000', 'bench', '+0.499', 'patio', '−0.070']
    """
    return oc.plots.waterfall(_attribution(explanation))


def _drawable(text: str) -> str:
    """Return a text with the replacement character for what would be obeyed: fonts have that."""
    return re.sub("[\u2400-\u2421]", "\ufffd", printable(text))


def _attribution(explanation: Explanation) -> oc.Attribution:
    e, errors = explanation, None
    if e.interval is not None:  # the standard errors that have just these intervals
        low, high = np.array(e.interval).T
        errors = (high - low) / 2 / t_quantile(0.975, math.inf)
    return oc.Attribution(
        np.array(e.credit),
        tuple(map(_drawable, e.segments)),
        e.baseline,
        e.total,
        e.method.concept,
        e.method.structure,
        std_error=errors,
    )


@dataclass(frozen=True, slots=True)
class _Word:
    """A phrase in the sentence: where its box begins, its width, and what is in and below it."""

    x: float
    y: float
    width: float
    phrase: str
    number: str
    strength: float


def _lay_out(explanation: Explanation) -> tuple[Sequence[_Word], int]:
    """Return the words and the number of lines; in a right-to-left script, from the right."""
    words, x, line = list[_Word](), MARGIN, 0
    write_number = number_format(explanation.credit)
    ruler = sheet()
    largest = max(map(abs, explanation.credit)) or 1.0
    leftwards = _right_to_left(explanation.query)
    for segment, credit in zip(explanation.segments, explanation.credit, strict=True):
        phrase = fit(ruler, _drawable(segment), WIDTH - 2 * (MARGIN + PADDING), WORD)
        number = write_number(credit)
        width = max(width_of(ruler, phrase, WORD), width_of(ruler, number, NUMBER)) + 2 * PADDING
        if x > MARGIN and x + width > WIDTH - MARGIN:
            x, line = MARGIN, line + 1
        left = WIDTH - x - width if leftwards else x
        top = MARGIN + HEADLINE + line * LINE
        words.append(_Word(left, top, width, phrase, number, credit / largest))
        x += width + SPACE
    return words, line + 1


def _right_to_left(text: str) -> bool:
    """Whether the first letter that has a direction is written leftwards (UAX #9, rule P2)."""
    directions = (bidirectional(letter) for letter in text)
    return next((found for found in directions if found in ("L", "R", "AL")), "L") != "L"


def _draw(strip: Axes, words: Sequence[_Word]) -> None:
    from matplotlib.patches import FancyBboxPatch

    for word in words:
        box = FancyBboxPatch(
            (word.x, word.y),
            word.width,
            BOX,
            boxstyle="round,pad=0,rounding_size=0.07",
            facecolor=tint(word.strength),
            linewidth=0,
        )
        strip.add_patch(box)
        middle, centre = word.x + word.width / 2, word.y + BOX / 2
        write(strip, middle, centre, word.phrase, size=WORD, ha="center")
        write(strip, middle, centre + BELOW, word.number, size=NUMBER, ha="center")

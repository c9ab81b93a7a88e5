"""What a plot is, and the sheet it is drawn on."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from owen_core.optional import needs
from owen_core.plots.style import FONT, INK, LABEL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished plot, to be saved, shown by a notebook, or changed further.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
    axes : matplotlib.axes.Axes
    """

    figure: Figure
    axes: Axes

    def save(self, path: str | Path) -> None:
        """Write the plot to a file; its suffix (``.png``, ``.svg``, ``.pdf``, ...) says how.

        Nothing is cut off, and pixels are twice as fine as on the screen.
        """
        self._write(path, Path(path).suffix.lstrip(".") or None)

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self._write(picture, "png")
        return picture.getvalue()

    def _write(self, target: Any, form: str | None) -> None:
        self.figure.savefig(
            target,
            format=form,
            dpi=2 * self.figure.dpi,
            bbox_inches="tight",
            pad_inches=0.1,
            transparent=False,
            facecolor="white",
        )


def sheet(width: float = 1.0, height: float = 1.0) -> Plot:
    """Return an empty plot, ``width`` by ``height`` inches, without ticks or frame.

    It belongs to no pyplot window, and no setting of matplotlib's changes how it looks.
    """
    with needs("interop", "a plot"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height), dpi=100, facecolor="white")
    figure.set_layout_engine("none")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    return Plot(figure, axes)


def write(axes: Axes, x: float, y: float, line: str, **style: Any) -> Text:
    """Write a line of text as it stands: a dollar sign is a dollar sign."""
    settings: dict[str, Any] = {
        "size": LABEL,
        "color": INK,
        "va": "center_baseline",
        "family": FONT,
    }
    settings |= {"weight": "normal", "style": "normal", "usetex": False, "parse_math": False}
    return axes.text(x, y, line, **(settings | style))


def width_of(plot: Plot, line: str, size: float = LABEL) -> float:
    """Return how wide a line of text is, in inches."""
    drawn = write(plot.axes, 0.0, 0.0, line, size=size)
    width = drawn.get_window_extent().width / plot.figure.dpi
    drawn.remove()
    return float(width)


def fit(plot: Plot, name: str, width: float, size: float = LABEL) -> str:
    """Return a name on one line, cut with an ellipsis where it is wider than ``width`` inches."""
    line = " ".join(name.split())
    if width_of(plot, line, size) <= width:
        return line
    low, high = 0, len(line)
    while high - low > 1:
        middle = (low + high) // 2
        if width_of(plot, line[:middle].rstrip() + "…", size) <= width:
            low = middle
        else:
            high = middle
    return line[:low].rstrip() + "…"

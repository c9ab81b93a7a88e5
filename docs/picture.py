"""Draw the picture of the start page, on light and on dark pages: ``python docs/picture.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.colors import to_hex
from matplotlib.text import Text

from ospo.data import load
from ospo.explain import explain
from ospo.report.figure import WORD, picture
from ospo.search.bm25 import BM25
from owen_core.plots.style import INK, MUTED

ON_DARK = {INK: "#e6e8eb", MUTED: "#9aa1ac"}


def main() -> None:
    """Write ``explain.svg`` and ``explain-dark.svg`` beside this file: the same bytes each time."""
    mpl.rcParams["svg.hashsalt"] = "owen-core"
    shop = load("shop")
    query = "15 cm steel kitchen knife"
    plot = picture(explain(query, BM25(shop.catalogue), shop.qrels["q125"]))
    save = {"bbox_inches": "tight", "transparent": True, "metadata": {"Date": None}}
    here = Path(__file__).parent
    plot.figure.savefig(here / "explain.svg", **save)
    for part in plot.figure.findobj(lambda part: hasattr(part, "set_color")):
        in_a_box = isinstance(part, Text) and part.get_size() == WORD
        if hasattr(part, "get_color") and not in_a_box:
            part.set_color(ON_DARK.get(to_hex(part.get_color()), part.get_color()))
    plot.figure.savefig(here / "explain-dark.svg", **save)


if __name__ == "__main__":
    main()

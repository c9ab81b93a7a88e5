"""What a block of a tutorial shows beside its text: the plot or the page that it ends with."""

from __future__ import annotations

from html import escape
from os.path import relpath
from pathlib import Path
from textwrap import indent
from typing import Any

from matplotlib.image import imread

from owen_core.plots import Plot

PICTURE = """
.. image:: /{place}
    :alt: Plot by the code above
    :class: sphx-glr-single-img
    :width: {width}px
"""
FRAME = """
.. raw:: html

    <iframe class="page" title="{title}" srcdoc="
{page}
    "></iframe>
"""


def show(_: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return the plot, or the HTML page at the path, that a block ends with, as reStructuredText.

    Plots leave pyplot alone, so sphinx-gallery would not find them by itself.
    """
    last = variables["example_globals"].get("___")  # of a block before, if this one ends otherwise
    if last is variables.get("shown"):
        return ""
    variables["shown"] = last
    if isinstance(last, Plot):
        path = next(variables["image_path_iterator"])
        last.save(path)  # with two pixels for each that it is wide on the page
        place = Path(relpath(path, settings["src_dir"])).as_posix()
        return PICTURE.format(place=place, width=imread(path).shape[1] // 2)
    if isinstance(last, Path) and last.suffix == ".html":
        page = indent(escape(last.read_text(encoding="utf-8")), " " * 4)
        return FRAME.format(title=last.stem, page=page)
    return ""

"""Formulas as MathML: browsers draw it by themselves, without a script or the network."""

from __future__ import annotations

from docutils import nodes
from math_core import LatexToMathML
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

FORMULA = LatexToMathML()


def inline(page: HTML5Translator, node: nodes.math) -> None:
    """Write a formula that stands in a line of text."""
    page.body.append(FORMULA.convert_with_local_state(node.astext(), displaystyle=False))
    raise nodes.SkipNode


def displayed(page: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula that stands alone."""
    page.body.append(FORMULA.convert_with_local_state(node.astext(), displaystyle=True))
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Make Sphinx take it: of two renderers it prefers the one that is not its own."""
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))

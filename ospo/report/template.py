"""HTML pages: one file with all that it needs, in which no text is ever taken for markup."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ospo.report.printable import printable
from ospo.report.terminal import signed

T = TypeVar("T")

MOST_SHOWN = 12  # of a list; the others are folded away


def head(items: Sequence[T]) -> Sequence[T]:
    """Return the items that are not folded away; a single one left over is not.

    Examples
    --------
    >>> len(head(range(13))), len(head(range(14)))
    (13, 12)
    """
    return items if len(items) <= MOST_SHOWN + 1 else items[:MOST_SHOWN]


def number(value: float) -> str:
    """Return a value of the metric with a real minus and three decimals.

    Examples
    --------
    >>> number(0.5), number(-1.25)
    ('0.500', '−1.250')
    """
    return signed(value).removeprefix("+")


def render(template: str, **data: Any) -> str:
    """Return a page: a template of this package, filled.

    Every text that a template prints is escaped, and its control characters are made visible, so
    that queries, titles and commands are only ever read.

    Parameters
    ----------
    template : str
        Its file name; most extend ``base.html``.
    **data
        What the template calls by these names; one that is missing is an error.

    Examples
    --------
    >>> page = render("base.html", heading="shoes </title><script>alert(1)</script>")
    >>> "<script>" in page
    False
    """
    return _environment().get_template(template).render(data)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ospo.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    environment.filters |= {
        "signed": signed,
        "number": number,
        "direction": _direction,
        "head": head,
    }
    environment.globals |= {"source": _source, "digest": _digest}
    return environment


def _direction(change: float) -> str:
    """Return ``more`` or ``less``, by the sign that is printed; empty where none is."""
    return {"+": "more", "−": "less"}.get(signed(change)[0], "")


def _printable(value: Any) -> Any:
    """Return text from outside with its control characters made visible; markup is our own."""
    return printable(value) if type(value) is str else value


@cache
def _source(name: str) -> Markup:
    """Return a style sheet or script of this package, to be written into a page."""
    file = resources.files("ospo.report") / "templates" / name
    return Markup(file.read_text(encoding="utf-8"))


def _digest(script: str) -> str:
    """Return how a content security policy names the only script that it lets run."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"

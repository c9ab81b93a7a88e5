"""Tagged fields: the segments of a query that names what each part of it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ospo.errors import InputError
from ospo.text.segment import Segment, tile

_OPENING = r"<[^\W\d][\w.-]*+(?:\s[^<>]*+)?>"
_CLOSING = r"</[^\W\d][\w.-]*+\s*+>"
# A field starts at tags that open, one after the other, and ends after tags that close.
_TAGS = re.compile(rf"(?P<opening>{_OPENING}(?:\s*+{_OPENING})*+)|{_CLOSING}(?:\s*+{_CLOSING})*+")


class Fields:
    r"""Cuts ``title: trail shoes brand: Velora``, or the same in tags, into its fields.

    A text with tags, such as ``<title>trail shoes</title>``, is cut before each row of opening
    tags and after each row of closing ones: of nested tags the innermost make the fields, and one
    that is never closed goes on to the next tag. Any other text is cut before each name that a
    colon follows. A field's name or tags belong to its phrase, what is outside of all fields is a
    segment too, and a text without fields is one segment.

    Parameters
    ----------
    names : sequence of str, optional
        The names that make fields before a colon, in any case. By default every word does that
        starts with a letter, unless "/", "\\\\" or another ":" follows ("https://...").

    Raises
    ------
    InputError
        If a name is empty.

    Examples
    --------
    >>> [s.phrase for s in Fields()("title: trail shoes brand: Velora")]
    ['title: trail shoes', 'brand: Velora']
    >>> [s.phrase for s in Fields()("<title>trail shoes</title> <brand>Velora</brand>")]
    ['<title>trail shoes</title>', '<brand>Velora</brand>']
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        if not all(name.strip() for name in names):
            raise InputError(f"a field of {list(names)} has no name: name each one or leave it out")
        name = "|".join(map(re.escape, names)) or r"[^\W\d_][\w-]*+"
        self._label = re.compile(rf"(?<![^\s,;|])(?:{name})\s?:(?![:/\\])", re.IGNORECASE)

    def __call__(self, text: str) -> tuple[Segment, ...]:
        """Return the segments of a text."""
        return tile(text, pairwise([0, *self._cuts(text), len(text)]))

    def _cuts(self, text: str) -> Iterator[int]:
        if _TAGS.search(text):
            for tags in _TAGS.finditer(text):
                yield tags.start() if tags["opening"] else tags.end()
        else:
            for label in self._label.finditer(text):
                yield label.start()

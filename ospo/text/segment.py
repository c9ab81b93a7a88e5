"""Segments: the pieces of a query that act as players."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DELIMITED = re.compile(r"[^,;\n]*[^,;\s][^,;\n]*")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a text; the segments of a text tile it.

    Attributes
    ----------
    start, end : int
        The stretch, in characters, including the delimiters and spaces that belong to it.
    phrase_start : int
        Where its words begin.
    phrase : str
        Its words, without delimiters around them.
    """

    start: int
    end: int
    phrase_start: int
    phrase: str

    @property
    def phrase_end(self) -> int:
        """Where its words end."""
        return self.phrase_start + len(self.phrase)


def segment(text: str) -> tuple[Segment, ...]:
    """Split a query into phrases at its own delimiters, or into words if it has none.

    Every character of the text lies in exactly one segment, so the coalition of all segments is
    the text itself. A text without words has no segments.

    Examples
    --------
    >>> [s.phrase for s in segment("noise cancelling headphones, sony, ")]
    ['noise cancelling headphones', 'sony']
    >>> [s.phrase for s in segment("gaming laptop")]
    ['gaming', 'laptop']
    """
    pattern = _DELIMITED if re.search(r"[,;\n]", text) else _WORD
    phrases = []
    for match in pattern.finditer(text):
        phrase = match.group().strip()
        phrases.append((match.start() + match.group().index(phrase), phrase))
    starts = [0, *(at for at, _ in phrases[1:])]
    ends = [*starts[1:], len(text)]
    return (
        tuple(
            Segment(start, end, at, phrase)
            for start, end, (at, phrase) in zip(starts, ends, phrases, strict=True)
        )
        if phrases
        else ()
    )

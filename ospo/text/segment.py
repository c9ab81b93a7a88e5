"""Segments: the pieces of a query that act as players."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import regex

from ospo.errors import InputError

DELIMITERS = ",;\n"
_WORD = re.compile(r"\S+")
_GRAPHEME = regex.compile(r"\X")  # Unicode's extended grapheme clusters (UAX #29)


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


class Segmenter(Protocol):
    """Cuts a text into the segments that act as players.

    Every character of the text lies in exactly one segment, so their stretches joined are the text
    again, bit for bit (:class:`ospo.text.answer.Answer` alone leaves out what the retriever never
    sees). No cut falls inside what a reader sees as one character: a letter with its accents, an
    emoji with its modifiers. A text without words has no segments.
    """

    def __call__(self, text: str, /) -> tuple[Segment, ...]:
        """Return the segments in the order of the text."""
        ...


def tile(text: str, stretches: Iterable[tuple[int, int]]) -> tuple[Segment, ...]:
    """Return the segments whose phrases lie in given stretches of a text.

    What no stretch covers belongs to the segment before it, and to the first at the beginning.
    Blank stretches are left out. A stretch that ends inside a grapheme cluster is prolonged, and
    joined to the next one where a cut between them would split a cluster.

    Parameters
    ----------
    text : str
    stretches : iterable of (int, int)
        Start and end in characters; in order, without overlap.

    Examples
    --------
    >>> [(s.start, s.end, s.phrase) for s in tile("a -> b", [(0, 1), (4, 6)])]
    [(0, 5, 'a'), (5, 6, 'b')]
    """
    phrases = []
    for start, end in stretches:
        stretch = text[start:end]
        if phrase := stretch.strip():
            start += len(stretch) - len(stretch.lstrip())
            phrases.append((start, start + len(phrase)))
    if not text.isascii():
        phrases = _unsplit(text, phrases)
    starts = [0, *(start for start, _ in phrases[1:])][: len(phrases)]
    ends = [*starts[1:], len(text)]
    return tuple(
        Segment(start, end, first, text[first:last])
        for start, end, (first, last) in zip(starts, ends, phrases, strict=False)
    )


def _unsplit(text: str, phrases: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Let each phrase end after its last grapheme cluster, and join those that share one."""
    whole: list[tuple[int, int]] = []
    ends = (cluster.end() for cluster in _GRAPHEME.finditer(text))
    boundary = 0
    for start, end in phrases:
        while boundary < start:
            boundary = next(ends)
        shared = boundary > start
        while boundary < end:
            boundary = next(ends)
        end += len(text[end:boundary].rstrip())
        if shared and whole:
            whole[-1] = (whole[-1][0], end)
        else:
            whole.append((start, end))
    return whole


def words(text: str) -> tuple[Segment, ...]:
    """Cut a text into words: what stands between white space.

    Examples
    --------
    >>> [s.phrase for s in words("gaming laptop, 15.6-inch")]
    ['gaming', 'laptop,', '15.6-inch']
    """
    return tile(text, (match.span() for match in _WORD.finditer(text)))


class Delimiters:
    """Cuts a text at given characters: the exact segmenter of a policy that writes them.

    Parameters
    ----------
    characters : str
        Each of them ends a phrase; one that carries a combining mark does not.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> [s.phrase for s in Delimiters("|")("trail shoes, red | size 42 |")]
    ['trail shoes, red', 'size 42']
    """

    def __init__(self, characters: str = DELIMITERS) -> None:
        if not characters:
            raise InputError('there is no delimiter: give at least one character, such as ","')
        self.characters = characters
        self._phrase = re.compile(f"[^{re.escape(characters)}]+")

    def __call__(self, text: str) -> tuple[Segment, ...]:
        """Return the segments of a text; without delimiters, the whole text is one."""
        return tile(text, (match.span() for match in self._phrase.finditer(text)))


_phrases = Delimiters()
_DELIMITER = re.compile(f"[{DELIMITERS}]")


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
    return _phrases(text) if _DELIMITER.search(text) else words(text)

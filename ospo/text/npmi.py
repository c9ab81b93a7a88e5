"""Phrases found by a catalogue: cut where neighbouring words are not associated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError
from ospo.text.association import Association
from ospo.text.phrase_rules import together
from ospo.text.segment import Segment, tile
from ospo.text.terms import terms

# A word goes on over a stop or a colon inside it ("15.6", "16:10"), a number over its commas.
_WORD = re.compile(r"(?:[^\s,;|()\[\]{}.!?:…•–—]|[.!?:](?=\w)|(?<=\d),(?=\d))+")
_DASH = re.compile(r"[-*~=_]+")  # separates; no word
_CODE = re.compile(r"(?=\D*+\d)[\w./-]++")  # with a digit, as names of models have


class NPMI:
    """Cuts free text into phrases, by rules and by what the catalogue says together.

    Punctuation, new lines and the rules of :func:`ospo.text.phrase_rules.together` decide where
    they can. Elsewhere two neighbours are cut apart where their association in the catalogue is
    below the threshold. Where the catalogue lacks one of them they are cut too, unless that one is
    the name of a model ("brother tn-2110"); where it lacks both, they stay together: it knows
    nothing to tell them apart by.

    Parameters
    ----------
    titles : iterable of str
        Texts of the catalogue, read once.
    window : int
        Two words of a title count as a pair when they are fewer than this many words apart.
    threshold : float
        In [-1, 1]; a higher one cuts more.

    Raises
    ------
    InputError
        If the threshold or the window is out of range, or no title has two words.

    Examples
    --------
    >>> titles = ["Velora trail shoes red", "usb cable 2 m", "usb cable", "trail shoes"]
    >>> [s.phrase for s in NPMI(titles)("trail shoes usb cable 2 m for running")]
    ['trail shoes', 'usb cable', '2 m', 'for running']
    """

    def __init__(self, titles: Iterable[str], *, window: int = 3, threshold: float = 0.2) -> None:
        if not -1 <= threshold <= 1:
            raise InputError(f"no association reaches {threshold}: give a threshold in [-1, 1]")
        self.association = Association(titles, window=window)
        self.threshold = threshold

    def __call__(self, text: str) -> tuple[Segment, ...]:
        """Return the segments of a text."""
        return tile(text, self._phrases(text))

    def _phrases(self, text: str) -> Iterator[tuple[int, int]]:
        found = [m for m in _WORD.finditer(text) if not _DASH.fullmatch(m[0])]
        if not found:
            return
        words = [match[0].lower() for match in found]
        associated = self._associated(words)
        start = found[0].start()
        for at in range(1, len(found)):
            end, begin = found[at - 1].end(), found[at].start()
            gap = text[end:begin]
            separated = not gap.isspace() or "\n" in gap
            joined = False if separated else together(words, at)
            if not (associated[at - 1] if joined is None else joined):
                yield start, end
                start = begin
        yield start, found[-1].end()

    def _associated(self, words: list[str]) -> NDArray[np.bool_]:
        """Return whether each word but the first belongs to the one before it, ``(n - 1,)``."""
        parts = [terms(word) or [""] for word in words]
        last = self.association.ids(part[-1] for part in parts)[:-1]
        first = self.association.ids(part[0] for part in parts)[1:]
        codes = np.array([_CODE.fullmatch(word) is not None for word in words[1:]], dtype=np.bool_)
        unknown = first < 0
        return np.where(
            unknown | (last < 0),
            unknown & (codes | (last < 0)),
            self.association.npmi(last, first) >= self.threshold,
        )

"""Lines and sentences: the segments of running text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, pairwise

from ospo.text.segment import Segment, tile

# A full stop after one of these ends no sentence: after a unit where a number is before it, after
# a count where a number follows.
_SHORT = {
    "abbreviations": "mr mrs ms dr prof st jr sr inc ltd co corp vs etc approx incl excl ca cf "
    "e.g i.e u.s u.k",
    "units": "in ft yd mi mm cm km oz lb lbs kg gm gr ml gal qt pt min max sec hr hrs pc pcs",
    "counts": "no nos vol fig",
}
_ABBREVIATIONS, _UNITS, _COUNTS = (frozenset(names.split()) for names in _SHORT.values())
_CLOSING = r"[\"'”’»)\]」』]*+"
# Where a sentence can end: marks before white space, marks that need none after them, empty lines.
# Nothing is read twice, so that a long row of dots takes no longer than other text.
_END = re.compile(rf"(?<![.!?…])[.!?…]++{_CLOSING}(?=\s)|[。！？]+{_CLOSING}|\n[^\S\n]*+\n")
_LAST_WORDS = re.compile(r"(?:(\S+)\s+)?([^\s(\[\"'“‘«]+)$")
_FIRST_LETTER = re.compile(r"\s*[\"'“‘«(\[]*(\S)?")
_REACH = 80  # characters before a full stop that say what it ends


def lines(text: str) -> tuple[Segment, ...]:
    r"""Cut a text into its lines, as :meth:`str.splitlines` finds them.

    Examples
    --------
    >>> [s.phrase for s in lines("trail shoes, red\r\n\nsize 42\n")]
    ['trail shoes, red', 'size 42']
    """
    ends = accumulate((len(line) for line in text.splitlines(keepends=True)), initial=0)
    return tile(text, pairwise(ends))


def sentences(text: str) -> tuple[Segment, ...]:
    """Cut a text into sentences, by the rules of English and of East Asian full stops.

    A sentence ends at ``.``, ``!``, ``?`` or ``…`` before white space, with the quotes and
    brackets that close there, at ``。``, ``！`` or ``？``, and at an empty line. A full stop ends
    none after an initial, a usual abbreviation or a number with an abbreviated unit ("2 lb."), nor
    before a lower-case letter.

    Examples
    --------
    >>> [s.phrase for s in sentences("A 2 lb. bag vs. a 5 lb. Bag? Dr. No. \u201cTake it!\u201d")]
    ['A 2 lb. bag vs. a 5 lb. Bag?', 'Dr. No.', '“Take it!”']
    """
    return tile(text, pairwise([0, *_ends(text), len(text)]))


def _ends(text: str) -> Iterator[int]:
    for match in _END.finditer(text):
        if not match[0].startswith(".") or _ends_here(text, match.start(), match.end()):
            yield match.end()


def _ends_here(text: str, stop: int, end: int) -> bool:
    """Whether the full stop at ``stop`` ends a sentence of which ``end`` is the end."""
    found = _FIRST_LETTER.match(text, end)
    following = (found and found[1]) or ""
    before = _LAST_WORDS.search(text, max(0, stop - _REACH), stop)
    if following.islower():
        return False
    if before is None or text.startswith("..", stop):
        return True
    number, word = before[1] or "", before[2].lower()
    if word in _UNITS:
        return not number[-1:].isdigit()
    if word in _COUNTS:
        return not following.isdigit()
    return word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha())

"""Characters: the text that pieces of bytes write together, and which bytes are whose."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

Spans = NDArray[np.int64]

# While bytes are decoded, a lone surrogate stands for malformed ones and says how many they are.
# UTF-8 has no surrogates, so no other character can be mistaken for one.
_MALFORMED = 0xDC00


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return chr(_MALFORMED + error.end - error.start), error.end


codecs.register_error("ospo.malformed", _mark)


def characters(pieces: Sequence[bytes]) -> tuple[str, Spans]:
    r"""Return the text of the pieces joined, and the characters that each has bytes of, ``(T, 2)``.

    Malformed bytes become U+FFFD, one for each maximal part of a sequence, as Unicode recommends
    (The Unicode Standard, 3.9, "U+FFFD Substitution of Maximal Subparts"). A character that several
    pieces share is in the span of each of them. A piece without bytes has an empty span.

    Examples
    --------
    >>> text, spans = characters([b"ros\xc3", b"\xa9", b"", b" \xff"])
    >>> text
    'rosé \ufffd'
    >>> spans.tolist()
    [[0, 4], [3, 4], [4, 4], [4, 6]]
    """
    marked = b"".join(pieces).decode("utf-8", "ospo.malformed")
    codes = np.frombuffer(marked.encode("utf-32-le", "surrogatepass"), np.uint32)
    sizes = 1 + (codes >= 0x80) + (codes >= 0x800) + (codes >= 0x10000)
    malformed = (codes > _MALFORMED) & (codes < _MALFORMED + 4)
    if malformed.any():
        sizes[malformed] = codes[malformed] - _MALFORMED
        codes = np.where(malformed, np.uint32(0xFFFD), codes)
        marked = codes.tobytes().decode("utf-32-le")
    starts = np.concatenate([[0], np.cumsum(sizes)])  # of each character, and the end of all
    offsets = np.fromiter(accumulate(map(len, pieces), initial=0), np.int64, len(pieces) + 1)
    first = np.searchsorted(starts, offsets[:-1], side="right") - 1
    end = np.searchsorted(starts, offsets[1:], side="left")
    return marked, np.column_stack([first, np.where(np.diff(offsets) > 0, end, first)])


def without_spaces(written: str, text: str) -> Spans | None:
    """Return where the ends of the characters of one text are in another that lacks some spaces.

    Some decoders drop the space before a comma, or in a contraction. Of several spaces in a row the
    last ones are taken to be dropped.

    Returns
    -------
    ndarray or None
        ``(len(written) + 1,)``, from 0 to ``len(text)``; None if spaces are not all that is gone.

    Examples
    --------
    >>> without_spaces("red , blue", "red, blue")
    array([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9])
    >>> without_spaces("red", "rd") is None
    True
    """
    letters, places = _letters(written)
    same, wanted = _letters(text)
    if not np.array_equal(letters, same):
        return None
    spaces = np.diff(places, prepend=-1, append=len(written)) - 1  # before each letter, and last
    kept = np.diff(wanted, prepend=-1, append=len(text)) - 1
    if (kept > spaces).any():
        return None
    gap = np.repeat(np.arange(len(spaces)), spaces + 1)
    depth = np.arange(len(written) + 1) - np.append(0, places + 1)[gap]
    ends: Spans = np.append(0, wanted + 1)[gap] + np.minimum(depth, kept[gap])
    return ends


def _letters(text: str) -> tuple[NDArray[np.uint32], Spans]:
    """Return the code points that are no spaces, and where they are."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    places = np.flatnonzero(codes != ord(" "))
    return codes[places], places

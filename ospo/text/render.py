"""Rendering: the query that a coalition of segments says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.text.segment import Segment


def render(text: str, segments: Sequence[Segment], coalition: NDArray[np.bool_]) -> str:
    """Return the query made of the chosen segments, in the order of the text.

    The coalition of all segments is the stretch that they tile: the text itself, or of a text with
    an answer the answer alone. Any other begins and ends with a phrase; what delimits phrases
    stays between them. The empty coalition is the empty string.

    Examples
    --------
    >>> from ospo.text.segment import segment
    >>> text = "trail shoes, red, size 42"
    >>> render(text, segment(text), np.array([True, False, True]))
    'trail shoes, size 42'
    """
    chosen = [s for s, present in zip(segments, coalition, strict=True) if present]
    if not chosen:
        return ""
    first, last = chosen[0], chosen[-1]
    if len(chosen) == len(segments):
        return text[first.start : last.end]
    said = "".join([text[s.start : s.end] for s in chosen])
    return said[first.phrase_start - first.start : len(said) - (last.end - last.phrase_end)]

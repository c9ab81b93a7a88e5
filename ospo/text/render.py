"""Rendering: the query that a coalition of segments says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.text.segment import Segment


def render(text: str, segments: Sequence[Segment], coalition: NDArray[np.bool_]) -> str:
    """Return the query made of the chosen segments, in the order of the text.

    The coalition of all segments is the text itself; the empty one is the empty string.

    Examples
    --------
    >>> from ospo.text.segment import segment
    >>> text = "trail shoes, red, size 42"
    >>> render(text, segment(text), np.array([True, False, True]))
    'trail shoes, size 42'
    """
    if coalition.all():
        return text
    chosen = [
        text[s.start : s.end] for s, present in zip(segments, coalition, strict=True) if present
    ]
    return "".join(chosen).strip(",; \t\r\n")

"""Owners: the segment that each token belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.text.segment import Segment


def token_segments(spans: NDArray[np.int64], segments: Sequence[Segment]) -> NDArray[np.int64]:
    """Return the segment, by position, that each token writes most of, ``(T,)``; -1 for none.

    Only a segment's phrase counts: tokens that write delimiters, spaces or nothing belong to no
    segment. A token that straddles two phrases goes to the one that holds more of its characters,
    and to the earlier one when they hold the same.

    Examples
    --------
    >>> from ospo.text.segment import segment
    >>> red_blue = segment("red, blue")
    >>> token_segments(np.array([[0, 2], [2, 7], [7, 9]]), red_blue)  # "re", "d, bl", "ue"
    array([0, 1, 1])
    """
    owners = np.full(len(spans), -1, dtype=np.int64)
    if not segments:
        return owners
    begin = np.array([s.phrase_start for s in segments])
    end = np.array([s.phrase_end for s in segments])
    first = np.searchsorted(end, spans[:, 0], side="right")
    beyond = np.searchsorted(begin, spans[:, 1], side="left")
    most = np.zeros(len(spans), dtype=np.int64)
    for further in range((beyond - first).max(initial=0)):
        phrase = np.minimum(first + further, len(segments) - 1)
        shared = np.minimum(spans[:, 1], end[phrase]) - np.maximum(spans[:, 0], begin[phrase])
        owners = np.where(shared > most, phrase, owners)
        most = np.maximum(most, shared)
    return owners

"""Alignment: which characters of the decoded text each generated token wrote.

Spans come from the generated ids themselves. Tokenising the text again may give other ids than
those that were sampled, and then every credit would land on the wrong token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ospo.text.segment import Segment


class Decoder(Protocol):
    """The part of a tokenizer that alignment needs."""

    def decode(self, token_ids: list[int], *, skip_special_tokens: bool = ...) -> str:
        """Return the text of the ids."""
        ...


def token_spans(tokenizer: Decoder, ids: Sequence[int]) -> tuple[str, NDArray[np.int64]]:
    """Return the decoded text, and each token's ``[start, end)`` characters in it, ``(T, 2)``.

    The spans tile the text. Special tokens, and tokens that only complete a character which an
    earlier token began, have empty spans.
    """
    ids = list(ids)
    text = tokenizer.decode(ids, skip_special_tokens=True)
    ends = [
        min(len(tokenizer.decode(ids[: k + 1], skip_special_tokens=True)), len(text))
        for k in range(len(ids))
    ]
    ends = list(np.maximum.accumulate(np.array([0, *ends], dtype=np.int64)))
    return text, np.column_stack([ends[:-1], ends[1:]])


def token_segments(spans: NDArray[np.int64], segments: Sequence[Segment]) -> NDArray[np.int64]:
    """Return the segment, by position, that each token writes most of, ``(T,)``; -1 for none.

    Only a segment's phrase counts: tokens that write delimiters, spaces or nothing belong to no
    segment. A token that straddles two phrases goes to the one that holds more of it, and to the
    earlier one when they hold the same.
    """
    owners = np.full(len(spans), -1, dtype=np.int64)
    if not segments:
        return owners
    begin = np.array([s.phrase_start for s in segments])
    end = np.array([s.phrase_end for s in segments])
    overlap = np.minimum(spans[:, 1:], end) - np.maximum(spans[:, :1], begin)
    best = overlap.argmax(axis=1)
    inside = overlap.max(axis=1) > 0
    owners[inside] = best[inside]
    return owners

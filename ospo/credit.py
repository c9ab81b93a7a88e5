"""Credit: what each segment of a completion contributed to its reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.game import RetrievalGame
from ospo.search.judge import Judge
from ospo.text.align import Decoder, token_segments, token_spans
from ospo.text.segment import segment


@dataclass(frozen=True, slots=True)
class TokenCredit:
    """The credit of each token of a completion.

    Attributes
    ----------
    values : ndarray
        Credit of the segment that the token belongs to, ``(T,)``; 0 where not credited.
    credited : ndarray
        ``(T,) bool``: whether the token belongs to a segment. Delimiters, end-of-sequence and
        other special tokens do not.
    attribution : Attribution or None
        The credits of the segments; None when the completion has none.
    """

    values: NDArray[np.float64]
    credited: NDArray[np.bool_]
    attribution: oc.Attribution | None


def token_credit(
    tokenizer: Decoder, ids: Sequence[int], judge: Judge, concept: str = "myerson"
) -> TokenCredit:
    """Attribute a completion's reward to its segments and hand each token its segment's credit.

    Parameters
    ----------
    tokenizer : Decoder
        Decodes generated ids.
    ids : sequence of int
        The generated ids, ``(T,)``, special tokens included.
    judge : Judge
        Values query texts; the decoded completion is worth its reward.
    concept : str
        One of :data:`ospo.game.CONCEPTS`.
    """
    text, spans = token_spans(tokenizer, ids)
    segments = segment(text)
    owners = token_segments(spans, segments)
    credited = owners >= 0
    if not segments:
        return TokenCredit(np.zeros(len(owners)), credited, None)
    attribution = RetrievalGame(text, judge, segments).attribute(concept)
    values = np.where(credited, attribution.values[owners], 0.0)
    return TokenCredit(values, credited, attribution)

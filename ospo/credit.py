"""Credit: what each segment of a completion contributed to its reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.game import attribute_together
from ospo.reward.reward import Reward, Row, Values
from ospo.text.align import Decoder, token_segments, token_spans
from ospo.text.segment import Segmenter, segment


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
    unattributed : float
        The part of the reward that no game was played for. Every segment has the same share of it,
        which is in its credit.
    """

    values: NDArray[np.float64]
    credited: NDArray[np.bool_]
    attribution: oc.Attribution | None
    unattributed: float = 0.0


def token_credits(
    tokenizer: Decoder,
    completions: Sequence[Sequence[int]],
    rows: Sequence[Row],
    reward: Reward,
    concept: str = "myerson",
    segmenter: Segmenter = segment,
) -> list[TokenCredit]:
    """Attribute the rewards of a batch of completions, in one call of the reward.

    Parameters
    ----------
    tokenizer : Decoder
        Decodes generated ids.
    completions : sequence of sequence of int
        The generated ids of each completion, special tokens included.
    rows : sequence of mapping
        What the data set says of each completion's prompt.
    reward : Reward
    concept : str
        One of :data:`ospo.game.CONCEPTS`.
    segmenter : Segmenter
        Cuts a completion into players.

    Returns
    -------
    list of TokenCredit
        One for each completion.
    """
    decoded = [token_spans(tokenizer, ids) for ids in completions]
    segments = [segmenter(text) for text, _ in decoded]
    places = [place for place, own in enumerate(segments) if own]
    texts = [decoded[place][0] for place in places]
    its_rows = [rows[place] for place in places]

    def value(queries: Sequence[str], owners: Sequence[int]) -> Values:
        return reward.value(queries, [its_rows[owner] for owner in owners])

    attributions = attribute_together(texts, [segments[place] for place in places], value, concept)
    shared = reward.unattributed(texts, its_rows).tolist()
    found = zip(attributions, shared, strict=True)
    credits = []
    for (_, spans), own in zip(decoded, segments, strict=True):
        attribution, rest = next(found) if own else (None, 0.0)
        credits.append(_to_tokens(attribution, token_segments(spans, own), rest))
    return credits


def _to_tokens(
    attribution: oc.Attribution | None, owners: NDArray[np.int64], unattributed: float = 0.0
) -> TokenCredit:
    """Hand each token the credit of its segment; -1 owns nothing."""
    credited = owners >= 0
    if attribution is None:
        return TokenCredit(np.zeros(len(owners)), credited, None)
    credit = attribution.values + unattributed / len(attribution.values)
    return TokenCredit(np.where(credited, credit[owners], 0.0), credited, attribution, unattributed)

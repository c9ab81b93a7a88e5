"""Credit: what each segment of a completion contributed to its reward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.game import Asker, Shares, asker, value_together
from ospo.reward.checked import checked
from ospo.reward.reward import Reward, Row, Values
from ospo.text.align import Decoder, token_segments, token_spans
from ospo.text.segment import Segment, Segmenter, segment

Scalar = TypeVar("Scalar", np.bool_, np.float64)

# What a token is that belongs to no segment.
OUTSIDE = -1  # reasoning, or anything else that does not reach the reward
DELIMITER = -2  # between segments
SPECIAL = -3  # end of sequence and the like


@dataclass(frozen=True, slots=True)
class Written:
    """A completion, read from its ids.

    Attributes
    ----------
    text : str
    segments : tuple of Segment
        Its players.
    owners : ndarray
        ``(T,) int64``: the segment that each token belongs to, or ``OUTSIDE``, ``DELIMITER`` or
        ``SPECIAL``.
    """

    text: str
    segments: tuple[Segment, ...]
    owners: NDArray[np.int64]


def read(tokenizer: Decoder, ids: Sequence[int], segmenter: Segmenter = segment) -> Written:
    """Read a completion: its text, its segments, and whose each token is.

    Parameters
    ----------
    tokenizer : Decoder
        Decodes generated ids.
    ids : sequence of int
        The generated ids, special tokens included.
    segmenter : Segmenter

    Raises
    ------
    ospo.text.align.AlignmentError
        The text cannot be divided among the ids.

    Examples
    --------
    >>> from ospo.train.policy.tokenizer import train_tokenizer
    >>> tokenizer = train_tokenizer(["red shoes"] * 3, vocab_size=270)
    >>> read(tokenizer, tokenizer.encode(" red, shoes<eos>")).owners
    array([ 0, -2,  1, -3])
    """
    text, spans = token_spans(tokenizer, ids)
    segments = tuple(segmenter(text))
    owners = token_segments(spans, segments)
    kinds = np.full(len(spans), OUTSIDE)
    if segments:
        inside = (spans[:, 1] > segments[0].start) & (spans[:, 0] < segments[-1].end)
        kinds[inside] = DELIMITER
    kinds[spans[:, 0] == spans[:, 1]] = SPECIAL
    return Written(text, segments, np.where(owners >= 0, owners, kinds))


@dataclass(frozen=True, slots=True)
class TokenCredit:
    """The credit of the segments of a completion, and of each of its tokens.

    Attributes
    ----------
    written : Written
    shares : Shares or None
        The credits of the segments; None where there are no segments, or where a budget was too
        small to say anything.
    unattributed : float
        The part of the reward that no game was played for. Every segment has the same share of it,
        which is in its credit.
    left_out : ndarray or None
        ``(n,)``: what the game loses without each segment, where that was asked.
    prefixes : ndarray or None
        ``(n,)``: what the segments up to each one are worth, where that was asked.
    evaluations : int
        Coalitions that were valued for it.
    """

    written: Written
    shares: Shares | None = None
    unattributed: float = 0.0
    left_out: Values | None = None
    prefixes: Values | None = None
    evaluations: int = 0

    @property
    def attribution(self) -> oc.Attribution | None:
        """How the reward is attributed, without what is unattributed."""
        return None if self.shares is None else self.shares.attribution

    @property
    def assigned(self) -> NDArray[np.bool_]:
        """Which segments have credit, ``(n,)``."""
        nothing = np.zeros(len(self.written.segments), dtype=np.bool_)
        return nothing if self.shares is None else self.shares.assigned

    @property
    def segments(self) -> Values:
        """The credit of each segment, ``(n,)``; 0 where it has none."""
        if self.shares is None:
            return np.zeros(len(self.written.segments))
        values = self.shares.attribution.values
        return np.where(self.assigned, values + self.unattributed / len(values), 0.0)

    @property
    def credited(self) -> NDArray[np.bool_]:
        """Whether each token belongs to a segment that has credit, ``(T,)``."""
        return _of_tokens(self.assigned, self.written.owners)

    @property
    def values(self) -> Values:
        """The credit of the segment that each token belongs to, ``(T,)``; 0 where not credited."""
        return _of_tokens(self.segments, self.written.owners)


def _of_tokens(of_segments: NDArray[Scalar], owners: NDArray[np.int64]) -> NDArray[Scalar]:
    """Hand each token what its segment has, and 0 to those without one."""
    tokens = np.zeros(len(owners), dtype=of_segments.dtype)
    own = owners >= 0
    tokens[own] = of_segments[owners[own]]
    return tokens


def credit_together(
    completions: Sequence[Written],
    rows: Sequence[Row],
    reward: Reward,
    askers: Mapping[str, Asker],
    *,
    seeds: Sequence[Sequence[int]] | None = None,
    placebo: bool = False,
    known: Mapping[int, Shares] | None = None,
) -> list[TokenCredit]:
    """Attribute the rewards of a batch of completions, in one call of the reward a round.

    All that is exact takes one round.

    Parameters
    ----------
    completions : sequence of Written
    rows : sequence of mapping
        What the data set says of each completion's prompt.
    reward : Reward
    askers : mapping
        What asks for the ``values``, if they are not known, and where they are needed for
        ``left_out``, by ``leave-one-out``, and ``prefixes``, by ``prefix``.
    seeds : sequence of sequence of int, optional
        From what the draws of each completion follow.
    placebo : bool
        Whether to shuffle each completion's credits over its segments: the same weights in the
        wrong places, which tells what it is worth to know the right ones.
    known : mapping, optional
        The ``values`` of every completion that has segments, by its place, where they do not come
        from the reward.

    Raises
    ------
    RewardError
        The reward says something that is no number.
    """
    seeds = seeds or [()] * len(completions)
    places = [place for place, written in enumerate(completions) if written.segments]
    texts = [completions[place].text for place in places]
    segments = [completions[place].segments for place in places]
    its_rows = [rows[place] for place in places]
    name = type(reward).__name__
    paid = np.zeros(len(places), dtype=np.int64)

    def value(queries: Sequence[str], owners: Sequence[int]) -> Values:
        np.add.at(paid, owners, 1)
        answer = reward.value(queries, [its_rows[owner] for owner in owners])
        return checked(answer, queries, [places[owner] for owner in owners], name)

    asks = [
        (k, ask(tuple(s.phrase for s in own), seeds[place]))
        for ask in askers.values()
        for k, (place, own) in enumerate(zip(places, segments, strict=True))
    ]
    found = iter(value_together(texts, segments, asks, value))
    parts = {part: [next(found) for _ in places] for part in askers}
    if known is not None:
        parts["values"] = [known[place] for place in places]
    rest = checked(reward.unattributed(texts, its_rows), texts, places, name).tolist()
    credits = [TokenCredit(written) for written in completions]
    for k, place in enumerate(places):
        shares = {part: its[k] for part, its in parts.items()}
        if placebo:
            order = np.random.default_rng(seeds[place]).permutation(len(segments[k]))
            shares = {part: _reordered(share, order) for part, share in shares.items()}
        left_out, gains = (
            None if share is None else share.attribution.values
            for share in (shares.get("left_out"), shares.get("prefixes"))
        )
        credits[place] = TokenCredit(
            completions[place],
            shares["values"],
            rest[k],
            left_out,
            None if gains is None else gains.cumsum(),
            int(paid[k]),
        )
    return credits


def _reordered(shares: Shares | None, order: NDArray[np.int64]) -> Shares | None:
    if shares is None:
        return None
    old = shares.attribution
    error = None if old.std_error is None else old.std_error[order]
    shuffled = replace(old, values=old.values[order], std_error=error)
    return Shares(shuffled, shares.assigned[order])


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
        One of :data:`ospo.game.CONCEPTS` or :data:`ospo.game.MARGINALS`.
    segmenter : Segmenter
        Cuts a completion into players.

    Returns
    -------
    list of TokenCredit
        One for each completion.
    """
    written = [read(tokenizer, ids, segmenter) for ids in completions]
    return credit_together(written, rows, reward, {"values": asker(concept)})

"""Pruning: rollouts compete with the best that remains of them when segments are dropped.

The coalitions of a rollout's segments are answers too, whose rewards credit asks for anyway. Where
an interval of segments is worth more than the rollout it was cut from, it may train in its group.
As many answers train as before: of the rollouts and what was cut from them, those whose rewards
vary most, as PODS chooses rollouts (arXiv 2504.13818).

Use it with a segmenter that cuts where the policy itself does, such as ``delimiters``: dropping
words of one phrase made learning slower (see the results in the documentation).

The policy did not write what was cut, so this is no unbiased estimate of its gradient: it imitates
the best of its own answers, and what it should have left out is what tells the two apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ospo.credit import Written
from ospo.game.concepts import plan_of
from ospo.reward.checked import checked
from ospo.reward.reward import Reward, Row
from ospo.text.align import AlignmentError, Decoder
from ospo.text.render import render
from ospo.train.config import OSPOConfig
from ospo.train.reward import TrainingReward


class Pruned(NamedTuple):
    """What trains in place of what was written.

    Attributes
    ----------
    ids : list of list of int
        As many completions as were written. Rollouts that stay are where they were.
    replaced : ndarray
        ``(B,) bool``: those that the policy did not write.
    rewards : ndarray
        ``(B,)``: of what it wrote.
    """

    ids: list[list[int]]
    replaced: NDArray[np.bool_]
    rewards: NDArray[np.float64]


def prune(
    ids: Sequence[list[int]],
    rows: Sequence[Row],
    reward: TrainingReward,
    tokenizer: Decoder,
    args: OSPOConfig,
) -> Pruned:
    """Let the rollouts of each group compete with the best intervals of their segments.

    Parameters
    ----------
    ids : sequence of list of int
        The generated ids of each completion, group by group.
    rows : sequence of mapping
        What the data set says of each completion's prompt.
    reward : TrainingReward
        Values completions. One that it calls unfinished is not pruned.
    tokenizer : Decoder
    args : OSPOConfig
        Of it ``num_generations``, ``max_width`` and ``on_misaligned``.

    Raises
    ------
    ospo.text.align.AlignmentError
        The text of a completion cannot be divided among its ids, and ``on_misaligned`` is
        ``raise``; else it is not pruned.
    """
    completions = {}
    for place, own in enumerate(ids):
        if reward.finished(own):
            try:
                completions[place] = reward.read(tokenizer, own, np.ones(len(own), dtype=np.bool_))
            except AlignmentError:
                if args.on_misaligned == "raise":
                    raise
    kept = best_intervals(completions, rows, reward.reward, args.max_width)
    cut = {}
    for place, interval in kept.items():
        shorter = without_others(ids[place], completions[place], interval)
        # A token that is part of two phrases can make another text of what was cut.
        text = tokenizer.decode(shorter, skip_special_tokens=True)
        if reward.said(text).strip() == _said(completions[place], interval).strip():
            cut[place] = shorter
    candidates = [*ids, *cut.values()]
    owners = [*range(len(ids)), *cut]
    texts = [tokenizer.decode(candidate, skip_special_tokens=True) for candidate in candidates]
    worth = np.array(reward.values(texts, [rows[place] for place in owners], candidates))
    trains = np.arange(len(ids))
    groups = np.array(owners) // args.num_generations
    for group in range(len(ids) // args.num_generations):
        rivals = np.flatnonzero(groups == group)
        chosen = rivals[most_varied(worth[rivals], args.num_generations)]
        written = rivals[: args.num_generations]
        trains[written[~np.isin(written, chosen)]] = chosen[chosen >= len(ids)]
    return Pruned([candidates[k] for k in trains], trains >= len(ids), worth[: len(ids)])


def best_intervals(
    completions: dict[int, Written],
    rows: Sequence[Row],
    reward: Reward,
    max_width: int | None = None,
) -> dict[int, tuple[int, int]]:
    """Return the interval of segments that is worth most, of each completion that is worth less.

    Of intervals that are worth the same it is the shortest, and the first of these. All are valued
    in one call of the reward.

    Parameters
    ----------
    completions : dict of int to Written
    rows : sequence of mapping
        By the keys of ``completions``.
    reward : Reward
    max_width : int, optional

    Returns
    -------
    dict of int to (int, int)
        Its first segment, and the one after its last.
    """
    asked = {
        place: plan_of("myerson", len(written.segments), max_width).coalitions[1:]
        for place, written in completions.items()
        if len(written.segments) > 1
    }
    texts, owners = [], []
    for place, coalitions in asked.items():
        written = completions[place]
        texts += [render(written.text, written.segments, row) for row in coalitions]
        owners += [place] * len(coalitions)
    its_rows = [rows[place] for place in owners]
    worth = checked(reward.value(texts, its_rows), texts, owners, type(reward).__name__)
    found = {}
    start = 0
    for place, coalitions in asked.items():
        own = worth[start : start + len(coalitions)]
        start += len(coalitions)
        # The last is that of all segments.
        best = min(range(len(own)), key=lambda k: (-own[k], coalitions[k].sum(), k))
        if own[best] > own[-1]:
            members = np.flatnonzero(coalitions[best])
            found[place] = int(members[0]), int(members[-1]) + 1
    return found


def without_others(ids: Sequence[int], written: Written, interval: tuple[int, int]) -> list[int]:
    """Return a completion without its segments outside an interval.

    What stands before the first segment and after the last stays, and so does what stands between
    those that stay.

    Parameters
    ----------
    ids : sequence of int
        ``(T,)``
    written : Written
        The completion, read from them.
    interval : (int, int)

    Examples
    --------
    >>> from ospo.credit import read
    >>> from ospo.train.policy.tokenizer import train_tokenizer
    >>> tokenizer = train_tokenizer(["red shoes"] * 3, vocab_size=270)
    >>> ids = tokenizer.encode(" red, shoes, blue<eos>")
    >>> tokenizer.decode(without_others(ids, read(tokenizer, ids), (1, 2)))
    ' shoes<eos>'
    """
    start, stop = interval
    owned = np.flatnonzero(written.owners >= 0)
    inside = np.flatnonzero((written.owners >= start) & (written.owners < stop))
    parts = ids[: owned[0]], ids[inside[0] : inside[-1] + 1], ids[owned[-1] + 1 :]
    return [token for part in parts for token in part]


def _said(written: Written, interval: tuple[int, int]) -> str:
    """Return what an interval of the segments of a completion says."""
    coalition = np.zeros(len(written.segments), dtype=np.bool_)
    coalition[slice(*interval)] = True
    return render(written.text, written.segments, coalition)


def most_varied(worth: NDArray[np.float64], size: int) -> NDArray[np.intp]:
    """Return which of some rewards vary most, ``(size,)``: the best of them and the worst.

    Of all subsets of a size, one of the largest variance has the highest k and the lowest of the
    rest, for some k: Xu, Savani, Fang & Kolter, "Not All Rollouts are Useful", arXiv 2504.13818. Of
    equal rewards the later are counted as higher.

    Examples
    --------
    >>> most_varied(np.array([0.2, 0.9, 0.3, 1.0]), 2)
    array([0, 3])
    """
    order = np.argsort(worth, kind="stable")
    subsets = [
        np.concatenate([order[: size - k], order[len(order) - k :]]) for k in range(size + 1)
    ]
    return subsets[int(np.argmax([worth[subset].var() for subset in subsets]))]

"""Information gain: what each turn adds to the policy's own probability of the right answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from trl.trainer.utils import pad

import owen_core as oc
from ospo.credit import Written
from ospo.errors import InputError
from ospo.game import Shares
from ospo.reward.reward import Row, Values, text_of
from ospo.train.rows import Completion
from ospo.train.turns import turn_starts

INFORMATION_GAIN = "information-gain"
ANSWER = "answer"  # the column of the data set that holds the right answer


def contexts(prompt: Sequence[int], completion: Completion) -> list[list[int]]:
    """Return what had been said before the first turn, and after the answer to each.

    A last turn without an answer to it has no context after it: it is where the policy answers.

    Examples
    --------
    >>> contexts([9], Completion([1, 2, 3, 4], np.array([True, False, True, False])))
    [[9], [9, 1, 2], [9, 1, 2, 3, 4]]
    """
    ids, own = completion
    ends = turn_starts(own).tolist() + ([] if own[-1] else [len(own)])
    return [[*prompt, *ids[:end]] for end in ends]


def shared(probabilities: Values, written: Written) -> Shares:
    r"""Return the credit of each turn: the gain in the probability of the right answer.

    .. math:: \phi_k = p(a \mid q, o_{\le k}) - p(a \mid q, o_{<k}), \qquad
        p(a \mid \cdot) = \exp \frac{1}{L} \sum_{j=1}^{L} \log \pi(a_j \mid \cdot, a_{<j})

    It is the turn reward of IGPO (Wang et al. 2025, arXiv 2510.14967), where the turn that answers
    has the outcome instead. So here a last turn that the environment does not answer has no credit
    of its own, and its tokens keep the sequence's advantage.

    Parameters
    ----------
    probabilities : ndarray
        p after each of the :func:`contexts`.
    written : Written
        The conversation, read by :func:`ospo.train.turns.read_turns`.

    Examples
    --------
    >>> from ospo.text.segment import words
    >>> asked = Written("size colour", words("size colour"), np.array([0, 1]))
    >>> shared(np.array([0.125, 0.25, 1.0]), asked).attribution.values
    array([0.125, 0.75 ])
    """
    gains = np.zeros(len(written.segments))
    answered = len(probabilities) - 1
    gains[:answered] = np.diff(probabilities)
    names = tuple(turn.phrase for turn in written.segments)
    first, last = float(probabilities[0]), float(probabilities[-1])
    attribution = oc.Attribution(gains, names, first, last, INFORMATION_GAIN)
    return Shares(attribution, np.arange(len(gains)) < answered)


@torch.no_grad()
def information_gains(
    trainer: Any,
    prompts: Sequence[Sequence[int]],
    completions: Sequence[Completion],
    conversations: Sequence[Written],
    rows: Sequence[Row],
) -> dict[int, Shares]:
    """Return the information gain of the turns of conversations, by place; of those with turns.

    It takes a forward pass of the policy for each turn and one more, in batches of
    ``per_device_train_batch_size``, at the temperature of sampling.

    Parameters
    ----------
    trainer : trl.GRPOTrainer
    prompts : sequence of sequence of int
        The ids of the prompts.
    completions : sequence of Completion
    conversations : sequence of Written
        What was read of the completions.
    rows : sequence of mapping
        Their ``answer`` is the right one, as the policy would write it after any turn.

    Raises
    ------
    InputError
        A row has no answer, or an empty one.
    """
    places = [place for place, written in enumerate(conversations) if written.segments]
    if not places:
        return {}
    asked = [contexts(prompts[place], completions[place]) for place in places]
    answers = [_answer(trainer.processing_class, rows[place]) for place in places]
    before = [context for its in asked for context in its]
    after = [answer for its, answer in zip(asked, answers, strict=True) for _ in its]
    ends = np.cumsum([*map(len, asked)])
    found = np.split(_probabilities(trainer, before, after), ends[:-1])
    return {k: shared(its, conversations[k]) for k, its in zip(places, found, strict=True)}


def _answer(tokenizer: Any, row: Row) -> list[int]:
    text = text_of(row, ANSWER)
    ids: list[int] = tokenizer(text, add_special_tokens=False).input_ids
    if not ids:
        raise InputError(
            f"the {ANSWER} of a row is {text!r}, which has no token whose probability could be "
            "gained: give the right answer"
        )
    return ids


def _probabilities(
    trainer: Any, contexts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]
) -> Values:
    device = trainer.accelerator.device
    end = trainer.processing_class.pad_token_id

    def padded(rows: Sequence[Sequence[int]], side: str) -> tuple[torch.Tensor, torch.Tensor]:
        ids = [torch.tensor(row) for row in rows]
        masks = [torch.ones_like(row) for row in ids]
        return pad(ids, end, side).to(device), pad(masks, 0, side).to(device)

    (before, seen), (after, present) = padded(contexts, "left"), padded(answers, "right")
    logps = trainer._get_per_token_logps_and_entropies(
        trainer.model,
        torch.cat([before, after], dim=1),
        torch.cat([seen, present], dim=1),
        after.shape[1],
        batch_size=trainer.args.per_device_train_batch_size,
    )[0]
    means = (logps.double() * present).sum(dim=1) / present.sum(dim=1)
    return np.asarray(means.exp().cpu())

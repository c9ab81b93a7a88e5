"""Turns: what the model wrote between two answers of its environment, as the players of a game."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ospo.credit import OUTSIDE, SPECIAL, Written
from ospo.errors import InputError
from ospo.reward.reward import Reward
from ospo.text.align import Decoder, token_spans
from ospo.text.segment import Segment
from ospo.train.reward import TrainingReward

Rollout: TypeAlias = Callable[[list[Any], Any], dict[str, Any]]  # (prompts, trainer), as TRL has it


def turn_starts(own: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return where turns start: the first of each run of ids that the model wrote.

    Examples
    --------
    >>> turn_starts(np.array([True, True, False, True, False, False]))
    array([0, 3])
    """
    return np.flatnonzero(own & ~np.insert(own[:-1], 0, False))


def read_turns(tokenizer: Decoder, ids: Sequence[int], own: NDArray[np.bool_]) -> Written:
    """Read a conversation: its text, its turns, and whose each token is.

    A turn is a maximal run of ids that the model wrote. Its segment holds the answer to it too, so
    that a coalition of turns is the conversation without the other turns and their answers; what
    an environment says first belongs to the first turn. All ids of the run belong to the turn,
    special ones too; those of the environment are ``OUTSIDE``. A last turn without a word, such as
    the end of the sequence alone, is no player, and its ids are ``SPECIAL``.

    Parameters
    ----------
    tokenizer : Decoder
    ids : sequence of int
        All ids of the conversation after the prompt, ``(T,)``.
    own : ndarray
        ``(T,) bool``: those that the model wrote.

    Raises
    ------
    ospo.text.align.AlignmentError
        The text cannot be divided among the ids.

    Examples
    --------
    >>> from ospo.train.policy.tokenizer import train_tokenizer
    >>> tokenizer = train_tokenizer(["colour red size"] * 3, vocab_size=290)
    >>> parts = [(" colour", 1), (" red", 0), (" size", 1), (" 42", 0), ("<eos>", 1)]
    >>> ids = [tokenizer.encode(text) for text, _ in parts]
    >>> own = np.repeat([by == 1 for _, by in parts], [*map(len, ids)])
    >>> seen = read_turns(tokenizer, sum(ids, []), own)
    >>> [turn.phrase for turn in seen.segments], seen.owners
    (['colour red', 'size 42'], array([ 0, -1,  1, -1, -1, -1, -3]))
    """
    text, spans = token_spans(tokenizer, ids)
    starts = turn_starts(own)
    cuts = [0, *spans[starts[1:], 0].tolist(), len(text)] if len(starts) else []
    if len(starts) and own[-1] and not text[cuts[-2] :].strip():
        del cuts[-2]
    turns = tuple(_segment(text, start, end) for start, end in pairwise(cuts))
    turn = np.repeat(np.arange(-1, len(starts)), np.diff([0, *starts, len(own)]))
    owners = np.where(own, np.where(turn < len(turns), turn, SPECIAL), OUTSIDE)
    return Written(text, turns, owners)


def _segment(text: str, start: int, end: int) -> Segment:
    said = text[start:end]
    return Segment(start, end, start + len(said) - len(said.lstrip()), said.strip())


class TurnReward(TrainingReward):
    """A reward of conversations, which their turns share: a reward function for TRL.

    It is for a ``rollout_func`` that returns an ``env_mask``, for ``tools``, and for an
    ``environment_factory``. What is valued is the text of a conversation after its prompt, as its
    ids are decoded, or of what is left of it without some turns and the answers to them. The
    environment is not asked again: what is left was said as it stands.

    A row holds the columns of the data set, what else ``rollout_func`` returned, and under
    ``environments`` the conversation's own environment. The prompt is not among them, as an
    environment may have added to it.

    Parameters
    ----------
    reward : Reward
    tokenizer : transformers.PreTrainedTokenizerBase
        The policy's.
    end : int, optional
        As in :class:`ospo.train.reward.TrainingReward`.

    Examples
    --------
    >>> from ospo.train.policy.tokenizer import train_tokenizer
    >>> class Asked(Reward):
    ...     def value(self, texts, rows):
    ...         return np.array([float(row["wanted"] in text)
    ...                          for text, row in zip(texts, rows, strict=True)])
    >>> tokenizer = train_tokenizer(["colour red"] * 3, vocab_size=280)
    >>> asked = TurnReward(Asked(), tokenizer)
    >>> asked(completion_ids=[tokenizer.encode(" colour red")] * 2, wanted=["colour", "size"])
    [1.0, 0.0]
    """

    def __init__(self, reward: Reward, tokenizer: Any, *, end: int | None = None) -> None:
        super().__init__(reward, end=end)
        self.tokenizer = tokenizer

    def __call__(
        self,
        completion_ids: Sequence[Sequence[int]],
        prompts: Any = None,
        completions: Any = None,
        **columns: Any,
    ) -> list[float]:
        """Return the reward of each conversation; columns of the data set are lists."""
        texts = self.tokenizer.batch_decode(completion_ids, skip_special_tokens=True)
        lists = {name: column for name, column in columns.items() if isinstance(column, list)}
        rows = [{name: its[k] for name, its in lists.items()} for k in range(len(texts))]
        return self.values(texts, rows, completion_ids)

    def read(self, tokenizer: Decoder, ids: Sequence[int], own: NDArray[np.bool_]) -> Written:
        """Return a conversation, read from its ids by :func:`read_turns`."""
        return read_turns(tokenizer, ids, own)

    def said(self, completion: str) -> str:
        """Return what of a conversation is valued: all of it."""
        return completion


def with_turns(rollout: Rollout) -> Rollout:
    """Return a ``rollout_func`` that refuses an output whose turns cannot be told.

    Parameters
    ----------
    rollout : callable
        Takes prompts and the trainer, and returns ``completion_ids`` and ``env_mask`` among others:
        for each completion a list that is 1 for ids of the model and 0 for those of the
        environment.

    Raises
    ------
    InputError
        By what is returned, when it is called: there is no ``env_mask``, it does not fit the
        completions, or the model wrote nothing of one.
    """

    def checked(prompts: list[Any], trainer: Any) -> dict[str, Any]:
        output = rollout(prompts, trainer)
        ids, masks = output.get("completion_ids", []), output.get("env_mask")
        remedy = "return a list for each completion, 1 for ids of the model and 0 for others"
        if masks is None:
            raise InputError(f"rollout_func returned no env_mask, which tells turns: {remedy}")
        if len(masks) != len(ids):
            raise InputError(
                f"env_mask has {len(masks)} lists for {len(ids)} completions: {remedy}"
            )
        for row, (its, mask) in enumerate(zip(ids, masks, strict=True)):
            if len(mask) != len(its) or not {*mask} <= {0, 1}:
                raise InputError(
                    f"env_mask[{row}] is {[*mask]} for a completion of {len(its)} ids: {remedy}"
                )
            if 1 not in mask:
                raise InputError(
                    f"env_mask[{row}] has no id of the model, so that the rollout has no turn: let "
                    "the model write at least one id before the rollout ends"
                )
        return output

    return checked

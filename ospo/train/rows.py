"""Rows: between the padded tensors of a batch and its completions."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ospo.advantage import Credits
from ospo.credit import TokenCredit


class Completion(NamedTuple):
    """A completion without padding: its ids, and which of them the model wrote."""

    ids: list[int]
    own: NDArray[np.bool_]


def written(ids: Tensor, mask: Tensor, own: Tensor) -> list[Completion]:
    """Return the completions of a batch.

    Parameters
    ----------
    ids : Tensor
        ``(B, T)``, padded on the right.
    mask : Tensor
        ``(B, T)``: 1 for tokens, 0 for padding.
    own : Tensor
        ``(B, T)``: 1 for the model's own tokens, 0 for those of tools and environments.

    Examples
    --------
    >>> ids, mask, own = torch.tensor([[[5, 6, 7, 0]], [[1, 1, 1, 0]], [[1, 0, 1, 0]]])
    >>> written(ids, mask, own)
    [Completion(ids=[5, 6, 7], own=array([ True, False,  True]))]
    """
    arrays = ids.cpu().numpy(), mask.bool().cpu().numpy(), own.bool().cpu().numpy()
    return [Completion(row[here].tolist(), by[here]) for row, here, by in zip(*arrays, strict=True)]


def endings(generation: Any, tokenizer: Any) -> set[int]:
    """Return the ids of which one ends a completion that was not cut off.

    Parameters
    ----------
    generation : transformers.GenerationConfig
    tokenizer : transformers.PreTrainedTokenizerBase
    """
    of_model = generation.eos_token_id
    return {tokenizer.eos_token_id, *([of_model] if isinstance(of_model, int) else of_model or ())}


def is_cut(completion: Completion, endings: Container[int]) -> bool:
    """Return whether a completion was cut off: the model had the last word, and did not end it."""
    ids, own = completion
    return not ids or bool(own[-1] and ids[-1] not in endings)


def stacked(credits: Mapping[int, TokenCredit], like: Tensor, parts: Collection[str]) -> Credits:
    """Return the credits of some rows of a batch as tensors; the other rows have none.

    Parameters
    ----------
    credits : mapping
        By row.
    like : Tensor
        ``(B, T)``: of the batch's shape, and of the type and on the device that values shall be.
    parts : collection of str
        What was asked: ``values``, and it may be ``left_out`` and ``prefixes``.
    """
    widest = max((len(credit.segments) for credit in credits.values()), default=0)
    shape = len(like), max(widest, 1)
    tables = {part: np.zeros(shape) for part in parts}
    assigned = np.zeros(shape, dtype=np.bool_)
    # A segment without credit leaves its tokens plain, as those of the other rows shall be.
    owners = np.zeros(tuple(like.shape), dtype=np.int64)
    for row, credit in credits.items():
        n = len(credit.segments)
        assigned[row, :n] = credit.assigned
        owners[row, : len(credit.written.owners)] = credit.written.owners
        # A row that was not asked has no segment with credit, so that its zeros are never read.
        told = {"values": credit.segments, "left_out": credit.left_out, "prefixes": credit.prefixes}
        for part, table in tables.items():
            table[row, :n] = 0.0 if told[part] is None else told[part]
    tensors = {part: torch.from_numpy(table).to(like) for part, table in tables.items()}
    return Credits(
        tensors["values"],
        torch.from_numpy(assigned).to(like.device),
        torch.from_numpy(owners).to(like.device),
        tensors.get("left_out"),
        tensors.get("prefixes"),
    )


def rewards(credits: Mapping[int, TokenCredit], like: Tensor) -> Tensor:
    """Return the rewards of rows by their credits, ``(B,)``; 0 for rows without credit."""
    worth = torch.zeros_like(like)
    for row, credit in credits.items():
        if credit.attribution is not None:
            worth[row] = credit.attribution.total + credit.unattributed
    return worth

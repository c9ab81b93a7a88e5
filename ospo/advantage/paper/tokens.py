"""The published redistribution: phrase credit into token advantages."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

from ospo.advantage.credits import Credits
from ospo.advantage.paper.faults import CORRECTED, PaperFaults
from ospo.advantage.weights import FLOOR, capped, dense_ranks, informative, min_max
from ospo.credit import DELIMITER
from ospo.errors import InputError

Mode: TypeAlias = Literal["prop", "rank", "hybrid"]
MODES: tuple[Mode, ...] = ("prop", "rank", "hybrid")

HYBRID_SHARE = 0.7  # of the proportions; the rest is uniform
CLIP = 2.0  # standard deviations of the batch's sequence advantages
SMALLEST = 1e-4  # what published denominators are clamped to


def paper_advantages(
    advantages: Tensor,
    rewards: Tensor,
    credits: Credits,
    mask: Tensor,
    *,
    mode: Mode = "prop",
    clip: bool = False,
    faults: PaperFaults = CORRECTED,
) -> Tensor:
    """Spread sequence advantages over tokens as OSPO does, ``(B, T)``.

    Parameters
    ----------
    advantages, rewards : Tensor
        Sequence advantages and rewards, ``(B,)``.
    credits : Credits
        Of the phrases. ``DELIMITER`` are the words between them; with the phrases, they are the
        query.
    mask : Tensor
        ``(B, T)``: 1 for the tokens of the completion, 0 for padding.
    mode : {"prop", "rank", "hybrid"}
        In proportion to min-max credit, to its rank, or 0.7 of the former and 0.3 uniform.
    clip : bool
        Whether to bound advantages by 2 standard deviations of the batch's sequence advantages.

    Examples
    --------
    A bad completion of two phrases, of which the second is good. The paper blames the good one:

    >>> bad = torch.tensor([-1.0])
    >>> credits = Credits(torch.tensor([[0.0, 0.2]]), torch.tensor([[True, True]]),
    ...                   torch.tensor([[0, 1]]))
    >>> for faults in (CORRECTED, PaperFaults(blamed_best=True)):
    ...     print(paper_advantages(bad, torch.tensor([0.2]), credits, torch.ones(1, 2),
    ...                            faults=faults).round(decimals=2).tolist())
    [[-2.0, -0.0]]
    [[-0.0, -2.0]]
    """
    if mode not in MODES:
        raise InputError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    if clip and len(advantages) < 2:
        raise InputError("clip bounds by the deviation of a batch; give it two completions or more")
    present = mask.bool()
    length = present.sum(dim=1, keepdim=True)
    credit = credits.to_tokens(credits.values, credits.values.new_zeros(mask.shape))
    sharing = present & credits.to_tokens(credits.assigned, torch.zeros_like(present))
    if faults.fillers_in_range:
        sharing = sharing | (present & (credits.owners == DELIMITER))
    if not faults.blamed_best:
        credit = credit * torch.where(advantages < 0, -1.0, 1.0)[:, None]

    weights = _placed(min_max(credit, sharing), credit, sharing, faults)
    if faults.from_first_token:
        # A stable sort brings the query to the front, and keeps its order.
        front = (~sharing).to(torch.int8).argsort(dim=1, stable=True)
        weights, sharing = weights.gather(1, front), sharing.gather(1, front)
    if faults.erased_failures:
        weights = weights * rewards[:, None] / weights.sum(dim=1, keepdim=True).clamp(min=SMALLEST)
    if mode == "rank":
        weights, sharing = _ranked(weights, sharing, present, faults)
    total = weights.sum(dim=1, keepdim=True)
    total = total.clamp(min=SMALLEST) if faults.erased_failures else total + (total == 0)
    carried = length if faults.starved_others else sharing.sum(dim=1, keepdim=True)
    factors = torch.where(sharing, carried * weights / total, 0.0 if faults.starved_others else 1.0)
    if mode == "hybrid":
        factors = HYBRID_SHARE * factors + (1 - HYBRID_SHARE)
        if faults.weak_hybrid:
            factors = factors / length.clamp(min=1)
    factors = torch.where(present, factors, 0.0)
    if clip:
        return _clipped(advantages, factors, faults)
    return advantages[:, None] * factors


def _placed(placed: Tensor, key: Tensor, sharing: Tensor, faults: PaperFaults) -> Tensor:
    """Weights of placed credits; all the same where the credits are."""
    even = ~informative(key, sharing)[:, None]
    floor = 0.0 if faults.worst_gets_nothing else FLOOR
    return torch.where(sharing, torch.where(even, 0.5, placed + floor), 0.0)


def _ranked(
    weights: Tensor, sharing: Tensor, present: Tensor, faults: PaperFaults
) -> tuple[Tensor, Tensor]:
    """Weights by rank, and which tokens they are of."""
    key = -weights if faults.inverted_rank else weights
    if not faults.padded_rank:
        return _placed(dense_ranks(key, sharing), key, sharing, faults), sharing
    ranks = key.argsort(dim=1, stable=True).argsort(dim=1).to(weights.dtype)
    return torch.where(present, ranks, 0.0), present


def _clipped(advantages: Tensor, factors: Tensor, faults: PaperFaults) -> Tensor:
    bound = CLIP * advantages.std()
    if faults.clamped:
        return (advantages[:, None] * factors).clamp(-bound, bound)
    carrying = (factors > 0).to(factors.dtype)
    mean = factors.sum(dim=1, keepdim=True) / carrying.sum(dim=1, keepdim=True).clamp(min=1)
    size = advantages.abs()[:, None]
    most = factors.sum(dim=1, keepdim=True)  # what one token could get at all
    cap = torch.minimum(bound / torch.where(size > 0, size, 1.0), most)
    factors = capped(factors, carrying, torch.maximum(cap, mean))
    return advantages[:, None] * factors

"""Weights of segments that keep the mean: what a rule multiplies the sequence advantage by."""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1e-3  # share of the best segment's weight that the worst one keeps
FLAT = 1e-9  # credits that differ by less say nothing


def informative(credits: Tensor, live: Tensor) -> Tensor:
    """Return which rows have credits that differ, ``(B,) bool``."""
    low, high = _range(credits, live)
    return (high - low > FLAT)[:, 0]


def min_max(credits: Tensor, live: Tensor) -> Tensor:
    """Place credits between the row's least, 0, and its greatest, 1 (OSPO's PROP)."""
    low, high = _range(credits, live)
    return torch.where(live, (credits - low) / _or_one(high - low, high - low > FLAT), 0.0)


def dense_ranks(credits: Tensor, live: Tensor) -> Tensor:
    """Place credits by their rank among the row's distinct ones: ties share, the best has 1."""
    ordered, order = credits.masked_fill(~live, torch.inf).sort(dim=1)
    rises = (ordered[:, 1:] - ordered[:, :-1] > FLAT).cumsum(dim=1)  # inf - inf rises nothing
    ranks = torch.zeros_like(credits).scatter(1, order[:, 1:], rises.to(credits.dtype))
    top = torch.where(live, ranks, 0.0).amax(dim=1, keepdim=True)
    return torch.where(live, ranks / _or_one(top, top > 0), 0.0)


def softmax(credits: Tensor, live: Tensor, lengths: Tensor, temperature: float) -> Tensor:
    """Place credits by exp(z / temperature), the best at 1; z = standard scores over tokens."""
    count = lengths.sum(dim=1, keepdim=True).clamp(min=1)
    centred = torch.where(live, credits, 0.0)
    centred = centred - (lengths * centred).sum(dim=1, keepdim=True) / count
    spread = ((lengths * centred.square()).sum(dim=1, keepdim=True) / count).sqrt()
    scores = (centred / _or_one(spread, spread > 0)).masked_fill(~live, -torch.inf)
    best = scores.amax(dim=1, keepdim=True)
    return torch.where(live, ((scores - best) / temperature).exp(), 0.0)


def mean_one(weights: Tensor, lengths: Tensor) -> Tensor:
    """Scale a row's weights so that their mean over tokens is 1."""
    count = lengths.sum(dim=1, keepdim=True)
    total = (lengths * weights).sum(dim=1, keepdim=True)
    # Count times weight before the division: equal weights then give exactly 1.
    return count * weights / _or_one(total, total > 0)


def capped(factors: Tensor, lengths: Tensor, cap: Tensor | float) -> Tensor:
    """Limit factors, and scale up the others so that the mean over tokens stays.

    The result is ``min(s * factor, cap)`` with the one s per row that keeps the mean. Clamping
    alone would weaken the update of just those completions in which credit is most concentrated.

    Parameters
    ----------
    factors : Tensor
        ``(B, K)``, above 0 where the length is.
    lengths : Tensor
        Tokens of each segment, ``(B, K)``.
    cap : Tensor or float
        The greatest factor, ``(B, 1)`` or one for all; at least the mean.

    Examples
    --------
    >>> capped(torch.tensor([[2.4, 0.4, 0.2]]), torch.ones(1, 3), 1.5)
    tensor([[1.5000, 1.0000, 0.5000]])
    """
    order = factors.masked_fill(lengths == 0, -torch.inf).argsort(dim=1, descending=True)
    length, factor = lengths.gather(1, order), factors.gather(1, order)
    mass = length * factor
    # scale[j]: what the segments from the j-th on must be multiplied by if those above are capped
    above = length.cumsum(dim=1) - length
    rest = mass.flip(1).cumsum(dim=1).flip(1)
    scale = (mass.sum(dim=1, keepdim=True) - cap * above) / _or_one(rest, rest > 0)
    scale = torch.where(rest > 0, scale, torch.inf)
    exact = 1 + 4 * torch.finfo(factors.dtype).eps  # a cap at the mean must fit all the same
    fits = torch.where(rest > 0, scale * factor <= cap * exact, True)
    first = fits.to(torch.int8).argmax(dim=1, keepdim=True)
    grown = factors * scale.gather(1, first)
    limit = torch.as_tensor(cap, dtype=grown.dtype, device=grown.device)
    return torch.where(lengths > 0, torch.minimum(grown, limit), factors)


def _range(credits: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
    low = credits.masked_fill(~live, torch.inf).amin(dim=1, keepdim=True)
    high = credits.masked_fill(~live, -torch.inf).amax(dim=1, keepdim=True)
    return low, high


def _or_one(values: Tensor, usable: Tensor) -> Tensor:
    return torch.where(usable, values, 1.0)

"""Traces: a sequence advantage spread by place alone, without any credit."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def traced(advantages: Tensor, mask: Tensor, decay: float) -> Tensor:
    """Spread sequence advantages as eligibility traces do (GRPO-lambda, arXiv 2510.00194).

    GRPO-lambda multiplies each token's temporal-difference error, for which the sequence advantage
    A stands, by the trace of log-probabilities up to that token, ``sum_l decay**l * log pi[t-l]``.
    Summed over t, the log-probability of a token with m tokens from it to the end has the weight
    ``1 + decay + ... + decay**(m - 1)``: the earlier, the more. So the weight here is exact for the
    first update of each batch; in later ones GRPO-lambda clips traces where TRL clips single
    tokens. Weights are divided by their mean over the completion, so that they add up to as much
    as in GRPO, which is ``decay=0``.

    Parameters
    ----------
    advantages : Tensor
        ``(B,)``.
    mask : Tensor
        ``(B, T)``: 1 for the tokens of the completion.
    decay : float
        gamma * lambda of the paper, from 0 up to 1.

    Returns
    -------
    Tensor
        ``(B, T)``; 0 where the mask is 0.

    Examples
    --------
    >>> traced(torch.tensor([1.0]), torch.tensor([[1, 1, 1, 0]]), 0.5).round(decimals=3)
    tensor([[1.2350, 1.0590, 0.7060, 0.0000]])
    """
    own = mask.to(advantages.dtype)
    left = own.flip(1).cumsum(dim=1).flip(1).clamp(min=1)  # tokens from each one to the end
    rate = math.log(decay) if decay > 0 else -math.inf
    # 1 - decay**left, of which a decay near 1 would lose the digits; all the same factor apart
    weights = own * (left if decay == 1 else -torch.expm1(left * rate))
    total = weights.sum(dim=1, keepdim=True)
    count = own.sum(dim=1, keepdim=True)
    return advantages[:, None] * (count * weights / torch.where(total > 0, total, 1.0))

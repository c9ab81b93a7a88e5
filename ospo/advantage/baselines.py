"""Baselines: what sequence advantages are measured against, in place of the group's mean."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def group_mean(advantages: Tensor, lengths: Tensor, groups: Tensor) -> Tensor:
    """Return the advantages as they are: GRPO's are measured against the group's mean."""
    return advantages


def leave_one_out(advantages: Tensor, lengths: Tensor, groups: Tensor) -> Tensor:
    """Measure against the mean of the group's others (Ahmadian et al. 2024, arXiv 2402.14740).

    A group of G has ``A * G / (G - 1)``: the mean is the same but for the completion's own share
    of it, so that the baseline does not depend on what it is subtracted from.

    Examples
    --------
    >>> rewards = torch.tensor([1.0, 0.0, 0.5])
    >>> leave_one_out(rewards - rewards.mean(), torch.ones(3), torch.zeros(3))
    tensor([ 0.7500, -0.7500,  0.0000])
    """
    size = _same_group(groups, advantages.dtype).sum(dim=1)
    return advantages * size / (size - 1).clamp(min=1)


def opo(advantages: Tensor, lengths: Tensor, groups: Tensor) -> Tensor:
    """Measure against the group's mean weighted by length (Hao et al. 2025, arXiv 2505.23585).

    The baseline of least variance weighs rewards by squared gradients, which grow as completions
    do if those of tokens are alike and orthogonal: ``b = sum(l * R) / sum(l)``. A group without
    tokens keeps its advantages.

    Examples
    --------
    >>> rewards = torch.tensor([1.0, 0.0])
    >>> opo(rewards - rewards.mean(), torch.tensor([30, 10]), torch.zeros(2))
    tensor([ 0.2500, -0.7500])
    """
    weights = _same_group(groups, advantages.dtype) * lengths.to(advantages.dtype)
    return advantages - weights @ advantages / weights.sum(dim=1).clamp(min=1)


def _same_group(groups: Tensor, dtype: torch.dtype) -> Tensor:
    return (groups[:, None] == groups).to(dtype)


# Of advantages R less the group's mean, (B,), divided by a scale or not; lengths in tokens, (B,);
# and a label that the completions of a prompt share, (B,).
BASELINES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "group": group_mean,
    "leave-one-out": leave_one_out,
    "opo": opo,
}

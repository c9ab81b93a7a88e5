"""Linear rules: sequence advantage plus credit. Sampled credit adds noise to them, but no bias.

Advantages and credits are in units of the reward here: R less a baseline of the group, never
divided by the group's standard deviation, under which nearly equal rewards explode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ospo.advantage.credits import Credits
from ospo.errors import InputError


def annealed(weight: float, step: int, steps: int) -> float:
    """Return a weight that falls in a line from its value at step 0 to 0 at the last step.

    Credit pulls in the right direction first and away from the optimum at last: late in training
    it pushes out segments that are below average but useful.

    Examples
    --------
    >>> [annealed(0.5, step, 100) for step in (0, 50, 100)]
    [0.5, 0.25, 0.0]
    """
    return weight * (1 - step / steps)


def additive(advantages: Tensor, credits: Credits, weight: float) -> Tensor:
    """Return ``A + weight * n * (phi - mean phi)`` of each segment, ``(B, K)``.

    Its mean over the segments of a completion is A. Centring in the completion makes it biased.
    """
    values, assigned = credits.values, credits.assigned
    count = assigned.sum(dim=1, keepdim=True)
    mean = torch.where(assigned, values, 0.0).sum(dim=1, keepdim=True) / count.clamp(min=1)
    return advantages[:, None] + weight * count * (values - mean)


def anchored(
    advantages: Tensor, credits: Credits, groups: Tensor, weight: float
) -> tuple[Tensor, Tensor]:
    """Return ``(A + weight * c) / (1 + weight)`` of each segment, and which rows have it.

    c is the mean of credit and leave-one-out credit, each less its mean over all segments of the
    group's other completions. With Shapley values and weight 2, additive games are followed
    exactly and an interaction of t segments at (2 + 1/t)/3 of full speed if segments are
    independent. A row whose others have no credit has no baseline.
    """
    assert credits.left_out is not None  # the rule's needs say so
    both = (credits.values + credits.left_out) / 2
    once = torch.where(credits.assigned, both, 0.0).sum(dim=1, keepdim=True)
    count = credits.assigned.sum(dim=1, keepdim=True)
    baseline, known = _mean_of_others(once, count, groups)
    return (advantages[:, None] + weight * (both - baseline)) / (1 + weight), known[:, 0]


def prefix(
    advantages: Tensor, credits: Credits, groups: Tensor, weight: float, trace: float
) -> Tensor:
    """Return ``A + weight * (p - mean of the others' p)`` of each segment, ``(B, K)``.

    p of segment k is ``sum_{j >= k} trace**(j - k) * m_j - v(N)``, where m_j is what the j-th
    segment adds to those before it; the others are the group's completions that have a k-th
    segment. With trace 1, p = -v(those before k): it does not depend on what is written from k
    on, so for any policy the rule is unbiased, if the weight is fitted on other groups and the
    loss divides by a constant and not by each completion's length. That is potential-based shaping
    (Ng, Harada & Russell 1999). A smaller trace is biased, less noisy, and fails where segments
    are worth something only together.
    """
    before = _potential(credits, trace)
    baseline, known = _mean_of_others(before, credits.assigned, groups)
    return advantages[:, None] + weight * torch.where(known, before - baseline, 0.0)


def _potential(credits: Credits, trace: float) -> Tensor:
    assert credits.prefixes is not None  # the rule's needs say so
    held = torch.where(credits.assigned, credits.prefixes, 0.0)
    before = torch.cat([torch.zeros_like(held[:, :1]), held[:, :-1]], dim=1)
    marginals = torch.where(credits.assigned, held - before, 0.0)
    later = torch.zeros_like(held[:, 0])
    returns = []
    for marginal in marginals.flip(1).unbind(1):
        later = marginal + trace * later
        returns.append(later)
    total = marginals.sum(dim=1, keepdim=True)
    return torch.where(credits.assigned, torch.stack(returns[::-1], dim=1) - total, 0.0)


@dataclass(frozen=True, slots=True)
class PrefixFit:
    """The weight of ``prefix`` that takes most noise out, from the batches seen so far.

    It is the regression of the advantage on what stands before a segment, kept to [0, 1]. Use a
    batch's weight before it is updated with that batch: fitted on itself, the rule is biased.

    Attributes
    ----------
    covariance, variance : float
        Moving averages.

    Examples
    --------
    The last segments add nothing here, so what stands before them is the whole reward:

    >>> credits = Credits(*map(torch.tensor, ([[0.0, 0.0]] * 2, [[True] * 2] * 2, [[0, 1]] * 2)),
    ...                   prefixes=torch.tensor([[0.9, 0.9], [0.1, 0.1]]))
    >>> fit = PrefixFit().updated(torch.tensor([0.8, -0.8]), credits, torch.tensor([0, 0]))
    >>> PrefixFit().weight, round(fit.weight, 3)
    (0.0, 1.0)
    """

    covariance: float = 0.0
    variance: float = 0.0

    @property
    def weight(self) -> float:
        """The weight for the next batch; 0, which is GRPO, before the first."""
        if self.variance <= 0:
            return 0.0
        return min(max(self.covariance / self.variance, 0.0), 1.0)

    def updated(
        self,
        advantages: Tensor,
        credits: Credits,
        groups: Tensor,
        *,
        memory: float = 0.9,
        reduce: Callable[[Tensor], Tensor] = torch.clone,
    ) -> PrefixFit:
        """Return the fit after one more batch.

        Parameters
        ----------
        advantages, credits, groups
            As for the rule.
        memory : float
            The share of the past that stays.
        reduce : callable
            Adds up a tensor over the processes that share a batch, so that all have one weight.
        """
        before = -_potential(credits, 1.0)
        baseline, known = _mean_of_others(before, credits.assigned, groups)
        told = credits.assigned & known
        centred = torch.where(told, before - baseline, 0.0)
        sums = torch.stack([(advantages[:, None] * centred).sum(), centred.square().sum()])
        covariance, variance = reduce(sums).tolist()
        return PrefixFit(
            memory * self.covariance + (1 - memory) * covariance,
            memory * self.variance + (1 - memory) * variance,
        )


def _mean_of_others(sums: Tensor, counts: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Mean over the group's other rows, and where there is one to take."""
    if groups.shape != sums.shape[:1]:
        raise InputError(
            f"groups has shape {tuple(groups.shape)}, expected one label per completion, "
            f"({len(sums)},)"
        )
    others = (groups[:, None] == groups).fill_diagonal_(False).to(sums.dtype)
    count = others @ counts.to(sums.dtype)
    return others @ sums / count.clamp(min=1), count > 0

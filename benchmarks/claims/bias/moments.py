"""The two moments of a rule's update, and what they say of its bias and its noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.claims.bias.population import Block, World
from benchmarks.claims.bias.rules import Measured


@dataclass(frozen=True, slots=True)
class Moments:
    """The update of one group: its expectation, its noise, and the gradient it should follow.

    Attributes
    ----------
    mean, gradient : Tensor
        ``(parameters,)``.
    variance : float
        The trace of the update's covariance.
    """

    mean: Tensor
    variance: float
    gradient: Tensor

    @property
    def cosine(self) -> float:
        """1 if the expected update points along the gradient."""
        return ((self.mean @ self.gradient) / (self.mean.norm() * self.gradient.norm())).item()

    @property
    def noise(self) -> float:
        """The variance over the squared length of the expected update."""
        return self.variance / self.mean.square().sum().item()

    def improvement(self, groups: int) -> float:
        """Return the share of the best noise-free step's gain that the best step of this rule has.

        That is in a quadratic model, for the mean update of some groups.
        """
        return self.cosine**2 / (1 + self.noise / groups)

    @property
    def bias(self) -> float:
        """The distance from expected update to gradient, in lengths of the gradient."""
        return ((self.mean - self.gradient).norm() / self.gradient.norm()).item()


def moments(world: World, blocks: Iterable[Block], rules: Iterable[Measured]) -> list[Moments]:
    """Return the moments of rules over every group, each by its probability."""
    chosen = list(rules)
    means = torch.zeros(len(chosen), world.scores.shape[-1], dtype=torch.float64)
    squares = torch.zeros(len(chosen), dtype=torch.float64)
    for block in blocks:
        size = block.members.shape[1]
        scores = world.scores[block.members]
        for place, rule in enumerate(chosen):
            coefficients = rule.coefficients(block.rows)[:, : block.members.numel()]
            shaped = coefficients.view(-1, *scores.shape[:3])
            updates = torch.einsum("rsgk,sgkp->rsgp", shaped, scores) / size
            average = updates.mean(dim=0)
            group = average.sum(dim=1)
            # Completions draw independently: only the square of each has more than its mean's.
            spread = (updates - average).square().mean(dim=0).sum(dim=(1, 2))
            means[place] += block.weights @ group
            squares[place] += block.weights @ (group.square().sum(dim=1) + spread)
    variances = squares - means.square().sum(dim=1)
    return [
        Moments(mean, variance.item(), world.gradient)
        for mean, variance in zip(means, variances, strict=True)
    ]

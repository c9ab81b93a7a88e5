"""The meter's policies: tabular softmax, independent segments or each depending on all before."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.claims.bias.games import SYMBOLS, outcomes

FACTORISED = {"U", "T"}


@dataclass(frozen=True, slots=True)
class Policy:
    """A log-linear policy over all completions of n segments.

    Attributes
    ----------
    features : Tensor
        What the logit of each symbol sums up, ``(outcomes, n, symbols, parameters)``.
    start : Tensor
        The parameters, ``(parameters,)``.
    written : Tensor
        The symbols of each completion, ``(outcomes, n)``.
    """

    features: Tensor
    start: Tensor
    written: Tensor

    @classmethod
    def named(cls, name: str, n: int) -> Policy:
        """Return U (uniform), T (independent segments, trained a little) or AR (dependent)."""
        written = torch.tensor(outcomes(n))
        before = [(j, k) for k in range(n) for j in range(k)] if name == "AR" else []
        features = torch.zeros(len(written), n, SYMBOLS, n + len(before) * SYMBOLS, SYMBOLS)
        symbols = torch.arange(SYMBOLS)
        rows = torch.arange(len(written))
        start = [torch.zeros(SYMBOLS) if name == "U" else _own(k, symbols) for k in range(n)]
        for k in range(n):
            features[:, k, symbols, k, symbols] = 1
        for place, (j, k) in enumerate(before):
            block = n + place * SYMBOLS + written[:, j]
            features[rows[:, None], k, symbols, block[:, None], symbols] = 1
            start += [_pair(j, k, read, symbols) for read in range(SYMBOLS)]
        return cls(features.flatten(-2).double(), torch.cat(start).double(), written)

    def log_probabilities(self, parameters: Tensor) -> Tensor:
        """Return those of each symbol at each place, given those before it."""
        return (self.features @ parameters).log_softmax(dim=-1)

    def probabilities(self, parameters: Tensor) -> Tensor:
        """Return the probability of each completion, ``(outcomes,)``."""
        own = self.log_probabilities(parameters).gather(-1, self.written[..., None])
        return own.sum(dim=(1, 2)).exp()

    def scores(self, parameters: Tensor) -> Tensor:
        """Return the gradient of each segment's log-probability, ``(outcomes, n, parameters)``."""
        place = self.written[..., None, None].expand(-1, -1, 1, self.features.shape[-1])
        expected = self.log_probabilities(parameters).exp()[..., None] * self.features
        return self.features.gather(2, place)[:, :, 0] - expected.sum(dim=2)

    def suffix_ratios(self, parameters: Tensor) -> Tensor:
        """Return P(later segments | those before k) / P(later | those up to k), ``(outcomes, n)``.

        It weighs what a completion is worth without its k-th segment so that leaving out the
        segment tells nothing of what comes after it.
        """
        own = self.log_probabilities(parameters).gather(-1, self.written[..., None])[..., 0]
        n = self.written.shape[1]
        ratios = []
        for k in range(n):
            size = SYMBOLS ** (n - 1 - k)  # completions are listed like numbers in base 3
            suffix = own[:, k + 1 :].sum(dim=1).exp()
            joint = (own[:, k].exp() * suffix).view(-1, SYMBOLS, size)
            ratios.append((joint.sum(dim=1, keepdim=True) / suffix.view(-1, SYMBOLS, size)).ravel())
        return torch.stack(ratios, dim=1)


def _own(k: int, a: Tensor) -> Tensor:
    return ((2 * k + 3 * a + 1) % 5 - 2) / 2


def _pair(j: int, k: int, read: int, a: Tensor) -> Tensor:
    return ((j + 2 * k + 3 * read + 5 * a + read * a) % 7 - 3) / 2

"""What is known of the segments of a batch of completions."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ospo.credit import SPECIAL
from ospo.errors import InputError


@dataclass(frozen=True, slots=True)
class Credits:
    """The credit of the segments of B completions of up to K segments and T tokens.

    Attributes
    ----------
    values : Tensor
        Credit of each segment, ``(B, K)``, in units of the reward.
    assigned : Tensor
        ``(B, K) bool``: segments that have credit. No credit is not a credit of 0.
    owners : Tensor
        ``(B, T) int64``: the segment that each token belongs to, or ``OUTSIDE``, ``DELIMITER`` or
        ``SPECIAL``.
    left_out : Tensor, optional
        ``(B, K)``: what the reward loses without the segment, v(N) - v(N without k).
    prefixes : Tensor, optional
        ``(B, K)``: what the first segments up to this one are worth, v({1..k}) - v(empty).

    Raises
    ------
    InputError
        The shapes do not fit, a token belongs to no known segment, or an assigned value is not
        finite.
    """

    values: Tensor
    assigned: Tensor
    owners: Tensor
    left_out: Tensor | None = None
    prefixes: Tensor | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.values) != len(self.owners):
            raise InputError(
                f"credits of shape {tuple(self.values.shape)} do not fit owners of shape "
                f"{tuple(self.owners.shape)}: give (B, K) and (B, T)"
            )
        for name in ("values", "assigned", "left_out", "prefixes"):
            part = getattr(self, name)
            if part is None:
                continue
            if part.shape != self.values.shape:
                raise InputError(
                    f"{name} has shape {tuple(part.shape)}, expected that of the credits, "
                    f"{tuple(self.values.shape)}"
                )
            wrong = self.assigned & ~torch.isfinite(part)
            if wrong.any():
                row, segment = wrong.nonzero()[0].tolist()
                raise InputError(
                    f"{name}[{row}, {segment}] is {part[row, segment].item()}, expected a finite "
                    "number: mark a segment without credit as not assigned"
                )
        unknown = (self.owners < SPECIAL) | (self.owners >= self.values.shape[1])
        if unknown.any():
            row, token = unknown.nonzero()[0].tolist()
            raise InputError(
                f"token {token} of completion {row} belongs to segment "
                f"{self.owners[row, token].item()}, and there are {self.values.shape[1]}: number "
                "segments from 0, or say OUTSIDE, DELIMITER or SPECIAL"
            )

    def lengths(self, mask: Tensor) -> Tensor:
        """Return how many tokens of the mask each segment has, ``(B, K)``."""
        own = (mask.bool() & (self.owners >= 0)).to(self.values.dtype)
        return torch.zeros_like(self.values).scatter_add(1, self.owners.clamp(min=0), own)

    def to_tokens(self, segments: Tensor, others: Tensor) -> Tensor:
        """Hand each token its segment's value, ``(B, T)``; others keep theirs."""
        owners = self.owners.clamp(min=0)
        credited = (self.owners >= 0) & self.assigned.gather(1, owners)
        return torch.where(credited, segments.gather(1, owners), others)

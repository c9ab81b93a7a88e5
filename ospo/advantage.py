"""Advantages: sequence advantages spread over tokens by credit. Pure tensor code.

Every rule here preserves the mean: over the credited tokens of a completion the advantages
average to the sequence advantage A, so the update of the whole completion is as strong as in GRPO
and only its distribution changes. Multiplying A by weights that depend on the sampled completion
is not potential-based shaping, and does not preserve the optimal policy in general.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

FLOOR = 1e-3  # share of the best segment's weight that the worst one keeps
FLAT = 1e-9  # credits that differ by less say nothing


def uniform(advantages: Tensor) -> Tensor:
    """Shape nothing: every token carries A, which is GRPO."""
    return torch.zeros_like(advantages, dtype=torch.bool)


def proportional(advantages: Tensor) -> Tensor:
    """Shape praise and blame alike, as OSPO's PROP (arXiv 2601.08403)."""
    return advantages != 0


def praise(advantages: Tensor) -> Tensor:
    """Shape praise only: what a bad completion did best is not what to blame."""
    return advantages > 0


# Which completions a rule shapes; the others need no credit, hence no search.
RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "uniform": uniform,
    "proportional": proportional,
    "praise": praise,
}


def token_advantages(
    advantages: Tensor, credits: Tensor, credited: Tensor, mask: Tensor, *, rule: str = "praise"
) -> Tensor:
    """Spread sequence advantages over tokens.

    A shaped completion's credits are mapped to weights ``u = FLOOR + (credit - min) / (max -
    min)`` over its credited tokens, and each of them gets ``A * u / mean(u)``. All other tokens
    get A: delimiters and the end of the sequence encode decisions of the whole completion.
    Completions whose credits are all the same are left uniform.

    Parameters
    ----------
    advantages : Tensor
        Sequence advantages, ``(B,)``.
    credits : Tensor
        Credit of each token's segment, ``(B, T)``; read only where ``credited``.
    credited : Tensor
        ``(B, T) bool``: tokens that belong to a segment.
    mask : Tensor
        ``(B, T)``: 1 for the tokens of the completion, 0 for padding.
    rule : {"uniform", "proportional", "praise"}
        Which completions are shaped.

    Returns
    -------
    Tensor
        Token advantages, ``(B, T)``; 0 where the mask is 0.

    Examples
    --------
    >>> one = torch.tensor([1.0])
    >>> credits, here = torch.tensor([[0.5, 0.5, 0.0]]), torch.tensor([[True, True, True]])
    >>> token_advantages(one, credits, here, here).round(decimals=2)
    tensor([[1.5000, 1.5000, 0.0000]])
    """
    present = mask.bool()
    credited = credited & present
    low = credits.masked_fill(~credited, torch.inf).amin(dim=1, keepdim=True)
    high = credits.masked_fill(~credited, -torch.inf).amax(dim=1, keepdim=True)
    told = RULES[rule](advantages)[:, None] & (high - low > FLAT)
    shaped = told & credited
    span = torch.where(told, high - low, 1.0)
    weights = torch.where(shaped, FLOOR + (credits - low) / span, 0.0)
    # Count times weight before the division: equal weights then give exactly 1.
    count = shaped.sum(dim=1, keepdim=True)
    total = weights.sum(dim=1, keepdim=True)
    factors = torch.where(shaped, count * weights / torch.where(told, total, 1.0), 1.0)
    return torch.where(present, advantages[:, None] * factors, 0.0)

"""Token advantages: what a rule gives to segments, handed to their tokens."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ospo.advantage.credits import Credits
from ospo.advantage.rules import RULES, Batch
from ospo.advantage.shaping import Shaping
from ospo.credit import DELIMITER, OUTSIDE, SPECIAL
from ospo.errors import InputError


class TokenAdvantages(NamedTuple):
    """The advantages of a batch, and what became of the rule.

    Attributes
    ----------
    values : Tensor
        ``(B, T)``; 0 where the mask is 0.
    shaped : Tensor
        ``(B,) bool``: completions whose advantages follow credit.
    degenerate : Tensor
        ``(B,) bool``: completions that the rule would shape, left uniform because they have no
        credit or one that says nothing.
    """

    values: Tensor
    shaped: Tensor
    degenerate: Tensor


def token_advantages(
    advantages: Tensor,
    credits: Credits,
    mask: Tensor,
    shaping: Shaping | None = None,
    *,
    groups: Tensor | None = None,
    truncated: Tensor | None = None,
) -> TokenAdvantages:
    """Spread sequence advantages over tokens.

    The tokens of a segment that has credit get what the rule gives the segment. All others get A,
    or the share of it that ``shaping`` says: delimiters and the end of the sequence encode
    decisions of the whole completion.

    Parameters
    ----------
    advantages : Tensor
        Sequence advantages, ``(B,)``. For linear rules in units of the reward: not divided by the
        group's standard deviation, and best R less the mean of the group's others.
    credits : Credits
        Read only where ``shaping.needs_credit``.
    mask : Tensor
        ``(B, T)``: 1 for the tokens of the completion, 0 for padding.
    shaping : Shaping, optional
        By default the rule ``praise``.
    groups : Tensor, optional
        ``(B,)``: a label per completion that those of the same prompt share. ``anchored`` and
        ``prefix`` need it.
    truncated : Tensor, optional
        ``(B,) bool``: completions that were cut off.

    Raises
    ------
    InputError
        The rule needs something that was not given, or an advantage is not finite.

    Examples
    --------
    Two segments, of two tokens and one, and the end of the sequence:

    >>> credits = Credits(
    ...     values=torch.tensor([[0.5, 0.0]]),
    ...     assigned=torch.tensor([[True, True]]),
    ...     owners=torch.tensor([[0, 0, 1, SPECIAL]]),
    ... )
    >>> token_advantages(torch.tensor([1.0]), credits, torch.ones(1, 4)).values.round(decimals=2)
    tensor([[1.5000, 1.5000, 0.0000, 1.0000]])
    """
    shaping = shaping or Shaping()
    rule = RULES[shaping.rule]
    if not torch.isfinite(advantages).all():
        raise InputError(f"the advantages are {advantages.tolist()}, expected finite numbers")
    for name in rule.needs:
        if getattr(credits, name) is None:
            raise InputError(f"rule {rule.name!r} needs {name} in its credits; compute them first")
    if groups is None:
        if rule.compares:
            raise InputError(f"rule {rule.name!r} compares completions of a prompt; give groups")
        groups = torch.arange(len(advantages), device=advantages.device)

    batch = Batch(advantages, credits, credits.lengths(mask), groups)
    segments, told = rule.apply(batch, shaping.settings)
    segments = segments.to(advantages.dtype)
    wanted = shaping.needs_credit(advantages, truncated)
    shaped = wanted & told
    uniform = advantages[:, None]
    blend = torch.lerp(uniform, segments, shaping.mix)
    values = credits.to_tokens(torch.where(shaped[:, None], blend, uniform), uniform)
    values = values * _share(credits.owners, shaping).to(values.dtype)
    if truncated is not None and shaping.truncated is not None:
        values = torch.where(truncated[:, None], uniform * shaping.truncated, values)
    return TokenAdvantages(torch.where(mask.bool(), values, 0.0), shaped, wanted & ~told)


def _share(owners: Tensor, shaping: Shaping) -> Tensor:
    share = torch.ones(owners.shape, device=owners.device)
    for kind, kept in (
        (OUTSIDE, shaping.outside),
        (DELIMITER, shaping.delimiter),
        (SPECIAL, shaping.special),
    ):
        share = share.masked_fill(owners == kind, kept)
    return share

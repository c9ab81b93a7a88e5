"""The real estimator beside the meter: sampled groups, credited and shaped as in training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from benchmarks.claims.bias.meters import GROUP, GROUPED_SEGMENTS
from benchmarks.claims.bias.moments import moments
from benchmarks.claims.bias.population import Rows, World, groups, sampled
from benchmarks.claims.bias.rules import MEASURED, credits
from ospo.advantage import PrefixFit, Shaping, token_advantages

GROUPS, BATCHES = 10_000, 100
RULES = ("GRPO, standardised", "proportional", "rank", "praise", "sign-aware", "softmax")
RULES += ("additive", "anchored", "prefix")


class Agreement(NamedTuple):
    """How far a sampled mean update is from what it should be, over its parameters.

    Attributes
    ----------
    errors : float
        The largest distance, in standard errors.
    parameters : int
        How many parameters move at all.
    """

    errors: float
    parameters: int


def agreements(game: str, policy: str, *, seed: int = 0) -> dict[str, Agreement]:
    """Compare the mean update of 10,000 sampled groups with the meter's expectation.

    The update is the gradient of the policy loss as an engine computes it. The standard error is
    that of 100 batches. ``prefix, fitted`` takes its weight from the batches before and is
    compared with the gradient of J itself.
    """
    world = World.of(game, policy, GROUPED_SEGMENTS)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.multinomial(
        world.probabilities, GROUPS * GROUP, replacement=True, generator=generator
    ).view(BATCHES, -1, GROUP)
    rules = [rule for rule in MEASURED if rule.name in RULES]
    updates: dict[str, list[Tensor]] = {name: [] for name in (*RULES, "prefix, fitted")}
    fit = PrefixFit()
    for members in drawn:
        rows = sampled(world, members)
        for rule in rules:
            (shaped,) = rule.coefficients(rows)
            updates[rule.name].append(_update(world, members, shaped))
        shaped, fit = _fitted(rows, fit)
        updates["prefix, fitted"].append(_update(world, members, shaped))
    truths = {
        rule.name: found.mean
        for rule, found in zip(rules, moments(world, groups(world, GROUP), rules), strict=True)
    }
    truths["prefix, fitted"] = world.gradient
    return {name: agreement(torch.stack(updates[name]), truths[name]) for name in truths}


def _fitted(rows: Rows, fit: PrefixFit) -> tuple[Tensor, PrefixFit]:
    known, mask = credits(rows.shapley, prefixes=rows.prefixes), torch.ones_like(rows.shapley)
    rule = Shaping("prefix", weight=fit.weight)
    shaped = token_advantages(rows.centred, known, mask, rule, groups=rows.groups).values
    return shaped, fit.updated(rows.centred, known, rows.groups)


def _update(world: World, members: Tensor, shaped: Tensor) -> Tensor:
    """Return the ascent direction of the token-level policy loss."""
    parameters = world.parameters.clone().requires_grad_()
    chances = world.policy.log_probabilities(parameters)
    taken = chances.gather(-1, world.policy.written[..., None])[..., 0][members.flatten()]
    loss = -(shaped * taken).sum(dim=1).mean()
    (descent,) = torch.autograd.grad(loss, parameters)
    return -descent


def agreement(updates: Tensor, truth: Tensor) -> Agreement:
    """Compare the mean of some batches' updates, ``(batches, parameters)``, with the truth."""
    error = updates.std(dim=0) / len(updates) ** 0.5
    moving = error > 0
    distance = (updates.mean(dim=0) - truth).abs()
    assert not distance[~moving].any()  # what never moves must not be expected to
    return Agreement((distance[moving] / error[moving]).max().item(), int(moving.sum()))

"""The two meters: what every rule scores in a game with a policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from benchmarks.claims.bias.moments import moments
from benchmarks.claims.bias.population import Block, World, expected, groups
from benchmarks.claims.bias.rules import MEASURED, Measured

SEGMENTS, GROUPED_SEGMENTS, GROUP = 4, 3, 4

Cells = dict[str, dict[str, float]]  # rule -> quantity -> number; the game's own are in "game"


def first(policy: str, game: str, rules: Sequence[Measured] = MEASURED) -> Cells:
    """Measure completions of four segments one at a time, with exact baselines."""
    world = World.of(game, policy, SEGMENTS)
    return _cells(world, [expected(world)], rules)


def second(policy: str, game: str, rules: Sequence[Measured] = MEASURED) -> Cells:
    """Measure groups of four completions of three segments, with the groups' own baselines."""
    world = World.of(game, policy, GROUPED_SEGMENTS)
    return _cells(world, groups(world, GROUP), rules)


def _cells(world: World, blocks: Iterable[Block], rules: Sequence[Measured]) -> Cells:
    n = world.shapley.shape[1]
    norm = world.gradient.norm().item()
    cells = {"game": {"J": world.value.item(), "sd": world.deviation.item(), "norm": norm}}
    advantages = world.rewards - world.value
    for rule, found in zip(rules, moments(world, blocks, rules), strict=True):
        asking = (world.probabilities @ rule.reads(advantages).to(torch.float64)).item()
        cells[rule.name] = {
            "cos": found.cosine,
            "nu": found.noise,
            "I1": found.improvement(1),
            "I64": found.improvement(64),
            "evaluations": asking * rule.evaluations(n),
        }
        if rule.unit:
            cells[rule.name]["bias"] = found.bias
    return cells

"""Where a rule leads without noise: many small steps along its expected update."""

from __future__ import annotations

from benchmarks.claims.bias.moments import moments
from benchmarks.claims.bias.population import World, expected
from benchmarks.claims.bias.rules import Measured

STEPS, LENGTH = 400, 0.1


def share_of_improvement(game: str, policy: str, n: int, rule: Measured) -> float:
    """Return the share of the possible improvement of J that the flow ends at.

    It takes 400 steps of length 0.1 in the parameters from where the policy starts.
    """
    world = start = World.of(game, policy, n)
    for _ in range(STEPS):
        (found,) = moments(world, [expected(world)], [rule])
        world = world.at(world.parameters + LENGTH * found.mean / found.mean.norm())
    return ((world.value - start.value) / (start.rewards.max() - start.value)).item()

"""What the meter sums over: every group of completions, its probability, and what rules read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import factorial

import numpy as np
import torch
from torch import Tensor

import owen_core as oc
from benchmarks.claims.bias.games import table
from benchmarks.claims.bias.policies import Policy

DEVIATION_FLOOR = 1e-4  # TRL adds it to a group's standard deviation
BLOCK = 32  # groups at once: rules that compare completions compare all of a batch


@dataclass(frozen=True, slots=True)
class Rows:
    """Completions as a rule reads them, ``(B, n)`` and ``(B,)``.

    Attributes
    ----------
    shapley, left_out, prefixes : Tensor
        Shapley values, v(N) - v(N without k), and v(the first k), of each segment.
    rewards, centred, standard : Tensor
        R, R less the mean of the group's others, and GRPO's advantage.
    by_ratio : Tensor
        :attr:`World.by_ratio`.
    groups : Tensor
        A label that the completions of a group share.
    """

    shapley: Tensor
    left_out: Tensor
    prefixes: Tensor
    rewards: Tensor
    centred: Tensor
    standard: Tensor
    by_ratio: Tensor
    groups: Tensor


@dataclass(frozen=True, slots=True)
class World:
    """A game played by a policy: all that is known of each of its completions."""

    policy: Policy
    parameters: Tensor
    probabilities: Tensor
    scores: Tensor
    ratios: Tensor
    shapley: Tensor
    left_out: Tensor
    prefixes: Tensor

    @classmethod
    def of(cls, game: str, name: str, n: int) -> World:
        """Return the world of a named game and policy."""
        policy = Policy.named(name, n)
        values = table(game, n)
        everyone = (1 << n) - 1
        alone = 1 << np.arange(n)
        left_out = values[:, everyone, None] - values[:, everyone ^ alone]
        shapley = np.array([oc.from_table(row, "shapley").values for row in values])
        credits = [torch.tensor(part) for part in (shapley, left_out, values[:, 2 * alone - 1])]
        return cls._at(policy, policy.start, *credits)

    @classmethod
    def _at(cls, policy: Policy, parameters: Tensor, *credits: Tensor) -> World:
        return cls(
            policy,
            parameters,
            policy.probabilities(parameters),
            policy.scores(parameters),
            policy.suffix_ratios(parameters),
            *credits,
        )

    def at(self, parameters: Tensor) -> World:
        """Return the same game played with other parameters."""
        return World._at(self.policy, parameters, self.shapley, self.left_out, self.prefixes)

    @property
    def rewards(self) -> Tensor:
        """What each completion is worth."""
        return self.prefixes[:, -1]

    @property
    def value(self) -> Tensor:
        """J, the expected reward."""
        return self.probabilities @ self.rewards

    @property
    def deviation(self) -> Tensor:
        """The reward's standard deviation."""
        return (self.probabilities @ (self.rewards - self.value).square()).sqrt()

    @property
    def by_ratio(self) -> Tensor:
        """Leave-one-out credit of which nothing leaks through the segments after it.

        That is R - rho (h - E h) of what is left, h, and :meth:`Policy.suffix_ratios`, rho.
        """
        left = self.rewards[:, None] - self.left_out
        return self.rewards[:, None] - self.ratios * (left - self.probabilities @ left)

    @property
    def gradient(self) -> Tensor:
        """The gradient of J, ``(parameters,)``."""
        return (self.probabilities * self.rewards) @ self.scores.sum(dim=1)


@dataclass(frozen=True, slots=True)
class Block:
    """Some groups: who is in them, ``(S, G)``, how probable they are, and what rules read.

    The first S times G rows are those of the members; ``rows`` may hold more.
    """

    members: Tensor
    weights: Tensor
    rows: Rows


def expected(world: World) -> Block:
    """Return every completion beside one that stands for the rest of an endless group.

    That one has the mean of everything, so baselines are exact: the first meter.
    """
    count = len(world.probabilities)

    def beside_the_mean(part: Tensor) -> Tensor:
        return torch.cat([part, (world.probabilities @ part).expand_as(part)])

    rewards = beside_the_mean(world.rewards)
    centred = rewards - world.value
    rows = Rows(
        *map(beside_the_mean, (world.shapley, world.left_out, world.prefixes)),
        rewards,
        centred,
        centred / world.deviation,
        beside_the_mean(world.by_ratio),
        torch.arange(count).repeat(2),
    )
    return Block(torch.arange(count)[:, None], world.probabilities, rows)


def groups(world: World, size: int) -> Iterator[Block]:
    """Yield every group of some completions, sampled independently: the second meter.

    Groups with the same members in another order have the same update, so one stands for all.
    """
    count = len(world.probabilities)
    members = torch.tensor(list(combinations_with_replacement(range(count), size)))
    orders = [factorial(size)] * len(members)
    for row, who in enumerate(members.tolist()):
        for member in set(who):
            orders[row] //= factorial(who.count(member))
    weights = world.probabilities[members].prod(dim=1) * torch.tensor(orders)
    for some, share in zip(members.split(BLOCK), weights.split(BLOCK), strict=True):
        yield Block(some, share, sampled(world, some))


def sampled(world: World, members: Tensor) -> Rows:
    """Return what rules read of groups, ``(S, G)``."""
    rewards = world.rewards[members]
    size = members.shape[1]
    own = rewards - rewards.mean(dim=1, keepdim=True)
    deviation = rewards.std(dim=1, keepdim=True) + DEVIATION_FLOOR
    flat = members.flatten()
    return Rows(
        world.shapley[flat],
        world.left_out[flat],
        world.prefixes[flat],
        rewards.flatten(),
        (own * size / (size - 1)).flatten(),
        (own / deviation).flatten(),
        world.by_ratio[flat],
        torch.arange(len(members)).repeat_interleave(size),
    )

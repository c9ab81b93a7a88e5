"""Dense rewards: a row of rewards that sums to what a completion is worth and tells its credit."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ospo.advantage import OUTSIDE, Credits
from ospo.errors import InputError

# What a credited token has instead of 0, which means no credit. No sum of rewards notices it.
ALMOST_ZERO = np.finfo(np.float32).tiny


def dense_rewards(
    reward: float, credit: NDArray[np.float64], credited: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the rewards of a completion's tokens.

    Each of the n credited tokens has ``reward / n + credit - mean credit``: an even share of the
    reward, and how far its segment's credit is above the mean. The other tokens have 0, and the
    last one what rounding leaves, so that the sum is the reward to the last bit. The last token
    ends the sequence, or was cut off: it has no credit. Where no other token has any, all but the
    last share the reward evenly.

    Parameters
    ----------
    reward : float
        What the completion is worth.
    credit : ndarray
        Credit of the segment that each token belongs to, ``(T,)``.
    credited : ndarray
        ``(T,) bool``: whether the token belongs to a segment.

    Returns
    -------
    ndarray
        ``(T,) float32``.

    Raises
    ------
    InputError
        A number is not finite, or the shapes do not fit.

    Examples
    --------
    Two segments, of two tokens and one, and the end of the sequence:

    >>> credit, credited = np.array([0.5, 0.5, 0.2, 0]), np.array([True, True, True, False])
    >>> dense_rewards(0.75, credit, credited).round(2) + 0
    array([0.35, 0.35, 0.05, 0.  ], dtype=float32)
    """
    if credit.shape != credited.shape or credit.ndim != 1 or len(credit) == 0:
        raise InputError(
            f"credit of shape {credit.shape} and credited of shape {credited.shape} do not fit: "
            "give both for every token of a completion that has at least one, (T,)"
        )
    if not (np.isfinite(reward) and np.isfinite(credit[credited]).all()):
        raise InputError(
            f"the reward is {reward} and the credit {credit[credited].tolist()}, expected finite "
            "numbers: correct the reward"
        )
    own = credited.copy()
    own[-1] = False
    if not own.any():
        own[:-1], credit = True, np.zeros_like(credit)
    rewards = np.zeros(len(credit), dtype=np.float32)
    if own.any():
        rewards[own] = reward / own.sum() + (credit[own] - credit[own].mean())
        rewards[own & (rewards == 0)] = ALMOST_ZERO
    rewards[-1] = np.float32(reward) - rewards.sum(dtype=np.float64)
    return rewards


def sums(rewards: Tensor) -> Tensor:
    """Return what each completion is worth, ``(B,)``, to the last bit."""
    return rewards.double().sum(dim=1).to(rewards.dtype)


def credits_of(rewards: Tensor, mask: Tensor) -> Credits:
    """Read the credit of each token from rows of dense rewards.

    Every token is a segment of its own: rules that keep the mean are means over tokens, so tokens
    with the same credit get the same advantage. Each row's credit is known up to a constant, which
    these rules do not notice.

    Parameters
    ----------
    rewards : Tensor
        ``(B, T)``, of :func:`dense_rewards`, then zeros.
    mask : Tensor
        ``(B, T)``: 1 for the tokens of the completion, 0 for padding and rejected tokens.

    Raises
    ------
    InputError
        The shapes do not fit, a reward is not finite, or a completion of several tokens has its
        whole reward on the last one: no credit was ever written.

    Examples
    --------
    >>> rewards = torch.tensor([[0.4, 0.4, 0.1, 0.0]])
    >>> credits = credits_of(rewards, torch.ones(1, 4))
    >>> credits.values[credits.assigned]
    tensor([0.4000, 0.4000, 0.1000])
    """
    if rewards.ndim != 2 or rewards.shape != mask.shape:
        raise InputError(
            f"rewards of shape {tuple(rewards.shape)} and a mask of shape {tuple(mask.shape)} do "
            "not fit: give one of each for every token, (B, T)"
        )
    if not torch.isfinite(rewards).all():
        row, token = (~torch.isfinite(rewards)).nonzero()[0].tolist()
        raise InputError(
            f"rewards[{row}, {token}] is {rewards[row, token].item()}, expected a finite number: "
            "correct the reward"
        )
    places = torch.arange(rewards.shape[1], device=rewards.device)
    last = torch.where(mask.bool() | (rewards != 0), places, 0).amax(dim=1, keepdim=True)
    credited = (rewards != 0) & (places < last)
    foreign = (rewards != 0).any(dim=1) & (last[:, 0] > 0) & ~credited.any(dim=1)
    if foreign.any():
        row = int(foreign.nonzero()[0])
        raise InputError(
            f"completion {row} has its reward, {rewards[row].sum().item():.6g}, on its last token "
            "and so no credit: set reward.reward_manager.name=ospo and "
            "actor_rollout_ref.rollout.agent.default_agent_loop=ospo, or the rule to uniform"
        )
    return Credits(rewards, credited, torch.where(credited, places, OUTSIDE))

"""The advantage estimator: verl's GRPO, spread over tokens by credit."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ospo.advantage import token_advantages
from ospo.errors import InputError
from ospo.train.verl.dense import credits_of, sums
from ospo.train.verl.settings import read_settings

logger = logging.getLogger(__name__)
logger.setLevel(logging.INFO)  # verl shows warnings of others only


def ospo_advantages(
    token_level_rewards: Tensor,
    response_mask: Tensor,
    index: NDArray[np.object_] | None = None,
    config: Mapping[str, Any] | None = None,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Return token advantages: those of verl's ``grpo``, shaped by credit.

    The sequence advantages are verl's own, of the sums of the rewards, with its
    ``algorithm.norm_adv_by_std_in_grpo``. With the rule ``uniform`` they stay as they are. How many
    completions were shaped is logged for every batch.

    Parameters
    ----------
    token_level_rewards : Tensor
        ``(B, T)``, of :func:`ospo.train.verl.dense.dense_rewards`.
    response_mask : Tensor
        ``(B, T)``: 1 for tokens that the policy wrote.
    index : ndarray
        ``(B,)``: a label per completion that those of the same prompt share.
    config : mapping, optional
        The section ``algorithm`` of verl's configuration.

    Returns
    -------
    advantages, returns : Tensor
        ``(B, T)`` both, and the same, as in verl's ``grpo``.

    Raises
    ------
    InputError
        A setting is wrong, the rewards carry no credit, or no prompt has two completions.
    """
    from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage

    settings = read_settings(config)
    if index is None:
        raise InputError(
            "the batch has no uid, so completions of one prompt cannot be told apart: keep "
            "verl's own uid in it"
        )
    if len(set(index)) == len(index):
        raise InputError(
            "every prompt of the batch has one completion and none to compare it with: set "
            "actor_rollout_ref.rollout.n to 2 or more"
        )
    normalised = True if config is None else config.get("norm_adv_by_std_in_grpo", True)
    with torch.no_grad():
        rewards = sums(token_level_rewards)[:, None]
        outcome, _returns = compute_grpo_outcome_advantage(
            rewards, torch.ones_like(rewards), index, norm_adv_by_std_in_grpo=normalised
        )
        sequence = outcome[:, 0]
        if not settings.reads_credit:
            uniform = outcome * response_mask
            return uniform, uniform
        credits = credits_of(token_level_rewards.double(), response_mask)
        spread = token_advantages(sequence.double(), credits, response_mask, settings.shaping)
    logger.info(
        "ospo: advantages of %d of %d completions follow credit (%s), and %d stay uniform because "
        "theirs says nothing",
        spread.shaped.sum(),
        len(sequence),
        settings.shaping.rule,
        spread.degenerate.sum(),
    )
    advantages = spread.values.to(token_level_rewards.dtype)
    return advantages, advantages

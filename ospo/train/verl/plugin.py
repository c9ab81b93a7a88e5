"""verl's entry point: importing this module registers everything in verl under ``ospo``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from verl.experimental.agent_loop import SingleTurnAgentLoop
from verl.experimental.agent_loop.agent_loop import AgentLoopOutput, register
from verl.experimental.reward_loop.reward_manager import register as register_reward_manager
from verl.trainer.ppo.core_algos import register_adv_est

from ospo.errors import InputError
from ospo.train.verl.estimator import ospo_advantages
from ospo.train.verl.reward import REWARDS, CreditRewardManager

register_adv_est("ospo")(ospo_advantages)
register_reward_manager("ospo")(CreditRewardManager)


class CreditedOutput(AgentLoopOutput):
    """A completion whose reward is written token by token."""

    def as_dict(self) -> dict[str, Any]:
        """Return verl's fields, where ``rm_scores`` are the rewards of the tokens, ``(T,)``.

        Raises
        ------
        InputError
            There are none, or not one for each token, or their sum is not the reward.
        """
        output: dict[str, Any] = super().as_dict()
        if "rm_scores" not in output:
            return output
        single = output["rm_scores"]
        rewards = output["extra_fields"].get("reward_extra_info", {}).pop(REWARDS, None)
        if rewards is None:
            raise InputError(
                "the reward manager gave no rewards of tokens: set reward.reward_manager.name=ospo"
            )
        if rewards.shape != tuple(single.shape) or not np.isclose(rewards.sum(), single.sum()):
            raise InputError(
                f"the rewards of the tokens have shape {rewards.shape} and sum to {rewards.sum()}, "
                f"expected {tuple(single.shape)} and {single.sum()}: correct the reward manager"
            )
        output["rm_scores"] = torch.tensor(rewards)
        return output


@register("ospo")
class CreditedAgentLoop(SingleTurnAgentLoop):
    """verl's single-turn agent loop, with :class:`CreditedOutput`."""

    async def run(self, sampling_params: dict[str, Any], **columns: Any) -> CreditedOutput:
        """Generate one completion."""
        output = await super().run(sampling_params, **columns)
        return CreditedOutput(**{name: getattr(output, name) for name in output.model_fields_set})

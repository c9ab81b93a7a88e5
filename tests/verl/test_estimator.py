"""The estimator in verl's own ``compute_advantage``: verl's GRPO, spread as in TRL."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest
import torch

pytest.importorskip("verl", reason="verl is not installed here: make test-verl")

from omegaconf import OmegaConf
from tensordict import TensorDict
from verl import DataProto
from verl.trainer.config import AlgoConfig
from verl.trainer.ppo.ray_trainer import compute_advantage

from ospo.advantage import OUTSIDE, Credits, token_advantages
from ospo.errors import InputError
from ospo.train.verl.dense import dense_rewards
from ospo.train.verl.settings import USABLE, read_settings

GROUPS, SIZE = 4, 6


def completions(seed):
    """Rewards with ties, credits that sum to them, and whose they are; one row without credit."""
    rng = np.random.default_rng(seed)
    batch = []
    for row in range(GROUPS * SIZE):
        lengths = rng.integers(1, 5, rng.integers(1, 7))
        segments = rng.integers(-2, 7, len(lengths)) / 8
        credit = np.append(np.repeat(segments, lengths), 0.0)
        credited = np.append(rng.random(lengths.sum()) < 0.8, False) & (row != 3)
        batch.append((float(segments.sum()), np.where(credited, credit, 0.0), credited))
    return batch


def batch_of(rewards):
    """The batch as verl's trainer holds it when it computes advantages."""
    rows = [torch.as_tensor(row) for row in rewards]
    mask = [torch.ones(len(row), dtype=torch.int64) for row in rows]
    tensors = {
        "token_level_rewards": torch.nn.utils.rnn.pad_sequence(rows, batch_first=True),
        "response_mask": torch.nn.utils.rnn.pad_sequence(mask, batch_first=True),
    }
    uid = np.array([f"prompt {row % GROUPS}" for row in range(len(rows))], dtype=object)
    return DataProto(TensorDict(tensors, batch_size=len(rows)), {"uid": uid})


def terminal(batch):
    """Rewards as verl itself writes them: one number at the end."""
    return [np.append(np.zeros(len(credit) - 1), r).astype(np.float32) for r, credit, _ in batch]


def advantages(batch, estimator, *, normalised=True, **settings):
    config = OmegaConf.create({"norm_adv_by_std_in_grpo": normalised, "ospo": settings})
    data = compute_advantage(batch, estimator, norm_adv_by_std_in_grpo=normalised, config=config)
    return data.batch["advantages"]


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_the_rule_uniform_is_grpo_to_the_bit(seed, normalised):
    batch = completions(seed)
    grpo = advantages(batch_of(terminal(batch)), "grpo", normalised=normalised)
    for rewards in (terminal(batch), [dense_rewards(*row) for row in batch]):
        ospo = advantages(batch_of(rewards), "ospo", normalised=normalised, rule="uniform")
        assert torch.equal(ospo, grpo)


@pytest.mark.parametrize("rule", USABLE)
def test_credit_that_is_all_the_same_gives_grpo_to_the_bit(rule):
    batch = [(r, np.full(len(credit), 0.25), credited) for r, credit, credited in completions(0)]
    grpo = advantages(batch_of(terminal(batch)), "grpo")
    ospo = advantages(batch_of([dense_rewards(*row) for row in batch]), "ospo", rule=rule)
    assert torch.equal(ospo, grpo)


@pytest.mark.parametrize("settings", [{}, {"cap": 1.5}, {"mix": 0.5}], ids=str)
@pytest.mark.parametrize("rule", USABLE)
def test_rules_give_what_they_give_in_trl(rule, settings):
    batch = completions(1)
    data = batch_of([dense_rewards(*row) for row in batch])
    found = advantages(data, "ospo", rule=rule, **settings)
    mask = data.batch["response_mask"]
    sequence = advantages(batch_of(terminal(batch)), "grpo")[:, 0].double()
    credit, credited = (
        torch.nn.utils.rnn.pad_sequence([torch.as_tensor(row[part]) for row in batch], True)
        for part in (1, 2)
    )
    owners = torch.where(credited, torch.arange(mask.shape[1]), OUTSIDE)
    shaping = read_settings({"ospo": {"rule": rule, **settings}}).shaping
    wanted = token_advantages(sequence, Credits(credit, credited, owners), mask, shaping).values
    assert (found - wanted).abs().max() <= 1e-6


def test_equal_rewards_leave_no_advantage_whatever_the_credit():
    batch = [(0.7, credit, credited) for _, credit, credited in completions(2)]
    assert not advantages(batch_of([dense_rewards(*row) for row in batch]), "ospo").any()


def test_completions_worth_nothing_follow_credit_if_it_tells_and_the_others_are_counted(caplog):
    credited = np.array([True, True, False])
    credits = [np.array([0.8, 0, 0]), np.array([0.4, -0.4, 0]), np.zeros(3)]
    data = batch_of([dense_rewards(float(c.sum()), c, credited) for c in credits])
    data.non_tensor_batch["uid"][:] = "one prompt"
    with caplog.at_level(logging.INFO):
        found = advantages(data, "ospo", rule="proportional")
    best, cancelling, empty = found.tolist()
    assert best[0] > best[2] > best[1] > 0
    assert cancelling[0] < cancelling[2] < cancelling[1] < 0
    assert empty[0] == empty[1] == empty[2] < 0
    (record,) = caplog.records
    assert (
        "of 2 of 3 completions follow credit (proportional), and 1 stay uniform" in record.message
    )


def test_the_settings_may_be_missing():
    batch = completions(4)
    data = [batch_of([dense_rewards(*row) for row in batch]) for _ in range(3)]
    default = advantages(data[0], "ospo")
    for config, again in zip((AlgoConfig(), None), data[1:], strict=True):
        found = compute_advantage(again, "ospo", config=config).batch["advantages"]
        assert torch.equal(found, default)


@pytest.mark.parametrize("rule", sorted({*USABLE} - {"uniform"}))
def test_rewards_without_credit_are_refused(rule):
    with pytest.raises(InputError, match="default_agent_loop=ospo, or the rule to uniform"):
        advantages(batch_of(terminal(completions(0))), "ospo", rule=rule)


def test_a_batch_without_groups_is_refused():
    data = batch_of([dense_rewards(*row) for row in completions(0)])
    del data.non_tensor_batch["uid"]
    with pytest.raises(InputError, match="the batch has no uid"):
        compute_advantage(data, "ospo", config=None)


def test_a_batch_of_single_completions_is_refused():
    data = batch_of([dense_rewards(*row) for row in completions(0)])
    data.non_tensor_batch["uid"] = np.arange(len(data)).astype(object)
    with pytest.raises(InputError, match=r"rollout\.n to 2 or more"):
        compute_advantage(data, "ospo", config=None)


def test_a_penalty_inside_the_reward_is_refused():
    data = batch_of([dense_rewards(*row) for row in completions(0)])
    with pytest.raises(InputError, match="use_kl_loss=True"):
        compute_advantage(data, "ospo", config=AlgoConfig(use_kl_in_reward=True))


def test_importing_verl_is_enough_to_find_everything():
    code = """
import verl
from verl.experimental.agent_loop.agent_loop import _agent_loop_registry
from verl.experimental.reward_loop.reward_manager import get_reward_manager_cls
from verl.trainer.ppo.core_algos import get_adv_estimator_fn
print(get_adv_estimator_fn("ospo").__name__, get_reward_manager_cls("ospo").__name__)
print(_agent_loop_registry["ospo"]["_target_"])
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [
        "ospo_advantages",
        "CreditRewardManager",
        "ospo.train.verl.plugin.CreditedAgentLoop",
    ]

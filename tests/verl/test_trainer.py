"""verl's own trainer, agent loop, reward loop and queue, on Ray; only what is sampled is given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("verl", reason="verl is not installed here: make test-verl")

import ray
import transfer_queue
from verl.experimental.reward_loop import RewardLoopManager, migrate_legacy_reward_impl
from verl.trainer.ppo.v1.agent_loop_tq import AgentLoopManagerTQ
from verl.trainer.ppo.v1.trainer_sync import PPOTrainerSync
from verl.utils import tensordict_utils

from ospo.advantage import OUTSIDE, Credits, Shaping, token_advantages
from ospo.credit import token_credits
from ospo.data import load
from ospo.train.verl.reward import retrieval_reward

pytestmark = pytest.mark.filterwarnings("ignore")  # those of Ray, verl and its queue

SHOP = load("shop")
WANTED = SHOP.answerable[:2]
FIRST, SECOND = (SHOP.queries[query] for query in WANTED)
TEXTS = [FIRST, "usb hub, trail map", f"{SECOND}, {FIRST}", f"lamp, {FIRST}, {SECOND}, usb"]


def given_client(ids):
    """What stands for the language model: it answers each prompt with the ids, one after another.

    The class is made here, so that Ray sends its code along.
    """
    from verl.workers.rollout.replica import TokenOutput

    class Given:
        def __init__(self):
            self.answered = {}

        async def generate(self, request_id, *, prompt_ids, **_):
            key = tuple(prompt_ids)
            place = self.answered[key] = self.answered.get(key, -1) + 1
            return TokenOutput(token_ids=ids[place])

    return Given()


def objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def prompts():
    """A batch of prompts, as verl's data set and trainer make one."""
    batch = tensordict_utils.get_tensordict(
        {
            "uid": objects(list(WANTED)),
            "index": objects([0, 1]),
            "raw_prompt": objects(
                [[{"role": "user", "content": f"i need {SHOP.queries[query]}"}] for query in WANTED]
            ),
            "extra_info": objects([{"query_id": query} for query in WANTED]),
            "dummy_tensor": torch.zeros(2, 1),
        }
    )
    tensordict_utils.assign_non_tensor_data(batch, "global_steps", 1)
    return batch


@pytest.fixture(scope="module")
def trained(configured, tokenizer):
    """What the trainer's queue holds of one step once advantages are computed, by query."""
    config = migrate_legacy_reward_impl(configured())
    ids = tokenizer([text + tokenizer.eos_token for text in TEXTS])["input_ids"]
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    try:
        transfer_queue.init(config.transfer_queue)
        trainer = PPOTrainerSync(config)
        trainer.global_steps = 1  # as after its first step began
        rewards = RewardLoopManager(config)
        trainer.agent_loop_manager = AgentLoopManagerTQ.create(
            config=config,
            llm_client=given_client(ids),
            reward_loop_worker_handles=rewards.reward_loop_worker_handles,
        )
        trainer._submit_batch_to_rollout(prompts())
        batch, _ = trainer.replay_buffer.sample(1, "train", len(WANTED))
        trainer._compute_advantage(batch, {})
        fields = ["uid", "responses", "rm_scores", "advantages"]
        queue = transfer_queue.kv_batch_get(
            keys=batch.keys, partition_id="train", select_fields=fields
        )
        columns = [list(queue["uid"]), *(queue[field].unbind() for field in fields[1:])]
        return list(zip(*columns, strict=True))
    finally:
        transfer_queue.close()
        ray.shutdown()


def test_the_reward_of_a_completion_is_the_sum_of_those_of_its_tokens(trained, tokenizer):
    reward = retrieval_reward("shop", end=tokenizer.eos_token_id)
    assert len(trained) == len(WANTED) * len(TEXTS)
    for query, ids, rewards, _ in trained:
        text = tokenizer.decode(ids, skip_special_tokens=True)
        (worth,) = reward([text], [query], [ids.tolist()])
        assert rewards.double().sum().float() == torch.tensor(worth)
        assert rewards.shape == ids.shape


def test_advantages_are_those_of_trl(trained, tokenizer):
    reward = retrieval_reward("shop", end=tokenizer.eos_token_id)
    seen = 0
    for query in WANTED:
        rows = [row[1:] for row in trained if row[0] == query]
        worth = torch.stack([rewards.double().sum() for _, rewards, _ in rows])
        sequence = (worth - worth.mean()) / (worth.std() + 1e-6)  # verl's GRPO
        credits = token_credits(
            tokenizer,
            [ids.tolist() for ids, _, _ in rows],
            [{"query_id": query}] * len(rows),
            reward.reward,
        )
        for (_, _, found), credit, advantage in zip(rows, credits, sequence, strict=True):
            values, credited = (
                torch.tensor(credit.values)[None],
                torch.tensor(credit.credited)[None],
            )
            own = torch.where(credited, torch.arange(len(found)), OUTSIDE)
            wanted = token_advantages(
                advantage[None],
                Credits(values, credited, own),
                torch.ones(1, len(found)),
                Shaping("proportional"),
            )
            assert (found - wanted.values[0]).abs().max() <= 1e-6
            seen += int(wanted.shaped)
    assert seen >= 2

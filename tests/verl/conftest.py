"""What the tests of verl share: its own configuration, and a tokenizer saved as a model's."""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import pytest
from transformers import LlamaConfig

from ospo.data import load
from ospo.train.policy.tokenizer import train_tokenizer

if find_spec("verl"):
    with warnings.catch_warnings():  # of accelerators and trainers that are not installed
        warnings.simplefilter("ignore")
        import verl.trainer.ppo.v1.trainer_sync  # noqa: F401


@pytest.fixture(scope="session")
def tokenizer():
    made = train_tokenizer(load("shop").queries.values(), vocab_size=400)
    made.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %} => "
    return made


@pytest.fixture(scope="session")
def model_folder(tokenizer, tmp_path_factory):
    """Where verl finds the tokenizer, and a configuration beside it."""
    folder = tmp_path_factory.mktemp("model")
    tokenizer.save_pretrained(folder)
    LlamaConfig(
        architectures=["LlamaForCausalLM"], vocab_size=len(tokenizer), num_attention_heads=4
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def configured(model_folder, tokenizer):
    """Compose verl's configuration from the flags that a user gives."""
    import hydra

    flags = [
        f"actor_rollout_ref.model.path={model_folder}",
        "actor_rollout_ref.rollout.name=vllm",
        "actor_rollout_ref.rollout.n=4",
        "actor_rollout_ref.rollout.agent.default_agent_loop=ospo",
        "actor_rollout_ref.rollout.agent.num_workers=1",
        "algorithm.adv_estimator=ospo",
        "+algorithm.ospo.rule=proportional",
        "critic.enable=False",
        "data.train_batch_size=2",
        "reward.num_workers=1",
        "reward.reward_manager.name=ospo",
        "reward.custom_reward_function.path=pkg://ospo.train.verl.reward",
        "reward.custom_reward_function.name=retrieval_reward",
        "+reward.custom_reward_function.reward_kwargs.data=shop",
        f"+reward.custom_reward_function.reward_kwargs.end={tokenizer.eos_token_id}",
        "transfer_queue.enable=True",
        "transfer_queue.backend.SimpleStorage.num_data_storage_units=1",
    ]

    def compose(*more):
        with hydra.initialize_config_module("verl.trainer.config", version_base=None):
            return hydra.compose("ppo_trainer", overrides=[*flags, *more])

    return compose

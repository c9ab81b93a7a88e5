"""The reward manager and the agent loop's output, made and asked as verl makes and asks them."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
import torch

pytest.importorskip("verl", reason="verl is not installed here: make test-verl")

from tensordict import TensorDict
from verl import DataProto
from verl.experimental.agent_loop.agent_loop import AgentLoopMetrics
from verl.trainer.ppo.reward import load_reward_manager

from ospo.credit import token_credits
from ospo.data import load
from ospo.errors import InputError
from ospo.train.verl.dense import dense_rewards
from ospo.train.verl.plugin import CreditedOutput
from ospo.train.verl.reward import REWARDS

SHOP = load("shop")
WANTED = SHOP.answerable[0]
QUERY = SHOP.queries[WANTED]


def asked(manager, ids, **columns):
    """Ask for one completion, in the form of verl's agent loop."""
    prompt, responses = torch.tensor([[5, 6, 7]]), torch.tensor([ids])
    tensors = {
        "prompts": prompt,
        "responses": torch.nn.functional.pad(responses, (0, 2)),
        "attention_mask": torch.nn.functional.pad(torch.ones(1, 3 + len(ids)).long(), (0, 2)),
    }
    data = DataProto(
        TensorDict(tensors, batch_size=1),
        {name: np.array([value], dtype=object) for name, value in columns.items()},
    )
    return asyncio.run(manager.run_single(data))


@pytest.fixture(scope="module")
def manager(configured, tokenizer, tmp_path_factory):
    ranks = tmp_path_factory.mktemp("cache") / "ranks.sqlite"
    flag = f"+reward.custom_reward_function.reward_kwargs.cache={ranks}"
    return load_reward_manager(configured(flag), tokenizer)


def test_a_completion_is_worth_what_it_retrieves_and_its_tokens_tell_its_credit(manager, tokenizer):
    ids = tokenizer(f"{QUERY}, usb{tokenizer.eos_token}")["input_ids"]
    answer = asked(manager, ids, extra_info={"query_id": WANTED})
    (worth,) = manager.reward(
        completions=[f"{QUERY}, usb"], query_id=[WANTED], completion_ids=[ids]
    )
    row = {"query_id": WANTED}
    (credit,) = token_credits(tokenizer, [ids], [row], manager.reward.reward)
    wanted = dense_rewards(worth, credit.values, credit.credited)
    assert answer["reward_score"] == worth > 0
    assert np.ptp(wanted[:-1]) > 0
    assert answer["reward_extra_info"]["score"] == worth
    assert np.array_equal(answer["reward_extra_info"][REWARDS], wanted)


def test_a_column_of_the_data_set_reaches_the_reward_as_extra_info_does(manager, tokenizer):
    ids = tokenizer(QUERY + tokenizer.eos_token)["input_ids"]
    as_column = asked(manager, ids, query_id=WANTED, extra_info={})
    as_extra = asked(manager, ids, extra_info={"query_id": WANTED})
    assert as_column["reward_score"] == as_extra["reward_score"] > 0


def test_a_reward_that_fails_is_an_error_and_never_0(manager, tokenizer):
    with pytest.raises(InputError, match="needs a text in the column 'query_id'"):
        asked(manager, tokenizer(QUERY + tokenizer.eos_token)["input_ids"], extra_info={})


@pytest.mark.parametrize("flag", ["algorithm.ospo.rule=uniform", "+algorithm.ospo.mix=0"])
def test_a_rule_without_credit_asks_for_no_search_beyond_the_reward(configured, tokenizer, flag):
    manager = load_reward_manager(configured(flag), tokenizer)
    ids = tokenizer(f"{QUERY}, usb{tokenizer.eos_token}")["input_ids"]
    rewards = asked(manager, ids, query_id=WANTED)["reward_extra_info"][REWARDS]
    assert manager.reward.asked == 1
    assert np.ptp(rewards[:-1]) == 0


def test_completions_that_were_cut_off_have_no_credit(configured, tokenizer):
    ids = tokenizer(f"{QUERY}, usb")["input_ids"]
    flags = [
        "~reward.custom_reward_function.reward_kwargs.end",
        f"actor_rollout_ref.rollout.response_length={len(ids)}",
    ]
    manager = load_reward_manager(configured(*flags), tokenizer)
    cut = asked(manager, ids, query_id=WANTED)
    assert cut["reward_score"] > 0
    assert np.ptp(cut["reward_extra_info"][REWARDS][:-1]) == 0
    ended = asked(manager, [*ids[:-1], tokenizer.eos_token_id], query_id=WANTED)
    assert np.ptp(ended["reward_extra_info"][REWARDS][:-1]) > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["algorithm.ospo.rule=best"], "algorithm.ospo.rule must be one of uniform, .*'best'"),
        (["+algorithm.ospo.caps=2"], "there is no setting algorithm.ospo.caps"),
        (["algorithm.use_kl_in_reward=True"], "use_kl_in_reward is on"),
        (["algorithm.filter_groups.enable=True"], "set it to score"),
        (["reward.custom_reward_function.path=null"], "custom_reward_function.path is not set"),
        (
            [
                "reward.custom_reward_function.path=pkg://builtins",
                "reward.custom_reward_function.name=dict",
            ],
            "returned dict, expected a TrainingReward",
        ),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else "",
)
def test_a_configuration_that_cannot_train_is_refused_before_training(
    configured, tokenizer, flags, message
):
    with pytest.raises(InputError, match=message):
        load_reward_manager(configured(*flags), tokenizer)


def test_groups_may_be_filtered_by_the_exact_score(configured, tokenizer):
    flags = ["algorithm.filter_groups.enable=True", "algorithm.filter_groups.metric=score"]
    assert load_reward_manager(configured(*flags), tokenizer).settings.reads_credit


def test_a_reward_model_beside_the_policy_is_refused(manager):
    with pytest.raises(InputError, match=r"reward_model\.enable is on"):
        type(manager).assemble_rm_scores(None, [0.5])


def written(rewards, *, reward_score=0.75):
    return CreditedOutput(
        prompt_ids=[5],
        response_ids=[6, 7, 8],
        response_mask=[1, 1, 1],
        reward_score=reward_score,
        metrics=AgentLoopMetrics(),
        extra_fields={"reward_extra_info": {"score": 0.75} | rewards},
    )


def test_the_output_holds_the_rewards_of_its_tokens_in_place_of_the_single_one():
    rewards = np.array([0.5, 0.25, 0], dtype=np.float32)
    rewards.flags.writeable = False  # as Ray hands it over
    output = written({REWARDS: rewards}).as_dict()
    assert output["rm_scores"].tolist() == [0.5, 0.25, 0]
    assert output["rm_scores"].dtype == torch.float32
    assert output["extra_fields"]["reward_extra_info"] == {"score": 0.75}


def test_an_output_without_a_reward_stays_so():
    assert "rm_scores" not in written({}, reward_score=None).as_dict()


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ({}, "set reward.reward_manager.name=ospo"),
        ({REWARDS: np.array([0.5, 0.25], dtype=np.float32)}, r"have shape \(2,\) and sum to 0.75"),
        ({REWARDS: np.array([0.5, 0.5, 0], dtype=np.float32)}, "sum to 1.0, expected .* 0.75"),
    ],
)
def test_rewards_that_do_not_fit_are_refused(rewards, message):
    with pytest.raises(InputError, match=message):
        written(rewards).as_dict()

"""What OSPOTrainer takes for granted of TRL: each test names the assumption that broke."""

from __future__ import annotations

import inspect

import pytest
import torch
from tiny_training import QUERIES, completions, rows, tokenizer, trainer
from trl import GRPOTrainer
from trl.trainer import utils


@pytest.fixture
def grpo(tmp_path):
    made = trainer(GRPOTrainer, tmp_path, log_completions=True)
    made.model.train()
    return made


@pytest.fixture
def batch():
    return [dict(row) for row in rows()[: len(QUERIES)] for _ in range(4)]


TEXTS = [f"{'lamp, ' * (k % 3)}{['shoes', 'usb', 'map', 'lamp'][k % 4]}<eos>" for k in range(12)]


def test_one_method_makes_a_generation_batch_of_rows():
    parameters = inspect.signature(GRPOTrainer._generate_and_score_completions).parameters
    assert [*parameters] == ["self", "inputs"], "TRL changed what it asks for a generation batch"
    assert [*inspect.signature(GRPOTrainer._compute_loss).parameters] == ["self", "model", "inputs"]


def test_a_batch_has_an_advantage_a_row_and_a_column_a_token(grpo, batch):
    output = grpo._generate_and_score_completions(batch)
    ids, mask = output["completion_ids"], output["completion_mask"]
    assert ids.shape == mask.shape, "completion_mask no longer covers completion_ids"
    assert len(ids) == len(batch), "a batch no longer has one completion for each row of inputs"
    assert output["advantages"].shape == (len(batch),), "advantages are no longer one for each row"
    assert output["advantages"].dtype == torch.float32


def test_completions_stay_in_the_order_of_their_rows(grpo, batch):
    wanted = completions(grpo, TEXTS)
    output = grpo._generate_and_score_completions(batch)
    found = [
        ids[own.bool()].tolist()
        for ids, own in zip(output["completion_ids"], output["completion_mask"], strict=True)
    ]
    assert found == wanted, "completions are no longer right-padded, in the order of the inputs"


def test_consecutive_rows_are_the_group_that_advantages_are_measured_in(grpo, batch):
    ids = completions(grpo, TEXTS)
    output = grpo._generate_and_score_completions(batch)
    assert grpo.num_generations == 4
    queries = [row["query_id"] for row in batch]
    plain = [text.removesuffix("<eos>") for text in TEXTS]
    rewards = torch.tensor(grpo.reward_funcs[0](plain, queries, ids)).view(-1, 4)
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    expected = (centred / (rewards.std(dim=1, keepdim=True) + 1e-4)).flatten()
    torch.testing.assert_close(output["advantages"], expected, msg="groups are no longer in a row")


def test_shuffling_and_splitting_keep_the_advantages_of_tokens_with_their_tokens(grpo, batch):
    output = grpo._generate_and_score_completions(batch)
    output["advantages"] = output["completion_ids"].float()
    shuffled = utils.shuffle_sequence_dict(output)
    for part in utils.split_tensor_dict(shuffled, 3):
        assert torch.equal(part["advantages"], part["completion_ids"].float()), (
            "TRL no longer shuffles and splits advantages of tokens with their rows"
        )


@pytest.mark.parametrize("level", ["token", "sequence"])
def test_the_loss_takes_advantages_of_tokens(tmp_path, batch, level):
    made = trainer(GRPOTrainer, tmp_path, importance_sampling_level=level, loss_type="dr_grpo")
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    completions(made, TEXTS)
    output = made._generate_and_score_completions(batch)

    def gradient(advantages):
        made.model.zero_grad()
        made._compute_loss(made.model, output | {"advantages": advantages}).backward()
        return torch.cat([weight.grad.flatten() for weight in made.model.parameters()])

    of_rows = output["advantages"]
    of_tokens = of_rows[:, None].expand(output["completion_ids"].shape)
    plain, spread = gradient(of_rows), gradient(of_tokens)
    torch.testing.assert_close(
        spread, plain, rtol=1e-4, atol=1e-6, msg="the loss no longer takes (B, T) advantages"
    )
    first = torch.zeros_like(of_tokens)
    first[:, 0] = of_tokens[:, 0]
    rest = of_tokens.clone()
    rest[:, 0] = 0
    torch.testing.assert_close(
        gradient(first) + gradient(rest),
        plain,
        rtol=1e-4,
        atol=1e-6,
        msg="a token's advantage no longer weighs that token alone",
    )
    assert not torch.allclose(gradient(first), plain, atol=1e-4)


def test_metrics_and_extra_columns_are_lists_to_append_to(grpo, batch):
    grpo._generate_and_score_completions(batch)
    assert isinstance(grpo._metrics["train"]["reward"], list), "_metrics no longer holds lists"
    assert grpo._logs["extra"]["credit"].maxlen == len(grpo._logs["prompt"]) == len(batch), (
        "an extra column is no longer as long as the table of completions"
    )


def test_rewards_are_given_a_way_to_log(grpo, batch):
    given = {}
    real = grpo.reward_funcs[0].__call__

    def spy(**columns):
        given.update(columns)
        return real(**columns)

    grpo.reward_funcs[0] = spy
    grpo._generate_and_score_completions(batch)
    expected = {"prompts", "completions", "completion_ids", "query_id", "log_metric"}
    assert expected <= given.keys(), "TRL no longer gives reward functions what ours read"
    assert all(isinstance(text, str) for text in given["completions"])


def test_a_model_that_is_evaluated_is_not_in_training_mode(grpo, batch):
    grpo.model.eval()
    grpo._generate_and_score_completions(batch)
    assert "reward" in grpo._metrics["eval"], "model.training no longer says train from eval"
    assert not grpo._metrics["train"].get("reward")


def test_completions_that_end_do_so_with_the_tokenizers_end_of_sequence(grpo):
    assert grpo.processing_class.eos_token_id == tokenizer().eos_token_id
    assert grpo.model.generation_config.eos_token_id is not None

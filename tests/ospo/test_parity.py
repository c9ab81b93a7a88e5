"""Uniform credit is GRPO: every loss, at every level of importance sampling, bit for bit."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from tiny_training import model, trainer
from transformers import AutoModelForCausalLM
from trl import GRPOTrainer

from ospo.train import OSPOTrainer

LOSSES = ("grpo", "bnpo", "dr_grpo", "dapo", "cispo", "luspo", "sapo", "vespo")
SUMMED = 2e-5  # of a thousandth a step; sequence-level gradients are summed in another order


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The tiny model in a folder: a KL term has TRL load the reference model from its name."""
    folder = tmp_path_factory.mktemp("model")
    model().save_pretrained(folder)
    return folder


def trained(cls, folder, stored, **settings):
    """The losses and gradient norms of a training, and its final parameters."""
    made = trainer(
        cls,
        folder,
        model=AutoModelForCausalLM.from_pretrained(stored),
        **({"rule": "uniform"} if cls is OSPOTrainer else {}),
        **({"max_steps": 2, "max_completion_length": 10, "learning_rate": 1e-3} | settings),
    )
    made.train()
    logs = [log for log in made.state.log_history if "loss" in log]
    return [(log["loss"], log["grad_norm"]) for log in logs], made.model.state_dict()


def assert_same(grpo, ospo):
    """The same bits in every loss, gradient norm and weight."""
    assert len(grpo[0]) >= 2
    assert any(norm != 0 for _, norm in grpo[0])
    assert ospo[0] == grpo[0]
    assert all(torch.equal(weight, ospo[1][name]) for name, weight in grpo[1].items())


@pytest.mark.parametrize(("loss", "iterations", "beta"), list(product(LOSSES, (1, 2), (0.0, 0.04))))
def test_uniform_credit_is_grpo_with_token_level_ratios(stored, tmp_path, loss, iterations, beta):
    settings = {"loss_type": loss, "num_iterations": iterations, "beta": beta}
    assert_same(*(trained(cls, tmp_path, stored, **settings) for cls in (GRPOTrainer, OSPOTrainer)))


@pytest.mark.parametrize(("loss", "iterations", "beta"), list(product(LOSSES, (1, 2), (0.0, 0.04))))
def test_uniform_credit_is_grpo_with_sequence_level_ratios(
    stored, tmp_path, loss, iterations, beta
):
    settings = {"loss_type": loss, "num_iterations": iterations, "beta": beta}
    settings["importance_sampling_level"] = "sequence"
    (grpo, weights), (ospo, ours) = (
        trained(cls, tmp_path, stored, **settings) for cls in (GRPOTrainer, OSPOTrainer)
    )
    assert any(norm != 0 for _, norm in grpo)
    assert ospo == [pytest.approx(each, abs=SUMMED) for each in grpo]
    for name, weight in weights.items():
        torch.testing.assert_close(ours[name], weight, rtol=0, atol=SUMMED)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps_per_generation": 2, "gradient_accumulation_steps": 2},
        {"steps_per_generation": 2, "gradient_accumulation_steps": 1},
        {"scale_rewards": "batch"},
        {"scale_rewards": "none"},
        {"mask_truncated_completions": True, "max_completion_length": 40},
        {"delta": 1.5, "epsilon_high": 0.28, "num_iterations": 2},
        {"top_entropy_quantile": 0.5},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_uniform_credit_is_grpo_whatever_else_is_set(stored, tmp_path, settings):
    assert_same(*(trained(cls, tmp_path, stored, **settings) for cls in (GRPOTrainer, OSPOTrainer)))

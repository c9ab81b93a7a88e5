"""OSPOTrainer in the real TRL: parity with GRPO, and where it departs from it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from ospo.data.collection import Catalogue, Collection
from ospo.errors import InputError
from ospo.reward.reward import Reward
from ospo.reward.similarity import Similarity
from ospo.reward.weighted import Part, Weighted
from ospo.search.bm25 import BM25
from ospo.search.metrics import NDCG
from ospo.text.segment import words
from ospo.train import CompletionReward, OSPOConfig, OSPOTrainer, RetrievalReward
from ospo.train.config import TRAINABLE
from ospo.train.policy.tokenizer import prompt, train_tokenizer

TITLES = ("red trail shoes", "blue road shoes", "desk lamp", "floor lamp", "trail map", "usb hub")
QUERIES = {"shoes": {"0": 3, "1": 1}, "lamp": {"2": 3, "3": 2}, "map": {"4": 1}}


@pytest.fixture(scope="module")
def collection():
    ids = tuple(str(k) for k in range(len(TITLES)))
    return Collection("tiny", Catalogue(ids, {"title": TITLES}), {q: q for q in QUERIES}, QUERIES)


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([*TITLES, *QUERIES, ", , ,"] * 4, vocab_size=300)


def trainer(cls, collection, tokenizer, folder, reward=None, **settings):
    """A trainer of the same tiny model on the same prompts, whatever the class."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    rows = [{"prompt": prompt(f"i need {query}"), "query_id": query} for query in QUERIES] * 6
    config = OSPOConfig if cls is OSPOTrainer else GRPOConfig
    defaults = {
        "learning_rate": 1e-2,
        "max_steps": 3,
        "per_device_train_batch_size": 12,
        "gradient_accumulation_steps": 1,
        "num_generations": 4,
        "max_completion_length": 12,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
        "logging_steps": 1,
        "disable_tqdm": True,
        "seed": 3,
    }
    made = cls(
        model=model,
        reward_funcs=reward or RetrievalReward(collection, BM25(collection.catalogue), NDCG(10)),
        args=config(output_dir=str(folder), **(defaults | settings)),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    made.remove_callback(PrinterCallback)
    return made


class FirstTokens:
    """Biases the tiny model towards words of the catalogue, so that rewards differ."""

    def __init__(self, made, tokenizer):
        words = tokenizer(" ".join(TITLES) + ", shoes, lamp, ")["input_ids"]
        with torch.no_grad():
            made.model.lm_head.weight[words] *= 3


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"loss_type": "grpo", "num_iterations": 2},
        {"steps_per_generation": 2, "gradient_accumulation_steps": 2},
    ],
    ids=["defaults", "grpo-two-iterations", "micro-batches"],
)
def test_uniform_credit_is_grpo_to_the_bit(collection, tokenizer, tmp_path, settings):
    runs = []
    for cls, extra in [(GRPOTrainer, {}), (OSPOTrainer, {"rule": "uniform"})]:
        made = trainer(cls, collection, tokenizer, tmp_path, **settings, **extra)
        FirstTokens(made, tokenizer)
        made.train()
        history = [
            (log["loss"], log["grad_norm"], log.get("reward"))
            for log in made.state.log_history
            if "loss" in log
        ]
        runs.append((history, made.model.state_dict()))
    (grpo, grpo_parameters), (ospo, ospo_parameters) = runs
    assert len(grpo) == 3
    assert any(loss != 0 for loss, _, _ in grpo)
    assert ospo == grpo
    for name, parameter in grpo_parameters.items():
        assert torch.equal(parameter, ospo_parameters[name]), name


@pytest.mark.parametrize("rule", TRAINABLE)
def test_advantages_are_per_token_and_keep_the_mean(collection, tokenizer, tmp_path, rule):
    made = trainer(OSPOTrainer, collection, tokenizer, tmp_path, rule=rule)
    FirstTokens(made, tokenizer)
    made.model.train()
    rows = [{"prompt": prompt("i need shoes"), "query_id": "shoes"} for _ in range(12)]
    texts = ["red shoes, lamp", "usb hub, map", "lamp", "shoes", "trail shoes, blue, desk, red", ""]
    ids = tokenizer([text + tokenizer.eos_token for text in texts * 2])["input_ids"]
    made._generate = given_completions(made, ids, texts * 2)
    output = made._generate_and_score_completions(rows)
    advantages, mask = output["advantages"], output["completion_mask"].bool()
    assert advantages.shape == output["completion_ids"].shape
    assert (advantages[~mask] == 0).all()
    rewards = torch.tensor(made.reward(texts * 2, ["shoes"] * 12, ids))
    grouped = rewards.view(-1, 4)
    expected = (grouped - grouped.mean(1, keepdim=True)) / (grouped.std(1, keepdim=True) + 1e-4)
    for row, sequence in enumerate(expected.flatten()):
        tokens = advantages[row][mask[row]]
        pieces = [tokenizer.decode([i]) for i in ids[row]]
        credited = torch.tensor([piece.strip(", ") not in ("", "<eos>") for piece in pieces])
        assert torch.allclose(tokens[~credited], sequence, atol=1e-6)
        if credited.any():
            assert tokens[credited].mean().item() == pytest.approx(sequence.item(), abs=1e-5)
        told = len(texts[row % 6].split(", ")) > 1 and rewards[row] > 0  # phrases that differ
        shaped = told and rule != "uniform" and (sequence > 0 or rule != "praise")
        assert (tokens.max() - tokens.min() > 1e-3) == (shaped and sequence.abs() > 1e-6)


def given_completions(made, ids, texts):
    """Replace sampling by given completions, in the form of TRL's own generation."""
    real = made._generate

    def generate(prompts):
        generated = list(real(prompts))
        generated[1], generated[3] = ids, texts
        return tuple(generated)

    return generate


def test_uniform_credit_asks_for_no_search_beyond_the_reward(collection, tokenizer, tmp_path):
    asked = {}
    for rule in TRAINABLE:
        made = trainer(OSPOTrainer, collection, tokenizer, tmp_path, rule=rule)
        FirstTokens(made, tokenizer)
        made.train()
        asked[rule] = made.reward.asked
    assert asked["uniform"] == 3 * 12
    assert asked["uniform"] < asked["praise"] < asked["proportional"]


def test_an_unfinished_completion_is_worth_nothing_where_endings_count(collection, tokenizer):
    judged = BM25(collection.catalogue), NDCG(10)
    ids = tokenizer(["trail shoes", "trail shoes" + tokenizer.eos_token])["input_ids"]
    texts, queries = ["trail shoes"] * 2, ["shoes"] * 2
    plain = RetrievalReward(collection, *judged)
    ending = RetrievalReward(collection, *judged, end=tokenizer.eos_token_id)
    worth = plain(texts, queries, ids)
    assert worth[0] == worth[1] > 0
    assert ending(texts, queries, ids) == [0.0, worth[1]]
    assert ending([""], ["shoes"], [[]]) == [0.0]


class Even(Reward):
    """1 for a text of an even number of characters."""

    def value(self, texts, rows):
        return np.array([float(len(text) % 2 == 0) for text in texts])


def test_several_rewards_train_together_and_the_unattributed_part_is_declared(
    collection, tokenizer, tmp_path
):
    letters = Similarity(
        lambda texts: [[1 + text.count(a) for a in "aeioul"] for text in texts],
        column="query_id",
    )
    parts = [Part(letters), Part(Even(), 0.5, attributed=False)]
    reward = CompletionReward(Weighted(parts), segmenter=words)
    made = trainer(OSPOTrainer, collection, tokenizer, tmp_path, reward, rule="proportional")
    made.train()
    logs = [log for log in made.state.log_history if "loss" in log]
    assert len(logs) == 3
    assert all(0 < log["credit/unattributed"] <= 0.5 for log in logs)
    assert all(log["game/asked"] > 12 for log in logs)
    assert all(0 < log["game/searches"] <= log["game/asked"] for log in logs)


def test_metrics_say_what_credit_cost(collection, tokenizer, tmp_path):
    made = trainer(OSPOTrainer, collection, tokenizer, tmp_path)
    made.train()
    log = made.state.log_history[0]
    names = ("credit/rows", "credit/degenerate", "game/asked", "game/searches")
    assert {*names, "time/credit_share_of_generation"} <= log.keys()
    json.dumps(log)


def test_a_reward_that_cannot_be_credited_is_refused():
    with pytest.raises(InputError, match="must be one TrainingReward, got function"):
        OSPOTrainer("nowhere", reward_funcs=lambda completions, **_: [0.0], args=None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "best"}, "rule must be one of uniform, proportional, .*, got 'best'"),
        ({"credit": "best"}, "credit must be one of shapley, .*, got 'best'"),
        ({"use_liger_kernel": True}, "Liger"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(tmp_path, settings, message):
    with pytest.raises(InputError, match=message):
        OSPOConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, **settings)

"""OSPOTrainer in the real TRL: where it departs from GRPO, and what it refuses.

Long because one trainer meets every setting of TRL that it takes or refuses.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from peft import LoraConfig
from tiny_training import completions, model, reward, rows, tokenizer, trainer
from trl import GRPOTrainer

import ospo.train.reward
from ospo.advantage import BASELINES, OUTSIDE, RULES, SPECIAL, annealed, traced
from ospo.advantage.paper import PaperFaults
from ospo.credit import token_credits
from ospo.errors import InputError, RewardError
from ospo.reward.reward import Reward
from ospo.reward.similarity import Similarity
from ospo.reward.weighted import Part, Weighted
from ospo.text.align import AlignmentError
from ospo.text.segment import words
from ospo.train import CompletionReward, OSPOConfig, OSPOTrainer
from ospo.train.config import PUBLISHED_BUDGET, PUBLISHED_WIDTH

MEAN_PRESERVING = [name for name, rule in RULES.items() if rule.kind == "mean-preserving"]
UNITS = {"scale_rewards": "none"}  # what linear rules need

# Twelve completions for one query: phrases, an empty one, one word, and one that was cut off.
TEXTS = [
    "red shoes, lamp<eos>",
    "usb hub, map<eos>",
    "lamp<eos>",
    "shoes<eos>",
    "trail shoes, blue, desk, red<eos>",
    "<eos>",
    "trail shoes, blue, map",
    "blue road, shoes<eos>",
    "desk, trail shoes<eos>",
    "red, red shoes<eos>",
    ", ,<eos>",
    "floor lamp, shoes, trail<eos>",
]
CUT = 6


def shaped(folder, texts=TEXTS, **settings):
    """A trainer, and what it makes of given completions for the query shoes."""
    made = trainer(OSPOTrainer, folder, **settings)
    made.model.train()
    ids = completions(made, texts)
    inputs = [dict(rows()[0]) for _ in texts]
    return SimpleNamespace(
        trainer=made,
        ids=ids,
        output=made._generate_and_score_completions(inputs),
        log={name: values[-1] for name, values in made._metrics["train"].items()},
        inputs=inputs,
    )


def sequence_advantages(ids, texts=TEXTS, *, scaled=True):
    """GRPO's advantages of completions for the query shoes."""
    plain = [text.removesuffix("<eos>") for text in texts]
    rewards = torch.tensor(reward()(plain, ["shoes"] * len(ids), ids)).view(-1, 4)
    centred = rewards - rewards.mean(1, keepdim=True)
    return (centred / (rewards.std(1, keepdim=True) + 1e-4) if scaled else centred).flatten()


def credits(ids, concept="myerson"):
    return token_credits(tokenizer(), ids, [rows()[0]] * len(ids), reward().reward, concept)


@pytest.mark.parametrize("rule", MEAN_PRESERVING)
def test_advantages_are_per_token_and_keep_the_mean(tmp_path, rule):
    made = shaped(tmp_path, rule=rule)
    advantages, mask = made.output["advantages"], made.output["completion_mask"].bool()
    assert advantages.shape == made.output["completion_ids"].shape
    assert (advantages[~mask] == 0).all()
    expected = sequence_advantages(made.ids)
    for row, (a, credit) in enumerate(zip(expected.tolist(), credits(made.ids), strict=True)):
        tokens, credited = advantages[row][mask[row]], torch.from_numpy(credit.credited)
        told = len({*credit.segments.round(9)}) > 1 and row != CUT
        wanted = told and rule != "uniform" and (a > 0 or rule != "praise") and abs(a) > 1e-6
        assert torch.allclose(tokens[~credited], torch.tensor(a), atol=1e-6)
        if credited.any():
            assert tokens[credited].mean().item() == pytest.approx(a, abs=1e-5)
        assert (tokens.max() - tokens.min() > 1e-3) == wanted
    assert made.log["credit/rows"] > 0 or rule == "uniform"


def test_linear_rules_add_the_credit_of_their_segments(tmp_path):
    made = shaped(tmp_path, rule="anchored", truncated=None, weight=2.0, **UNITS)
    a = sequence_advantages(made.ids, scaled=False).tolist()
    found, left_out = credits(made.ids), credits(made.ids, "leave-one-out")
    for row, (credit, left) in enumerate(zip(found, left_out, strict=True)):
        group = range(row // 4 * 4, row // 4 * 4 + 4)
        others = [
            (found[k].segments + left_out[k].segments) / 2
            for k in group
            if k != row and found[k].shares is not None
        ]
        own = (credit.segments + left.segments) / 2 - np.concatenate(others).mean()
        expected = np.full(len(made.ids[row]), a[row])
        credited = credit.credited
        expected[credited] = (a[row] + 2 * own[credit.written.owners[credited]]) / 3
        tokens = made.output["advantages"][row][: len(made.ids[row])]
        assert tokens.tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_the_weight_of_additive_credit_falls_as_training_goes_on(tmp_path):
    made = shaped(tmp_path, rule="additive", truncated=None, max_steps=10, **UNITS)
    inputs, a = made.inputs, sequence_advantages(made.ids, scaled=False)
    (credit,) = credits(made.ids[:1])
    for step in (0, 5, 10):
        made.trainer.state.global_step, made.trainer.state.max_steps = step, 10
        tokens = made.trainer._generate_and_score_completions(inputs)["advantages"][0]
        centred = len(credit.segments) * (credit.segments - credit.segments.mean())
        own = a[0].item() + annealed(0.5, step, 10) * centred
        first = [credit.written.owners.tolist().index(k) for k in range(len(own))]
        assert tokens[first].tolist() == pytest.approx(own.tolist(), abs=1e-6)


def test_prefix_credit_is_weighted_by_earlier_batches_alone(tmp_path):
    made = shaped(tmp_path, rule="prefix", truncated=None, **UNITS)
    a = sequence_advantages(made.ids, scaled=False)
    mask = made.output["completion_mask"]
    torch.testing.assert_close(made.output["advantages"], a[:, None] * mask)  # nothing is known yet
    fitted = made.trainer.weight.fit.weight
    assert 0 < fitted <= 1
    second = made.trainer._generate_and_score_completions(made.inputs)["advantages"]
    fixed = shaped(tmp_path, rule="prefix", truncated=None, weight=fitted, **UNITS)
    assert torch.equal(second, fixed.output["advantages"])
    assert not torch.allclose(second, a[:, None] * mask, atol=1e-3)


def test_a_resumed_fit_goes_on_as_if_it_had_never_stopped(tmp_path):
    settings = {"rule": "prefix", "truncated": None, "save_strategy": "steps", "save_steps": 2}
    settings |= UNITS | {"max_steps": 4}
    whole = trainer(OSPOTrainer, tmp_path, **settings)
    whole.train()
    resumed = trainer(OSPOTrainer, tmp_path, **settings)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert resumed.weight.fit == whole.weight.fit
    assert whole.weight.fit.variance > 0
    for name, weight in whole.model.state_dict().items():
        assert torch.equal(weight, resumed.model.state_dict()[name]), name


@pytest.mark.parametrize("baseline", BASELINES)
def test_baselines_are_of_the_group_and_of_the_lengths_that_were_written(tmp_path, baseline):
    made = shaped(tmp_path, rule="uniform", baseline=baseline)
    a = sequence_advantages(made.ids).view(3, 4)
    lengths = torch.tensor([len(ids) for ids in made.ids]).view(3, 4)
    weighted = (a * lengths).sum(1, keepdim=True) / lengths.sum(1, keepdim=True)
    expected = {"group": a, "leave-one-out": a * 4 / 3, "opo": a - weighted}[baseline].flatten()
    torch.testing.assert_close(made.output["advantages"][:, 0], expected, rtol=1e-5, atol=1e-6)


def test_traces_need_no_credit(tmp_path):
    made = shaped(tmp_path, rule="uniform", grpo_lambda=0.9)
    expected = traced(sequence_advantages(made.ids), made.output["completion_mask"], 0.9)
    torch.testing.assert_close(made.output["advantages"], expected)
    assert made.trainer.reward.asked == len(TEXTS)


def test_completions_that_need_no_credit_ask_for_no_search(tmp_path):
    asked = {}
    for rule in MEAN_PRESERVING:
        made = trainer(OSPOTrainer, tmp_path, rule=rule, truncated=None)
        made.train()
        asked[rule] = made.reward.asked
    assert asked["uniform"] == 3 * 12
    assert asked["uniform"] < asked["praise"] < asked["proportional"]


def test_tokens_outside_the_query_carry_their_share_with_and_without_credit(tmp_path):
    made = shaped(tmp_path, delimiter=0.5, special=0.0)
    a = sequence_advantages(made.ids)
    for row, credit in enumerate(credits(made.ids)):
        tokens = made.output["advantages"][row][: len(made.ids[row])]
        if row == CUT:
            assert torch.equal(tokens, a[row].expand(len(tokens)))
            continue
        assert (tokens[credit.written.owners == SPECIAL] == 0).all()
        half = tokens[credit.written.owners < OUTSIDE]
        assert {round(t, 5) for t in half.tolist()} <= {0.0, round(a[row].item() / 2, 5)}


def test_a_placebo_has_the_same_credits_in_other_places_and_follows_the_seed(tmp_path):
    plain = shaped(tmp_path, rule="proportional", seed=5)
    first, same = (shaped(tmp_path, rule="proportional", placebo=True, seed=5) for _ in range(2))
    other = shaped(tmp_path, rule="proportional", placebo=True, seed=6)
    assert torch.equal(first.output["advantages"], same.output["advantages"])
    assert not torch.equal(first.output["advantages"], plain.output["advantages"])
    assert not torch.equal(first.output["advantages"], other.output["advantages"])
    assert first.log["credit/concentration"] == pytest.approx(plain.log["credit/concentration"])
    assert first.log["credit/efficiency_gap"] < 1e-9


def test_credit_beyond_the_budget_is_estimated_within_it(tmp_path):
    long = ["red, trail, shoes, blue, road, desk, lamp<eos>", "shoes<eos>"] * 6
    settings = {"credit": "shapley", "rule": "proportional", "max_completion_length": 20}
    exact = shaped(tmp_path, long, **settings)
    sampled, again = (shaped(tmp_path, long, credit_budget=60, **settings) for _ in range(2))
    assert exact.log["game/evaluations"] == 6 * (2**7 + 2)
    assert sampled.log["game/evaluations"] <= 6 * (60 + 2)
    assert (exact.log["credit/exact_frac"], sampled.log["credit/exact_frac"]) == (1.0, 0.5)
    assert sampled.log["credit/efficiency_gap"] < 1e-9  # each order shares out all of v(N)
    assert 0 < sampled.log["credit/halfwidth_mean"] < 0.5
    assert torch.equal(sampled.output["advantages"], again.output["advantages"])
    few = shaped(tmp_path, long, credit_budget=6, **settings)
    assert few.log["credit/unassigned_frac"] == 7 / 8
    assert few.log["credit/degenerate"] == 1.0  # nothing for seven segments, nothing to tell of one


@pytest.mark.parametrize("faults", [[], ["published"], ["blamed_best", "clamped"]], ids=str)
@pytest.mark.parametrize("mode", ["prop", "rank", "hybrid"])
def test_paper_mode_is_the_published_form_with_the_faults_that_are_named(tmp_path, mode, faults):
    settings = {"paper": True, "paper_mode": mode, "paper_faults": faults, "paper_clip": True}
    made = shaped(tmp_path, **settings)
    a, mask = sequence_advantages(made.ids), made.output["completion_mask"]
    chosen = (
        PaperFaults.published()
        if faults == ["published"]
        else PaperFaults(**dict.fromkeys(faults, True))
    )
    expected = by_phrase(made.ids, a, mask, mode, chosen)
    torch.testing.assert_close(made.output["advantages"], expected, rtol=1e-5, atol=1e-6)


def by_phrase(ids, advantages, mask, mode, faults):
    """Paper mode, from the credits of the estimator one completion at a time."""
    from ospo.advantage import Credits
    from ospo.advantage.paper import paper_advantages, window_credit
    from ospo.game import RetrievalGame

    found = credits(ids)
    values, owners = torch.zeros(len(ids), 4), torch.full(mask.shape, OUTSIDE)
    assigned = torch.zeros(len(ids), 4, dtype=torch.bool)
    rewards = torch.zeros(len(ids))
    judge = reward().judge("shoes")
    for row, credit in enumerate(found):
        owners[row, : len(ids[row])] = torch.from_numpy(credit.written.owners)
        n = len(credit.written.segments)
        if n and advantages[row] != 0:
            game = RetrievalGame(credit.written.text, judge, credit.written.segments)
            options = {"width": PUBLISHED_WIDTH, "budget": PUBLISHED_BUDGET, "faults": faults}
            its, known = window_credit(game, n, np.random.default_rng(0), **options)
            values[row, :n], assigned[row, :n] = torch.from_numpy(its), torch.from_numpy(known)
            rewards[row] = credit.attribution.total
    table = Credits(values, assigned, owners)
    return paper_advantages(advantages, rewards, table, mask, mode=mode, clip=True, faults=faults)


def test_a_misaligned_completion_stops_training_or_stays_plain_and_is_counted(
    tmp_path, monkeypatch
):
    real = ospo.train.reward.read

    def read(tokenizer, ids, segmenter):
        if len(ids) == len(tokenizer.encode(TEXTS[8])):
            raise AlignmentError("no text is theirs")
        return real(tokenizer, ids, segmenter)

    aligned = shaped(tmp_path, rule="proportional", delimiter=0.5)
    monkeypatch.setattr(ospo.train.reward, "read", read)
    with pytest.raises(AlignmentError, match="no text is theirs"):
        shaped(tmp_path, rule="proportional")
    plain = shaped(tmp_path, rule="proportional", delimiter=0.5, on_misaligned="uniform")
    a = sequence_advantages(plain.ids)
    odd = [row for row, ids in enumerate(plain.ids) if len(ids) == len(plain.ids[8])]
    asked = [row for row in odd if a[row] != 0 and row != CUT]
    assert plain.log["credit/misaligned"] == pytest.approx(len(asked) / 12)
    assert asked
    for row, ids in enumerate(plain.ids):
        here = plain.output["advantages"][row][: len(ids)]
        kept = aligned.output["advantages"][row][: len(ids)]
        assert torch.equal(here, a[row].expand(len(ids)) if row in odd else kept)


class Broken(Reward):
    """Says nan of a phrase, or of every text but whole completions."""

    def __init__(self, phrase):
        self.phrase = phrase

    def value(self, texts, rows):
        return np.array([np.nan if text == self.phrase else len(text) % 3 for text in texts])


@pytest.mark.parametrize(
    ("phrase", "row", "said"),
    [("desk, trail shoes", 8, "desk, trail shoes"), ("trail, shoes", 3, "trail, shoes")],
    ids=["a completion", "a coalition"],
)
def test_a_reward_that_fails_on_a_row_names_it_and_is_never_zero(tmp_path, phrase, row, said):
    texts = (
        TEXTS
        if row == 8
        else ["trail, blue, shoes<eos>" if k == 3 else t for k, t in enumerate(TEXTS)]
    )
    broken = CompletionReward(Broken(phrase))
    with pytest.raises(RewardError, match=f"Broken says nan for row {row}, '{said}'"):
        shaped(tmp_path, texts, reward_funcs=broken, rule="additive", credit="shapley", **UNITS)


class Even(Reward):
    """1 for a text of an even number of characters."""

    def value(self, texts, rows):
        return np.array([float(len(text) % 2 == 0) for text in texts])


def test_several_rewards_train_together_and_the_unattributed_part_is_declared(tmp_path):
    letters = Similarity(
        lambda texts: [[1 + text.count(a) for a in "aeioul"] for text in texts],
        column="query_id",
    )
    parts = [Part(letters), Part(Even(), 0.5, attributed=False)]
    both = CompletionReward(Weighted(parts), segmenter=words)
    made = trainer(OSPOTrainer, tmp_path, reward_funcs=both, rule="proportional", truncated=None)
    made.train()
    logs = [log for log in made.state.log_history if "loss" in log]
    assert len(logs) == 3
    assert all(0 < log["credit/unattributed"] <= 0.5 for log in logs)
    assert all(log["game/searches"] > 0 for log in logs)
    assert all(0 <= log["game/cache_hit_rate"] < 1 for log in logs)


def test_metrics_say_what_credit_is_like_and_what_it_cost(tmp_path):
    made = trainer(OSPOTrainer, tmp_path, truncated=None, rule="proportional")
    made.train()
    first, second, _ = [log for log in made.state.log_history if "loss" in log]
    assert first["credit/efficiency_gap"] < 1e-9
    assert first["credit/segments_mean"] >= 1
    for name in ("rows", "token_coverage", "concentration", "exact_frac"):
        assert 0 < first[f"credit/{name}"] <= 1, name
    for name in ("degenerate", "misaligned", "negative_frac", "zero_frac", "unassigned_frac"):
        assert 0 <= first[f"credit/{name}"] < 1, name
    assert first["game/evaluations"] > first["game/searches"] > 0
    assert first["retrieval/nDCG@10"] == pytest.approx(first["reward"], abs=1e-6)
    assert 0 <= first["retrieval/empty_frac"] < 1
    assert 0 < second["time/credit_share"] < 1  # known once the step after it is over
    assert json.loads(json.dumps(first, allow_nan=False)) == first


def test_the_table_of_completions_says_what_phrases_earned(tmp_path):
    made = trainer(
        OSPOTrainer,
        tmp_path,
        max_steps=1,
        log_completions=True,
        rule="proportional",
        eval_dataset=[dict(row) for row in rows()[:3] for _ in range(4)],
        per_device_eval_batch_size=12,
    )
    completions(made, TEXTS)
    made.train()
    table = pd.read_parquet(next((tmp_path / "completions").iterdir()))
    assert len(table) == 12
    told = dict(zip(table["completion"], table["credit"], strict=True))
    assert told["floor lamp, shoes, trail"].startswith("floor lamp ")
    assert told["floor lamp, shoes, trail"].count(" | ") == 2
    assert "−" in " ".join(table["credit"]) or "+" in " ".join(table["credit"])
    made.evaluate()  # the table of an evaluation has the column too


def test_an_evaluation_asks_for_no_credit(tmp_path):
    made = trainer(OSPOTrainer, tmp_path, rule="proportional")
    made.model.eval()
    completions(made, TEXTS)
    output = made._generate_and_score_completions([dict(rows()[0]) for _ in TEXTS])
    assert output["advantages"].shape == (12,)
    assert made.reward.asked == 12


@pytest.mark.parametrize(
    "settings",
    [
        {"mask_truncated_completions": True},
        {"scale_rewards": "batch"},
        {"steps_per_generation": 2, "gradient_accumulation_steps": 2},
        {"steps_per_generation": 4, "per_device_train_batch_size": 6, "num_iterations": 2},
        {"gradient_checkpointing": True},
        {"peft_config": LoraConfig(target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")},
        {"bf16": True},
        {"pad_to_multiple_of": 16},
        {"credit": "owen", "cap": 1.5, "mix": 0.5},
        {"rule": "softmax", "credit_temperature": 0.5, "credit": "growth", "max_width": 2},
        {"rule": "anchored", "baseline": "leave-one-out", **UNITS},
        {"paper": True, "paper_faults": ["published"]},
    ],
    ids=lambda settings: "-".join(settings),
)
def test_training_goes_on_whatever_else_is_set(tmp_path, settings):
    made = trainer(OSPOTrainer, tmp_path, **settings)
    if made.mask_truncated_completions:
        completions(made, TEXTS)  # of which only one is cut off
    before = {name: weight.clone() for name, weight in made.model.named_parameters()}
    made.train()
    logs = [log for log in made.state.log_history if "loss" in log]
    assert len(logs) == 3
    assert all(math.isfinite(log["loss"]) and math.isfinite(log["grad_norm"]) for log in logs)
    after = dict(made.model.named_parameters())
    assert any(not torch.equal(weight, after[name]) for name, weight in before.items())


def test_completions_masked_for_being_cut_off_have_no_advantage(tmp_path):
    made = shaped(tmp_path, rule="proportional", mask_truncated_completions=True, truncated=None)
    assert (made.output["completion_mask"][CUT] == 0).all()
    assert (made.output["advantages"][CUT] == 0).all()
    assert made.log["credit/rows"] < 1


def test_completions_of_nothing_leave_everything_as_it_was(tmp_path):
    made = shaped(tmp_path, ["<eos>", ", ,<eos>"] * 6, rule="anchored", **UNITS)
    assert (made.output["advantages"] == 0).all()
    assert made.log["credit/rows"] == 0
    assert made.log["retrieval/empty_frac"] == 1.0


def test_an_unfinished_completion_is_worth_nothing_where_endings_count():
    ids = tokenizer()(["trail shoes", "trail shoes<eos>"])["input_ids"]
    texts, queries = ["trail shoes"] * 2, ["shoes"] * 2
    worth = reward()(texts, queries, ids)
    assert worth[0] == worth[1] > 0
    ending = reward(end=tokenizer().eos_token_id)
    assert ending(texts, queries, ids) == [0.0, worth[1]]
    assert ending([""], ["shoes"], [[]]) == [0.0]


def test_an_unfinished_completion_has_no_credit_where_endings_count(tmp_path):
    ending = {"reward_funcs": reward(end=tokenizer().eos_token_id)}
    settings = {"rule": "proportional", "truncated": None}
    with_end, without = shaped(tmp_path, **settings, **ending), shaped(tmp_path, **settings)
    tokens, others = (
        made.output["advantages"][CUT][: len(made.ids[CUT])] for made in (with_end, without)
    )
    assert tokens[0] < 0  # it is worth nothing
    assert (tokens == tokens[0]).all()
    assert (others != others[0]).any()


def test_a_reward_that_cannot_be_credited_is_refused():
    with pytest.raises(InputError, match="must be one TrainingReward, got function"):
        OSPOTrainer("nowhere", reward_funcs=lambda completions, **_: [0.0], args=None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "best"}, "rule must be one of uniform, proportional, .*, got 'best'"),
        ({"credit": "best"}, "credit must be one of shapley, .*, information-gain, got 'best'"),
        ({"baseline": "best"}, "baseline must be one of group, leave-one-out, opo, got 'best'"),
        ({"paper_mode": "best"}, "paper_mode must be one of prop, rank, hybrid, got 'best'"),
        ({"on_misaligned": "skip"}, "on_misaligned must be one of raise, uniform, got 'skip'"),
        ({"rule": "anchored"}, "scale_rewards is 'group', and rule 'anchored' adds credit"),
        (
            {"rule": "prefix", "multi_objective_aggregation": "normalize_then_sum", **UNITS},
            "multi_objective_aggregation is 'normalize_then_sum', and rule 'prefix'",
        ),
        (
            {"baseline": "opo", "per_device_train_batch_size": 6, "num_generations": 4}
            | {"gradient_accumulation_steps": 2, "steps_per_generation": 1, "n_processes": 2},
            "a process has 6 completions at a time .* cuts groups of 4",
        ),
        (
            {"prune": True, "per_device_train_batch_size": 6, "num_generations": 4}
            | {"gradient_accumulation_steps": 2, "steps_per_generation": 1, "n_processes": 2},
            "prune=True compares the completions of a group",
        ),
        ({"prune": True, "use_vllm": True}, "vllm_importance_sampling_correction=False"),
        ({"weight": 1.0}, "'praise' multiplies A and takes no weight"),
        ({"rule": "additive", "cap": 2.0, **UNITS}, "linear and would not be so capped"),
        ({"outside": 2.0}, "outside is 2.0, expected a number from 0 to 1"),
        ({"max_width": 2, "credit": "owen"}, "max_width is 2, and 'owen' takes no intervals"),
        ({"max_width": 0}, "max_width is 0, expected at least 1 segment"),
        ({"credit_budget": 3}, "credit_budget is 3, expected at least 4 evaluations"),
        ({"credit_budget": 9, "credit": "ends"}, "credit_budget is 9, and nothing estimates"),
        ({"credit_budget": 9, "max_width": 2}, "credit_budget is 9 and max_width 2"),
        ({"grpo_lambda": 0.9}, "grpo_lambda is 0.9 and spreads advantages by place"),
        ({"grpo_lambda": 1.5, "rule": "uniform"}, "grpo_lambda is 1.5, expected a number from 0"),
        ({"paper": True, "credit": "owen"}, "credit is 'owen', and paper=True takes no rule"),
        ({"paper": True, "truncated": None}, "truncated is None, and paper=True takes no rule"),
        ({"paper_clip": True}, "paper_clip is True, and set paper=True"),
        ({"paper_faults": ["clamped"]}, r"paper_faults is \['clamped'\], and set paper=True"),
        ({"paper": True, "paper_faults": ["all"]}, "paper_faults has 'all', which is none of"),
    ],
    ids=str,
)
def test_a_wrong_configuration_is_refused_by_name(tmp_path, monkeypatch, settings, message):
    if settings.pop("n_processes", 1) > 1:
        monkeypatch.setattr(OSPOConfig, "world_size", 2)
    with pytest.raises(InputError, match=message):
        OSPOConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, **settings)


def test_the_loss_that_cannot_take_advantages_of_tokens_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("ospo.train.checks.version", lambda _: "1.12.0")
    settings = {"output_dir": str(tmp_path), "use_cpu": True, "bf16": False}
    OSPOConfig(**settings)
    with pytest.raises(InputError, match=r"in TRL 1\.12\.0 Liger's fused loss takes one advantage"):
        OSPOConfig(use_liger_kernel=True, **settings)


def test_a_group_of_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="at least 2 generations per prompt"):
        OSPOConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, num_generations=1)


def test_the_settings_are_new_names_beside_those_of_trl():
    theirs = {setting.name for setting in fields(OSPOConfig.__base__)}
    ours = OSPOConfig.__annotations__.keys()
    assert not theirs & ours


def test_a_trainer_is_still_trls(tmp_path):
    made = trainer(OSPOTrainer, tmp_path)
    assert isinstance(made, GRPOTrainer)
    overridden = {
        name for name in vars(OSPOTrainer) if name in vars(GRPOTrainer) and name.startswith("_")
    }
    assert overridden - {"__module__", "__doc__", "__init__", "_name"} == {
        "_generate_and_score_completions",
        "_generate_single_turn",
    }
    assert sum(weight.numel() for weight in model().parameters()) < 50_000

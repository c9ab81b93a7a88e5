"""What is found before the first step, and what stops a training there."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch
from rich.console import Console

from ospo.data import Catalogue, Collection, load
from ospo.errors import InputError
from ospo.report.training import print_preflight
from ospo.search.bm25 import BM25
from ospo.search.metrics import NDCG
from ospo.text.align import AlignmentError
from ospo.train import RetrievalReward
from ospo.train.policy.start import warm_policy
from ospo.train.preflight import check_judged, preflight
from ospo.train.prompts import contexts, rows
from ospo.train.settings import parse

FLAGS = ["--per_device_train_batch_size", "8", "--steps_per_generation", "2"]


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        return replace(warm_policy(load("shop"), 150, 0), longest=24)


def found(policy, *flags):
    shop = load("shop")
    _, args = parse([*FLAGS, *flags])
    seen = contexts(shop, shop.answerable[:2], "noisy", per_query=1, seed=1)
    reward = RetrievalReward(
        shop, BM25(shop.catalogue), NDCG(100), end=policy.tokenizer.eos_token_id
    )
    first = rows(shop, seen, policy)
    return preflight(shop, (130, 70), first, policy, reward, args), reward


def test_a_sampled_batch_says_what_a_step_costs(policy):
    result, reward = found(policy)
    assert result.completions == 16
    assert result.segments >= 2
    assert 0.5 < result.ended <= 1
    assert 16 < result.evaluations <= reward.asked
    assert 0 < result.searches < result.evaluations
    weights = sum(weight.numel() for weight in policy.model.parameters()) * 4
    assert result.memory.weights == result.memory.gradients == weights
    assert result.memory.optimizer == 2 * weights


def test_the_sample_shows_credits_that_add_up_to_its_reward(policy):
    result, _ = found(policy)
    sample = result.sample
    assert sum(credit for _, credit in sample.credit) == pytest.approx(sample.value, abs=1e-9)
    assert sample.value > 0
    assert all(phrase in sample.query for phrase, _ in sample.credit)


def test_a_rule_without_credit_costs_no_more_than_the_reward(policy):
    uniform, _ = found(policy, "--rule", "uniform")
    praise, _ = found(policy)
    ended = round(uniform.ended * uniform.completions)
    assert uniform.evaluations == ended
    assert uniform.searches < praise.searches
    assert uniform.sample.credit  # it is shown all the same


def test_a_preflight_leaves_every_generator_as_it_was(policy):
    torch.manual_seed(9)
    before = torch.random.get_rng_state()
    first, second = found(policy)[0], found(policy)[0]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first == second


def test_the_terminal_shows_all_of_it_at_80_columns(policy):
    result, _ = found(policy)
    console = Console(width=80, record=True, file=io.StringIO())
    print_preflight(replace(result, collection="\x1b[31mred"), console)
    shown = console.export_text()
    assert "16 completions" in shown
    assert f"{result.searches} searches" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_most_queries_must_have_a_relevant_product():
    lamps = Catalogue(("a",), {"title": ("desk lamp",)})
    queries = {"q1": "lamp", "q2": "shoe", "q3": "hat"}
    with pytest.raises(InputError, match="only 1 of the 3 queries of lamps have a rele"):
        check_judged(Collection("lamps", lamps, queries, {"q1": {"a": 1}}))
    assert check_judged(load("shop")) == 1.0


def test_a_tokenizer_that_alignment_refuses_stops_the_training(policy, monkeypatch):
    def refuse(tokenizer, ids):
        raise AlignmentError("the tokenizer writes a text that is not that of its ids")

    monkeypatch.setattr("ospo.credit.token_spans", refuse)
    with pytest.raises(InputError, match="not that of its ids"):
        found(policy)
    lenient, _ = found(policy, "--on_misaligned", "uniform")
    assert lenient.sample.credit == ()

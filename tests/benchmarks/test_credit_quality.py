"""What the credit benchmarks measure is what they say, on cases that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import random_games
import reference
import tiny_training
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.claims.credit_quality import planted, redraws, tables
from benchmarks.claims.credit_quality.__main__ import JUDGED, PLAIN, stored
from benchmarks.claims.credit_quality.cases import KINDS, LONG, coalitions
from benchmarks.claims.credit_quality.credits import (
    Credit,
    Game,
    compared,
    haphazard,
    in_tree,
    played,
    random_subsets,
    semantic,
)
from benchmarks.claims.credit_quality.measures import figures, of_case, of_draws, whole
from benchmarks.claims.faults import pages
from benchmarks.claims.faults.__main__ import stored as stored_faults
from benchmarks.claims.faults.batches import Batch, Setting, Updates
from benchmarks.claims.faults.measures import of_credits, of_tokens, of_updates
from benchmarks.claims.learning.loop import Rollouts, log_probabilities
from ospo.advantage.paper import CORRECTED, PaperFaults
from ospo.data import load
from ospo.data.contexts import FILLER
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.text.terms import terms
from ospo.train.policy.policy import Policy
from ospo.train.policy.tokenizer import prompt

PAGE = Path(__file__).parents[2] / "docs" / "results" / "credit.md"


def embed(phrases):
    """Two meanings: what begins with a vowel, and what does not."""
    return np.array([[1.0, 0.1] if phrase[0] in "aeiou" else [0.1, 1.0] for phrase in phrases])


def game(table):
    return Game(tuple("abecdf"[: random_games.players_of(table)]), table)


def value(parts, name):
    return whole(np.array(parts[name]))


# A lamp is wanted; the desk helps a little, the map harms, and "as a gift" changes nothing.
REAL = np.array([True, True, False, False])
WORTH = np.array([0.1, 0.6, -0.2, 0.0])
ADDITIVE = coalitions(4) @ WORTH


def test_a_case_is_measured_as_by_hand():
    parts = of_case(REAL, Credit(WORTH, 16), WORTH, WORTH, ADDITIVE)
    assert value(parts, "auc") == 1
    assert value(parts, "gap") == 0
    assert value(parts, "negative") == 0.5  # the map, of two
    assert value(parts, "gain") == pytest.approx(0.2)  # 0.7 of desk and lamp, where 0.5 was
    assert value(parts, "worse") == 0
    assert value(parts, "r_shapley") == pytest.approx(1)
    assert value(parts, "evaluations") == 16
    wrong = np.array([0.0, 0.3, 0.3, 0.1])  # ties of one pair, one pair in order, two reversed
    parts = of_case(REAL, Credit(wrong, 2), WORTH, -WORTH, ADDITIVE)
    assert value(parts, "auc") == (0 + 0 + 0.5 + 1) / 4
    assert value(parts, "gap") == 0.375 - 1
    assert value(parts, "gain") == pytest.approx(-0.1)  # the desk is dropped
    assert value(parts, "worse") == 1
    assert value(parts, "r_shapley") == pytest.approx(np.corrcoef(wrong, WORTH)[0, 1])
    assert value(parts, "r_left_out") == pytest.approx(-np.corrcoef(wrong, WORTH)[0, 1])


def test_a_text_of_which_nothing_would_be_left_stays_as_it_is():
    parts = of_case(REAL, Credit(-np.ones(4), 2), WORTH, WORTH, ADDITIVE)
    assert value(parts, "gain") == 0


def test_a_credit_that_says_nothing_counts_as_none_and_not_as_nothing():
    cases = [("q", of_case(REAL, None, WORTH, WORTH, ADDITIVE))]
    cases += [("p", of_case(REAL, Credit(WORTH, 16), WORTH, WORTH, ADDITIVE))]
    found = figures(cases)
    assert found["credited"][0] == 0.5
    assert found["auc"][0] == 1


def test_a_figure_is_a_ratio_of_sums_with_an_interval_over_queries():
    cases = [(query, {"m": (float(query == "a"), 1.0)}) for query in "abcd" for _ in range(5)]
    estimate, low, high = figures(cases)["m"]
    assert estimate == 0.25
    # Of four queries drawn, "a" is not among them with probability 0.32, and thrice with 0.05.
    assert (low, high) == (0.0, 0.75)
    assert figures([("a", part) for _, part in cases])["m"] == [0.25] * 3  # one unit has no spread


@given(st.integers(0, 2**32 - 1))
def test_chance_is_what_two_draws_do_not_share(seed):
    rng = np.random.default_rng(seed)
    same = [Credit(WORTH, 4)] * 3
    assert value(of_draws(REAL, same, WORTH), "chance") == pytest.approx(0, abs=1e-12)
    values = rng.normal(size=(3, 4))
    parts = of_draws(REAL, [Credit(row, 4) for row in values], WORTH)
    centred = values - values.mean(axis=1, keepdims=True)
    pairs = [centred[i] @ centred[j] for i in range(3) for j in range(3) if i != j]
    own = np.mean([row @ row for row in centred])
    assert value(parts, "chance") == pytest.approx(1 - np.mean(pairs) / own)
    assert value(parts, "variance") == pytest.approx(values.var(axis=0, ddof=1).mean())


@given(random_games.tables(min_players=2, max_players=4))
def test_every_exact_credit_is_what_its_definition_says(table):
    n, v = random_games.players_of(table), random_games.as_exact(table)
    credits = compared(embed)
    expected = {
        "shapley": reference.shapley(n, v),
        "growth": reference.growth(n, v),
        "growth, width 2": reference.growth(n, v, 2),
        "myerson": reference.myerson_path(n, v),
        "myerson, width 2": reference.myerson_path(n, v, 2),
        "average-tree": reference.average_tree(n, v),
        "ends": reference.ends(n, v),
        "windows": reference.windows(n, v, n),
        "solo": [v(frozenset({i})) - v(frozenset()) for i in range(n)],
    }
    for name, exact in expected.items():
        found = credits[name](game(table), (0,)).values
        np.testing.assert_allclose(found, np.array(exact, dtype=float), atol=1e-9, err_msg=name)


def test_what_was_valued_twice_counts_once():
    credit = played(random_subsets(7))(Game(("a", "b", "c"), coalitions(3) @ WORTH[:3]), (0,))
    assert credit.evaluations == 7
    shapley = compared(embed)["shapley"](Game(tuple("abcd"), ADDITIVE), (0,))
    assert shapley.evaluations == 16
    assert compared(embed)["shapley, 12"](Game(tuple("abcd"), ADDITIVE), (0,)).evaluations <= 12


@given(random_games.tables(min_players=2, max_players=4))
def test_random_subsets_are_the_shapley_value_when_they_are_all_there(table):
    n = random_games.players_of(table)
    credit = played(random_subsets(1 << n))(game(table), (3,))
    exact = reference.shapley(n, random_games.as_exact(table))
    np.testing.assert_allclose(credit.values, np.array(exact, dtype=float), atol=1e-9)


@given(random_games.tables(min_players=3, max_players=4))
def test_unions_of_meaning_gather_what_means_the_same(table):
    own = game(table)  # a, b, e, c: the vowels are the first and the third
    tree = [[0, 2], 1] if len(own.phrases) == 3 else [[0, 2], [1, 3]]
    exact = reference.owen(tree, random_games.as_exact(table))
    found = in_tree(semantic(embed))(own, (0,)).values
    np.testing.assert_allclose(found, np.array(exact, dtype=float), atol=1e-9)


def test_a_budget_below_an_order_and_its_reverse_gives_no_credit_in_unions():
    table = np.random.default_rng(0).normal(size=64)
    own = Game(tuple("abcdef"), table)
    assert in_tree(haphazard, 11)(own, (0,)) is None
    sampled = in_tree(haphazard, 16)(own, (0,))
    assert sampled.evaluations <= 16
    assert sampled.values.sum() == pytest.approx(table[-1] - table[0])


@pytest.fixture(scope="module")
def shop():
    collection = load("shop")
    retriever = BM25(collection.catalogue)
    return collection, lambda query: Judge(retriever, collection.qrels[query], JUDGED)


@pytest.mark.parametrize("kind", KINDS)
def test_junk_has_nothing_in_common_with_the_query(kind, shop):
    collection, _ = shop
    cases = [*planted.planted(collection, kind, 12)]
    assert cases
    texts = {text: query for query, text in collection.queries.items()}
    for case in cases:
        wanted = {*terms(collection.queries[case.query])}
        relevant = {p for p, grade in collection.qrels[case.query].items() if grade}
        assert case.real.any()
        for phrase, real in zip(case.phrases, case.real, strict=True):
            assert ({*terms(phrase)} <= wanted) == real
            if not real and phrase not in FILLER:
                other = collection.qrels[texts[phrase]]
                assert not relevant & {p for p, grade in other.items() if grade}
        assert len(case.phrases) == {"whole": 5, "long": LONG}.get(kind, case.real.sum() + 3)


def test_a_table_has_what_the_judge_says_of_each_text(shop):
    collection, judge = shop
    case = next(planted.planted(collection, "shuffled", 5))
    table = case.values(judge(case.query), {"BM25": PLAIN})["BM25"]
    alone = Judge(BM25(collection.catalogue), collection.qrels[case.query], PLAIN)
    two = f"{case.phrases[1]}, {case.phrases[3]}"
    texts = ["", case.phrases[0], case.phrases[1], two, case.text]
    assert table[[0, 1, 2, 10, -1]].tolist() == alone(texts).tolist()


def test_the_whole_of_part_one_says_what_must_be_so(shop, monkeypatch):
    monkeypatch.setattr(planted, "QUERIES", 4)
    monkeypatch.setattr(planted, "DRAWS", 1)
    told = []
    credits = {
        name: credit
        for name, credit in compared(embed).items()
        if name in ("shapley", "leave-one-out", "myerson")
    }
    found = planted.measure(*shop, {"BM25": PLAIN}, credits, told.append)["BM25"]
    assert len(told) == 3
    for kind in found.values():
        of = kind["credits"]
        assert of["shapley"]["r_shapley"][0] == pytest.approx(1)
        assert of["leave-one-out"]["r_left_out"][0] == pytest.approx(1)
        assert of["planted truth"]["auc"][0] == 1
        gains = [own["gain"][0] for own in of.values()]
        assert of["best subset"]["gain"][0] == max(gains)


def test_the_whole_of_part_two_tells_chance_from_none(shop, monkeypatch):
    monkeypatch.setattr(redraws, "BUDGETS", (32, 96))
    monkeypatch.setattr(redraws, "WIDTHS", (1,))
    monkeypatch.setattr(redraws, "DRAWS", 3)
    settings = redraws.measure(*shop, {"BM25": PLAIN}, embed, 3, lambda _: None)["BM25"]["settings"]
    assert settings["M=32"]["windows, published"]["chance"][0] > 0.1
    assert settings["M=32"]["windows, corrected"]["chance"][0] == pytest.approx(0, abs=1e-9)
    assert settings["M=96"]["windows, published"]["chance"][0] == pytest.approx(0, abs=1e-9)
    assert settings["M=32, w=1"]["windows, published"]["evaluations"][0] == LONG + 2


def test_tokens_with_a_fault_are_compared_as_by_hand():
    right = torch.tensor([[2.0, 1.0, 3.0, 0.0], [0.0, 0.0, 0.0, 0.0]], dtype=torch.float64)
    wrong = torch.tensor([[1.0, 2.0, 0.0, 9.0], [0.0, 0.0, 5.0, 0.0]], dtype=torch.float64)
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])  # the last token of the first is padding
    parts = of_tokens(right, wrong, mask)
    assert value(parts, "touched") == 1  # the second has no advantage
    assert value(parts, "cosine") == pytest.approx(4 / (14 * 5) ** 0.5)
    assert value(parts, "within") == pytest.approx(np.corrcoef([2, 1, 3], [1, 2, 0])[0, 1])
    assert value(parts, "size") == pytest.approx(5 / 14)
    assert value(parts, "sign") == pytest.approx(1 / 3)
    assert value(parts, "order") == 1
    blamed = of_tokens(-right, torch.zeros_like(right), mask)
    assert value(blamed, "blame") == 0


def test_updates_are_compared_by_direction_and_length():
    parts = of_updates(torch.tensor([3.0, 0.0]), torch.tensor([3.0, 3.0]))
    assert value(parts, "update") == pytest.approx(0.5**0.5)
    assert value(parts, "update_size") == pytest.approx(2)


@pytest.fixture(scope="module")
def batch():
    words = tiny_training.tokenizer()
    policy = Policy(tiny_training.model(), words, prompt("{context}"))
    texts = [" lamp, trail map", " desk lamp, usb hub, map", " shoes", " map, map, lamp, desk"]
    ids = [words(text + "<eos>")["input_ids"] for text in texts]
    prompts = words([prompt("lamp")])["input_ids"]
    rollouts = Rollouts.given(prompts, ids, words.pad_token_id)
    reward = tiny_training.reward(end=words.eos_token_id)
    return Batch(policy, reward, rollouts, [{"query_id": "lamp"}] * 4, 0), policy, rollouts


def test_without_a_fault_nothing_changes_and_with_one_what_it_says_does(batch):
    its, _, _ = batch
    setting = Setting()
    right, mask = setting.advantages(its), setting.mask(its)
    same = of_tokens(right, setting.advantages(its), mask)
    assert value(same, "touched") == 0
    assert value(same, "cosine") == pytest.approx(1)
    erased = replace(CORRECTED, erased_failures=True)
    lost = setting.advantages(its, erased)[2]  # "shoes" is worth nothing
    of_phrases = torch.from_numpy(its.written[2].owners >= 0)
    assert its.advantages[2] < 0
    assert not lost[: len(of_phrases)][of_phrases].any()
    assert lost.any()  # the end keeps it
    hidden = Setting(reasoning=5)
    moved = hidden.advantages(its, replace(CORRECTED, from_first_token=True))
    assert moved.shape == (4, 5 + its.mask.shape[1])
    assert not torch.equal(moved, hidden.advantages(its))
    means = (hidden.advantages(its) * hidden.mask(its)).sum(1) / hidden.mask(its).sum(1)
    torch.testing.assert_close(means, its.advantages)  # off, every fault keeps the mean


def test_credit_is_compared_with_the_exact_shapley_value(batch):
    its, _, _ = batch
    right, exact = its.credits(96), its.shapley()
    alone = of_credits(right, right, exact)
    assert value(alone, "corrected") == pytest.approx(1)
    assert value(alone, "changed") == 0
    published = its.credits(96, PaperFaults.published())
    found = of_credits(right, published, exact)
    assert value(found, "changed") > 0
    totals = [exact[row].segments.sum() for row in exact]
    shared = sum(published[row].segments.sum() for row in exact)
    assert value(found, "sum") == pytest.approx(shared / sum(totals))


def test_an_update_is_the_gradient_of_the_weighted_log_probabilities(batch):
    its, policy, rollouts = batch
    advantages = Setting().advantages(its)
    found = Updates(policy, rollouts)(advantages)
    policy.model.zero_grad()
    own = advantages[rollouts.mask.bool()].float()
    (log_probabilities(policy.model, rollouts) * own).sum().backward()
    expected = torch.cat([weights.grad.flatten() for weights in policy.model.parameters()])
    torch.testing.assert_close(found, expected.double())


def test_the_page_shows_what_is_stored():
    figures_of = {*tables.lines(stored()), *pages.lines(stored_faults())}
    shown = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    assert len(shown) > 40
    assert [line for line in shown if line not in figures_of] == []

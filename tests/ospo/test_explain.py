"""Explanations: that they are true, what they cost, and what cannot be explained."""

from __future__ import annotations

import dataclasses
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import owen_core as oc
from ospo.data.collection import Catalogue
from ospo.data.icecat import load_icecat
from ospo.errors import InputError
from ospo.explain import EVERY_SUBSET, MOST_VARIANTS, SHOWN, explain
from ospo.game import CONCEPTS
from ospo.search.bm25 import BM25
from ospo.search.retriever import Hit, Retriever
from ospo.search.stored import Stored
from ospo.text.segment import words

TITLES = {
    "p1": "Salomon trail running shoes, waterproof, blue",
    "p2": "Hoka trail running shoes, wide feet, red and a very long name that needs cutting",
    "p3": "Red running socks",
    "p4": "Red road running shoes",
    "p5": "Waterproof [bold]jacket[/bold], red",
    "p6": "Trail map of the Alps",
}
SHOP = Catalogue(tuple(TITLES), {"title": tuple(TITLES.values())})
JUDGMENTS = {"p1": 3, "p2": 2, "p4": 1, "p3": 0}
WORDS = " ".join(dict.fromkeys(" ".join(TITLES.values()).replace(",", "").split()))
ENGINE = BM25(SHOP)


class Outside(Retriever):
    """An engine that can only be searched, and notes every search."""

    fingerprint = ENGINE.fingerprint

    def __init__(self):
        self.searches = []

    def search(self, queries, k):
        self.searches += queries
        return ENGINE.search(queries, k)

    def key(self, query):
        return ENGINE.key(query)


def ndcg(ranking):
    """Burges et al. (2005), as it is defined."""
    gains = [2 ** JUDGMENTS.get(product, 0) - 1 for product in ranking[:10]]
    ideal = sorted((2**grade - 1 for grade in JUDGMENTS.values()), reverse=True)
    dcg = [sum(g / math.log2(i) for i, g in enumerate(of, start=2)) for of in (gains, ideal)]
    return dcg[0] / dcg[1]


def without_time(explanation):
    """The explanation without what is never the same."""
    cost = dataclasses.replace(explanation.cost, seconds=0.0)
    return dataclasses.replace(explanation, cost=cost)


phrases = st.lists(st.sampled_from([*WORDS.split(), "unheard"]), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(phrases.map(", ".join), st.sampled_from([*CONCEPTS]))
def test_every_variant_is_what_its_query_retrieves_and_is_worth(query, concept):
    e = explain(query, ENGINE, JUDGMENTS, concept=concept)
    for variant in e.variants:
        kept = [e.segments[k] for k in variant.kept]
        assert variant.query == (query if len(kept) == len(e.segments) else ", ".join(kept))
        hits = ENGINE.search([variant.query], 10)[0]
        assert list(variant.ranking) == [hit.product_id for hit in hits][:SHOWN]
        assert variant.value == pytest.approx(ndcg([hit.product_id for hit in hits]), abs=1e-12)
        assert variant.ranks == tuple(ENGINE.ranks([variant.query], e.relevant)[0])
    assert e.variants[0].value == e.total
    assert {v.value for v in e.variants if not v.kept} <= {e.baseline}
    assert set(e.products) == {*e.relevant, *(p for v in e.variants for p in v.ranking)}
    assert e.products["p1"].grade == 3
    assert all(e.products[product].title == TITLES[product] for product in e.products)
    if len(e.segments) <= EVERY_SUBSET:
        assert len(e.variants) == 2 ** len(e.segments)


def test_the_best_drop_is_the_best_and_only_if_it_gains():
    e = explain("trail running shoes, waterproof, red, wide feet", ENGINE, JUDGMENTS)
    assert e.without[e.best_drop].value == max(v.value for v in e.without) > e.total
    better = e.without[e.best_drop]
    moves = list(zip(better.ranks, e.variants[0].ranks, strict=True))
    assert e.risen(better) == sum(after < before for after, before in moves if after)
    assert e.fallen(better) == sum(after > before for after, before in moves if after)
    assert explain("salomon", ENGINE, JUDGMENTS).best_drop is None


@pytest.mark.parametrize("concept", ["shapley", "myerson", "owen"])
def test_credits_share_out_the_metric(concept):
    e = explain("trail running shoes, waterproof, red", ENGINE, JUDGMENTS, concept=concept)
    assert sum(e.credit) == pytest.approx(e.total - e.baseline, abs=1e-12)
    assert e.interval is None
    assert e.method.estimator is None


def test_interactions_of_two_phrases_are_what_they_are_worth_beyond_each():
    e = explain("red, socks", ENGINE, {"p3": 1})
    both, second, first, nobody = (v.value for v in e.variants)
    (pair,) = e.interactions
    assert (pair.first, pair.second) == (0, 1)
    assert pair.value == pytest.approx(both - first - second + nobody, abs=1e-12)
    assert e.method.index == "k-SII"
    assert explain("red, socks", ENGINE, {"p3": 1}, interactions=False).interactions == ()
    assert explain("red", ENGINE, {"p3": 1}).interactions == ()


def test_a_long_query_is_sampled_and_its_intervals_hold_the_exact_credits():
    query = ", ".join(WORDS.split()[:12])
    exact = explain(query, ENGINE, JUDGMENTS)
    sampled = explain(query, ENGINE, JUDGMENTS, budget=600, rng=3)
    assert exact.interval is None
    assert sampled.method.estimator in oc.SAMPLERS
    assert sampled.method.stopped.startswith("the budget was spent after ")
    # Each interval misses in 5 of 100 samples; four times as wide, practically never.
    for credit, estimate, (low, high) in zip(
        exact.credit, sampled.credit, sampled.interval, strict=True
    ):
        assert low < estimate < high
        assert abs(credit - estimate) <= 2 * (high - low)
    assert [v.value for v in sampled.without] == [v.value for v in exact.without]
    assert sampled.method.index == "leave-two-out"
    assert len(sampled.interactions) == 11


def test_forty_phrases_are_sampled_until_the_intervals_are_narrow():
    query = ", ".join(f"{word} {number}" for number, word in enumerate((WORDS.split() * 3)[:40]))
    e = explain(query, ENGINE, JUDGMENTS, stop=oc.HalfWidth(0.1))
    assert max(high - low for low, high in e.interval) <= 0.2
    assert e.method.stopped.startswith("the rule was met after ")
    assert len(e.variants) == 1 + 40 + 1 + 40


@pytest.mark.parametrize("budget", [50, 100, 126, 127, 128])
def test_a_budget_just_below_the_exact_number_is_spent_and_ends(budget):
    e = explain(", ".join(WORDS.split()[:7]), ENGINE, JUDGMENTS, budget=budget)
    assert (e.interval is None) == (budget == 128)


@pytest.mark.parametrize(
    ("n", "concept"), [(7, "shapley"), (9, "owen"), (22, "myerson"), (23, "myerson"), (12, "ends")]
)
def test_a_longer_query_lists_intervals_that_are_valued_anyway(n, concept):
    query = " ".join((WORDS.split() * 2)[:n])
    e = explain(query, ENGINE, JUDGMENTS, concept=concept, segmenter=words, interactions=False)
    kept = [v.kept for v in e.variants]
    assert len(set(kept)) == len(kept) <= MOST_VARIANTS + n + 2
    others = [k for k in kept[n + 1 :] if k]
    assert all(k[-1] - k[0] == len(k) - 1 for k in others)
    assert len(others) >= n - 2
    if concept == "ends":
        assert e.cost.asked == 2 * n + (n - 2)  # its plan, and the other drops


def test_no_text_is_searched_twice_for_credits_ranks_and_lists():
    outside = Outside()
    e = explain("trail shoes, red, red", outside, JUDGMENTS)
    # 8 coalitions: two phrases say the same, so that the engine can tell 4 queries apart, of which
    # the empty one needs no search.
    assert (e.cost.asked, e.cost.searched, e.cost.saved) == (8, 3, 5)
    assert len(outside.searches) == 3
    assert all(variant.ranking for variant in e.variants if variant.kept)


@pytest.mark.parametrize("n", [3, 9, 20])
def test_a_second_run_finds_credits_ranks_and_lists_in_the_file(n, tmp_path):
    query = ", ".join(WORDS.split()[:n])
    engines, runs = [Outside(), Outside()], []
    for engine in engines:
        runs.append(explain(query, Stored(engine, tmp_path / "r"), JUDGMENTS, budget=600))
    first, second = runs
    assert engines[0].searches
    assert len(set(map(ENGINE.key, engines[0].searches))) == len(engines[0].searches)
    assert first.cost.searched == len(engines[0].searches)
    assert engines[1].searches == []
    assert second.cost.searched == 0
    assert dataclasses.replace(second, cost=first.cost) == first
    straight = explain(query, Outside(), JUDGMENTS, budget=600)
    assert dataclasses.replace(straight, cost=first.cost) == first


def test_the_same_call_gives_the_same_record():
    query = ", ".join(WORDS.split()[:18])
    first, again = (explain(query, ENGINE, JUDGMENTS, rng=5) for _ in range(2))
    assert without_time(first) == without_time(again)
    assert first.credit != explain(query, ENGINE, JUDGMENTS, rng=6).credit
    assert pickle.loads(pickle.dumps(first)) == first


def test_a_query_that_retrieves_nothing_is_answered():
    e = explain("qwertz, asdf", ENGINE, JUDGMENTS)
    assert e.credit == (0.0, 0.0)
    assert {variant.ranking for variant in e.variants} == {()}
    assert e.cost.searched == 0


def test_a_target_without_judgments_is_explained_by_its_score():
    e = explain("red, trail, lamp", ENGINE, {"p2": 1}, metric="score")
    assert e.total == ENGINE.product_scores(["red trail lamp"], ["p2"])[0, 0]
    # BM25 is additive over terms, so that every phrase earns exactly its own score.
    alone = ENGINE.product_scores(["red", "trail", "lamp"], ["p2"])[:, 0]
    np.testing.assert_allclose(e.credit, alone, atol=1e-12)
    assert [pair.value for pair in e.interactions] == pytest.approx([0, 0, 0], abs=1e-12)
    assert e.relevant == ("p2",)
    # 8 texts are scored, and as many ranked; nobody knows the lamp, so that 3 of them differ.
    assert (e.cost.asked, e.cost.searched) == (16, 11)


def test_a_second_run_finds_scores_in_the_file(tmp_path):
    query = ", ".join(WORDS.split()[:8])
    first, second = (
        explain(query, Stored(ENGINE, tmp_path / "r"), {"p2": 1}, metric="score") for _ in range(2)
    )
    assert first.cost.searched > 0
    assert second.cost.searched == 0
    assert dataclasses.replace(second, cost=first.cost) == first


def test_an_engine_without_a_catalogue_calls_products_by_their_ids():
    e = explain("red socks", Outside(), JUDGMENTS)
    assert e.products["p3"].title == "p3"
    assert e.method.products == 0


def test_an_engine_outside_is_named_without_its_secrets():
    class Engine(Outside):
        url = "https://search.example/_search?key=s3cret"

    method = explain("red", Engine(), JUDGMENTS).method
    assert method.retriever == "Engine at https://search.example/_search"


def test_real_queries_are_explained_exactly(icecat_dir):
    icecat = load_icecat(icecat_dir)
    engine = BM25(icecat.catalogue)
    for query in icecat.answerable:
        e = explain(icecat.queries[query], engine, icecat.qrels[query])
        assert abs(sum(e.credit) - e.total) <= 1e-12
        assert len(e.relevant) == sum(grade > 0 for grade in icecat.qrels[query].values())
        ranked = [hit.product_id for hit in engine.search([e.query], SHOWN)[0]]
        assert list(e.variants[0].ranking) == ranked


class Nothing(Retriever):
    """Finds nothing, and says so."""

    def search(self, queries, k):
        return [list[Hit]() for _ in queries]


@pytest.mark.parametrize(
    ("query", "arguments", "message"),
    [
        ("", {}, "has no words"),
        (" , ;", {}, "has no words"),
        ("red " * 17, {"budget": 3}, "shapley of 17 phrases cannot be computed: .* too small"),
        ("red " * 17, {"budget": 30, "concept": "ends", "rng": 1}, "budget is 30"),
        ("red shoes", {"metric": "Judged@5"}, "metric 'Judged@5' is not supported"),
        ("red shoes", {"metric": "what"}, "metric 'what' is not known"),
        ("red shoes", {"concept": "what"}, "concept must be one of shapley, .*, got 'what'"),
        ("red shoes", {"metric": "score"}, "name 4 products, and a score is of one"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_one_sentence(query, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        explain(query, ENGINE, JUDGMENTS, **arguments)
    assert "\n" not in str(caught.value)


def test_judgments_without_a_relevant_product_are_refused():
    with pytest.raises(InputError, match="no relevant product"):
        explain("red", Nothing(), {"p3": 0})

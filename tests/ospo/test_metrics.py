"""Metrics from ranks alone against ir-measures and their definitions, on real queries too."""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ospo.data.icecat import load_icecat
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.metrics import (
    NDCG,
    AveragePrecision,
    Precision,
    Recall,
    ReciprocalRank,
    judged_share,
    parse_metric,
)

# Each beside what ir-measures computes it by; nDCG has exponential gains here.
NAMES = [
    "nDCG(dcg='log2')@1",
    "nDCG(dcg='log2')@10",
    "nDCG(dcg='log2', judged_only=True)@10",
    "nDCG(dcg='log2')@100",
    "nDCG(dcg='log2')@1000",
    "nDCG(dcg='log2')",
    "R@10",
    "R(judged_only=True)@10",
    "P@10",
    "P(rel=2)@5",
    "P(rel=2, judged_only=True)@5",
    "RR",
    "RR(rel=2)",
    "RR(judged_only=True)",
    "AP",
    "AP(rel=2)",
    "AP@10",
    "AP(rel=3, judged_only=True)@100",
]
GAINS = {grade: 2**grade - 1 for grade in range(4)}


def by_ir_measures(names, rankings, qrels):
    """The value of each metric and query."""
    run = [
        # The evaluator breaks ties in its own way, so it is given the order, not the scores.
        ir_measures.ScoredDoc(query, product, float(-rank))
        for query, products in rankings.items()
        for rank, product in enumerate(products)
    ]
    judgments = [
        ir_measures.Qrel(query, product, grade)
        for query, judged in qrels.items()
        for product, grade in judged.items()
    ]
    # One at a time: asked for several, ir-measures gives the gains of one nDCG to another.
    return {
        (name, m.query_id): m.value
        for name in names
        for m in ir_measures.iter_calc([ir_measures.parse_measure(name)], judgments, run)
    }


def exponential(names):
    """Names of nDCG with our gains, and what ir-measures calls it."""
    return {
        name.replace("dcg='log2'", "").replace("()", "").replace("(, ", "("): name.replace(
            "dcg='log2'", f"gains={GAINS}"
        )
        for name in names
        if name.startswith("nDCG")
    }


def ranks_in(ranking, products):
    return [ranking.index(p) + 1 if p in ranking else 0 for p in products]


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 3), min_size=1).filter(
        lambda judged: any(judged.values())
    ),
    st.permutations("abcdefghijklmnopqrst"),
    st.integers(1, 20),
)
def test_every_metric_equals_ir_measures(judged, ranking, length):
    ranking = ranking[:length]
    pairs = {name: name for name in NAMES} | exponential(NAMES)
    expected = by_ir_measures(pairs.values(), {"q": ranking}, {"q": judged})
    for name, peer in pairs.items():
        metric = parse_metric(name)
        if any(map(metric.relevant, judged.values())):
            value = metric(ranks_in(ranking, judged), list(judged.values()))
            assert value == pytest.approx(expected[peer, "q"], abs=1e-9), name


@pytest.fixture(scope="module")
def icecat(icecat_dir):
    return load_icecat(icecat_dir)


def test_every_metric_of_every_real_query_equals_ir_measures(icecat):
    engine = BM25(icecat.catalogue)
    found = engine.search([icecat.queries[query] for query in icecat.answerable], k=1000)
    rankings = {
        query: [hit.product_id for hit in hits]
        for query, hits in zip(icecat.answerable, found, strict=True)
    }
    deep = {name: name for name in NAMES if "@" in name} | exponential(NAMES)
    expected = by_ir_measures(deep.values(), rankings, icecat.qrels)
    checked = 0
    for name, peer in deep.items():
        metric = parse_metric(name)
        for query in icecat.answerable:
            judged = icecat.qrels[query]
            # The engine ranks products beyond the thousandth too, which condensed lists move up.
            ranks = engine.ranks([icecat.queries[query]], list(judged))
            if any(map(metric.relevant, judged.values())):
                value = metric(np.where(ranks <= 1000, ranks, 0), list(judged.values()))[0]
                assert value == pytest.approx(expected[peer, query], abs=1e-9), (name, query)
                checked += 1
    assert checked > 1000


@settings(deadline=None)
@given(
    st.sets(st.sampled_from("abcdef"), min_size=1),
    st.sets(st.sampled_from("abcdefghij")),
    st.permutations("abcdefghijklmn"),
    st.integers(1, 8),
    st.integers(0, 14),
)
def test_a_pool_restricts_the_ranking_and_neither_the_cutoff_nor_the_ideal(
    relevant, pool, ranking, cutoff, length
):
    ranking = ranking[:length]
    judged = dict.fromkeys(sorted(pool), 0) | dict.fromkeys(sorted(relevant), 1)
    kept = [product for product in ranking if product in judged][:cutoff]
    gain = sum(1 / np.log2(rank + 1) for rank, p in enumerate(kept, 1) if p in relevant)
    ideal = sum(1 / np.log2(rank + 1) for rank in range(1, min(cutoff, len(relevant)) + 1))
    pooled = NDCG(cutoff, judged_only=True)
    assert pooled(ranks_in(ranking, judged), list(judged.values())) == pytest.approx(gain / ideal)


def test_a_pool_that_is_hardly_retrieved_does_not_pay():
    # What the published code did: with the target as the only survivor, it was worth 1.
    judged = {"target": 1, "other": 1, "third": 1, "a": 0, "b": 0}
    alone = NDCG(1000, judged_only=True)([7, 0, 0, 0, 0], list(judged.values()))
    with_more = NDCG(1000, judged_only=True)([7, 8, 0, 9, 0], list(judged.values()))
    assert alone == pytest.approx(1 / (1 + 1 / np.log2(3) + 1 / 2))
    assert with_more > alone


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=5))
def test_many_rankings_are_valued_as_each_is_alone(rankings):
    # Distinct ranks: two products never share one.
    rankings = [
        [3 * rank + place + 1 if rank else 0 for place, rank in enumerate(r)] for r in rankings
    ]
    for name in NAMES:
        metric = parse_metric(name)
        together = metric(rankings, [3, 0, 3])
        assert together.tolist() == [float(metric(ranks, [3, 0, 3])) for ranks in rankings]


@pytest.mark.parametrize("name", [*NAMES[1:], "nDCG@10", "nDCG(judged_only=True)@10", "nDCG"])
def test_a_metric_is_called_as_ir_measures_calls_it(name):
    assert str(parse_metric(name)) == name


def test_names_stand_for_metrics():
    assert parse_metric("nDCG@10") == NDCG(10)
    assert parse_metric("nDCG(judged_only=True)@10") == NDCG(10, judged_only=True)
    assert parse_metric("nDCG(dcg='exp-log2')@10") == NDCG(10)
    assert parse_metric("R@5") == Recall(5)
    assert parse_metric("P(rel=2)@5") == Precision(5, rel=2)
    assert parse_metric("RR") == parse_metric("MRR") == ReciprocalRank()
    assert parse_metric("AP@7") == AveragePrecision(7)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("foo", "not known"),
        ("nDCG@", "not known"),
        ("", "not known"),
        ("__import__('os')", "not known"),
        ("P", "not complete"),
        ("R", "not complete"),
        ("nDCG@1.5", "not complete"),
        ("nDCG(dcg='x')@10", "not complete"),
        ("AP(rel='high')", "not complete"),
        ("nDCG(gains={1: 2})@10", "not supported"),
        ("Judged@10", "not supported"),
        ("ERR@10", "not supported"),
        ("nDCG@0", "cutoff of nDCG is 0"),
        ("AP(rel=0)", "rel of AP is 0"),
    ],
)
def test_a_name_that_stands_for_no_metric_here_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        parse_metric(name)


def test_a_query_without_products_of_the_wanted_grade_cannot_be_judged(icecat):
    engine = BM25(icecat.catalogue)
    product = icecat.catalogue.ids[0]
    with pytest.raises(InputError, match=r"no relevant product for AP\(rel=2\)"):
        Judge(engine, {product: 1}, AveragePrecision(rel=2))
    with pytest.raises(InputError, match="no relevant product for nDCG@10"):
        Judge(engine, {product: 0}, NDCG(10))


def test_a_judge_ranks_what_its_metric_needs(icecat):
    engine = BM25(icecat.catalogue)
    a, b, c = icecat.catalogue.ids[:3]
    judged = {a: 0, b: 1, c: 3}
    assert Judge(engine, judged, NDCG(10)).product_ids == (c, b)
    assert Judge(engine, judged, AveragePrecision(rel=2)).product_ids == (c,)
    assert Judge(engine, judged, NDCG(10, judged_only=True)).product_ids == (c, b, a)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("abcdef"), unique=True, min_size=1),
    st.sets(st.sampled_from("abcdef"), min_size=1),
    st.integers(1, 8),
)
def test_the_judged_share_equals_ir_measures(ranking, judged, cutoff):
    name = f"Judged@{cutoff}"
    expected = by_ir_measures([name], {"q": ranking}, {"q": dict.fromkeys(judged, 0)})
    assert judged_share(ranking, judged, cutoff) == pytest.approx(expected[name, "q"])
    assert judged_share([], judged, cutoff) == 0

"""The score of one product as what a text is worth, computed or kept in a file."""

from __future__ import annotations

import numpy as np
import pytest

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.metrics import NDCG
from ospo.search.retriever import Hit, Retriever
from ospo.search.stored import BATCH, Stored
from ospo.search.target import TargetScore

SIZES = " ".join(f"size{n}" for n in range(2 * BATCH))  # a word for each text
SHOP = Catalogue(
    ("a", "b", "c"), {"title": ("red trail shoe", "blue shoe", f"red red lamp, {SIZES}")}
)
TEXTS = [
    "red shoe",
    "",
    "shoes red",
    "lamp",
    "unheard",
    *(f"red size{n}" for n in range(2 * BATCH)),
]


class Counting(BM25):
    """BM25 that counts the texts whose scores it computes, and fails after some."""

    def __init__(self, fail_after=10_000):
        super().__init__(SHOP)
        self.asked, self.fail_after = 0, fail_after

    def product_scores(self, queries, product_ids):
        self.asked += len(queries)
        if self.asked > self.fail_after:
            raise RuntimeError("power cut")
        return super().product_scores(queries, product_ids)


class Outside(Retriever):
    """An engine that scores only what it finds."""

    def search(self, queries, k):
        return [[Hit("a", 1.0)][:k] for _ in queries]


def test_a_score_from_a_file_is_the_score_and_is_computed_once(tmp_path):
    expected = TargetScore(BM25(SHOP), "a")(TEXTS)
    assert expected[0] > 0 == expected[1]
    engines = [Counting(), Counting()]
    for engine in engines:
        stored = Stored(engine, tmp_path / "scores")
        np.testing.assert_array_equal(TargetScore(stored, "a")(TEXTS), expected)
    assert engines[0].asked == len(TEXTS)
    assert engines[1].asked == 0
    assert stored.found == len(TEXTS)


def test_scores_of_other_products_and_ranks_are_kept_apart_in_one_file(tmp_path):
    stored = Stored(BM25(SHOP), tmp_path / "both")
    for _ in range(2):  # computed, then found
        for product in SHOP.ids:
            expected = TargetScore(BM25(SHOP), product)(TEXTS)
            np.testing.assert_array_equal(TargetScore(stored, product)(TEXTS), expected)
        ranks = BM25(SHOP).ranks(TEXTS, SHOP.ids)
        np.testing.assert_array_equal(stored.ranks(TEXTS, SHOP.ids), ranks)
        assert Judge(stored, {"b": 1}, NDCG(10))(["blue shoe"]) == 1


def test_what_was_scored_before_a_failure_is_kept(tmp_path):
    with pytest.raises(RuntimeError, match="power cut"):
        TargetScore(Stored(Counting(fail_after=BATCH), tmp_path / "s"), "a")(TEXTS)
    again = Counting()
    TargetScore(Stored(again, tmp_path / "s"), "a")(TEXTS)
    assert again.asked == len(TEXTS) - BATCH


def test_an_engine_that_scores_what_it_finds_alone_is_refused(tmp_path):
    for engine in (Outside(), Stored(Outside(), tmp_path / "s")):
        with pytest.raises(InputError, match=r"Outside scores .*: use the metric RR"):
            TargetScore(engine, "a")

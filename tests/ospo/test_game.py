"""Games over texts: many at once, without judgments, and with a memory on disk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ospo.data.collection import Catalogue, Collection
from ospo.errors import InputError
from ospo.explain import explain
from ospo.game import CONCEPTS, RetrievalGame, attribute_together
from ospo.report.page import page
from ospo.reward.retrieval import Retrieval
from ospo.search.bm25 import BM25
from ospo.search.fusion import Fusion
from ospo.search.judge import Judge
from ospo.search.lsa import LSA
from ospo.search.metrics import NDCG, Recall
from ospo.search.retriever import Hit, Retriever, RetrieverError
from ospo.search.stored import BATCH, Stored
from ospo.search.target import TargetScore
from ospo.text.segment import segment

TITLES = (
    "red trail shoe",
    "blue road shoe",
    "desk lamp",
    "red desk lamp",
    "trail map",
    "shoe rack",
)
SHOP = Catalogue(tuple(f"p{k}" for k in range(len(TITLES))), {"title": TITLES})
GRADES = {"p0": 3, "p1": 1, "p3": 2}
ROLLOUTS = ["red trail shoes", "shoes, red trail", "trail, red, red", "lamp", "shoes, red trail"]


class Counting(Retriever):
    """BM25 that notes what it is asked, and fails at a given search."""

    def __init__(self, fail_at=None):
        self.engine = BM25(SHOP)
        self.fingerprint = self.engine.fingerprint
        self.calls = []
        self.fail_at = fail_at

    @property
    def texts(self):
        return [text for call in self.calls for text in call]

    def search(self, queries, k):
        if self.fail_at is not None and len(self.texts) + len(queries) > self.fail_at:
            raise RetrieverError("engine down")
        self.calls.append(list(queries))
        return self.engine.search(queries, k)

    def key(self, query):
        return self.engine.key(query)


class Literal(Counting):
    """The same, but every text is another query to it."""

    key = Retriever.key


def letters(queries, _=None):
    """No additive game: the squared number of distinct letters."""
    return np.array([len(set(query) - set(" ,")) ** 2 for query in queries], dtype=float)


@settings(deadline=None)
@given(
    st.lists(st.text("ab c,", min_size=1, max_size=12).filter(segment), max_size=4),
    st.sampled_from([*CONCEPTS]),
)
def test_together_texts_have_the_credits_that_they_have_alone(texts, concept):
    together = attribute_together(texts, [segment(text) for text in texts], letters, concept)
    assert len(together) == len(texts)
    for text, mine in zip(texts, together, strict=True):
        alone = RetrievalGame(text, letters).attribute(concept)
        np.testing.assert_array_equal(mine.values, alone.values)
        assert (mine.names, mine.baseline, mine.total) == (alone.names, alone.baseline, alone.total)
        assert (mine.concept, mine.structure) == (alone.concept, alone.structure)


def test_every_coalition_is_valued_for_its_own_text():
    texts = ["aa, bb", "cc"]

    def value(queries, owners):
        assert all(
            set(query) <= set(texts[owner]) for query, owner in zip(queries, owners, strict=True)
        )
        return np.array(owners, dtype=float) + letters(queries)

    first, second = attribute_together(texts, [segment(text) for text in texts], value)
    assert (first.baseline, first.total) == (0, 4)
    assert (second.baseline, second.total) == (1, 2)


def test_the_rollouts_of_a_query_are_searched_in_one_call_without_repetition():
    engine = Counting()
    reward = Retrieval(Collection("test", SHOP, {"q": "shoes"}, {"q": GRADES}), engine, NDCG(10))
    together = attribute_together(
        ROLLOUTS,
        [segment(text) for text in ROLLOUTS],
        lambda queries, owners: reward.value(queries, [{"query_id": "q"} for _ in owners]),
    )
    assert len(engine.calls) == 1
    # The subsets of {red, trail, shoe} that are said, and {lamp}.
    assert len(engine.texts) == len({BM25(SHOP).key(text) for text in engine.texts}) == 8
    assert reward.searched == 8
    assert reward.asked == sum(2 ** len(segment(text)) for text in ROLLOUTS)
    for text, mine in zip(ROLLOUTS, together, strict=True):
        alone = RetrievalGame(text, Judge(BM25(SHOP), GRADES, NDCG(10))).attribute()
        np.testing.assert_array_equal(mine.values, alone.values)


def test_without_judgments_the_score_of_a_product_is_shared():
    engine = BM25(SHOP)
    game = RetrievalGame("red, trail, lamp", TargetScore(engine, "p0"))
    (score,) = TargetScore(engine, "p0")(["red trail lamp"])
    credit = game.attribute()
    assert credit.total == score > 0
    assert credit.baseline == 0
    # BM25 is additive over terms, so that every phrase earns exactly its own score.
    np.testing.assert_allclose(credit.values, TargetScore(engine, "p0")(game.names), atol=1e-12)


def test_an_explanation_by_score_says_where_the_product_stands():
    e = explain("red, trail, lamp", BM25(SHOP), {"p0": 1}, metric="score")
    (score,) = TargetScore(BM25(SHOP), "p0")(["red trail lamp"])
    assert (e.metric, e.total) == ("score", score)
    assert sum(e.credit) == pytest.approx(score, abs=1e-12)
    assert e.without[2].value == score  # the product is no lamp
    assert (e.relevant, e.variants[0].ranks) == (("p0",), (1,))
    # 8 texts are scored, and all but the empty one ranked.
    assert (e.cost.asked, e.cost.searched) == (16, 15)


@pytest.mark.parametrize(
    ("engine", "judgments", "message"),
    [
        (BM25(SHOP), GRADES, "name 3 products, and a score is of one"),
        (Counting(), {"p0": 1}, "use the metric RR"),
    ],
)
def test_a_score_that_cannot_be_is_refused(engine, judgments, message):
    with pytest.raises(InputError, match=message):
        explain("red shoe", engine, judgments, metric="score")


def test_a_second_run_makes_no_search(tmp_path):
    runs, engines = [], [Counting(), Counting()]
    for engine in engines:
        runs.append(explain("red, trail, shoes", Stored(engine, tmp_path / "r"), GRADES))
    first, second = runs
    assert (first.cost.searched, second.cost.searched) == (7, 0)
    assert engines[1].calls == []
    assert (second.credit, second.variants) == (first.credit, first.variants)
    assert first.credit == explain("red, trail, shoes", BM25(SHOP), GRADES).credit


def test_what_is_kept_serves_other_metrics_segments_and_texts(tmp_path):
    explain("red, trail, shoes", Stored(Counting(), tmp_path / "r"), GRADES)
    again = Counting()
    stored = Stored(again, tmp_path / "r")
    e = explain("shoe trails", stored, GRADES, metric="R@1", concept="myerson")
    assert e.cost.searched == 0
    assert Judge(stored, {"p0": 1}, Recall(3))(["red trails"]) == 1
    assert again.calls == []
    assert Judge(stored, {"p5": 1}, Recall(9))(["shoes"]) == 1  # another product is not known
    assert again.texts == ["shoes"]


def test_a_reward_counts_what_was_found_on_disk_as_saved(tmp_path):
    shop = Collection("test", SHOP, {"q": "shoes"}, {"q": GRADES})
    counts = []
    for _ in range(2):
        reward = Retrieval(shop, Stored(BM25(SHOP), tmp_path / "r"), NDCG(10))
        values = reward.value(ROLLOUTS, [{"query_id": "q"}] * 5)
        counts.append((reward.asked, reward.searched, values.tolist()))
    assert counts[0] == (5, 3, Judge(BM25(SHOP), GRADES, NDCG(10))(ROLLOUTS).tolist())
    assert counts[1] == (5, 0, counts[0][2])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=4), st.permutations(SHOP.ids))
def test_kept_ranks_are_the_retrievers_whatever_it_sees(tmp_path_factory, texts, products):
    path = tmp_path_factory.mktemp("ranks") / "r"
    for engine in (BM25(SHOP), Counting(), Fusion([BM25(SHOP), Alphabet()])):
        texts = [*texts, "red shoe"]
        expected = engine.ranks(texts, products)
        for _ in range(2):
            np.testing.assert_array_equal(Stored(engine, path).ranks(texts, products), expected)


class Alphabet(Retriever):
    """Sees the text itself, and finds products by its length."""

    fingerprint = "alphabet"

    def search(self, queries, k):
        return [[Hit(SHOP.ids[len(query.strip()) % len(SHOP)], 1.0)][:k] for query in queries]


def test_another_catalogue_setting_or_depth_is_another_game(tmp_path):
    shallow = Counting()
    shallow.depth = 1
    engines = [BM25(SHOP), BM25(SHOP, k1=0.1), LSA(SHOP, 2), Alphabet(), Counting(), shallow]
    for engine in engines:
        stored = Stored(engine, tmp_path / "r")
        np.testing.assert_array_equal(
            stored.ranks(["red shoe"], SHOP.ids), engine.ranks(["red shoe"], SHOP.ids)
        )
    # Counting ranks as the BM25 at its side, and says so by its fingerprint.
    assert [Stored(engine, tmp_path / "r").fingerprint for engine in engines].count(
        engines[0].fingerprint
    ) == 3


def test_what_was_searched_before_a_failure_is_not_searched_again(tmp_path):
    texts = [f"red shoe {number}" for number in range(3 * BATCH)]
    broken = Stored(Literal(fail_at=2 * BATCH), tmp_path / "r")
    with pytest.raises(RetrieverError, match="engine down"):
        Judge(broken, GRADES, NDCG(10))(texts)
    repaired = Literal()
    values = Judge(Stored(repaired, tmp_path / "r"), GRADES, NDCG(10))(texts)
    assert repaired.texts == texts[2 * BATCH :]
    np.testing.assert_array_equal(values, Judge(BM25(SHOP), GRADES, NDCG(10))(texts))


def test_a_file_that_is_no_store_is_refused_before_anything_is_searched(tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("a note that is longer than one hundred bytes, which SQLite reads first " * 3)
    engine = Counting()
    with pytest.raises(InputError, match=r"note.txt"):
        explain("red", Stored(engine, note), GRADES)
    assert engine.calls == []
    assert note.read_text().startswith("a note")


def test_a_grade_of_nothing_is_no_relevant_product():
    judged = GRADES | {"p5": 0}
    e = explain("red shoes", BM25(SHOP), judged, metric="nDCG(judged_only=True)@2")
    assert set(e.relevant) == set(GRADES)
    judge = Judge(BM25(SHOP), judged, NDCG(2, judged_only=True))
    assert e.total == judge(["red shoes"])


def test_segments_come_from_any_segmenter():
    e = explain(
        "red shoes, trail", BM25(SHOP), GRADES, segmenter=lambda text: segment("red shoes trail")
    )
    assert e.segments == ("red", "shoes", "trail")
    assert "trail" in page([e])  # which stands where the query does not hold the phrases in order

"""What every retriever promises, held against each of those that search in this process.

Long because every retriever meets the same contract.
"""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from ospo.data.collection import Catalogue
from ospo.data.icecat import load_icecat
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.fts5 import FTS5
from ospo.search.function import FunctionRetriever
from ospo.search.fusion import Fusion
from ospo.search.judge import Judge
from ospo.search.lsa import LSA
from ospo.search.metrics import NDCG, ReciprocalRank
from ospo.search.retriever import Additive, Hit, Retriever, RetrieverError
from ospo.search.scorer import Scorer, best
from ospo.search.target import TargetScore
from ospo.search.tfidf import TFIDF
from ospo.search.vectors import unit_vectors

TITLES = (
    "red trail running shoe",
    "blue running shoe",
    "desk lamp",
    "red desk lamp with usb",
    "usb hub",
    "Käse _x_ 15.6-inch",
)
SHOP = Catalogue(
    tuple(f"p{i}" for i in range(len(TITLES))),
    {"title": TITLES, "brand": ("Alpen", "Nord", "", "Alpen", "Volt", "")},
)
RETRIEVERS = {
    "bm25": BM25(SHOP),
    "fts5": FTS5(SHOP),
    "tfidf": TFIDF(SHOP),
    "lsa": LSA(SHOP, 3),
    "fusion": Fusion([BM25(SHOP), LSA(SHOP, 3)]),
    "function": FunctionRetriever(BM25(SHOP).search, SHOP),
}
LEXICAL = ["bm25", "fts5", "tfidf"]
WORDS = ["red", "blue", "running", "shoes", "lamp", "desk", "usb", "hub", "alpen", "unheard"]
queries = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)


@pytest.fixture(scope="module", params=RETRIEVERS)
def engine(request):
    return RETRIEVERS[request.param]


@pytest.fixture(scope="module")
def icecat(icecat_dir):
    return load_icecat(icecat_dir)


@settings(deadline=None)
@given(st.lists(queries, max_size=4), st.permutations(SHOP.ids), st.integers(0, len(SHOP) + 1))
def test_one_look_gives_the_ranks_and_the_first_products(engine, queries, products, k):
    ranks, first = engine.look(queries, products, k)
    assert ranks.tolist() == engine.ranks(queries, products).tolist()
    listed = [[hit.product_id for hit in hits] for hits in engine.search(queries, len(SHOP))]
    assert first == [products[:k] for products in listed]


@settings(deadline=None)
@given(st.lists(queries, max_size=4))
def test_ranks_are_positions_in_the_search_results(engine, queries):
    found = engine.search(queries, len(SHOP))
    expected = [
        [next((r for r, h in enumerate(hits, 1) if h.product_id == p), 0) for p in SHOP.ids]
        for hits in found
    ]
    assert engine.ranks(queries, SHOP.ids).tolist() == (expected or [])


@settings(deadline=None)
@given(queries, st.integers(1, 10))
def test_fewer_products_are_the_beginning_of_more(engine, query, k):
    assert engine.search([query], k) == [engine.search([query], len(SHOP))[0][:k]]


@settings(deadline=None)
@given(queries)
def test_scores_fall_and_no_product_comes_twice(engine, query):
    (hits,) = engine.search([query], 10)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.product_id for hit in hits}) == len(hits)


@settings(deadline=None)
@given(queries, st.randoms())
def test_equal_keys_mean_equal_rankings(engine, query, random):
    shuffled = query.split()
    random.shuffle(shuffled)
    other = " ".join(shuffled).upper()
    if engine.key(query) == engine.key(other):
        assert engine.search([query], 10) == engine.search([other], 10)
    if not engine.key(query):
        assert engine.search([query], 10) == [[]]


@pytest.mark.parametrize("name", [*LEXICAL, "lsa"])
def test_order_case_and_repetition_of_words_make_no_difference(name):
    engine = RETRIEVERS[name]
    assert engine.key("Red LAMPS red") == engine.key("lamp red") != engine.key("lamp")
    assert engine.search(["Red LAMPS red"], 10) == engine.search(["lamp red"], 10)


@pytest.mark.parametrize("name", LEXICAL)
def test_lexical_retrievers_find_what_shares_a_term(name):
    found = {hit.product_id for hit in RETRIEVERS[name].search(["shoes from alpen"], 10)[0]}
    assert found == {"p0", "p1", "p3"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_safe_query(engine, text):
    (hits,) = engine.search([text], 10)
    assert {hit.product_id for hit in hits} <= set(SHOP.ids)


@pytest.mark.parametrize(
    "text",
    ['red" OR "', "red NOT lamp", "title:red", "red*", "NEAR(red lamp)", "red\0", "\ud800 red"],
)
def test_signs_of_query_languages_are_plain_text(engine, text):
    assert "p0" in {hit.product_id for hit in engine.search([text], 10)[0]}


def test_a_very_long_query_is_searched(engine):
    text = " ".join(f"word{i}" for i in range(3000)) + " lamp"
    assert {"p2", "p3"} <= {hit.product_id for hit in engine.search([text], 10)[0]}


def test_an_empty_query_finds_nothing(engine):
    assert engine.search(["", " \n"], 10) == [[], []]
    assert not any(map(engine.key, ["", " \n"]))


def test_no_query_has_no_answer(engine):
    assert engine.search([], 10) == []
    assert engine.ranks([], SHOP.ids).shape == (0, len(SHOP))


@pytest.mark.parametrize("k", [0, -1])
def test_fewer_than_one_product_cannot_be_asked_for(engine, k):
    with pytest.raises(InputError, match=f"k is {k}: ask for at least 1 product"):
        engine.search(["red"], k)


def test_fingerprints_name_the_retriever_and_the_catalogue():
    other = Catalogue(SHOP.ids, {**SHOP.fields, "title": tuple(map(str.upper, TITLES))})
    makers = (BM25, FTS5, TFIDF, lambda shop: LSA(shop, 2), lambda shop: LSA(shop, 3))
    makers += (lambda shop: LSA(shop, 3, seed=1), lambda s: Fusion([BM25(s), FTS5(s)]))
    prints = [make(shop).fingerprint for make in makers for shop in (SHOP, other)]
    assert len(set(prints)) == len(prints)
    assert prints == [make(shop).fingerprint for make in makers for shop in (SHOP, other)]


@pytest.mark.parametrize("make", [BM25, FTS5, TFIDF, LSA])
def test_a_catalogue_without_words_is_refused(make):
    with pytest.raises(InputError, match="none of the 2 products has a word in title"):
        make(Catalogue(("a", "b"), {"title": ("", "--")}))


@pytest.mark.parametrize("make", [BM25, FTS5, TFIDF, LSA])
def test_values_do_not_depend_on_who_else_is_in_the_batch(icecat, make):
    engine = make(icecat.catalogue)
    queries = list(icecat.queries.values())[::3]
    products = icecat.catalogue.ids[::97]
    together = engine.ranks(queries, products)
    alone = np.vstack([engine.ranks([query], products) for query in queries])
    np.testing.assert_array_equal(together, alone)
    scores = engine.product_scores(queries, products)
    np.testing.assert_array_equal(
        scores, np.vstack([engine.product_scores([query], products) for query in queries])
    )


def test_fts5_scores_are_those_of_sqlite(tmp_path):
    # On disk and in memory, against a table of whole words that SQLite tokenizes by itself.
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE t USING fts5(title, brand)")
    database.executemany("INSERT INTO t VALUES (?, ?)", zip(*SHOP.fields.values(), strict=True))
    fields = {"title": 2.0, "brand": 1.0}
    for engine in (
        FTS5(SHOP, fields=fields, stemmer=None),
        FTS5(SHOP, tmp_path, fields=fields, stemmer=None),
        FTS5(SHOP, tmp_path, fields=fields, stemmer=None),  # read back
    ):
        for query in ("red", "desk lamp", "usb alpen shoe"):
            expected = database.execute(
                "SELECT rowid - 1, -bm25(t, 2.0, 1.0) FROM t WHERE t MATCH ? ORDER BY 2 DESC, 1",
                (" OR ".join(query.split()),),
            ).fetchall()
            found = [(int(p[1:]), score) for p, score in engine.search([query], 10)[0]]
            assert found == [(row, pytest.approx(score)) for row, score in expected]
    assert len(list(tmp_path.iterdir())) == 1
    database.close()


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_a_damaged_database_is_named(tmp_path, kept):
    FTS5(SHOP, tmp_path)
    (stored,) = tmp_path.iterdir()
    stored.write_bytes(stored.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"fts5-.*sqlite is damaged .*delete it"):
        FTS5(SHOP, tmp_path)


@pytest.mark.parametrize("make", [FTS5, TFIDF])
def test_fields_weigh_in_every_lexical_retriever(make):
    shop = Catalogue(("a", "b"), {"title": ("red lamp", "hub x"), "brand": ("volt x", "red lamp")})
    for heavy, first in (("title", "a"), ("brand", "b")):
        weights = {"title": 1.0, "brand": 1.0} | {heavy: 9.0}
        assert make(shop, fields=weights).search(["red"], 2)[0][0].product_id == first
    assert len(make(shop, fields={"title": 1}).search(["red"], 2)[0]) == 1


def test_tfidf_scores_are_the_cosines_of_scikit_learn():
    model = TfidfVectorizer(analyzer=str.split)
    shop = Catalogue(SHOP.ids, {"title": tuple(title.lower() for title in TITLES)})
    products = model.fit_transform(shop.fields["title"]).toarray()
    engine = TFIDF(shop, stemmer=None, fields={"title": 3.0})  # a factor of all changes nothing
    for query in ("red", "desk lamp", "usb shoe hub"):
        expected = products @ model.transform([query]).toarray()[0]
        got = engine.product_scores([query], shop.ids)[0]
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_lsa_scores_are_cosines_along_the_main_directions():
    model = TfidfVectorizer(analyzer=str.split)
    shop = Catalogue(SHOP.ids, {"title": tuple(title.lower() for title in TITLES)})
    products = model.fit_transform(shop.fields["title"]).toarray()
    directions = np.linalg.svd(products)[2][:4].T
    engine = LSA(shop, 4, stemmer=None)
    for query in ("red", "desk lamp", "usb shoe hub"):
        wanted = model.transform([query]).toarray()[0] @ directions
        there = products @ directions
        lengths = np.linalg.norm(there, axis=1) * np.linalg.norm(wanted)
        # The last product shares no term with another, and may lie outside all directions.
        expected = (there @ wanted)[:5] / lengths[:5]
        got = engine.product_scores([query], shop.ids[:5])[0]
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_lsa_finds_what_shares_no_term_with_the_query():
    shop = Catalogue(
        tuple("abcd"), {"title": ("laptop computer", "computer", "garden hose", "garden")}
    )
    ranking = [hit.product_id for hit in LSA(shop, 2).search(["laptop"], 4)[0]]
    assert set(ranking[:2]) == {"a", "b"}
    assert "b" not in {hit.product_id for hit in TFIDF(shop).search(["laptop"], 4)[0]}


@pytest.mark.parametrize("dimensions", [0, 6, 200])
def test_lsa_cannot_keep_more_dimensions_than_there_are(dimensions):
    with pytest.raises(InputError, match=f"cannot keep {dimensions} dimensions .* from 1 to 5"):
        LSA(SHOP, dimensions)


def test_lsa_is_the_same_for_a_seed():
    first, second = (LSA(SHOP, 3, seed=7).product_scores(["red"], SHOP.ids) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@settings(deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 20),
    st.integers(0, 2**32 - 1),
)
def test_dot_products_of_unit_vectors_are_exact(dimensions, count, seed):
    random = np.random.default_rng(seed)
    vectors = unit_vectors(random.normal(size=(count, dimensions)))
    query = unit_vectors(random.normal(size=(1, dimensions)))[0]
    order = random.permutation(dimensions)
    np.testing.assert_array_equal(vectors @ query, vectors[:, order] @ query[order])
    np.testing.assert_array_equal(vectors @ query, [sum(map(float, v * query)) for v in vectors])
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < dimensions * 2.0**-25


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 4).map(float), max_size=20),
    st.integers(1, 25),
    st.sampled_from([0.0, -np.inf]),
)
def test_the_best_are_the_beginning_of_a_stable_sort(scores, k, floor):
    order = sorted(range(len(scores)), key=lambda d: -scores[d])
    expected = [d for d in order if scores[d] > floor][:k]
    assert best(np.array(scores), k, floor).tolist() == expected


class Fixed(Retriever):
    """Gives the same ranking to every query that is not empty."""

    def __init__(self, ranking: str) -> None:
        self.ranking = ranking

    def search(self, queries, k):
        return [[Hit(p, 1.0) for p in self.ranking[:k]] if q.strip() else [] for q in queries]


rankings = st.permutations("abcdef").flatmap(
    lambda order: st.integers(0, 6).map(lambda n: "".join(order[:n]))
)


@settings(deadline=None)
@given(st.lists(rankings, min_size=2, max_size=4), st.integers(0, 100))
def test_a_fusion_sums_reciprocal_ranks(rankings, constant):
    fusion = Fusion([Fixed(ranking) for ranking in rankings], constant=constant)
    (hits,) = fusion.search(["any"], 10)
    for product, score in hits:
        ranks = [ranking.index(product) + 1 for ranking in rankings if product in ranking]
        assert score == pytest.approx(sum(1 / (constant + rank) for rank in ranks))
    assert {hit.product_id for hit in hits} == set("".join(rankings))


def test_a_fusion_weighs_and_breaks_ties_by_the_first_retriever():
    parts = [Fixed("ab"), Fixed("ba")]
    assert [h.product_id for h in Fusion(parts).search(["x"], 2)[0]] == ["a", "b"]
    assert [h.product_id for h in Fusion(parts, weights=[1, 2]).search(["x"], 2)[0]] == ["b", "a"]


def test_a_fusion_sees_what_any_of_its_parts_sees():
    fusion = RETRIEVERS["fusion"]
    assert fusion.key("unheard") == ()
    assert fusion.key("red lamp") == fusion.key("lamp red") != fusion.key("lamp")
    judge = Judge(fusion, {"p2": 3}, NDCG(10))
    assert judge(["unheard", "desk lamp"])[0] == 0
    assert judge.searched == 1


@pytest.mark.parametrize(
    ("parts", "options", "message"),
    [
        ("a", {}, "fusion of 1 retrievers: give at least two"),
        ("ab", {"weights": [1]}, "do not fit 2 retrievers"),
        ("ab", {"weights": [1, 0]}, "number above 0 for each"),
        ("ab", {"constant": -1}, "rank constant is -1"),
        ("ab", {"depth": 0}, "k is 0"),
    ],
)
def test_a_fusion_that_cannot_be_is_refused(parts, options, message):
    with pytest.raises(InputError, match=message):
        Fusion([Fixed(part) for part in parts], **options)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (None, r"the function answered None to 2 queries: return a list with one list of hits"),
        ([["p0"]], "to 2 queries"),
        (iter([[], []]), "to 2 queries"),
        ([["p0"], None], "asked for 'red lamp', returned None"),
        ([["p0"], "p1"], "returned 'p1'"),
        ([["p9"], []], "the product 'p9', which is not in the catalogue: search an index of"),
        ([["p0", "p1", "p0"], []], "the product 'p0' twice"),
        ([["p0", "p1", "p2", "p3"], []], "returned 4 products: return at most k = 3"),
        ([[("p0", float("nan"))], []], r"\('p0', nan\) at rank 1: return the product's id as"),
        ([[("p0", "high")], []], "at rank 1: return the product's id as text, and a score"),
        ([[7], []], "returned 7 at rank 1"),
        ([[("p0", 1.0, "more")], []], "at rank 1"),
    ],
)
def test_an_answer_that_is_no_ranking_is_refused(answers, message):
    engine = FunctionRetriever(lambda queries, k: answers, SHOP)
    with pytest.raises(RetrieverError, match=message):
        engine.search(["desk", "red lamp"], 3)


def test_fewer_products_than_asked_for_and_bare_ids_are_fine():
    answers = [["p1", ("p0", np.float32(0.25))], []]
    engine = FunctionRetriever(lambda queries, k: answers, SHOP)
    assert engine.search(["a", "b"], 10) == [[("p1", 1.0), ("p0", 0.25)], []]
    assert engine.ranks(["a", "b"], ["p0", "p2"]).tolist() == [[2, 0], [0, 0]]


def test_what_a_function_raises_is_not_swallowed():
    def search(queries, k):
        raise KeyError("index gone")

    with pytest.raises(KeyError, match="index gone"):
        FunctionRetriever(search, SHOP).ranks(["a"], ["p0"])


def test_a_retriever_needs_only_search():
    judge = Judge(Fixed("abc"), {"b": 1}, ReciprocalRank())
    assert judge(["x", "x ", "", "y"]).tolist() == [0.5, 0.5, 0, 0.5]
    assert judge.searched == 2
    assert Fixed("a").fingerprint != Fixed("a").fingerprint  # nothing says that they are alike
    one = Fixed("a")
    assert one.fingerprint == one.fingerprint
    with pytest.raises(TypeError, match="abstract method"):
        type("Nothing", (Retriever,), {})()


def test_a_product_below_the_depth_is_not_found():
    engine = Fixed("abc")
    engine.depth = 2
    assert engine.ranks(["x"], ["b", "c"]).tolist() == [[2, 0]]


@pytest.mark.parametrize("name", [*LEXICAL, "lsa"])
def test_judgments_of_another_catalogue_are_named(name):
    with pytest.raises(InputError, match="product 'q7' is not in the catalogue"):
        RETRIEVERS[name].ranks(["red"], ["p0", "q7"])


@pytest.mark.parametrize("name", [*LEXICAL, "lsa"])
def test_a_target_is_worth_its_score(name):
    engine = RETRIEVERS[name]
    assert isinstance(engine, Scorer)
    hits = dict(engine.search(["red lamp"], 10)[0])
    value = TargetScore(engine, "p3")
    assert value(["red lamp", "unheard", ""]).tolist() == [hits["p3"], 0, 0]
    if name == "bm25":
        red, lamp, both = value(["red", "lamp", "red lamp"])
        assert red + lamp == both


def test_only_sums_over_terms_are_additive():
    assert [name for name, engine in RETRIEVERS.items() if isinstance(engine, Additive)] == ["bm25"]


def test_a_target_needs_a_retriever_that_scores_all_products():
    with pytest.raises(InputError, match="use the metric RR for a single target"):
        TargetScore(Fixed("abc"), "a")

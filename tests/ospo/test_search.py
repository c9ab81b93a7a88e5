"""BM25, rank counting and the judge against independent implementations, on real queries too."""

from __future__ import annotations

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import owen_core as oc
from ospo.data.collection import Catalogue
from ospo.data.icecat import load_icecat
from ospo.errors import InputError
from ospo.game import RetrievalGame
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.metrics import NDCG
from ospo.text.terms import terms
from owen_core import _core

WORDS = ["red", "blue", "shoe", "lamp", "desk", "trail", "usb"]
titles = st.lists(st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join), min_size=1)


def catalogue(titles):
    return Catalogue(tuple(f"p{i}" for i in range(len(titles))), {"title": tuple(titles)})


@pytest.fixture(scope="module")
def icecat(icecat_dir):
    return load_icecat(icecat_dir)


@pytest.fixture(scope="module")
def engine(icecat):
    return BM25(icecat.catalogue)


@settings(deadline=None)
@given(titles, st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=6))
def test_ranks_are_positions_in_the_search_results(titles, query):
    titles = [*titles, "red"]  # at least one word is indexed
    shop = catalogue(titles)
    engine = BM25(shop)
    hits = [hit.product_id for hit in engine.search([" ".join(query)], k=len(titles))[0]]
    expected = [hits.index(p) + 1 if p in hits else 0 for p in shop.ids]
    assert engine.ranks([" ".join(query)], shop.ids).tolist() == [expected]
    sharing = {p for p, title in zip(shop.ids, titles, strict=True) if {*title.split()} & {*query}}
    assert set(hits) == sharing


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=30), st.data(), st.sampled_from([-np.inf, 0.0])
)
def test_counted_ranks_equal_a_stable_sort(scores, data, floor):
    target = data.draw(st.integers(0, len(scores) - 1))
    order = sorted(range(len(scores)), key=lambda d: (-scores[d], d))
    expected = order.index(target) + 1 if scores[target] > floor else 0
    counted = _core.count_ranks(np.array([scores], float), np.array([target]), floor)
    assert counted.tolist() == [[expected]]


def test_counting_ranks_refuses_a_document_that_does_not_exist():
    with pytest.raises(ValueError, match="target 3 is not one of the 3 documents"):
        _core.count_ranks(np.zeros((1, 3)), np.array([3]), 0.0)


def test_scores_equal_bm25s_in_lucene_form(icecat, engine):
    fields = [icecat.catalogue.fields[name] for name in ("title", "brand", "description")]
    corpus = [terms(" ".join(texts)) for texts in zip(*fields, strict=True)]
    peer = bm25s.BM25(method="lucene", k1=1.2, b=0.75, dtype="float64")
    peer.index(corpus, show_progress=False)
    ids = icecat.catalogue.ids
    for query in list(icecat.queries.values())[::5]:
        known = sorted(engine.key(query))
        expected = peer.get_scores(known) if known else np.zeros(len(ids))
        hits = engine.search([query], k=len(ids))[0]
        mine = np.zeros(len(ids))
        mine[[icecat.catalogue.position[hit.product_id] for hit in hits]] = [h.score for h in hits]
        np.testing.assert_allclose(mine, expected, atol=len(known) * 2.0**-20)


def test_a_coalition_is_worth_what_its_rendered_text_retrieves(icecat, engine):
    text = "wireless mouse, laptop case, on a budget, logitech, wireless keyboard"
    judge = Judge(engine, icecat.qrels["wireless+mouse"], NDCG(10))
    game = RetrievalGame(text, judge)
    coalitions = oc.plan(5).coalitions
    values = game(coalitions)
    assert values[0] == 0
    for coalition, value in zip(coalitions, values, strict=True):
        phrases = [name for name, here in zip(game.names, coalition, strict=True) if here]
        hits = engine.search([" ".join(phrases)], k=10)[0]
        found = [hit.product_id for hit in hits]
        ranks = [found.index(p) + 1 if p in found else 0 for p in judge.product_ids]
        assert value == NDCG(10)(ranks, judge.grades)
    # "wireless" stands in two phrases and counts once: the text and its terms are worth the same.
    assert judge([text]) == judge(["keyboard logitech budget a on case laptop mouse wireless"])
    assert judge.searched == 31  # not the empty query, and the reordered text is the whole one


def test_values_do_not_depend_on_who_else_is_in_the_batch(icecat, engine):
    queries = list(icecat.queries.values())
    products = icecat.catalogue.ids[::97]
    together = engine.ranks(queries, products)
    alone = np.vstack([engine.ranks([query], products) for query in queries])
    np.testing.assert_array_equal(together, alone)


def test_a_judge_searches_once_for_texts_that_the_retriever_cannot_tell_apart():
    shop = catalogue(["red shoe", "blue shoe", "lamp"])
    judge = Judge(BM25(shop), {"p0": 1}, NDCG(10))
    values = judge(["red shoe", "shoes RED red", "red unheard-of shoe", "lamp"])
    assert values.tolist() == [1, 1, 1, 0]
    assert (judge.asked, judge.searched) == (4, 2)
    judge(["lamp"])
    assert (judge.asked, judge.searched) == (5, 2)


def test_the_index_is_stored_once_and_read_back(tmp_path):
    shop = catalogue(["red shoe", "blue shoe"])
    built = BM25(shop, tmp_path)
    (stored,) = tmp_path.iterdir()
    changed = stored.stat().st_mtime_ns
    read = BM25(shop, tmp_path)
    assert stored.stat().st_mtime_ns == changed
    assert read.search(["blue shoes"], 5) == built.search(["blue shoes"], 5)
    BM25(shop, tmp_path, k1=2.0)
    BM25(catalogue(["red shoe", "blue shoes"]), tmp_path)
    assert len(list(tmp_path.iterdir())) == 3  # another setting, another catalogue


def test_a_damaged_index_is_named(tmp_path):
    shop = catalogue(["red shoe"])
    BM25(shop, tmp_path)
    (stored,) = tmp_path.iterdir()
    stored.write_bytes(stored.read_bytes()[:100])
    with pytest.raises(InputError, match=r"bm25-.*npz is damaged .*delete it"):
        BM25(shop, tmp_path)


def test_nothing_half_written_is_left_when_storing_fails(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        BM25(catalogue(["red shoe"]), tmp_path)
    assert list(tmp_path.iterdir()) == []


def weighted(titles, brands, **options):
    shop = Catalogue(tuple(f"p{i}" for i in range(len(titles))), {"title": titles, "brand": brands})
    return BM25(shop, **options)


def test_a_field_of_weight_two_counts_as_its_text_said_twice():
    titles, brands = ("red shoe", "blue shoe", "red lamp"), ("blue co", "red co", "")
    twice = tuple(f"{title} {title}" for title in titles)
    queries = ["red", "blue shoe", "lamp co"]
    weighed = weighted(titles, brands, fields={"title": 2, "brand": 1})
    assert weighed.search(queries, 3) == weighted(twice, brands).search(queries, 3)


def test_only_the_chosen_fields_are_searched():
    engine = weighted(("red shoe", "blue shoe"), ("blue co", "red co"), fields={"brand": 3})
    assert [hit.product_id for hit in engine.search(["red shoe"], 3)[0]] == ["p1"]
    assert engine.key("red shoe") == {"red"}


def test_a_stemmer_of_another_language_or_none():
    titles = ("Lampen", "Lampe", "lamp")
    found = {
        stemmer: [
            hit.product_id
            for hit in BM25(catalogue(titles), stemmer=stemmer).search(["lampen"], 3)[0]
        ]
        for stemmer in ("german", "english", None)
    }
    assert found == {"german": ["p0", "p1", "p2"], "english": ["p0"], None: ["p0"]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fields": {"colour": 1}}, "no column 'colour' to search: the catalogue has title, brand"),
        ({"fields": {"title": 0}}, "column 'title' has the weight 0: give a number above 0"),
        ({"fields": {"title": np.nan}}, "has the weight nan"),
        ({"fields": {}}, "no column was chosen"),
        ({"stemmer": "klingon"}, "no stemmer 'klingon': choose one of .*english"),
        ({"k1": -1.0}, "k1 of at least 0 and b from 0 to 1, got -1.0 and 0.75"),
        ({"b": 1.5}, "got 1.2 and 1.5"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        weighted(("red shoe",), ("co",), **options)


def test_every_setting_names_another_index():
    shop = Catalogue(("a", "b"), {"title": ("red shoe", "lamp"), "brand": ("x", "y")})
    settings = [{}, {"fields": {"title": 1}}, {"fields": {"title": 2}}, {"stemmer": None}]
    settings += [{"k1": 2.0}, {"b": 0.5}]
    names = [BM25(shop, **options).fingerprint for options in settings]
    names.append(BM25(catalogue(["red shoe", "lamp"])).fingerprint)
    assert len(set(names)) == len(names)


@settings(deadline=None)
@given(titles, st.lists(st.sampled_from(WORDS), max_size=5, unique=True))
def test_the_scores_of_phrases_without_a_common_term_add_up(titles, words):
    titles = [*titles, "red"]
    engine = BM25(catalogue(titles))
    phrases = engine.phrase_scores(words)
    assert phrases.shape == (len(words), len(titles))
    hits = engine.search([" ".join(words)], len(titles))[0]
    scores = np.zeros(len(titles))
    scores[[int(hit.product_id[1:]) for hit in hits]] = [hit.score for hit in hits]
    np.testing.assert_array_equal(phrases.sum(axis=0), scores)  # to the last bit


def test_a_catalogue_without_words_is_refused():
    with pytest.raises(InputError, match="none of the 2 products has a word"):
        BM25(catalogue(["", "--"]))

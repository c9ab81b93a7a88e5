"""Re-ranking by a cross-encoder: the best products of a retriever, read again with the query."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_bert import WORDS, save_scorer
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
)

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.cross_encoder import Reranker
from ospo.search.encoder import minilm_folder
from ospo.search.judge import Judge
from ospo.search.load import load_retriever
from ospo.search.metrics import NDCG

SHOP = Catalogue(
    tuple("abcdef"),
    {
        "title": ("red lamp", "blue lamp usb", "running shoes", "usb hub", "red lamp", "desk lamp"),
        "brand": ("", "red", "blue", "", "", "shoes"),
    },
)
queries = st.lists(st.sampled_from([*WORDS, "unheard"]), max_size=5).map(" ".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_scorer(tmp_path_factory.mktemp("cross"))


@pytest.fixture(scope="module")
def engine(folder):
    return Reranker(BM25(SHOP), SHOP, folder, device="cpu")


def test_a_score_is_the_models_output_for_query_and_product(engine, folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    (hits,) = engine.search(["red lamp"], 10)
    assert {hit.product_id for hit in hits} == set("abef")
    for hit in hits:
        row = SHOP.position[hit.product_id]
        text = " ".join(filter(None, (column[row] for column in SHOP.fields.values())))
        with torch.no_grad():
            output = model(**tokenizer("red lamp", text, return_tensors="pt")).logits.item()
        assert hit.score == pytest.approx(output, abs=1e-5)
    assert len({hit.score for hit in hits}) == 3  # "a" and "e" have the same text


def test_products_with_the_same_text_stay_in_the_retrievers_order(engine):
    ranking = [hit.product_id for hit in engine.search(["red lamp"], 10)[0]]
    assert ranking.index("e") == ranking.index("a") + 1


@settings(max_examples=30, deadline=None)
@given(st.lists(queries, min_size=1, max_size=6), st.integers(1, 6))
def test_a_ranking_does_not_depend_on_the_batch(engine, queries, k):
    alone = [engine.search([query], 10)[0] for query in queries]
    assert engine.search(queries, k) == [hits[:k] for hits in alone]
    for query, hits in zip(queries, alone, strict=True):
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        found = engine.retriever.search([query], 10)[0]
        assert {hit.product_id for hit in hits} == {hit.product_id for hit in found}


def test_only_the_best_of_the_retriever_are_read(folder, monkeypatch):
    engine = Reranker(BM25(SHOP), SHOP, folder, depth=2, device="cpu")
    pairs, real = [], engine._model.predict
    monkeypatch.setattr(
        engine._model, "predict", lambda texts, **o: pairs.extend(texts) or real(texts, **o)
    )
    best = {hit.product_id for hit in BM25(SHOP).search(["lamp"], 2)[0]}
    ranks = engine.ranks(["lamp"], SHOP.ids)[0]
    assert {SHOP.ids[row] for row in np.flatnonzero(ranks)} == best
    assert sorted(ranks[ranks > 0].tolist()) == [1, 2]
    assert len(pairs) == 2


def test_what_the_retriever_does_not_see_is_not_read(engine):
    assert engine.search(["", "unheard"], 5) == [[], []]
    assert engine.search([], 5) == []
    assert engine.key("unheard") == engine.key(" ") == ""
    judge = Judge(engine, {"a": 1}, NDCG(10))
    assert judge(["unheard", "red lamp", " red lamp"])[0] == 0
    assert judge.searched == 1


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=20))
def test_any_text_is_a_safe_query(engine, text):
    assert len(engine.search([f"{text} red\ud800 lamp"], 10)[0]) >= 4


def test_everything_that_changes_a_ranking_changes_the_fingerprint(engine, folder):
    same = Reranker(BM25(SHOP), SHOP, folder, device="cpu")
    others = [
        Reranker(BM25(SHOP, b=0.5), SHOP, folder, device="cpu"),
        Reranker(BM25(SHOP), SHOP, folder, depth=5, device="cpu"),
        Reranker(BM25(SHOP), SHOP, folder, fields=["title"], device="cpu"),
    ]
    assert same.fingerprint == engine.fingerprint
    assert len({other.fingerprint for other in [engine, *others]}) == 4


def test_a_name_says_what_reads_which_products(engine, folder):
    loaded = load_retriever(f"rerank:{folder}#bm25", SHOP)
    assert loaded.fingerprint == engine.fingerprint
    fused = load_retriever(f"rerank:{folder}#fusion:bm25+lsa:3", SHOP)
    assert len(fused.search(["lamp"], 10)[0]) == len(SHOP)
    for name in ("rerank", "rerank:#bm25", f"rerank:{folder}"):
        with pytest.raises(InputError, match="write for example rerank:MODEL_FOLDER#bm25"):
            load_retriever(name, SHOP)
    with pytest.raises(InputError, match="there is no model folder nowhere: name one; none is"):
        load_retriever("rerank:nowhere#bm25", SHOP)


def test_a_model_with_several_outputs_is_refused(tmp_path):
    with pytest.raises(InputError, match="has 3 outputs, and a score is one number"):
        Reranker(BM25(SHOP), SHOP, save_scorer(tmp_path, outputs=3), device="cpu")


def test_an_encoder_is_no_cross_encoder():
    with pytest.raises(InputError, match=r"made for \['BertModel'\], so its output"):
        Reranker(BM25(SHOP), SHOP, minilm_folder(), device="cpu")


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="no model can be read from"):
        Reranker(BM25(SHOP), SHOP, tmp_path, device="cpu")


def test_a_score_that_is_not_finite_is_refused(tmp_path):
    folder = save_scorer(tmp_path)
    model = BertForSequenceClassification.from_pretrained(folder)
    model.classifier.bias.data[:] = torch.nan
    model.save_pretrained(folder)
    with pytest.raises(InputError, match=r"\('hub', 'usb hub'\) a score of nan"):
        Reranker(BM25(SHOP), SHOP, folder, device="cpu").search(["hub"], 3)

"""Rewards by the names of the command line."""

from __future__ import annotations

import pytest
from tiny_bert import save_scorer

from ospo.data import load
from ospo.errors import InputError
from ospo.reward.bradley_terry import BradleyTerry
from ospo.reward.load import load_reward
from ospo.reward.retrieval import Retrieval
from ospo.reward.similarity import Similarity
from ospo.search.bm25 import BM25
from ospo.search.encoder import minilm_folder
from ospo.search.metrics import NDCG

SHOP = load("shop")
BM25_OF_SHOP = BM25(SHOP.catalogue)
WANTED = SHOP.answerable[0]
ROW = {"query_id": WANTED, "prompt": "red", "reference": SHOP.queries[WANTED]}
TEXTS = [SHOP.queries[WANTED], "red lamp", ""]


def loaded(name):
    return load_reward(name, SHOP, BM25_OF_SHOP, NDCG(10))


@pytest.fixture(scope="module")
def preferences(tmp_path_factory):
    return save_scorer(tmp_path_factory.mktemp("preferences"))


def test_a_name_stands_for_a_reward(preferences):
    expected = {
        "retrieval": Retrieval(SHOP, BM25_OF_SHOP, NDCG(10)),
        f"bradley-terry:{preferences}": BradleyTerry(preferences),
        "similar": Similarity(minilm_folder()),
        f"similar:{minilm_folder()}": Similarity(minilm_folder()),
    }
    for name, reward in expected.items():
        values = loaded(name).value(TEXTS, [ROW] * len(TEXTS))
        assert values.tolist() == reward.value(TEXTS, [ROW] * len(TEXTS)).tolist()
        assert len(set(values.tolist())) > 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "no reward '': choose one of retrieval, bradley-terry:FOLDER"),
        ("retrieval:nDCG@10", "no reward 'retrieval:nDCG@10'"),
        ("bradley-terry", "no reward 'bradley-terry'"),
        ("similar:", "no reward 'similar:'"),
        ("length", "no reward 'length'"),
        ("similar:/no/such/folder", "/no/such/folder has no modules.json"),
        ("bradley-terry:/no/such/folder", "/no/such/folder cannot be loaded as a reward model"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        loaded(name)

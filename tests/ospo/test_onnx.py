"""Encoders in ONNX Runtime: the vectors of the torch model, whatever they are encoded with."""

from __future__ import annotations

import logging
import shutil
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tiny_bert import WORDS, save_encoder
from transformers import BertTokenizer

from ospo.cli import main
from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search import onnx
from ospo.search.encoder import Encoder, minilm_folder
from ospo.search.load import load_retriever
from ospo.search.onnx import TOLERANCE, Graph, OnnxEncoder

SHOP = Catalogue(tuple("abcd"), {"title": ("red lamp", "blue lamp", "running shoes", "usb hub")})
texts = st.lists(st.sampled_from([*WORDS, "unheard"]), max_size=40).map(" ".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_encoder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=[False, True], ids=["float32", "int8"])
def encoder(request, folder, cache):
    return OnnxEncoder(folder, cache, int8=request.param)


@pytest.fixture
def own_copy(encoder, cache, tmp_path):
    """A cache of the test's own with what was exported before."""
    return shutil.copytree(cache, tmp_path / "cache")


def test_pooling_layers_and_prompts_stay_those_of_the_folder(tmp_path, folder, cache):
    prompts = {"query": "usb hub ", "document": "desk "}
    other = save_encoder(tmp_path, pooling="cls", dense=True, prompts=prompts)
    shop = ["red", "", "blue running shoes", "usb " * 50]
    for model in (folder, other):
        plain, fast = Encoder(model, device="cpu"), OnnxEncoder(model, cache)
        for name in ("encode_queries", "encode_documents"):
            expected = getattr(plain, name)(shop)
            np.testing.assert_allclose(getattr(fast, name)(shop), expected, atol=1e-6)
        assert fast.key("red") == plain.key("red")


@settings(max_examples=25, deadline=None)
@given(st.lists(texts, min_size=1, max_size=40))
def test_a_vector_does_not_depend_on_its_batch(encoder, texts):
    alone = np.concatenate([encoder.encode_queries([text]) for text in texts])
    np.testing.assert_array_equal(encoder.encode_queries(texts), alone)


def test_real_vectors_are_those_of_torch_and_depend_neither_on_their_batch_nor_on_threads(tmp_path):
    shop = [", ".join(WORDS[:n]) for n in range(1, 9)] * 5
    threads, vectors = torch.get_num_threads(), []
    try:
        for count in (2, 1):
            torch.set_num_threads(count)
            fast = OnnxEncoder(minilm_folder(), tmp_path)
            vectors.append(fast.encode_queries(shop))
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(*vectors)
    alone = np.concatenate([fast.encode_queries([text]) for text in shop[:8]])
    np.testing.assert_array_equal(vectors[0], np.tile(alone, (5, 1)))
    plain = Encoder(minilm_folder(), device="cpu").encode_queries(shop[:8])
    np.testing.assert_allclose(alone, plain, atol=1e-6)


def test_the_graph_agrees_with_torch_padded_and_unpadded(folder, cache):
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    inputs = model.preprocess(["red", "blue lamp", "usb hub " * 9])
    seen = inputs["attention_mask"].bool()
    assert seen.sum(dim=1).tolist() == [3, 4, 20]
    with torch.inference_mode():
        expected = model[0](dict(inputs))["token_embeddings"].double().numpy()[seen]
    graph = OnnxEncoder(folder, cache)._model[0].model
    unpadded = graph(**inputs)["last_hidden_state"].numpy()[seen]
    for states in (graph.run(inputs).numpy()[seen], unpadded):
        np.testing.assert_allclose(states, expected, atol=1e-5)


def test_8_bits_are_another_retriever_near_the_first(folder, cache):
    exact, rounded = OnnxEncoder(folder, cache), OnnxEncoder(folder, cache, int8=True)
    assert 0.9 < rounded.cosine < 1 - 1e-6 < exact.cosine <= 1
    fingerprints = {Encoder(folder, device="cpu").fingerprint, exact.fingerprint}
    assert len(fingerprints | {rounded.fingerprint}) == 3


def test_a_model_is_exported_once_and_cleared_with_the_cache(
    folder, encoder, own_copy, monkeypatch, capsys
):
    def export(*_, **__):
        raise AssertionError("exported again")

    monkeypatch.setattr(onnx, "_export", export)
    again = OnnxEncoder(folder, own_copy, int8=encoder.cosine < 1 - 1e-6)
    assert again.fingerprint == encoder.fingerprint
    assert main(["cache", "clear", str(own_copy)]) == 0
    assert "ONNX encoders" in capsys.readouterr().out
    assert not any(own_copy.iterdir())


def test_an_export_says_nothing_and_leaves_logs_and_warnings_as_they_were(folder, capfd):
    level, handlers = logging.getLogger("torch.onnx").level, [*logging.getLogger().handlers]
    OnnxEncoder(folder, int8=True)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("torch.onnx").level == level
    assert logging.getLogger().handlers == handlers


@pytest.mark.parametrize("content", [b"", b"not a graph"])
def test_a_damaged_export_is_refused_with_the_remedy(folder, own_copy, content):
    for path in own_copy.iterdir():
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"\.onnx is damaged; delete the file and it is exported"):
        OnnxEncoder(folder, own_copy)


def test_a_graph_with_other_vectors_than_torch_is_never_used(folder, cache, monkeypatch):
    run = Graph.run

    def off(self, inputs):
        return run(self, inputs) + 20 * TOLERANCE * torch.eye(32, dtype=torch.float64)[0]

    monkeypatch.setattr(Graph, "run", off)
    with pytest.raises(InputError, match=r"other vectors in ONNX than in torch, by 0\.0.*onnx out"):
        OnnxEncoder(folder, cache)


def test_a_graph_that_forgets_the_padding_is_never_used(folder, cache, monkeypatch):
    run = Graph.run

    def forgetful(self, inputs):
        return run(self, inputs | {"attention_mask": torch.ones_like(inputs["attention_mask"])})

    monkeypatch.setattr(Graph, "run", forgetful)
    with pytest.raises(InputError, match="other vectors in ONNX than in torch"):
        OnnxEncoder(folder, cache)


def test_a_model_that_does_not_bear_8_bits_is_refused(folder, cache, monkeypatch):
    run = Graph.run
    monkeypatch.setattr(Graph, "run", lambda self, inputs: -run(self, inputs))
    with pytest.raises(InputError, match=r"does not bear 8 bits \(a cosine of -.*\): use onnx"):
        OnnxEncoder(folder, cache, int8=True)


def test_a_model_without_a_transformer_is_refused(tmp_path):
    tokens = {"[PAD]": 0, "[UNK]": 1, "red": 2}
    words = BertTokenizer(vocab=tokens | {"[CLS]": 3, "[SEP]": 4, "[MASK]": 5})
    static = StaticEmbedding(words._tokenizer, embedding_dim=4)
    SentenceTransformer(modules=[static, Normalize()], device="cpu").save(str(tmp_path / "static"))
    with pytest.raises(InputError, match="begins with StaticEmbedding, and only a transformer"):
        OnnxEncoder(tmp_path / "static")


def test_a_transformer_that_cannot_be_exported_is_refused(folder, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise torch.onnx.OnnxExporterError("no such operator\nand much more")

    monkeypatch.setattr(torch.onnx, "export", fail)
    with pytest.raises(InputError, match=r"exported to ONNX \(no such operator\): leave onnx out"):
        OnnxEncoder(folder, tmp_path)
    assert not any(tmp_path.iterdir())


def test_names_stand_for_onnx_encoders(folder, cache):
    names = [f"dense:{folder}#onnx", f"dense:{folder}#onnx-int8", f"dense:{folder}"]
    loaded = [load_retriever(name, SHOP, cache) for name in names]
    assert [type(engine.encoder) for engine in loaded] == [OnnxEncoder, OnnxEncoder, Encoder]
    assert len({engine.fingerprint for engine in loaded}) == 3
    titles = load_retriever(f"faiss:{folder}#onnx&fields=title", SHOP, cache)
    assert titles.search(["red lamp"], 4) == loaded[0].search(["red lamp"], 4)
    with pytest.raises(InputError, match="onnx=fast cannot be"):
        load_retriever(f"dense:{folder}#onnx=fast", SHOP, cache)


@pytest.mark.parametrize("package", ["onnxruntime", "onnxscript"])
def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch, package):
    monkeypatch.delitem(sys.modules, "ospo.search.onnx")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModuleNotFoundError, match=rf'{package}; pip install "owen-core\[onnx\]"'):
        load_retriever("dense:#onnx", SHOP)

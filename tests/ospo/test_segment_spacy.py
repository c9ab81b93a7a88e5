"""Noun phrases: spaCy's own rules, over a pipeline whose parses are written down here."""

from __future__ import annotations

import sys

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from ospo.errors import InputError
from ospo.text.load import load_segmenter
from ospo.text.noun_chunks import NounChunks

# Word -> its part of speech, its relation, and how far away its head is.
PARSE = {
    "looking": ("VERB", "ROOT", 0),
    "for": ("ADP", "prep", -1),
    "the": ("DET", "det", 3),
    "red": ("ADJ", "amod", 2),
    "trail": ("NOUN", "compound", 1),
    "shoes": ("NOUN", "pobj", -4),
    "with": ("ADP", "prep", -1),
    "laces": ("NOUN", "pobj", -1),
    "?": ("PUNCT", "punct", -8),
}
TEXT = "looking for the red trail shoes with laces ?"


@Language.component("written_parse")
def written_parse(doc: Doc) -> Doc:
    for token in doc:
        pos, relation, head = PARSE.get(token.text, ("X", "dep", 0))
        token.pos_, token.dep_ = pos, relation
        token.head = doc[min(max(token.i + head, 0), len(doc) - 1)]
    return doc


@pytest.fixture(scope="module")
def pipeline():
    english = spacy.blank("en")
    english.add_pipe("written_parse")
    return english


def test_noun_phrases_and_what_is_between_them_tile_the_text(pipeline):
    segments = NounChunks(pipeline)(TEXT)
    assert [s.phrase for s in segments] == ["looking for", "the red trail shoes", "with", "laces"]
    assert "".join(TEXT[s.start : s.end] for s in segments) == TEXT


@pytest.mark.parametrize("text", ["", " \n", "?", "\x00", "looking", "e\u0301 for 👩‍👩‍👧 laces"])
def test_any_text_is_tiled(pipeline, text):
    segments = NounChunks(pipeline)(text)
    assert "".join(text[s.start : s.end] for s in segments) == (text if segments else "")
    assert bool(segments) == any(character.isalnum() for character in text)


def test_a_pipeline_is_loaded_from_its_folder(pipeline, tmp_path):
    pipeline.to_disk(tmp_path / "parser")
    segmenter = load_segmenter(f"spacy:{tmp_path / 'parser'}")
    assert segmenter(TEXT) == NounChunks(pipeline)(TEXT)


def test_pipelines_that_are_absent_or_find_no_noun_phrases_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no spaCy pipeline 'en_absent': install one"):
        load_segmenter("spacy:en_absent")
    with pytest.raises(InputError, match=r"no spaCy pipeline ''"):
        load_segmenter("spacy")
    spacy.blank("en").to_disk(tmp_path / "blank")  # no parser
    with pytest.raises(InputError, match="finds no noun phrases"):
        load_segmenter(f"spacy:{tmp_path / 'blank'}")
    with pytest.raises(InputError, match="finds no noun phrases"):
        NounChunks(spacy.blank("cs"))  # spaCy has no noun phrases for Czech


def test_without_spacy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "spacy", None)
    monkeypatch.delitem(sys.modules, "ospo.text.noun_chunks", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "owen-core\[spacy\]"'):
        load_segmenter("spacy:en_core_web_sm")

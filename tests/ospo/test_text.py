"""Segments tile, coalitions render, tokens find their segment."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ospo.text.align import token_segments, token_spans
from ospo.text.answer import Answer
from ospo.text.render import render
from ospo.text.segment import segment, tile
from ospo.text.terms import terms

texts = st.text(alphabet=st.sampled_from("ab é日,; \n\t-😀́ש"), max_size=30) | st.text(max_size=30)


@given(texts)
def test_segments_tile_every_text_that_has_words(text):
    segments = segment(text)
    if not segments:
        assert not text.replace(",", "").replace(";", "").strip()
        return
    assert segments[0].start == 0
    assert segments[-1].end == len(text)
    for one, following in pairwise(segments):
        assert one.end == following.start
    for s in segments:
        assert s.start <= s.phrase_start
        assert s.phrase_end <= s.end
        assert text[s.phrase_start : s.phrase_end] == s.phrase
        assert s.phrase.strip() == s.phrase != ""


@given(texts, st.data())
def test_a_coalition_says_its_phrases_in_order(text, data):
    segments = segment(text)
    n = len(segments)
    coalition = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    said = render(text, segments, coalition)
    if not coalition.any():
        assert said == ""
    elif coalition.all():
        assert said == text
    else:
        phrases = [s.phrase for s, here in zip(segments, coalition, strict=True) if here]
        expected = [term for phrase in phrases for term in terms(phrase)]
        assert terms(said) == expected


def test_what_delimits_phrases_stays_between_them_and_nowhere_else():
    text = " <- trail shoes -> red -> size 42 -> "
    segments = tile(text, [(4, 15), (19, 22), (26, 33)])
    assert render(text, segments, np.array([True, False, True])) == "trail shoes -> size 42"
    assert render(text, segments, np.array([False, True, False])) == "red"
    assert render(text, segments, np.array([True, True, True])) == text


def test_all_segments_of_a_part_of_a_text_say_that_part():
    text = "a plan, then <answer> trail shoes, red\n</answer>"
    segments = Answer()(text)
    assert render(text, segments, np.ones(2, dtype=bool)) == " trail shoes, red\n"
    assert render("no answer", Answer()("no answer"), np.ones(0, dtype=bool)) == ""


def test_delimiters_make_phrases_and_their_absence_makes_words():
    assert [s.phrase for s in segment(" trail shoes,, red;size 42\n")] == [
        "trail shoes",
        "red",
        "size 42",
    ]
    assert [s.phrase for s in segment("trail shoes")] == ["trail", "shoes"]
    assert segment("  ,;\n") == segment("") == ()


class Pieces:
    """A decoder whose tokens are given strings; an empty one is a special token."""

    def __init__(self, pieces):
        self.pieces = pieces

    def decode(self, token_ids, *, skip_special_tokens=True):
        return "".join(self.pieces[i] for i in token_ids)


@given(st.lists(st.sampled_from(["a", "bc", ", ", ",", " red", "", "é", "x, y"]), max_size=12))
def test_token_spans_tile_the_decoded_text(pieces):
    text, spans = token_spans(Pieces(pieces), range(len(pieces)))
    assert text == "".join(pieces)
    assert [text[a:b] for a, b in spans] == pieces


def test_tokens_belong_to_the_phrase_that_they_write():
    pieces = ["trail", " shoes", ",", " re", "d", "d, bl", "ue", ""]
    text, spans = token_spans(Pieces(pieces), range(len(pieces)))
    segments = segment(text)
    assert [s.phrase for s in segments] == ["trail shoes", "redd", "blue"]
    # "d, bl" holds one character of "redd" and two of "blue".
    assert token_segments(spans, segments).tolist() == [0, 0, -1, 1, 1, 2, 2, -1]


def test_a_token_that_holds_as_much_of_two_phrases_goes_to_the_earlier():
    text, spans = token_spans(Pieces(["re", "d,b", "lue"]), range(3))
    assert token_segments(spans, segment(text)).tolist() == [0, 0, 1]


def test_only_the_tokens_of_the_answer_belong_to_segments_whatever_is_before_it():
    thought = ["<think>", "red", " shoes", ",", " blue", "</think>"]
    pieces = [*thought, "<answer>", "blue", ", ", "red", " shoes", "</answer>", ""]
    text, spans = token_spans(Pieces(pieces), range(len(pieces)))
    owners = token_segments(spans, Answer()(text)).tolist()
    assert owners == [-1] * 7 + [0, -1, 1, 1, -1, -1]


def test_alignment_uses_the_generated_ids_of_a_real_byte_level_tokenizer():
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(["red shoes, blue shoes"] * 9, vocab_size=280, show_progress=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=trained._tokenizer)
    # Ids that tokenising the text again would not give: every byte on its own.
    text = "red shoes, naïve 日本"
    pieces = trained._tokenizer.pre_tokenizer.pre_tokenize_str(text)
    ids = [trained.token_to_id(byte) for piece, _ in pieces for byte in piece]
    assert ids != trained.encode(text).ids
    decoded, spans = token_spans(tokenizer, ids)
    assert decoded == text
    assert spans[0, 0] == 0
    assert spans[-1, 1] == len(text)
    assert (spans[1:, 0] <= spans[:-1, 1]).all()  # no character is left out
    owners = token_segments(spans, segment(text))
    assert (owners[:9] == 0).all()
    assert (owners[11:] != 0).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Laptops & laptop", ["laptop", "laptop"]), ("15.6-inch", ["15", "6", "inch"]), ("", [])],
)
def test_terms_are_stemmed_words(text, expected):
    assert terms(text) == expected

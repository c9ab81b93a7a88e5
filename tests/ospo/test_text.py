"""Segments tile, coalitions render, tokens find their segment."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Laptops & laptop", ["laptop", "laptop"]), ("15.6-inch", ["15", "6", "inch"]), ("", [])],
)
def test_terms_are_stemmed_words(text, expected):
    assert terms(text) == expected

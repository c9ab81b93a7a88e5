"""Every generated id gets the characters that it wrote, and every token finds its segment."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers_built import ONE_BY_ONE, families

from ospo.text.align import AlignmentError, token_segments, token_spans
from ospo.text.align.characters import characters, without_spaces
from ospo.text.align.pieces import Pieces
from ospo.text.answer import Answer
from ospo.text.segment import segment
from ospo.train.policy.tokenizer import train_tokenizer

FAMILIES = families()
ROWS = int(os.environ.get("OSPO_ALIGN_ROWS", "10000")) // len(FAMILIES)  # of each family


@pytest.mark.parametrize("name", FAMILIES)
def test_spans_are_who_wrote_what_by_the_definition_of_the_decoder(name):
    family, draw = FAMILIES[name], random.Random(name)
    for _ in range(ROWS):
        ids = family.row(draw)
        written = family.written(ids)
        text, spans = token_spans(family.tokenizer, ids)
        assert text == family.tokenizer.batch_decode([ids], skip_special_tokens=True)[0]
        assert text == "".join(character for character, _ in written)
        assert spans.shape == (len(ids), 2)
        for place, (start, end) in enumerate(spans.tolist()):
            behind = [k for k, (_, places) in enumerate(written) if place in places]
            assert list(range(start, end)) == behind, family.tokenizer.convert_ids_to_tokens(ids)


class Counted:
    """A tokenizer that counts what it is asked to decode."""

    def __init__(self, tokenizer):
        self.tokenizer, self.decoded = tokenizer, 0

    def decode(self, token_ids, *, skip_special_tokens):
        self.decoded += 1
        return self.tokenizer.decode(token_ids, skip_special_tokens=skip_special_tokens)

    def convert_ids_to_tokens(self, ids):
        return self.tokenizer.convert_ids_to_tokens(ids)


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in ONE_BY_ONE])
def test_a_row_of_known_ids_is_decoded_once(name):
    family, draw = FAMILIES[name], random.Random(0)
    rows = [family.row(draw) for _ in range(100)]
    counted = Counted(family.tokenizer)
    for ids in rows:
        token_spans(counted, ids)
    assert counted.decoded == len(rows) + 2 * len({token for ids in rows for token in ids})


def test_generated_ids_are_aligned_that_tokenising_the_text_would_not_give():
    tokenizer = FAMILIES["byte-level BPE"].tokenizer
    ids = [tokenizer.convert_tokens_to_ids(sign) for sign in "redĠsofa,ĠnaÃ¯ve"]
    assert ids != tokenizer.encode("red sofa, naïve")
    text, spans = token_spans(tokenizer, ids)
    assert text == "red sofa, naïve"
    assert [text[a:b] for a, b in spans] == [*"red sofa, na", "ï", "ï", "v", "e"]
    owners = token_segments(spans, segment(text))
    assert owners.tolist() == [0] * 8 + [-1, -1] + [1] * 6


def test_ids_that_write_nothing_have_empty_spans():
    tokenizer = train_tokenizer(["red shoes"], vocab_size=300)
    unknown = len(tokenizer) + 7  # a model may have more outputs than there are tokens
    pad, eos, red = tokenizer.pad_token_id, tokenizer.eos_token_id, *tokenizer.encode(" red")
    text, spans = token_spans(tokenizer, [pad, red, unknown, red, eos, eos])
    assert text == " red red"
    assert spans.tolist() == [[0, 0], [0, 4], [4, 4], [4, 8], [8, 8], [8, 8]]
    for nothing in ([], [eos, pad]):
        text, spans = token_spans(tokenizer, nothing)
        assert text == ""
        assert spans.shape == (len(nothing), 2)
        assert not spans.any()


def test_ids_that_a_tokenizer_learns_later_are_aligned_too():
    tokenizer = train_tokenizer(["red shoes"], vocab_size=300)
    red, new = *tokenizer.encode(" red"), len(tokenizer)
    assert token_spans(tokenizer, [red, new, red])[1].tolist() == [[0, 4], [4, 4], [4, 8]]
    tokenizer.add_tokens(["blue"])
    text, spans = token_spans(tokenizer, [red, new, red])
    assert text == " redblue red"
    assert spans.tolist() == [[0, 4], [4, 8], [8, 12]]


def test_pieces_that_are_wrong_are_noticed(monkeypatch):
    family = FAMILIES["SentencePiece BPE, Llama"]
    ids = family.tokenizer.encode("red leather sofa")
    right = token_spans(family.tokenizer, ids)
    monkeypatch.setattr(Pieces, "joined", lambda table, ids: [b"x"] * len(ids))
    text, spans = token_spans(family.tokenizer, ids)
    assert text == right[0]
    assert spans.tolist() == right[1].tolist()


class Bytes:
    """A decoder of bytes that does not say which ones an id stands for."""

    def decode(self, token_ids, *, skip_special_tokens):
        return bytes(token_ids).decode(errors="replace")

    def convert_ids_to_tokens(self, ids):
        return "no spelling"


@given(st.text(max_size=12))
def test_ids_whose_bytes_are_not_known_are_decoded_one_by_one(text):
    decoded, spans = token_spans(Bytes(), text.encode())
    assert decoded == text
    ends = np.cumsum([len(character.encode()) for character in text], dtype=int)
    owners = np.searchsorted(ends, np.arange(len(spans)), side="right")
    assert spans.tolist() == [[owner, owner + 1] for owner in owners]


class Backwards:
    """A decoder that writes from right to left."""

    def decode(self, token_ids, *, skip_special_tokens):
        return "".join(chr(token) for token in reversed(token_ids))


def test_a_decoder_whose_text_does_not_grow_from_left_to_right_is_refused():
    with pytest.raises(AlignmentError, match=r"Backwards decodes \[97\] as 'a' but with .* 'cba'"):
        token_spans(Backwards(), [97, 98, 99])


@given(st.lists(st.binary(max_size=5) | st.text(max_size=3).map(str.encode), max_size=12))
@example([b"\xed", b"\xa0\x80"])  # a surrogate
@example([b"\xf0\x9f", b"\x98\xff", b"\xe6", b"a"])
def test_characters_are_of_all_pieces_that_hold_their_bytes(pieces):
    joined = b"".join(pieces)
    text, spans = characters(pieces)
    assert text == joined.decode(errors="replace")
    stop = 0
    for piece, (start, end) in zip(pieces, spans.tolist(), strict=True):
        begin, stop = stop, stop + len(piece)
        assert (end > start) == bool(piece)
        if piece:
            # The whole characters before a cut are the same when the text ends there.
            assert text[: end - 1] == joined[:stop].decode(errors="replace")[: end - 1]
            assert len(joined[: begin + 1].decode(errors="replace")) == start + 1


@given(st.lists(st.tuples(st.sampled_from("aé😀,"), st.integers(0, 3), st.integers(0, 3))))
def test_dropped_spaces_are_the_last_of_their_run(gaps):
    written = "".join(letter + " " * (kept + gone) for letter, kept, gone in gaps)
    text = "".join(letter + " " * kept for letter, kept, _ in gaps)
    expected, at = [0], 0
    for _, kept, gone in gaps:
        steps = [1] * (1 + kept) + [0] * gone
        expected += [at := at + step for step in steps]
    assert without_spaces(written, text).tolist() == expected


@pytest.mark.parametrize("text", ["a,b", "a , b ", "a b", "a ,", "", "a , c"])
def test_texts_that_differ_in_more_than_dropped_spaces_are_not_matched(text):
    found = without_spaces("a , b", text)
    assert (found is None) == (text != "a,b")


class Strings:
    """A decoder whose tokens are given strings; an empty one is a special token."""

    def __init__(self, strings):
        self.strings = strings

    def decode(self, token_ids, *, skip_special_tokens):
        return "".join(self.strings[i] for i in token_ids)


@given(st.lists(st.sampled_from(["a", "bc", ", ", ",", " red", "", "é", "x, y"]), max_size=12))
def test_spans_tile_the_decoded_text(strings):
    text, spans = token_spans(Strings(strings), range(len(strings)))
    assert text == "".join(strings)
    assert [text[a:b] for a, b in spans] == strings


def test_tokens_belong_to_the_phrase_that_they_write():
    strings = ["trail", " shoes", ",", " re", "d", "d, bl", "ue", ""]
    text, spans = token_spans(Strings(strings), range(len(strings)))
    segments = segment(text)
    assert [s.phrase for s in segments] == ["trail shoes", "redd", "blue"]
    # "d, bl" holds one character of "redd" and two of "blue".
    assert token_segments(spans, segments).tolist() == [0, 0, -1, 1, 1, 2, 2, -1]


def test_a_token_that_holds_as_much_of_two_phrases_goes_to_the_earlier():
    text, spans = token_spans(Strings(["re", "d,b", "lue"]), range(3))
    assert token_segments(spans, segment(text)).tolist() == [0, 0, 1]


def test_only_the_tokens_of_the_answer_belong_to_segments_whatever_is_before_it():
    thought = ["<think>", "red", " shoes", ",", " blue", "</think>"]
    strings = [*thought, "<answer>", "blue", ", ", "red", " shoes", "</answer>", ""]
    text, spans = token_spans(Strings(strings), range(len(strings)))
    owners = token_segments(spans, Answer()(text)).tolist()
    assert owners == [-1] * 7 + [0, -1, 1, 1, -1, -1]


@given(st.text(alphabet="ab, ", max_size=30), st.data())
def test_an_owner_is_the_phrase_with_most_characters_of_the_token(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    spans = np.array([[0, *cuts], [*cuts, len(text)]]).T
    segments = segment(text)
    for (start, end), owner in zip(spans, token_segments(spans, segments), strict=True):
        held = [
            len({*range(start, end)} & {*range(s.phrase_start, s.phrase_end)}) for s in segments
        ]
        assert owner == (held.index(max(held)) if any(held) else -1)

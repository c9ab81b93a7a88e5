"""Every segmenter tiles every text, and cuts where it says it does."""

from __future__ import annotations

import pickle
from itertools import pairwise

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from ospo.errors import InputError
from ospo.text.answer import Answer
from ospo.text.fields import Fields
from ospo.text.load import load_segmenter
from ospo.text.prose import lines, sentences
from ospo.text.segment import Delimiters, segment, tile, words
from ospo.text.turns import Turns

COLUMNS = {
    "title": ("Velora trail shoes red", "usb cable 2 m", "usb hub 4 port", "red desk lamp"),
    "brand": ("Velora", "Cabley", "Cabley", "Lumo"),
}
NAMES = [
    "phrases",
    "words",
    "lines",
    "sentences",
    "delimiters",
    "delimiters:|/",
    "fields",
    "fields:title,screen size",
    "turns",
    "npmi",
]
EVERY = [load_segmenter(name, COLUMNS) for name in NAMES]
# What texts are made of here: marks that some segmenter cuts at, and what must not be cut apart:
# accents, emoji of several code points, flags, Indic and Hangul letters; right-to-left words.
PIECES = [
    *("usb", "trail", "shoes", "red", "xyzzy", "2", "kg", "for", "and", "$5", '17"', "tn-2110"),
    *(
        " ",
        "  ",
        ", ",
        ";",
        "\n",
        "\r\n",
        "\n\n",
        "\t",
        "|",
        ".",
        "! ",
        "...",
        "? ",
        "。",
        "-",
        "&",
    ),
    *("title:", "brand: ", "screen size:", "<b>", "</b>", "<answer>", "</answer>", "<", ">"),
    *("User: ", "\nAssistant:", "<|im_start|>", "\x00", "\u2028", "\x85", "\x1c", "\u00a0"),
    *(
        "e\u0301",
        "\u0301",
        "\u200d",
        "\ufe0f",
        "👩‍👩‍👧",
        "👍🏽",
        "🇫🇷",
        "क्षि",
        "각",
        "\u1100",
        "\u1161",
    ),
    *("שלום", "مرحبا", "\u200f", "日本語", "ﬁ", "İ"),
]
texts = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=40)


def cuts(segments):
    return [one.end for one in segments[:-1]]


@pytest.mark.parametrize("segmenter", EVERY, ids=NAMES)
@given(texts)
@example("")
@example("\x00")
@example(",\u0301,\u0301a \u0301b")
def test_segments_tile_any_text_without_splitting_what_is_read_as_one_character(segmenter, text):
    segments = segmenter(text)
    if not segments:
        assert not any(character.isalnum() for character in text)
        return
    assert "".join(text[s.start : s.end] for s in segments) == text
    assert segments[0].start == 0
    assert segments[-1].end == len(text)
    assert all(one.end == following.start for one, following in pairwise(segments))
    for s in segments:
        assert s.start <= s.phrase_start
        assert s.phrase_end <= s.end
        assert text[s.phrase_start : s.phrase_end] == s.phrase
        assert s.phrase.strip() == s.phrase != ""
    whole = {match.end() for match in regex.finditer(r"\X", text)}
    assert whole.issuperset(cuts(segments))
    for s in segments:
        left = text[s.phrase_end : min(end for end in whole if end >= s.phrase_end)]
        assert left == "" or left.isspace()


@pytest.mark.parametrize("segmenter", EVERY, ids=NAMES)
@given(texts)
def test_no_letter_or_digit_is_outside_of_all_phrases(segmenter, text):
    covered = set()
    for s in segmenter(text):
        covered.update(range(s.phrase_start, s.phrase_end))
    assert all(at in covered for at, character in enumerate(text) if character.isalnum())


@given(texts, st.sampled_from(EVERY))
def test_an_answer_is_cut_as_what_is_inside_it_alone(text, inside):
    inner = text.replace("<answer>", "").replace("</answer>", "")
    whole = f"{text}<answer>{inner}</answer> so <answer>{text.replace('</answer>', '')}"
    before = len(whole) - len(whole.removeprefix(f"{text}<answer>"))
    found = Answer(inside)(whole)
    assert [(s.start - before, s.end - before, s.phrase) for s in found] == [
        (s.start, s.end, s.phrase) for s in inside(inner)
    ]
    assert all(whole[s.phrase_start : s.phrase_end] == s.phrase for s in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<answer>a, b</answer>", ["a", "b"]),
        ("<answer>a</answer> or <answer>b</answer>", ["b"]),
        ("<answer>a</answer> or <answer>b", ["a"]),
        ("<answer>a<answer>b</answer>c</answer>", ["b"]),
        ("a</answer><answer>", []),
        ("a, b", []),
        ("<answer>a, b", []),
        ("<answer></answer>", []),
        ("<answer> ,; </answer>", []),
        ("<Answer>a</Answer>", []),
        ("", []),
    ],
)
def test_the_last_complete_pair_of_tags_is_the_answer(text, expected):
    assert [s.phrase for s in Answer()(text)] == expected


def test_another_tag_can_hold_the_answer():
    assert [s.phrase for s in Answer(words, tag="query")("<query>red, shoes</query>")] == [
        "red,",
        "shoes",
    ]


# "¦" is no part of a text here: it is before every phrase but the first.
@pytest.mark.parametrize(
    ("segmenter", "marked"),
    [
        (segment, "trail shoes, ,¦red;\n¦size 42;"),
        (segment, "trail ¦shoes"),
        (Delimiters(), "gaming laptop"),
        (Delimiters("]^-\\"), "]]a]¦b^¦c-¦d\\¦e,f"),
        (words, "red, ¦shoes\t¦42"),
        (lines, "a, b\r\n¦c\r¦d\n\n ¦e "),
        (sentences, "I need an HP. ¦Budget is $50! ¦Ok"),
        (sentences, "a 2 lb. Bag vs. a 5 lb. Bag. ¦Lb. is short"),
        (sentences, "It fits in. ¦No. 5 is out. ¦No. ¦It is J. Smith"),
        (sentences, "so... ¦What?! ¦“Yes (really.)” ¦And.then v2.5 is e.g. Here... no"),
        (sentences, "安い。¦赤い靴！」¦はい"),
        (sentences, "no stop\n \n¦new part\nas before"),
        (sentences, ". ¦A"),
        (Fields(), "title: red ¦brand: x https://a.b std::string at 16:10"),
        (Fields(), "note ¦title:red, ¦size:4"),
        (Fields(["size", "Screen Size"]), "a: ¦screen size: 15 brand: x ¦SIZE : 4"),
        (Fields(), "<item><title>red</title> ¦<b>x</b></item> ¦tail"),
        (Fields(), "<title>red: ¦<b>x"),
        (Fields(), "</b> ¦red <"),
        (Fields(), '<f name="a b">x</f>¦<f>y</f >'),
        (Fields(), "a < b > c <"),
        (Turns(), "hi\n¦User: a\nb: c\n ¦ASSISTANT : d"),
        (Turns(), "<|im_start|>user\nhi<|im_end|>\n¦<|im_start|>assistant\nyes<|im_end|>"),
        (Turns(["ana", "a.b"]), "Ana: hi\naxb: no\n¦a.b: yes"),
        (Turns(), "no user: here"),
    ],
)
def test_a_segmenter_cuts_where_it_says(segmenter, marked):
    text = marked.replace("¦", "")
    expected = [len("".join(marked.split("¦")[:n])) for n in range(1, marked.count("¦") + 1)]
    assert cuts(segmenter(text)) == expected


@pytest.mark.parametrize("characters", [" ,; \n", "\x00 , \x00", "\u2028\u2029", "  "])
@pytest.mark.parametrize("segmenter", EVERY, ids=NAMES)
def test_a_text_of_nothing_but_separators_has_no_phrase_with_letters(segmenter, characters):
    assert not any(c.isalnum() for s in segmenter(characters) for c in s.phrase)


def test_stretches_never_split_an_emoji_or_a_letter_with_its_accent():
    family, accented = "👩\u200d👩\u200d👧", "e\u0301"
    text = f"{family}{accented} a"
    assert [s.phrase for s in tile(text, [(0, 2), (5, 6), (8, 9)])] == [family, accented, "a"]
    assert [s.phrase for s in tile(text, [(0, 2), (2, 4), (4, 7)])] == [f"{family}{accented}"]
    assert [s.phrase for s in tile("\u0600 a", [(0, 1), (2, 3)])] == ["\u0600", "a"]


def test_stretches_may_leave_out_what_they_like():
    assert tile("abc", []) == tile(" \n", [(0, 2)]) == ()
    assert [(s.start, s.end, s.phrase) for s in tile("..a, b..", [(2, 4), (4, 6)])] == [
        (0, 5, "a,"),
        (5, 8, "b"),
    ]


@pytest.mark.parametrize("segmenter", EVERY, ids=NAMES)
@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a ",
        " ",
        ".",
        "<",
        "<a ",
        "<a>",
        "</a",
        "a:",
        "\n",
        '."',
        "\u0301",
        ", \u0301",
        "1",
        "1,",
    ],
)
def test_a_very_long_text_takes_no_more_than_its_length(segmenter, piece):
    # A pattern that reads a text of this length from each of its characters takes hours.
    text = "a " + (piece * 200_000)[:200_000] + "%"
    segments = segmenter(text)
    assert segments or not any(character.isalnum() for character in text)
    assert "".join(text[s.start : s.end] for s in segments) == (text if segments else "")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: load_segmenter("word"), "no segmenter 'word': choose one of phrases, words"),
        (lambda: load_segmenter(""), "no segmenter ''"),
        (lambda: load_segmenter("answer:word"), "no segmenter 'word'"),
        (lambda: load_segmenter("words:3"), "'words' has no settings: write it without '3'"),
        (lambda: load_segmenter("npmi"), "learns from a catalogue"),
        (lambda: load_segmenter("npmi:colour", COLUMNS), "no column 'colour': .* title, brand"),
        (lambda: load_segmenter("fields:a,,b"), "has no name"),
        (lambda: load_segmenter("turns:a, "), "are no speakers"),
        (lambda: Turns([]), "are no speakers"),
        (lambda: Delimiters(""), "no delimiter"),
        (lambda: Answer(tag="a b"), "'a b' is no name of a tag"),
    ],
)
def test_wrong_names_are_refused_with_what_is_right(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("phrases", ["usb cable", "<answer>a|b", "c</answer>"]),
        ("delimiters:|\\n", ["usb cable, <answer>a", "b, c</answer>"]),
        ("answer", ["a|b", "c"]),
        ("answer:words", ["a|b,", "c"]),
        ("answer:npmi:title,brand", ["a", "b", "c"]),
        ("answer:delimiters:|", ["a", "b, c"]),
        ("fields:c", ["usb cable,", "<answer>a|b, c</answer>"]),
    ],
)
def test_a_name_stands_for_a_segmenter(name, phrases):
    text = "usb cable, <answer>a|b, c</answer>"
    segmenter = load_segmenter(name, COLUMNS)
    found = [s.phrase for s in segmenter(text)]
    assert found == phrases
    assert [s.phrase for s in pickle.loads(pickle.dumps(segmenter))(text)] == found

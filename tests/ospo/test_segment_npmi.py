"""Phrases found by a catalogue: the counts, the rules, and the boundaries that they find."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ospo.data import load
from ospo.data.shop_vocabulary import DEPARTMENTS
from ospo.errors import InputError
from ospo.text import association as association_module
from ospo.text.association import Association
from ospo.text.npmi import NPMI
from ospo.text.phrase_rules import together
from ospo.text.terms import terms

KINDS = [kind for department in DEPARTMENTS for kind in department.kinds]
titles = st.lists(st.text(alphabet="abcd ", max_size=12), max_size=8)


def by_definition(texts, window, first, second):
    """Bouma's formula on a list of all pairs."""
    pairs = Counter(
        (words[i], words[j])
        for words in map(terms, texts)
        for i in range(len(words))
        for j in range(i + 1, min(i + window, len(words)))
    )
    p = pairs[first, second] / pairs.total()
    of_first = sum(n for (one, _), n in pairs.items() if one == first) / pairs.total()
    of_second = sum(n for (_, two), n in pairs.items() if two == second) / pairs.total()
    if p in (0, 1):
        return 2 * p - 1  # the limits
    return math.log(p / (of_first * of_second)) / -math.log(p)


@pytest.mark.parametrize("batch", [1, 3, 100])
@given(titles, st.integers(2, 5))
def test_association_is_as_defined_however_the_texts_are_counted(batch, texts, window):
    words = sorted({word for text in texts for word in terms(text)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(association_module, "BATCH", batch)
        if all(len(terms(text)) < 2 for text in texts):
            with pytest.raises(InputError, match="no text has two words"):
                Association(texts, window=window)
            return
        association = Association(iter(texts), window=window)
    pairs = [(one, two) for one in words for two in words]
    found = association.npmi(*(association.ids(side) for side in zip(*pairs, strict=True)))
    expected = [by_definition(texts, window, one, two) for one, two in pairs]
    assert found == pytest.approx(expected, abs=1e-12)
    assert (np.abs(found) <= 1 + 1e-12).all()


def test_words_that_no_text_has_are_associated_with_nothing():
    association = Association(["usb hub", "usb cable"])
    assert association.ids(["zebra", "usb"]).tolist() == [-1, 0]
    unknown = association.npmi(np.array([-1, 0, -1]), np.array([0, -1, -1]))
    assert np.isnan(unknown).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("16 gb", [True]),
        ("2 packs", [True]),
        ("laptop 16 gb", [False, True]),
        ("laptop 16gb", [False]),
        ("tv 15.6-inch", [False]),
        ('tv 17"', [False]),
        ("lamp $50", [False]),
        ("lamp $ 50", [None, True]),
        ("shoes 20%", [False]),
        ("monitor 1440 x 900", [False, True, True]),
        ("2 x 4 gb", [True, True, True]),
        ("90 by 200 cm", [True, True, True]),
        ("iphone x calculator", [None, None]),
        ("iphone 7", [True]),
        ("size 42", [True]),
        ("redmi 7c", [None]),
        ("7 42", [None]),
        ("black and white", [True, True]),
        ("h & m", [True, True]),
        ("pack of 6", [True, True]),
        ("shoes for my son", [False, True, True]),
        ("under 50", [True]),
        ("trail shoes", [None]),
    ],
)
def test_rules_say_what_holds_in_any_catalogue(text, expected):
    words = text.split()
    assert [together(words, at) for at in range(1, len(words))] == expected


TITLES = ["Velora trail shoes red", "Brother toner black", "usb cable", "usb hub", "trail shoes"]


@pytest.mark.parametrize(
    "marked",
    [
        "trail shoes ¦usb cable",
        "shoes ¦trail",  # in another order than the catalogue has them
        "trail, ¦shoes. ¦usb\n¦hub (¦red)",
        "usb - ¦cable",
        "brother tn-2110 ¦toner",  # a name of a model goes with the word that it follows
        "usb ¦zebra giraffe ¦cable",  # words that the catalogue lacks keep each other company
        "usb hub ¦under $50 ¦with 2,000 lumens ¦15.6 inch",
        "usb cable! ¦16:10, ¦usb ¦😀",
        "Usb CABLES",
        "red",
    ],
)
def test_free_text_is_cut_where_the_catalogue_associates_nothing(marked):
    text = marked.replace("¦", "")
    starts = list(accumulate(map(len, marked.split("¦"))))[:-1]
    assert [s.start for s in NPMI(TITLES)(text)] == [0, *starts]


def test_a_higher_threshold_never_joins_more():
    shop = load("shop")
    text = "grey mesh office chair with wheels for home oak shelf usb cable 2 m"
    starts = [
        {s.start for s in NPMI(shop.catalogue.fields["title"], threshold=threshold)(text)}
        for threshold in (-1, -0.5, 0, 0.2, 0.5, 1)
    ]
    assert all(low <= high for low, high in pairwise(starts))
    assert starts[0] < starts[-1]


@pytest.mark.parametrize("settings", [{"window": 1}, {"threshold": 1.5}, {"threshold": math.nan}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(InputError, match="give"):
        NPMI(TITLES, **settings)


def planted(rng):
    """The name of a product and its traits, in any order."""
    kind = rng.choice(KINDS)
    parts = [kind.name, *filter(None, (rng.choice(values) for values in kind.traits.values()))]
    rng.shuffle(parts)
    return parts


def test_boundaries_between_the_traits_of_products_are_found():
    rng = random.Random(11)
    segmenter = NPMI(load("shop").catalogue.fields["title"])
    right = wrong = missed = 0
    for parts in (planted(rng) for _ in range(400)):
        truth = set(accumulate(len(part) + 1 for part in parts[:-1]))
        found = {s.start for s in segmenter(" ".join(parts))[1:]}
        right += len(truth & found)
        wrong += len(found - truth)
        missed += len(truth - found)
    assert 2 * right / (2 * right + wrong + missed) >= 0.85

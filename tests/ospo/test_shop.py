"""The generated shop: its size, its texts, its judgments, and that it never changes by chance."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import ospo
from ospo.data import Collection, load
from ospo.data.shop import DECOYS, STOCK, Product, Wish, generate
from ospo.data.shop_vocabulary import DEPARTMENTS, SENTENCES, SHOPPERS_SAY, TRAIT_ORDER

GOLDEN = "99770c4cd790d56bf01423b5b7f6e0b7d0d0988c39798ccfdae041899ba3c8aa"
KINDS = {kind.name: kind for department in DEPARTMENTS for kind in department.kinds}


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


@pytest.fixture(scope="module")
def shop() -> Collection:
    return load("shop")


@pytest.fixture(scope="module")
def products(shop: Collection) -> dict[str, Product]:
    return dict(zip(shop.catalogue.ids, generate()[0], strict=True))


@pytest.fixture(scope="module")
def wishes(shop: Collection) -> dict[str, Wish]:
    return dict(zip(shop.queries, generate()[1], strict=True))


def test_the_shop_is_the_same_on_every_machine(shop: Collection) -> None:
    assert shop.fingerprint == GOLDEN


def test_the_shop_does_not_depend_on_the_hash_seed() -> None:
    command = "from ospo.data import load; print(load('shop').fingerprint)"
    for seed in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-c", command],
            cwd=Path(ospo.__file__).parents[1],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.strip() == GOLDEN


def test_the_shop_has_about_two_thousand_products_in_over_a_dozen_departments(
    shop: Collection, products: dict[str, Product]
) -> None:
    assert len(shop.catalogue) == len(KINDS) * STOCK == 1989
    assert len(shop.queries) == 200
    assert len(DEPARTMENTS) > 12
    assert set(Counter(product.kind for product in products.values()).values()) == {STOCK}


def test_titles_differ_and_the_vocabulary_is_moderate(shop: Collection) -> None:
    assert len(set(shop.catalogue.fields["title"])) == len(shop.catalogue)
    texts = [text for column in shop.catalogue.fields.values() for text in column]
    distinct = {word for text in [*texts, *shop.queries.values()] for word in words(text)}
    assert 1000 <= len(distinct) <= 1500


def test_the_word_lists_are_consistent() -> None:
    for kind in KINDS.values():
        assert set(kind.near) <= set(KINDS), kind.name
        assert set(kind.traits) <= set(TRAIT_ORDER) & set(SENTENCES), kind.name
        assert len(kind.asked) < STOCK, kind.name
    values = {
        value for kind in KINDS.values() for options in kind.traits.values() for value in options
    }
    assert set(SHOPPERS_SAY) <= values


def test_what_a_shopper_says_for_a_value_is_never_another_value_of_the_same_trait() -> None:
    for kind in KINDS.values():
        for trait, options in kind.traits.items():
            said = {word for value in options for word in SHOPPERS_SAY.get(value, ())}
            assert not said & set(options), (kind.name, trait)


def test_every_trait_is_told_in_the_title_or_the_description(products: dict[str, Product]) -> None:
    for product in products.values():
        text = f"{product.title} {product.description}".lower()
        for trait in product.traits.keys() - {"brand"}:
            assert product.traits[trait].lower() in text, product


def test_traits_are_often_but_not_always_in_the_title(products: dict[str, Product]) -> None:
    told = [
        value.lower() in product.title.lower()
        for product in products.values()
        for trait, value in product.traits.items()
        if trait != "brand"
    ]
    assert 0.6 < sum(told) / len(told) < 0.75


def test_every_word_of_shoppers_for_a_kind_is_found_in_the_shop(shop: Collection) -> None:
    texts = "\n".join(shop.catalogue.fields["description"]).lower()
    assert [name for kind in KINDS.values() for name in kind.asked if name not in texts] == []


def test_judgments_follow_the_stated_rule(
    shop: Collection, products: dict[str, Product], wishes: dict[str, Wish]
) -> None:
    for query, wish in wishes.items():
        judged = shop.qrels[query]
        for name, product in products.items():
            missing = [
                trait for trait in wish.traits if product.traits.get(trait) != wish.traits[trait]
            ]
            if product.kind != wish.kind:
                expected = int(product.kind in KINDS[wish.kind].near and not missing)
            elif not missing:
                expected = 3
            else:
                expected = 2 if len(missing) == 1 < len(wish.traits) else 1
            assert judged.get(name, 0) == expected, (wish, product)


def test_the_products_judged_as_zero_share_most_words_with_the_query(
    shop: Collection, products: dict[str, Product], wishes: dict[str, Wish]
) -> None:
    department = {kind.name: shelf.name for shelf in DEPARTMENTS for kind in shelf.kinds}
    told = {
        name: set(words(f"{product.title} {product.description}"))
        for name, product in products.items()
    }
    for query, wish in wishes.items():
        wanted = set(words(wish.text))
        shared = {
            name: len(wanted & told[name]) + (department[product.kind] == department[wish.kind])
            for name, product in products.items()
            if shop.qrels[query].get(name, 0) == 0
        }
        decoys = sorted(shared, key=lambda name: -shared[name])[:DECOYS]
        assert [name for name, grade in shop.qrels[query].items() if grade == 0] == decoys


def test_every_query_has_full_answers_relevant_products_and_decoys(shop: Collection) -> None:
    for query in shop.queries:
        grades = Counter(shop.qrels[query].values())
        assert grades[3] >= 1
        assert grades[1] + grades[2] + grades[3] >= 3
        assert grades[0] == DECOYS


def test_queries_have_one_to_six_words_and_none_twice(shop: Collection) -> None:
    lengths: Counter[int] = Counter()
    for text in shop.queries.values():
        assert text == text.lower()
        assert len(set(text.split())) == len(text.split())
        lengths[len(text.split())] += 1
    assert set(lengths) == set(range(1, 7))
    assert len(set(shop.queries.values())) == len(shop.queries)


def test_the_split_keeps_last_words_apart_and_both_sides_large(shop: Collection) -> None:
    train, held_out = shop.split()
    assert (len(train), len(held_out)) == (130, 70)
    last = [{shop.queries[query].split()[-1] for query in side} for side in (train, held_out)]
    assert not last[0] & last[1]

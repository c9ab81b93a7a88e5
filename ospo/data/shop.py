"""The shop: a generated catalogue with shoppers' queries and judgments that follow from a rule.

Every product is a kind (sofa) with a value for each of some traits (colour: grey); its title and
description tell them in shop words. Every query is a wish: a kind, some trait values, and words
that a shopper would use for them. A product's grade follows from the two alone:

- 3: the wanted kind, with everything wanted;
- 2: the wanted kind, with all but one of several wanted traits;
- 1: any other product of the wanted kind, or a near substitute with everything wanted;
- 0: all others. The ``DECOYS`` of them that share most words with the query (the department
  counts as one) are judged as 0; the rest stay unjudged.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from ospo.data.collection import Catalogue, Collection
from ospo.data.draw import pick, shuffled
from ospo.data.shop_vocabulary import (
    DEPARTMENTS,
    SENTENCES,
    SHOPPERS_SAY,
    TRAILING,
    TRAIT_ORDER,
    Department,
    Kind,
)

SEED = 7
STOCK = 13  # products of each kind
WISHES = 200
DECOYS = 12
LONGEST_QUERY = 6

# How often ...
IN_TITLE = 0.65  # ... a title tells a trait; the description tells those it leaves out
CROSS_SELLS = 0.7  # ... a description names another kind of product
ASKED = 0.65  # ... a shopper uses another word than the shop
KEYWORDS_LAST = 0.25  # ... a shopper types the kind first: "office chair black"
WANTS_BRAND = 0.12

_NEAR = {kind.name: kind.near for shelf in DEPARTMENTS for kind in shelf.kinds}
# The blank keeps a department's name apart from the words of texts.
_DEPARTMENT_OF = {kind.name: f"in {shelf.name}" for shelf in DEPARTMENTS for kind in shelf.kinds}


@dataclass(frozen=True, slots=True)
class Product:
    """One product: what it is, and the texts that tell it. Its brand is one of its traits."""

    kind: str
    traits: Mapping[str, str]
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a shopper typed, and the kind and traits that were meant."""

    text: str
    kind: str
    traits: Mapping[str, str]


def load_shop() -> Collection:
    """The shop as a collection named "shop"; the same on every machine.

    Examples
    --------
    >>> shop = load_shop()
    >>> len(shop.catalogue), len(shop.queries)
    (1989, 200)
    """
    products, wishes = generate()
    ids = tuple(f"s{row:04}" for row in range(1, len(products) + 1))
    catalogue = Catalogue(
        ids,
        {
            "title": tuple(product.title for product in products),
            "brand": tuple(product.traits["brand"] for product in products),
            "description": tuple(product.description for product in products),
        },
    )
    queries = {f"q{number:03}": wish.text for number, wish in enumerate(wishes, start=1)}
    grades = _judge(products, wishes)
    qrels = {
        query: {ids[row]: grade for row, grade in judged.items()}
        for query, judged in zip(queries, grades, strict=True)
    }
    return Collection("shop", catalogue, queries, qrels)


def generate() -> tuple[tuple[Product, ...], tuple[Wish, ...]]:
    """The shop's products, in catalogue order, and its shoppers' wishes, in query order."""
    rng = random.Random(SEED)
    stock = [
        (kind, _stock(rng, department, kind))
        for department in DEPARTMENTS
        for kind in department.kinds
    ]
    wishes = _wishes(rng, stock)
    products = shuffled(rng, chain.from_iterable(products for _, products in stock))
    return tuple(products), tuple(wishes)


def grade(wish: Wish, product: Product) -> int:
    """How well the product answers the wish, 0..3, by the rule at the top of this module."""
    met = sum(product.traits.get(trait) == value for trait, value in wish.traits.items())
    missing = len(wish.traits) - met
    if product.kind != wish.kind:
        return int(product.kind in _NEAR[wish.kind] and not missing)
    if not missing:
        return 3
    return 2 if missing == 1 and met else 1


def _judge(products: Sequence[Product], wishes: Iterable[Wish]) -> list[dict[int, int]]:
    """For each wish, catalogue row -> grade: all that is relevant, then the decoys."""
    rows_of: dict[str, list[int]] = {}
    rows_with: dict[str, list[int]] = {}
    for row, product in enumerate(products):
        rows_of.setdefault(product.kind, []).append(row)
        words = _words(f"{product.title} {product.description}")
        for word in (*words, _DEPARTMENT_OF[product.kind]):
            rows_with.setdefault(word, []).append(row)
    judged = []
    for wish in wishes:
        candidates = (row for kind in (wish.kind, *_NEAR[wish.kind]) for row in rows_of[kind])
        grades = {row: grade(wish, products[row]) for row in sorted(candidates)}
        relevant = {row: value for row, value in grades.items() if value}
        shared = Counter(
            row
            for word in (*_words(wish.text), _DEPARTMENT_OF[wish.kind])
            for row in rows_with.get(word, ())
            if row not in relevant
        )
        decoys = sorted(shared, key=lambda row: (-shared[row], row))[:DECOYS]
        judged.append(relevant | dict.fromkeys(decoys, 0))
    return judged


def _stock(rng: random.Random, department: Department, kind: Kind) -> list[Product]:
    """The products of one kind, each with another title."""
    stock: dict[str, Product] = {}
    while len(stock) < STOCK:
        # Each word of shoppers is found in one description, so that none leads nowhere.
        called = kind.asked[len(stock)] if len(stock) < len(kind.asked) else kind.name
        product = _product(rng, department, kind, called=called)
        stock.setdefault(product.title, product)
    return list(stock.values())


def _product(rng: random.Random, department: Department, kind: Kind, *, called: str) -> Product:
    brand = pick(rng, department.brands)
    series = pick(rng, kind.series)
    traits = _traits(rng, kind)
    told = {trait: value for trait, value in traits.items() if rng.random() < IN_TITLE}
    untold = [trait for trait in traits if trait not in told]

    colour = told.pop("colour", "") if "in {colour}" in department.title else ""
    before, after = _around_the_kind(told.values())
    slots = {
        "brand": brand,
        "series": series,
        "kind": kind.name,
        "before": " ".join(before),
        "after": " ".join(after),
        "listed": ", ".join([*before, *after]),
        "colour": colour,
    }
    pieces = [
        piece.format(**slots)
        for piece in department.title
        if all(value or f"{{{slot}}}" not in piece for slot, value in slots.items())
    ]

    opening = pick(rng, (f"{called} by {brand}.", f"{called} from the {series} series."))
    sentences = [opening, f"{pick(rng, kind.about)}."]
    sentences += [pick(rng, SENTENCES[trait]).format(traits[trait]) for trait in untold]
    if rng.random() < CROSS_SELLS:
        other = pick(rng, [other for other in department.kinds if other is not kind])
        before, _ = _around_the_kind(_traits(rng, other).values())
        invitation = pick(rng, ("goes well with", "see also", "often bought with"))
        sentences.append(f"{invitation} our {' '.join([*before[:2], other.name])}.")
    else:
        sentences.append(f"{pick(rng, department.closing)}.")
    return Product(
        kind.name,
        {"brand": brand, **traits},
        _capital(" ".join(pieces).replace(" ,", ",")),
        " ".join(_capital(sentence) for sentence in sentences),
    )


def _traits(rng: random.Random, kind: Kind) -> dict[str, str]:
    drawn = {trait: pick(rng, kind.traits[trait]) for trait in TRAIT_ORDER if trait in kind.traits}
    return {trait: value for trait, value in drawn.items() if value}


def _wishes(rng: random.Random, stock: Sequence[tuple[Kind, list[Product]]]) -> list[Wish]:
    """Wishes of different texts, taking turns among the kinds."""
    wishes: dict[str, Wish] = {}
    turns = shuffled(rng, stock)
    while len(wishes) < WISHES:
        kind, products = turns[len(wishes) % len(turns)]
        wish = _wish(rng, kind, pick(rng, products))
        words = wish.text.split()
        if len(set(words)) == len(words) <= LONGEST_QUERY:
            wishes.setdefault(wish.text, wish)
    return list(wishes.values())


def _wish(rng: random.Random, kind: Kind, product: Product) -> Wish:
    """A wish that the product fulfils, worded as a shopper types it."""
    count = pick(rng, (0, 0, 1, 1, 1, 2, 2, 3))
    eligible = [trait for trait in product.traits if trait != "brand" or rng.random() < WANTS_BRAND]
    wanted = set(shuffled(rng, eligible)[:count])
    traits = {trait: product.traits[trait] for trait in TRAIT_ORDER if trait in wanted}
    words = [
        pick(rng, SHOPPERS_SAY[value]) if value in SHOPPERS_SAY and rng.random() < ASKED else value
        for value in traits.values()
    ]
    before, after = _around_the_kind(words)
    called = pick(rng, kind.asked) if rng.random() < ASKED else kind.name
    order = [called, *before] if rng.random() < KEYWORDS_LAST else [*before, called]
    text = " ".join([*order, *after]).lower().replace("'", "")
    return Wish(text, kind.name, traits)


def _around_the_kind(values: Iterable[str]) -> tuple[list[str], list[str]]:
    """The values that precede the kind's name, and those that follow it."""
    before: list[str] = []
    after: list[str] = []
    for value in values:
        (after if value.startswith(TRAILING) else before).append(value)
    return before, after


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))

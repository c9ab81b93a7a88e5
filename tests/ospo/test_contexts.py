from __future__ import annotations

from dataclasses import replace

import pytest

from ospo.data import Catalogue, Collection, load
from ospo.data.contexts import (
    CLAUSES,
    FILLER,
    UNWANTED,
    WANTED,
    Context,
    noisy_contexts,
    warm_start_pairs,
)
from ospo.errors import InputError
from ospo.text.terms import terms

TITLES = (
    "Norvik Oak Desk Lamp with Dimmer",
    "Brasso Copper Kettle (1.7 Litre)",
    "Trailmark Hiking Boots for Men",
    "Acme XB271HKBMIPRZ Monitor, 27 inch",
)
QUERIES = {"lamp": "Desk Lamp", "lamps": "dimmable desk lamps", "tea": "kettle, copper"}


@pytest.fixture(scope="module")
def collection() -> Collection:
    catalogue = Catalogue(("1", "2", "3", "4"), {"title": TITLES})
    return Collection("tiny", catalogue, QUERIES, {"lamp": {"1": 3}, "tea": {"2": 2}})


@pytest.fixture(scope="module")
def shop() -> Collection:
    return load("shop")


def mentioned(context: str, cues: tuple[str, ...]) -> list[str]:
    """What the clauses with these cues speak of; a filler speaks of itself."""
    return [
        clause if cue in FILLER else clause.removeprefix(cue.removesuffix("{}"))
        for clause in context.split(", ")
        for cue in cues
        if clause.startswith(cue.removesuffix("{}"))
    ]


def test_a_context_asks_for_its_query_among_one_to_three_unwanted_products(
    shop: Collection,
) -> None:
    contexts = noisy_contexts(shop, shop.answerable, per_query=3, seed=0)
    assert [c.query_id for c in contexts] == [q for q in shop.answerable for _ in range(3)]
    for context in contexts:
        assert mentioned(context.text, WANTED) == [shop.queries[context.query_id]]
        assert 1 <= len(mentioned(context.text, UNWANTED)) <= 3
    counts = {len(mentioned(context.text, UNWANTED)) for context in contexts}
    assert counts == {1, 2, 3}


def test_the_wanted_clause_stands_at_every_place(shop: Collection) -> None:
    contexts = noisy_contexts(shop, shop.answerable, per_query=1, seed=0)
    wanted = tuple(cue.removesuffix("{}") for cue in WANTED)
    places = {
        next(i for i, clause in enumerate(c.text.split(", ")) if clause.startswith(wanted))
        for c in contexts
    }
    assert places == {0, 1, 2, 3, 4}


def test_no_unwanted_product_has_all_words_of_the_wanted_query(collection: Collection) -> None:
    for context in noisy_contexts(collection, ["lamp"], per_query=200, seed=0):
        for other in mentioned(context.text, UNWANTED):
            assert not {"desk", "lamp"} <= set(terms(other)), context.text


def test_a_context_is_lower_case_and_a_query_is_one_phrase_of_it(collection: Collection) -> None:
    [context] = noisy_contexts(collection, ["tea"], per_query=1, seed=0)
    assert context.text == context.text.lower()
    assert mentioned(context.text, WANTED) == ["kettle copper"]


def test_contexts_are_the_same_for_a_seed_and_on_any_machine(collection: Collection) -> None:
    [context] = noisy_contexts(collection, ["tea"], per_query=1, seed=7)
    assert context == Context("looking for kettle copper, already own norvik oak", "tea")
    [other] = noisy_contexts(collection, ["tea"], per_query=1, seed=8)
    assert other != context


def test_training_contexts_say_nothing_of_held_out_queries() -> None:
    catalogue = Catalogue(("1",), {"title": ("kettle copper boots",)})
    queries = {"a": "lamp", "b": "desk", "secret": "zither"}
    collection = Collection("split", catalogue, queries, {"a": {"1": 1}})
    contexts = noisy_contexts(collection, ["a", "b"], per_query=100, seed=0)
    assert not any("zither" in context.text for context in contexts)
    assert any("desk" in context.text for context in contexts if context.query_id == "a")


@pytest.mark.parametrize(
    ("queries", "per_query", "message"),
    [
        (["lamp", "sofa"], 1, 'no query "sofa"'),
        (["lamp"], 0, "1 queries with 0 contexts"),
        ([], 1, "0 queries with 1 contexts"),
    ],
)
def test_contexts_that_cannot_be_made_are_refused(
    collection: Collection, queries: list[str], per_query: int, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        noisy_contexts(collection, queries, per_query=per_query, seed=0)


def test_a_collection_that_speaks_of_one_thing_only_is_refused() -> None:
    alone = Collection("alone", Catalogue(("1",), {"title": ("Lamp",)}), {"q": "lamps"}, {})
    with pytest.raises(InputError, match='nothing to say beside "lamps"'):
        noisy_contexts(alone, ["q"], per_query=1, seed=0)


def test_titles_without_words_are_refused() -> None:
    mute = Collection("mute", Catalogue(("1",), {"title": ("***",)}), {"q": "lamp"}, {})
    with pytest.raises(InputError, match="no title"):
        warm_start_pairs(mute, 1, seed=0)


def test_warm_start_pairs_look_at_neither_queries_nor_judgments(collection: Collection) -> None:
    other = replace(collection, queries={"x": "zither"}, qrels={"x": {"3": 1}})
    assert warm_start_pairs(other, 50, seed=0) == warm_start_pairs(collection, 50, seed=0)
    assert warm_start_pairs(other, 50, seed=1) != warm_start_pairs(collection, 50, seed=0)


def test_warm_start_phrases_are_copied_in_the_order_of_the_context(shop: Collection) -> None:
    related = 0
    for context, phrases in warm_start_pairs(shop, 400, seed=0):
        said = [text for clause in context.split(", ") for text in mentioned(clause, CLAUSES)]
        copied = [phrase for phrase in phrases.split(", ") if phrase in said]
        assert copied == sorted(copied, key=said.index)
        related += len(phrases.split(", ")) - len(copied)
    assert 40 < related < 200


def test_warm_start_phrases_take_no_notice_of_what_is_wanted(shop: Collection) -> None:
    pairs = warm_start_pairs(shop, 1000, seed=0)

    def share(cues: tuple[str, ...]) -> float:
        taken = [
            phrase in phrases.split(", ")
            for context, phrases in pairs
            for phrase in mentioned(context, cues)
        ]
        return sum(taken) / len(taken)

    assert share(WANTED) == pytest.approx(share(UNWANTED), abs=0.06)
    assert 0.6 < share(UNWANTED) < 0.95
    assert share(FILLER) == pytest.approx(share(UNWANTED), abs=0.06)


def test_no_one_says_part_numbers_or_joining_words(collection: Collection) -> None:
    said = "\n".join(context for context, _ in warm_start_pairs(collection, 300, seed=0))
    assert "kettle" in said
    assert "1.7" not in said
    assert "xb271hkbmiprz" not in said
    assert "lamp with" not in said

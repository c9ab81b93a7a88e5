"""Collections: validation, answerable queries, the grouped split and the fingerprint."""

from __future__ import annotations

from types import MappingProxyType

import pytest
import Stemmer

from ospo.data import Catalogue, Collection
from ospo.errors import InputError

TITLES = ("desk lamp", "floor lamp", "laptop")


def lamps(**changes: object) -> Collection:
    """Three products and three queries, of which the last has no answer."""
    content: dict[str, object] = {
        "name": "lamps",
        "catalogue": Catalogue(("a", "b", "c"), {"title": TITLES}),
        "queries": {"q1": "lamp", "q2": "laptop", "q3": "kite"},
        "qrels": {"q1": {"a": 3, "b": 1, "c": 0}, "q2": {"c": 2}, "q3": {"a": 0}},
    }
    return Collection(**(content | changes))  # type: ignore[arg-type]


def queries_only(texts: list[str]) -> Collection:
    """Queries that the same product answers."""
    queries = {f"q{number}": text for number, text in enumerate(texts)}
    return lamps(queries=queries, qrels={query: {"a": 1} for query in queries})


def test_a_catalogue_knows_its_size_and_the_row_of_each_product() -> None:
    catalogue = Catalogue(("a", "b", "c"), {"title": TITLES})
    assert len(catalogue) == 3
    assert dict(catalogue.position) == {"a": 0, "b": 1, "c": 2}


def test_an_empty_catalogue_is_refused() -> None:
    with pytest.raises(InputError, match="catalogue is empty"):
        Catalogue((), {"title": ()})


def test_product_ids_that_occur_twice_are_refused_and_named() -> None:
    with pytest.raises(InputError, match=r"1 product ids occur more than once \(a\)"):
        Catalogue(("a", "b", "a"), {"title": TITLES})


def test_a_column_of_another_length_is_refused_and_named() -> None:
    with pytest.raises(InputError, match='column "brand" has 2 entries for 3 products'):
        Catalogue(("a", "b", "c"), {"title": TITLES, "brand": ("x", "y")})


def test_a_catalogue_without_titles_is_refused() -> None:
    with pytest.raises(InputError, match='no "title" among its columns'):
        Catalogue(("a",), {"brand": ("x",)})


def test_a_collection_without_queries_is_refused() -> None:
    with pytest.raises(InputError, match="has no query"):
        lamps(queries={}, qrels={})


def test_judgments_of_unknown_products_are_counted_and_the_first_are_named() -> None:
    unknown = dict.fromkeys("vwxyz", 1)
    with pytest.raises(InputError, match=r"5 unknown product ids \(v, w, x, ...\)"):
        lamps(qrels={"q1": unknown, "q2": {"v": 1}})


def test_judgments_of_unknown_queries_are_refused() -> None:
    with pytest.raises(InputError, match=r"1 unknown query ids \(q9\)"):
        lamps(qrels={"q9": {"a": 1}})


@pytest.mark.parametrize("grade", [-1, 1.0, True, "2", None])
def test_grades_other_than_integers_from_zero_are_refused(grade: object) -> None:
    with pytest.raises(InputError, match='grade of product "a" for query "q1" is'):
        lamps(qrels={"q1": {"a": grade}})


def test_answerable_queries_have_a_relevant_product_and_keep_their_order() -> None:
    assert lamps().answerable == ("q1", "q2")
    assert lamps(queries={"q2": "laptop", "q3": "kite", "q1": "lamp"}).answerable == ("q2", "q1")


def test_queries_without_a_relevant_product_are_those_without_an_answer() -> None:
    assert lamps().unanswered == ("q3",)
    assert lamps(qrels={"q2": {"c": 1}}).unanswered == ("q1", "q3")
    assert str(lamps()) == (
        "lamps: 3 products, 5 judgments of 3 queries, of which 1 have no relevant product"
    )


def test_the_split_keeps_queries_with_one_last_stem_together() -> None:
    stem = Stemmer.Stemmer("english").stemWord
    heads = ["laptop", "laptops", "lamp", "lamps", "desk", "kites", "kite", "chair"]
    collection = queries_only([f"{first} {head}" for first in ("red", "big") for head in heads])
    for seed in range(20):
        train, held_out = collection.split(seed=seed)
        sides = [
            {stem(collection.queries[q].split()[-1]) for q in side} for side in (train, held_out)
        ]
        assert not sides[0] & sides[1]
        assert sorted(train + held_out) == sorted(collection.answerable)


def test_the_split_holds_out_no_more_than_asked_and_only_answerable_queries() -> None:
    collection = queries_only([f"thing {letter}x" for letter in "abcdefghij"])
    train, held_out = collection.split(held_out=0.3)
    assert (len(train), len(held_out)) == (7, 3)
    assert set(sum(lamps().split(held_out=0.5), ())) == {"q1", "q2"}


def test_several_parts_can_be_held_out() -> None:
    collection = queries_only([f"thing {letter}x" for letter in "abcdefghij"])
    train, validation, test = collection.split(held_out=(0.1, 0.3))
    assert (len(train), len(validation), len(test)) == (6, 1, 3)


def test_the_split_follows_the_seed() -> None:
    collection = queries_only([f"thing {letter}x" for letter in "abcdefghij"])
    assert collection.split(seed=1) == collection.split(seed=1)
    assert len({collection.split(seed=seed) for seed in range(10)}) > 1


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 2.0])
def test_a_share_outside_the_open_unit_interval_is_refused(share: float) -> None:
    with pytest.raises(InputError, match=f"held_out is {share}"):
        lamps().split(held_out=share)


def test_queries_that_all_end_alike_cannot_be_split() -> None:
    with pytest.raises(InputError, match="2 answerable queries in 1 groups"):
        queries_only(["red lamp", "lamps"]).split()


def test_the_fingerprint_changes_with_everything_in_the_collection() -> None:
    changed = [
        lamps(),
        lamps(name="lights"),
        lamps(catalogue=Catalogue(("a", "b", "c"), {"title": ("desk lamps", *TITLES[1:])})),
        lamps(catalogue=Catalogue(("a", "c", "b"), {"title": TITLES})),
        lamps(queries={"q1": "lamps", "q2": "laptop", "q3": "kite"}),
        lamps(qrels={"q1": {"a": 2}}),
        lamps(catalogue=Catalogue(("a", "b", "c"), {"title": TITLES, "brand": TITLES})),
    ]
    assert len({collection.fingerprint for collection in changed}) == len(changed)


def test_the_fingerprint_is_the_same_for_any_mapping_and_on_any_machine() -> None:
    plain = lamps()
    proxy = lamps(qrels=MappingProxyType(dict(plain.qrels)))
    assert plain.fingerprint == proxy.fingerprint
    assert plain.fingerprint == "887655a6d21f7d593f4bbb75095ac99553239cef2a85289937bdf8fd5a9aca8d"

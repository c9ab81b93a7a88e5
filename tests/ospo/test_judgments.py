"""Queries and judgments: what is counted once, left out or refused."""

from __future__ import annotations

import pytest

from ospo.data.collection import Catalogue, Collection
from ospo.data.judgments import collect, parse_grades
from ospo.data.malformed import Row
from ospo.errors import InputError

LAMPS = Catalogue(("a", "b", "c"), {"title": ("desk lamp", "floor lamp", "sofa")})
QUERIES = [("1", "lamp"), ("2", "kite")]
ESCI = {"E": 3, "I": 0}


def collected(
    labels: list[Row] | None,
    *,
    queries: list[Row] | None = QUERIES,  # type: ignore[assignment]
    grades: dict[str, int] | None = None,
) -> Collection:
    return collect("lamps", LAMPS, queries, labels, grades, [])


def test_queries_and_judgments_keep_their_order() -> None:
    collection = collected([("2", "c", "0"), ("1", "b", "2"), ("1", "a", "1")])
    assert list(collection.queries.items()) == QUERIES
    assert collection.qrels == {"2": {"c": 0}, "1": {"b": 2, "a": 1}}
    assert list(collection.qrels["1"]) == ["b", "a"]
    assert collection.notes == ()


def test_queries_without_a_relevant_product_are_kept_as_cases_without_an_answer() -> None:
    collection = collected([("1", "a", "1"), ("2", "b", "0")])
    assert (collection.answerable, collection.unanswered) == (("1",), ("2",))
    assert str(collection) == (
        "lamps: 3 products, 2 judgments of 2 queries, of which 1 have no relevant product"
    )


def test_queries_that_no_judgment_names_are_left_out_and_counted() -> None:
    collection = collected([("1", "a", "1")])
    assert collection.queries == {"1": "lamp"}
    assert collection.notes == ("left out 1 of 2 queries that no judgment names (2)",)


def test_without_judgments_all_queries_are_kept_and_none_has_an_answer() -> None:
    collection = collected(None)
    assert (collection.unanswered, dict(collection.qrels)) == (("1", "2"), {})


def test_without_queries_the_judgments_name_them_by_their_text() -> None:
    collection = collected([("usb hub", "a", "1"), ("usb+hub", "b", "2")], queries=None)
    assert collection.queries == {"usb+hub": "usb hub", "usb%2Bhub": "usb+hub"}
    assert collection.qrels == {"usb+hub": {"a": 1}, "usb%2Bhub": {"b": 2}}


def test_labels_stand_for_grades() -> None:
    assert collected([("1", "a", "E"), ("1", "b", "I")], grades=ESCI).qrels["1"] == {"a": 3, "b": 0}


def test_whole_numbers_with_a_point_are_grades() -> None:
    assert collected([("1", "a", "2.0"), ("1", "b", "100.000")]).qrels["1"] == {"a": 2, "b": 100}


@pytest.mark.parametrize("label", ["-1", "-2.0", "1.5", "good", "nan", "inf", ""])
def test_a_label_that_is_no_grade_is_refused(label: str) -> None:
    with pytest.raises(
        InputError,
        match=f'of product "b" for query "1" is {label!r}, not an integer of at least 0',
    ):
        collected([("1", "a", "1"), ("1", "b", label)])


@pytest.mark.parametrize("label", ["S", "e", "3", "-1"])
def test_a_label_without_a_grade_is_refused(label: str) -> None:
    with pytest.raises(InputError, match=f"is {label!r}, not one of E, I: correct it"):
        collected([("1", "a", label)], grades=ESCI)


def test_a_judgment_that_is_repeated_counts_once_and_must_agree() -> None:
    assert collected([("1", "a", "1"), ("1", "a", "1.0")]).qrels == {"1": {"a": 1}}
    with pytest.raises(InputError, match='"a" is graded twice for query "1", 1 and 0: keep one'):
        collected([("1", "a", "1"), ("1", "a", "0")])


def test_a_query_that_is_repeated_counts_once_and_must_agree() -> None:
    labels = [("1", "a", "1")]
    assert collected(labels, queries=[("1", "lamp"), ("1", "lamp")]).queries == {"1": "lamp"}
    with pytest.raises(InputError, match=r"query \"1\" has two texts, 'lamp' and 'sofa'"):
        collected(labels, queries=[("1", "lamp"), ("1", "sofa")])


def test_judgments_of_unknown_queries_and_products_are_counted_and_named() -> None:
    with pytest.raises(InputError, match=r"1 unknown query ids \(9\)"):
        collected([("1", "a", "1"), ("9", "a", "1")])
    with pytest.raises(InputError, match=r"2 unknown product ids \(x, y\)"):
        collected([("1", "x", "1"), ("1", "y", "0")])


def test_no_judgment_at_all_is_refused() -> None:
    with pytest.raises(InputError, match='collection "lamps" has no query'):
        collected([])


@pytest.mark.parametrize("text", ["E", "E:", ":1", "E:x", "E:-1", "E:3/"])
def test_grades_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="does not say which grade a label stands for"):
        parse_grades(text)


def test_labels_with_colons_have_grades() -> None:
    assert parse_grades("a:b:2/c:0") == {"a:b": 2, "c": 0}
    assert parse_grades("") is None

"""Splits of queries: near-duplicates stay together, whatever the order, for every seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ospo.data.split import groups, split_queries
from ospo.errors import InputError
from ospo.text.terms import terms

WORDS = ["red", "blue", "big", "laptop", "laptops", "lamp", "desk", "usb", "hub", "for"]
TEXTS = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=0, max_size=6).map(" ".join), min_size=1, max_size=25
)


def numbered(texts: Sequence[str]) -> dict[str, str]:
    return {f"q{number}": text for number, text in enumerate(texts)}


def are_near_duplicates(one: str, other: str) -> bool:
    a, b = set(terms(one)), set(terms(other))
    return a == b or len(a & b) / len(a | b) >= 2 / 3 - 1e-12


def same_head(one: str, other: str) -> bool:
    return terms(one)[-1:] == terms(other)[-1:]


@given(TEXTS)
def test_near_duplicates_are_in_one_group(texts: list[str]) -> None:
    queries = numbered(texts)
    group_of = {query: number for number, its in enumerate(groups(queries)) for query in its}
    assert sorted(group_of) == sorted(queries)
    for one, other in combinations(queries, 2):
        if are_near_duplicates(queries[one], queries[other]):
            assert group_of[one] == group_of[other]


@given(TEXTS)
def test_nothing_is_in_a_group_without_a_reason(texts: list[str]) -> None:
    queries = numbered(texts)
    for group in groups(queries):
        reached, frontier = {group[0]}, [group[0]]
        while frontier:
            one = frontier.pop()
            for other in set(group) - reached:
                pair = queries[one], queries[other]
                if are_near_duplicates(*pair) or same_head(*pair):
                    reached.add(other)
                    frontier.append(other)
        assert reached == set(group)


@given(TEXTS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_split_depends_on_the_texts_and_not_on_their_order_or_ids(
    texts: list[str], seed: int, rng: random.Random
) -> None:
    texts = sorted(set(texts))
    shuffled = rng.sample(texts, len(texts))
    try:
        parts = split_queries(numbered(texts), [0.3, 0.2], seed=seed)
    except InputError:
        with pytest.raises(InputError, match="cannot be split"):
            split_queries(numbered(shuffled), [0.3, 0.2], seed=seed)
        return
    again = split_queries(numbered(shuffled), [0.3, 0.2], seed=seed)
    by_text = [
        [{names[query] for query in part} for part in its]
        for names, its in ((numbered(texts), parts), (numbered(shuffled), again))
    ]
    assert by_text[0] == by_text[1]


def test_queries_of_one_kind_of_product_stay_together_unless_they_duplicate_another() -> None:
    queries = {
        "chair": "office chair",
        "reordered": "chair, office",
        "garden": "garden chairs",
        "paper": "office paper",
    }
    assert groups(queries) == [["chair", "reordered", "garden"], ["paper"]]


def test_near_duplicates_go_by_the_last_word_that_most_of_them_have() -> None:
    queries = numbered(
        ["office chair", "chair office", "an office chair", "garden chairs", "office"]
    )
    assert groups(queries) == [["q0", "q1", "q2", "q3"], ["q4"]]


def test_a_log_of_reordered_queries_is_not_tied_into_one_group() -> None:
    kinds = [f"kind{number}" for number in range(30)]
    pairs = [(a, b) for a in kinds for b in kinds if a < b]
    queries = numbered([f"{a} {b}" for a, b in pairs] + [f"{b} {a}" for a, b in pairs])
    assert max(map(len, groups(queries))) < len(queries) / 10


def test_shares_are_never_exceeded_and_reached_where_groups_are_single() -> None:
    queries = numbered([f"thing {first}{second}x" for first in "abcde" for second in "fghi"])
    parts = split_queries(queries, [0.1, 0.25], seed=3)
    assert [len(part) for part in parts] == [13, 2, 5]
    assert sorted(query for part in parts for query in part) == sorted(queries)


def test_another_seed_gives_another_split() -> None:
    queries = numbered([f"thing {letter}x" for letter in "abcdefghij"])
    assert len({split_queries(queries, [0.3], seed=seed) for seed in range(10)}) > 5


def test_queries_without_words_are_one_group() -> None:
    assert groups({"a": "?!", "b": "lamp", "c": ""}) == [["a", "c"], ["b"]]


@pytest.mark.parametrize("shares", [[], [0.0], [0.5, -0.1], [1.0], [0.6, 0.4]])
def test_shares_that_leave_nothing_for_training_are_refused(shares: list[float]) -> None:
    with pytest.raises(InputError, match="that leave something for training"):
        split_queries(numbered(["lamp", "sofa", "kite"]), shares, seed=0)


def test_groups_that_leave_a_part_without_queries_are_refused() -> None:
    with pytest.raises(InputError, match=r"3 answerable queries in 2 groups cannot be split"):
        split_queries(numbered(["lamp", "red lamp", "kite"]), [0.34, 0.33], seed=0)

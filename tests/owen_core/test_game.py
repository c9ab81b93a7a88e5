"""Games: what a value function is asked, and what it may answer."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import owen_core as oc
from owen_core.coalition import pack, unpack, words

some_coalitions = st.tuples(st.integers(0, 9), st.integers(1, 200)).flatmap(
    lambda shape: arrays(np.bool_, shape)
)


def as_numbers(packed):
    """Each row of words as one integer; bit i is player i."""
    return [int.from_bytes(row.astype("<u8").tobytes(), "little") for row in packed]


@given(some_coalitions)
def test_bit_i_of_a_packed_coalition_is_player_i(coalitions):
    m, n = coalitions.shape
    packed = pack(coalitions)
    assert packed.shape == (m, words(n))
    assert as_numbers(packed) == [sum(1 << i for i in range(n) if row[i]) for row in coalitions]
    np.testing.assert_array_equal(unpack(packed, n), coalitions)


@given(some_coalitions)
def test_rows_that_are_not_contiguous_pack_and_unpack_alike(coalitions):
    n = coalitions.shape[1]
    np.testing.assert_array_equal(pack(coalitions[::-2]), pack(coalitions)[::-2])
    np.testing.assert_array_equal(pack(np.asfortranarray(coalitions)), pack(coalitions))
    np.testing.assert_array_equal(unpack(pack(coalitions)[::2], n), coalitions[::2])


@given(some_coalitions)
def test_a_game_is_worth_the_same_asked_in_rows_or_words_and_asking_for_them(coalitions):
    n = coalitions.shape[1]
    weights = np.arange(1.0, n + 1)
    games = [
        oc.Game(lambda rows: rows @ weights, n),
        oc.Game(lambda packed: unpack(packed, n) @ weights, n, packed=True),
        oc.Game.from_scalar(lambda row: row @ weights, n),
    ]
    for game in games:
        np.testing.assert_array_equal(game(coalitions), coalitions @ weights)
        np.testing.assert_array_equal(game.values(pack(coalitions)), coalitions @ weights)


def test_packed_coalitions_are_shown_in_place_and_cannot_be_written():
    asked = []
    game = oc.Game(lambda packed: asked.append(packed) or np.zeros(len(packed)), 70, packed=True)
    mine = np.array([[1, 0], [2, 3]], dtype=np.uint64)
    game.values(mine)
    assert np.shares_memory(asked[0], mine)
    with pytest.raises(ValueError, match="read-only"):
        asked[0][0] = 0
    mine[0] = 7  # the caller's own array is as before


@pytest.mark.parametrize("packed", [False, True])
def test_what_a_value_function_keeps_outlives_the_call(packed):
    kept = []
    game = oc.Game(lambda rows: kept.append(rows) or np.zeros(len(rows)), 100, packed=packed)
    coalitions = np.random.default_rng(0).random((1000, 100)) < 0.5
    game.values(pack(coalitions))  # nobody else holds the words
    gc.collect()
    _taking_their_place = [np.zeros((1000, 2), np.uint64) for _ in range(50)]
    found = unpack(kept[0], 100) if packed else kept[0]
    np.testing.assert_array_equal(found, coalitions)


@pytest.mark.parametrize(
    "answer",
    [
        lambda values: values,
        lambda values: values.tolist(),
        lambda values: values.astype(np.float32),
        lambda values: values.astype(int),
        lambda values: np.repeat(values, 2)[::2],
        lambda values: values.astype(">f8"),
    ],
)
def test_any_array_or_list_of_numbers_is_an_answer(answer):
    game = oc.Game(lambda rows: answer(rows.sum(axis=1) * 1.0), 3)
    values = game(np.array([[False, True, True], [True, True, True]]))
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, [2, 3])


def test_no_coalitions_are_worth_no_values_and_ask_nothing():
    def value(coalitions):
        raise AssertionError("nothing was to be asked")

    game = oc.Game(value, 3)
    assert game(np.empty((0, 3), bool)).shape == game.values(np.empty((0, 1), np.uint64)).shape
    assert game(np.empty((0, 3), bool)).shape == (0,)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused_with_its_coalition(packed, bad):
    names = [f"p{i}" for i in range(70)]
    coalitions = np.zeros((300, 70), bool)
    coalitions[257, [2, 65]] = True

    def value(rows):
        members = unpack(rows, 70) if packed else rows
        return np.where(members.any(axis=1), bad, 0.0)

    game = oc.Game(value, names, packed=packed)
    for ask in (lambda: game(coalitions), lambda: game.values(pack(coalitions))):
        with pytest.raises(oc.ValueFunctionError, match=r"for the coalition \{p2, p65\}") as caught:
            ask()
        assert caught.value.coalition == ("p2", "p65")


@pytest.mark.parametrize("packed", [False, True])
def test_an_exception_of_the_value_function_says_on_what(packed):
    def value(rows):
        raise ConnectionError("engine down")

    game = oc.Game(value, ["a", "b"], packed=packed)
    with pytest.raises(ConnectionError, match="engine down") as caught:
        game.values(np.array([[2], [3]], np.uint64))
    assert caught.value.__notes__ == [
        "raised by the value function on 2 coalitions, the first of them {b}"
    ]


@pytest.mark.parametrize(
    ("coalitions", "message"),
    [
        (np.zeros((2, 2), bool), r"an array \(m, 3\) of bool, got \(2, 2\) of bool"),
        (np.zeros(3, bool), r"got \(3,\) of bool"),
        (np.zeros((2, 3)), r"got \(2, 3\) of float64; convert them"),
        ([[0, 1, 1]], r"got \(1, 3\) of int64"),
    ],
)
def test_coalitions_of_another_shape_or_type_are_refused(coalitions, message):
    for packed in (False, True):
        with pytest.raises(ValueError, match=message):
            oc.Game(lambda rows: np.zeros(len(rows)), 3, packed=packed)(coalitions)


@pytest.mark.parametrize(
    ("words_", "message"),
    [
        (np.zeros((2, 1), np.uint64), r"an array \(m, 2\) of uint64, got \(2, 1\) of uint64"),
        (np.zeros(2, np.uint64), r"got \(2,\) of uint64"),
        (np.zeros((2, 2), np.int64), r"got \(2, 2\) of int64"),
        (np.zeros((2, 65), bool), r"got \(2, 65\) of bool"),
    ],
)
def test_packed_coalitions_of_another_shape_or_type_are_refused(words_, message):
    for packed in (False, True):
        with pytest.raises(ValueError, match=message):
            oc.Game(lambda rows: np.zeros(len(rows)), 65, packed=packed).values(words_)

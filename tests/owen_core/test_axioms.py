"""Which axioms each value on a line satisfies, and games that show which it does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_games import as_value, players_of, tables

import owen_core as oc

CLOSE = {"rtol": 0, "atol": 1e-9}


def concepts(n):
    """Every value that phrases of a text may be given, by name."""
    wide = max(1, n - 2)
    return {
        "shapley": ("shapley", None),
        "owen": ("owen", oc.contiguous(n)),
        "growth": ("growth", None),
        "ends": ("ends", None),
        "myerson": ("myerson", None),
        "average-tree": ("average-tree", None),
        "windows": ("windows", None),
        "myerson, equal": ("myerson", oc.path(n, wide, residual="equal")),
        "myerson, ends": ("myerson", oc.path(n, wide, residual="ends")),
        "growth, equal": ("growth", oc.path(n, wide, residual="equal")),
    }


def credits(value, n, name):
    return oc.attribute(value, n, *concepts(n)[name]).values


def with_player(table, position, worth):
    """The game with one more player, who adds ``worth`` to every coalition."""
    n = players_of(table)
    low = (1 << position) - 1
    index = np.arange(2 << n)
    old = (index & low) | ((index >> 1) & ~low & ((1 << n) - 1))
    return table[old] + worth * (index >> position & 1)


@pytest.mark.parametrize("name", ["shapley", "owen", "growth", "ends", "windows"])
@given(table=tables(1, 5), data=st.data())
def test_a_player_who_changes_nothing_gets_nothing(name, table, data):
    position = data.draw(st.integers(0, players_of(table)))
    game = with_player(table, position, 0.0)
    found = credits(as_value(game), players_of(game), name)
    assert found[position] == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize("name", ["shapley", "owen", "growth", "ends"])
@given(table=tables(1, 5), data=st.data())
def test_a_player_who_always_adds_the_same_gets_just_that(name, table, data):
    position, worth = data.draw(st.integers(0, players_of(table))), data.draw(st.integers(-8, 8))
    game = with_player(table, position, float(worth))
    found = credits(as_value(game), players_of(game), name)
    assert found[position] == pytest.approx(worth, abs=1e-11)


@pytest.mark.parametrize("name", ["shapley", "owen", "growth", "ends", "windows"])
@given(table=tables(2, 6))
def test_monotone_games_give_no_negative_credit(name, table):
    n = players_of(table)
    view = np.abs(table).reshape((2,) * n)
    for axis in range(n):  # the running maximum over subsets makes it monotone
        view = np.maximum.accumulate(view, axis=axis)
    assert (credits(as_value(view.ravel()), n, name) >= -1e-11).all()


@pytest.mark.parametrize("name", concepts(4))
@given(table=tables(2, 6))
def test_reading_the_text_backwards_reverses_the_credits(name, table):
    n = players_of(table)
    if name == "owen" and n & (n - 1):
        n, table = 4, np.resize(table, 16)  # only a balanced tree is its own mirror image
    forwards = credits(as_value(table), n, name)
    backwards = credits(lambda s: as_value(table)(s[:, ::-1]), n, name)
    np.testing.assert_allclose(backwards[::-1], forwards, **CLOSE)


def any_window(s):
    return s.any(axis=1) * 1.0


def either(s):
    return (s[:, 2] | s[:, 5]) * 1.0


def both(s):
    return (s[:, 2] & s[:, 5]) * 1.0


def only_all(s):
    return s.all(axis=1) * 1.0


@pytest.mark.parametrize(
    ("game", "name", "expected"),
    [
        (any_window, "myerson", [0.5, 0, 0, 0, 0, 0, 0, 0.5]),
        (any_window, "average-tree", [0.875, *[-0.125] * 6, 0.875]),
        (any_window, "growth", [0.125] * 8),
        (any_window, "windows", [0.125] * 8),
        (either, "myerson", [0, 0, 0.75, -0.25, -0.25, 0.75, 0, 0]),
        (either, "average-tree", [0, 0, 0.625, -0.125, -0.125, 0.625, 0, 0]),
        (either, "growth", [0, 0, 0.5, 0, 0, 0.5, 0, 0]),
        (both, "myerson", [0, 0, 0.25, 0.25, 0.25, 0.25, 0, 0]),
        (both, "average-tree", [0, 0, 0.375, 0.125, 0.125, 0.375, 0, 0]),
        (both, "growth", [0, 0, 0.5, 0, 0, 0.5, 0, 0]),
        (only_all, "myerson", [0.125] * 8),
        (only_all, "growth", [0.5, *[0] * 6, 0.5]),
        (only_all, "windows", [0.125, *[0] * 6, 0.125]),
        (only_all, "shapley", [0.125] * 8),
    ],
)
def test_what_each_value_says_of_a_simple_game_of_eight(game, name, expected):
    np.testing.assert_allclose(credits(game, 8, name), expected, **CLOSE)


def test_equal_players_in_other_places_get_other_credits_from_intervals():
    game = np.vectorize(lambda k: float(k >= 2))  # any two will do: all four players are the same

    def value(s):
        return game(s.sum(axis=1))

    for name in ("shapley", "owen"):
        np.testing.assert_allclose(credits(value, 4, name), 0.25, **CLOSE)
    for name in ("growth", "ends", "myerson", "average-tree", "windows"):
        assert np.ptp(credits(value, 4, name)) > 0.01, name


def test_sharing_a_residual_equally_pays_players_who_change_nothing():
    def value(s):  # the last player is not needed
        return s[:, :3].all(axis=1) * 1.0

    assert credits(value, 4, "myerson, equal")[3] == pytest.approx(0.25)
    assert credits(value, 4, "growth, equal")[3] > 0.1
    assert credits(value, 4, "myerson, ends")[3] == pytest.approx(0)


def test_intervals_cannot_see_a_player_who_only_matters_beyond_a_gap():
    def value(s):  # the first and the third, and only without the second
        return (s[:, 0] & s[:, 2] & ~s[:, 1]) * 1.0

    assert credits(value, 3, "shapley").tolist() != [0, 0, 0]
    for name in ("growth", "ends", "myerson", "average-tree", "windows"):
        np.testing.assert_array_equal(credits(value, 3, name), 0)

"""The verb: budgets, caches, batches, and everything that can go wrong at the border."""

from __future__ import annotations

import json

import numpy as np
import pytest

import owen_core as oc


class Counting:
    """A value function that remembers how it was asked."""

    def __init__(self):
        self.batches = []

    def __call__(self, coalitions):
        self.batches.append(len(coalitions))
        return coalitions @ np.arange(1.0, coalitions.shape[1] + 1)


def test_names_and_positions_reach_the_same_credit():
    a = oc.attribute(Counting(), ["a", "b", "c"])
    assert a["b"] == a[1] == pytest.approx(2)
    assert [name for name, _ in a] == ["a", "b", "c"]
    with pytest.raises(KeyError, match="no player is called 'd'"):
        a["d"]


@pytest.mark.parametrize("batch_size", [1, 3, 64, 1000])
def test_batch_size_changes_the_calls_but_not_a_bit_of_the_result(batch_size):
    value = Counting()
    whole = oc.attribute(Counting(), 6)
    a = oc.attribute(value, 6, batch_size=batch_size)
    np.testing.assert_array_equal(a.values, whole.values)
    assert sum(value.batches) == a.cost.new == 64
    assert len(value.batches) == a.cost.calls == -(-64 // batch_size)


def test_a_cached_coalition_is_never_paid_twice():
    value, store = Counting(), oc.MemoryStore()
    first = oc.attribute(value, 7, cache=store)
    again = oc.attribute(value, 7, cache=store)
    assert (first.cost.new, again.cost.new, again.cost.cached) == (128, 0, 128)
    assert sum(value.batches) == len(store) == 128
    np.testing.assert_array_equal(first.values, again.values)


def test_a_store_keeps_games_apart():
    store = oc.MemoryStore()
    one = oc.attribute(lambda s: s.sum(axis=1), 4, cache=store)
    two = oc.attribute(lambda s: -s.sum(axis=1), 4, cache=store)
    np.testing.assert_allclose(one.values, 1)
    np.testing.assert_allclose(two.values, -1)


def test_a_store_tells_more_than_64_players_apart():
    store, value = oc.MemoryStore(), Counting()
    a = oc.attribute(value, 130, "myerson", cache=store)
    assert len(store) == a.cost.new == 130 * 131 // 2 + 1
    np.testing.assert_allclose(a.values, np.arange(1.0, 131), atol=1e-9)


def test_what_was_valued_before_an_exception_stays_in_the_cache():
    store = oc.MemoryStore()
    calls = []

    def fragile(coalitions):
        calls.append(len(coalitions))
        if len(calls) == 3:
            raise ConnectionError("engine down")
        return coalitions.sum(axis=1)

    with pytest.raises(ConnectionError, match="engine down") as caught:
        oc.attribute(fragile, 5, cache=store, batch_size=8)
    assert "on 8 coalitions, the first of them {4}" in caught.value.__notes__[0]
    assert len(store) == 16
    assert oc.attribute(fragile, 5, cache=store, batch_size=8).cost.new == 16


def test_progress_counts_every_coalition():
    seen = []
    oc.attribute(Counting(), 5, batch_size=10, progress=lambda done, of: seen.append((done, of)))
    assert seen == [(10, 32), (20, 32), (30, 32), (32, 32)]


def test_auto_is_exact_shapley_or_myerson_on_a_path():
    assert oc.attribute(Counting(), 4).concept == "shapley"
    assert oc.attribute(Counting(), 30, structure=oc.path(30)).concept == "myerson"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda s: np.where(s[:, 1], np.nan, 0.0), r"returned nan for the coalition \{b\}"),
        (lambda s: np.where(s.all(axis=1), np.inf, 0.0), r"returned inf for the coalition \{a, b"),
        (lambda s: s.sum(axis=1)[:-1], r"returned shape \(7,\), expected \(8,\)"),
        (lambda s: 1.0, r"returned shape \(\), expected \(8,\)"),
        (lambda s: s.astype(float), r"returned shape \(8, 3\), expected \(8,\)"),
        (lambda s: ["x"] * len(s), "returned list that numpy cannot read as floats"),
        (lambda s: None, "returned"),
    ],
)
def test_a_wrong_answer_is_refused_by_name(value, message):
    with pytest.raises(oc.ValueFunctionError, match=message):
        oc.attribute(value, ["a", "b", "c"])


def test_the_offending_coalition_rides_on_the_error():
    with pytest.raises(oc.ValueFunctionError) as caught:
        oc.attribute(lambda s: np.where(s[:, 0] & s[:, 2], np.nan, 0.0), ["a", "b", "c"])
    assert caught.value.coalition == ("a", "c")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"players": 0}, ValueError, "at least one player"),
        ({"players": []}, ValueError, "at least one player"),
        ({"players": "abc"}, TypeError, "split it into a list"),
        ({"players": None}, TypeError, "players is missing"),
        ({"players": 27, "concept": "shapley"}, ValueError, r"2\*\*27 .* limit is 26 .* takes 379"),
        ({"players": 21}, ValueError, r"takes 2097152 evaluations .*\(232 evaluations"),
        (
            {"players": 5, "budget": 31, "estimator": "exact"},
            ValueError,
            "takes 32 evaluations and the budget is 31",
        ),
        ({"players": 5, "budget": 0}, ValueError, "budget must be at least 1"),
        ({"players": 5, "batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"players": 5, "concept": "shaply"}, ValueError, "concept must be one of shapley"),
        (
            {"players": 5, "concept": "shapley", "structure": oc.path(5)},
            ValueError,
            "not defined for",
        ),
        ({"players": 5, "structure": oc.path(4)}, ValueError, "has 4 players, the game 5"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_paid(arguments, error, message):
    value = Counting()
    with pytest.raises(error, match=message):
        oc.attribute(value, **arguments)
    assert value.batches == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([1.0], "2\\*\\*n values"),
        ([1.0, 2, 3], "2\\*\\*n values"),
        ([[0.0, 1], [1, 2]], "2\\*\\*n values"),
        ([0.0, 1, np.nan, 2], r"holds nan for the coalition \{1\}"),
    ],
)
def test_a_wrong_table_is_refused(table, message):
    with pytest.raises(ValueError, match=message):
        oc.from_table(table)


def test_a_table_with_wrong_names_is_refused():
    with pytest.raises(ValueError, match="has 2 players, got 3 names"):
        oc.from_table([0.0, 1, 2, 3], names=["a", "b", "c"])


@pytest.mark.parametrize(("n", "width"), [(0, None), (4, 0), (4, 5)])
def test_a_wrong_path_is_refused(n, width):
    with pytest.raises(ValueError, match=r"at least one player|between 1 and"):
        oc.path(n, width)


def test_a_saved_attribution_comes_back_unchanged(tmp_path):
    a = oc.attribute(Counting(), ["ä", "b"], structure=oc.path(2, 1))
    a.save(tmp_path / "a.json")
    b = oc.Attribution.load(tmp_path / "a.json")
    assert b.to_dict() == a.to_dict()
    np.testing.assert_array_equal(a.values, b.values)
    data = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    data["format"] = 99
    with pytest.raises(ValueError, match="reads attributions of format 1, got 99"):
        oc.Attribution.from_dict(data)


def test_scalar_functions_and_named_coalitions():
    game = oc.Game.from_scalar(lambda s: float(s[0] and s[1]), ["a", "b"])
    assert game.value_of("a", "b") == 1
    assert game.value_of("a") == 0
    np.testing.assert_allclose(oc.attribute(game).values, 0.5)
    with pytest.raises(KeyError, match="no player is called 'z'"):
        game.value_of("z")
    with pytest.raises(TypeError, match="names its own players"):
        oc.attribute(game, 2)


def test_an_unhashable_value_function_is_refused_by_the_cache():
    class Unhashable(Counting):
        __hash__ = None

    with pytest.raises(TypeError, match="is not hashable"):
        oc.attribute(Unhashable(), 3, cache=oc.MemoryStore())

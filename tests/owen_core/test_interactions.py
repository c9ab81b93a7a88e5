"""Interaction indices against their definitions, and the axioms that each of them keeps.

Long because every index meets the same definitions and invariants.
"""

from __future__ import annotations

import warnings
from functools import cache
from itertools import combinations
from math import comb

import interaction_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import as_exact, as_value, players_of, tables

import owen_core as oc

REFERENCE = {
    "SII": reference.sii,
    "k-SII": reference.k_sii,
    "BII": reference.bii,
    "Moebius": reference.moebius,
}
INDICES = list(REFERENCE)


def assert_same(found, expected, tolerance=1e-12):
    assert list(found) == list(expected)
    difference = [found[t] - float(expected[t]) for t in found]
    np.testing.assert_allclose(difference, 0, atol=tolerance)


@pytest.mark.parametrize("index", INDICES)
@settings(max_examples=25, deadline=None)
@given(table=tables(1, 5), data=st.data())
def test_every_index_equals_its_definition(index, table, data):
    n = players_of(table)
    order = data.draw(st.integers(1, n))
    found = oc.interactions_from_table(table, index, order)
    assert_same(found.values, REFERENCE[index](n, cache(as_exact(table)), order))


@pytest.mark.parametrize("index", INDICES)
def test_every_order_of_six_players_equals_the_definition(index):
    table = np.random.default_rng(6).integers(-640, 640, 64) / 64
    exact = cache(as_exact(table))
    for order in (2, 3, 6):
        found = oc.interactions_from_table(table, index, order)
        assert_same(found.values, REFERENCE[index](6, exact, order))


@settings(max_examples=25, deadline=None)
@given(table=tables(2, 5))
def test_leave_two_out_equals_its_definition(table):
    n = players_of(table)
    found = oc.interactions(as_value(table), n, "leave-two-out")
    assert_same(found.values, reference.leave_out(n, as_exact(table), 2))
    assert found.values == pytest.approx(
        oc.interactions_from_table(table, "leave-two-out").values, abs=1e-12
    )


@pytest.mark.parametrize("index", INDICES)
@given(table=tables(2, 6))
def test_a_table_and_its_value_function_agree_to_the_bit(index, table):
    by_calls = oc.interactions(as_value(table), players_of(table), index)
    by_table = oc.interactions_from_table(table, index)
    assert by_calls.values == by_table.values
    assert (by_calls.baseline, by_calls.total) == (by_table.baseline, by_table.total)


@given(table=tables(1, 6), data=st.data())
def test_k_sii_of_any_order_shares_out_the_whole_value(table, data):
    order = data.draw(st.integers(1, players_of(table)))
    found = oc.interactions_from_table(table, "k-SII", order)
    assert sum(found.values.values()) == pytest.approx(found.total - found.baseline, abs=1e-11)


@given(table=tables(1, 6))
def test_k_sii_runs_from_shapley_values_to_dividends(table):
    n = players_of(table)
    first = oc.interactions_from_table(table, "k-SII", 1)
    np.testing.assert_allclose(
        list(first.values.values()), oc.from_table(table, "shapley").values, atol=1e-12
    )
    last = oc.interactions_from_table(table, "k-SII", n)
    assert last.values == pytest.approx(
        oc.interactions_from_table(table, "Moebius", n).values, abs=1e-10
    )


@given(table=tables(1, 6))
def test_single_players_have_shapley_and_banzhaf_values(table):
    for index, concept in [("SII", "shapley"), ("BII", "banzhaf")]:
        found = oc.interactions_from_table(table, index, 1)
        np.testing.assert_allclose(
            list(found.values.values()), oc.from_table(table, concept).values, atol=1e-12
        )


@pytest.mark.parametrize("index", [*INDICES, "leave-two-out"])
@given(weights=st.lists(st.integers(-8, 8), min_size=2, max_size=6))
def test_players_of_an_additive_game_do_not_interact(index, weights):
    found = oc.interactions(lambda s: s @ np.array(weights), len(weights), index)
    for players, strength in found.values.items():
        expected = weights[players[0]] if len(players) == 1 else 0
        assert strength == pytest.approx(expected, abs=1e-12)


@given(carrier=st.sets(st.integers(0, 6), min_size=1))
def test_unanimity_games_have_closed_forms(carrier):
    game = oc.games.unanimity(7, carrier)
    size = len(carrier)
    shapley = oc.interactions(game, index="SII", order=4).values
    banzhaf = oc.interactions(game, index="BII", order=4).values
    dividends = oc.interactions(game, index="Moebius", order=4).values
    for players in shapley:
        inside = set(players) <= carrier
        t = len(players)
        assert shapley[players] == pytest.approx(inside / max(1, size - t + 1), abs=1e-14)
        assert banzhaf[players] == pytest.approx(inside * 0.5 ** (size - t), abs=1e-14)
        assert dividends[players] == (set(players) == carrier)


@pytest.mark.parametrize("index", INDICES)
@given(table=tables(2, 5), scale=st.integers(-4, 4), data=st.data())
def test_every_index_is_linear(index, table, scale, data):
    n = players_of(table)
    other = data.draw(tables(n, n))
    mixed = oc.interactions_from_table(scale * table + other, index, n).values
    one = oc.interactions_from_table(table, index, n).values
    two = oc.interactions_from_table(other, index, n).values
    for players in mixed:
        assert mixed[players] == pytest.approx(scale * one[players] + two[players], abs=1e-9)


@pytest.mark.parametrize("index", INDICES)
@given(table=tables(2, 5), data=st.data())
def test_every_index_is_symmetric_and_gives_null_players_nothing(index, table, data):
    n = players_of(table)
    order = data.draw(st.permutations(range(n)))
    renamed = np.array(
        [table[sum(1 << order[i] for i in range(n) if k >> i & 1)] for k in range(table.size)]
    )
    straight = oc.interactions_from_table(table, index, n)
    for players, strength in oc.interactions_from_table(renamed, index, n).values.items():
        assert strength == pytest.approx(straight[tuple(order[i] for i in players)], abs=1e-10)
    padded = np.concatenate([table, table])  # the last player changes nothing
    for players, strength in oc.interactions_from_table(padded, index, n).values.items():
        if n in players:
            assert strength == pytest.approx(0, abs=1e-10)


def test_an_offset_of_the_game_costs_no_accuracy():
    table = np.random.default_rng(0).integers(0, 1 << 20, 1 << 12) / 2.0**20
    for index in ("SII", "k-SII", "BII"):
        shifted = oc.interactions_from_table(table + 2.0**20, index)
        plain = oc.interactions_from_table(table, index)
        assert shifted.values == pytest.approx(plain.values, abs=1e-14)


def test_sixteen_players_stay_exact():
    rng = np.random.default_rng(16)
    numbers = np.arange(1 << 16)
    table = np.zeros(1 << 16)
    expected = dict.fromkeys(combinations(range(16), 2), 0.0)
    for _ in range(30):  # a sum of unanimity games
        carrier = sorted(rng.choice(16, rng.integers(2, 9), replace=False).tolist())
        mask = sum(1 << i for i in carrier)
        weight = float(rng.integers(-8, 9))
        table += weight * ((numbers & mask) == mask)
        for pair in combinations(carrier, 2):
            expected[pair] += weight / (len(carrier) - 1)
    found = oc.interactions_from_table(table, "SII")
    for pair in expected:
        assert found[pair] == pytest.approx(expected[pair], abs=1e-12)


@pytest.mark.parametrize(
    ("index", "order"), [("SII", 2), ("k-SII", 2), ("k-SII", 3), ("BII", 2), ("Moebius", 6)]
)
def test_shapiq_has_the_same_interactions(index, order):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shapiq = pytest.importorskip("shapiq", reason="shapiq is not installed")
    table = np.random.default_rng(3).normal(size=64)
    game = oc.Game(as_value(table), 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = shapiq.ExactComputer(game=game.value, n_players=6)(index, order=order)
    for players, strength in oc.interactions(game, index=index, order=order).values.items():
        assert strength == pytest.approx(theirs[players], abs=1e-12)


# Unions


@st.composite
def partitions(draw, max_players=5):
    n = draw(st.integers(1, max_players))
    labels = draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    return [[i for i in range(n) if labels[i] == k] for k in sorted(set(labels))]


@settings(max_examples=40, deadline=None)
@given(groups=partitions(), data=st.data())
def test_interactions_inside_and_between_unions_equal_their_definitions(groups, data):
    n = sum(map(len, groups))
    table = data.draw(tables(n, n))
    exact = cache(as_exact(table))
    inside, between = oc.union_interactions(as_value(table), n, groups)
    expected = reference.sii_inside(groups, exact)
    assert_same(inside.values, dict(sorted(expected.items(), key=lambda i: (len(i[0]), i[0]))))
    assert_same(between.values, reference.sii_between(groups, exact))


@settings(max_examples=40, deadline=None)
@given(groups=partitions(6), data=st.data())
def test_single_players_in_unions_have_owen_values_from_the_same_evaluations(groups, data):
    n = sum(map(len, groups))
    value, store = as_value(data.draw(tables(n, n))), oc.MemoryStore()
    owen = oc.attribute(value, n, "owen", oc.unions(*groups), cache=store)
    inside, between = oc.union_interactions(value, n, groups, cache=store)
    assert inside.cost.new == 0
    np.testing.assert_allclose([inside[i] for i in range(n)], owen.values, atol=1e-12)
    for k, group in enumerate(groups):
        assert between[k] == pytest.approx(sum(owen[i] for i in group), abs=1e-12)


def test_unions_take_only_the_coalitions_that_they_admit():
    groups = [range(k, k + 4) for k in range(0, 24, 4)]
    asked = []

    def value(coalitions):
        asked.append(len(coalitions))
        return coalitions.any(axis=1)

    inside, between = oc.union_interactions(value, 24, groups)
    assert sum(asked) == inside.cost.asked == between.cost.asked == 2**6 + 2**5 * 6 * (2**4 - 2)
    assert np.isnan(inside.matrix()[0, 4])


def test_a_tree_of_unions_or_one_union_of_all_are_taken_as_they_are():
    table = np.random.default_rng(1).normal(size=16)
    value = as_value(table)
    whole, alone = oc.union_interactions(value, 4, [[0, 1, 2, 3]])
    assert whole.values == pytest.approx(oc.interactions_from_table(table, "SII").values, abs=1e-12)
    assert alone.values == {(0,): pytest.approx(table[-1] - table[0])}
    inside, singles = oc.union_interactions(value, 4, oc.unions(0, 1, 2, 3))
    assert len(inside) == 4
    assert singles.values == pytest.approx(whole.values, abs=1e-12)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([[0, 1], [1, 2]], "must not overlap"),
        ([[0, 1]], "leaves out '2'"),
        ([[0, 1], [2], []], "a union is empty"),
        ([[0, 1], [2, 7]], "names 7"),
        ([[0, 1], ["z"]], "names 'z'"),
        ([[0, [1]], [2]], "flat"),
    ],
)
def test_wrong_unions_are_refused_before_anything_is_paid(groups, message):
    with pytest.raises(ValueError, match=message):
        oc.union_interactions(lambda s: pytest.fail("paid"), 3, groups)


def test_nested_unions_and_small_budgets_are_refused():
    with pytest.raises(ValueError, match="flat unions"):
        oc.union_interactions(lambda s: s.sum(axis=1), 4, oc.nested([[[0, 1], 2], 3]))
    with pytest.raises(ValueError, match="takes 12 evaluations and the budget is 11"):
        oc.union_interactions(lambda s: s.sum(axis=1), 4, [[0, 1], [2, 3]], budget=11)


# Pairs of a text


def test_the_pairs_of_a_text_take_one_evaluation_each():
    n, asked = 64, []

    def value(coalitions):
        asked.append(coalitions.copy())
        return coalitions.sum(axis=1) + (coalitions[:, 3] & coalitions[:, 4])

    found = oc.interactions(value, n, "leave-two-out", pairs="adjacent")
    rows = np.vstack(asked)
    assert len(rows) == len({row.tobytes() for row in rows}) == found.cost.new == n + (n - 1) + 2
    assert set(rows.sum(axis=1)) == {0, n - 2, n - 1, n}
    assert found.top(1) == [(("3", "4"), 1.0)]
    assert found[3] == 2.0


def test_the_neighbours_of_a_long_text_are_not_too_many():
    found = oc.interactions(lambda s: s.sum(axis=1), 2000, "leave-two-out", pairs="adjacent")
    assert len(found) == 2000 + 1999


def test_pairs_are_listed_by_name_or_position():
    names = ["a", "b", "c", "d"]
    value = lambda s: s[:, 0] & s[:, 2]  # noqa: E731
    found = oc.interactions(value, names, "leave-two-out", pairs=[("c", "a"), (3, 1), ("a", 2)])
    assert set(found.values) == {(0,), (1,), (2,), (3,), (0, 2), (1, 3)}
    assert found["a", "c"] == 1
    assert found.cost.new == 4 + 2 + 2
    assert np.isnan(found.matrix()[0, 1])
    with pytest.raises(KeyError, match="was not computed for"):
        found["a", "b"]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_two_players_and_any_batch_size_give_the_same_pairs(batch_size):
    for n in (2, 3, 4):
        table = np.random.default_rng(n).normal(size=1 << n)
        found = oc.interactions(as_value(table), n, "leave-two-out", batch_size=batch_size)
        whole = oc.interactions_from_table(table, "leave-two-out")
        assert found.values == pytest.approx(whole.values, abs=1e-12)
        assert found.cost.new == n + (comb(n, 2) if n > 2 else 0) + 2


# The result


def test_names_positions_and_any_order_reach_the_same_interaction():
    found = oc.interactions_from_table([0, 1, 1, 3, 0, 1, 1, 5], "Moebius", 3, names=list("abc"))
    assert found["a", "b"] == found["b", "a"] == found[1, 0] == found["a", 1] == 1
    assert found["c"] == found[2] == 0
    assert found["c", "b", "a"] == 2
    assert dict(found)["a", "b", "c"] == 2
    assert len(found) == 7
    with pytest.raises(KeyError, match="no player is called 'z'"):
        found["z", "a"]
    with pytest.raises(KeyError, match="no player number 3"):
        found[3]
    with pytest.raises(KeyError, match="was not computed"):
        found["a", "a"]


def test_the_matrix_is_symmetric_with_single_players_on_its_diagonal():
    found = oc.interactions_from_table([0, 1, 1, 3, 0, 1, 1, 5], "Moebius", 3)
    np.testing.assert_array_equal(found.matrix(), [[1, 1, 0], [1, 1, 0], [0, 0, 0]])


def test_top_ranks_joint_interactions_by_strength_and_printing_counts_the_rest():
    weights = np.arange(1, 7) * (-1.0) ** np.arange(6)
    value = lambda s: (s @ weights) ** 2  # noqa: E731
    found = oc.interactions(value, 6, "SII")
    strengths = [abs(strength) for _, strength in found.top(15)]
    assert strengths == sorted(strengths, reverse=True)
    assert found.top(1)[0][0] == ("4", "5")
    text = str(found)
    assert "4 × 5  -60" in text
    assert "and 5 weaker ones" in text
    assert text.endswith("SII of order 2, exact; v(N) = 9, v(empty) = 0; 64 evaluations, 0 cached")


def test_interactions_survive_json():
    import json

    found = oc.interactions(lambda s: s.all(axis=1), ["ä", "b", "c"], order=3)
    again = oc.Interactions.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.to_dict() == found.to_dict()
    assert again["ä", "b"] == found["ä", "b"]
    with pytest.raises(ValueError, match="reads interactions of format 1, got 7"):
        oc.Interactions.from_dict({**found.to_dict(), "format": 7})


def test_cache_budget_and_progress_work_as_they_do_for_credits():
    store, seen = oc.MemoryStore(), []
    value = lambda s: s.sum(axis=1) ** 2  # noqa: E731
    oc.attribute(value, 5, "shapley", cache=store)
    found = oc.interactions(
        value, 5, cache=store, budget=32, batch_size=20, progress=lambda d, of: seen.append((d, of))
    )
    assert (found.cost.asked, found.cost.new) == (32, 0)
    assert seen == [(20, 32), (32, 32)]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"players": 4, "index": "STII"}, ValueError, "index must be one of SII, k-SII, BII"),
        ({"players": 4, "order": 0}, ValueError, "order must be between 1 and the 4 players"),
        ({"players": 4, "order": 5}, ValueError, "order must be between 1 and the 4 players"),
        ({"players": 27}, ValueError, r"takes 2\*\*27 evaluations and the limit is 26 .* 29 and"),
        ({"players": 26, "order": 20}, ValueError, "sets and the limit is 1048576"),
        ({"players": 5, "budget": 31}, ValueError, "takes 32 evaluations and the budget is 31"),
        ({"players": 5, "budget": 0}, ValueError, "budget must be at least 1"),
        ({"players": 5, "batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"players": 5, "pairs": "adjacent"}, ValueError, "pairs belongs to index='leave-two-out'"),
        ({"players": None}, TypeError, "players is missing"),
        ({"players": 5, "index": "leave-two-out", "order": 3}, ValueError, "of order 2"),
        ({"players": 5, "index": "leave-two-out", "pairs": "near"}, ValueError, "got 'near'"),
        ({"players": 5, "index": "leave-two-out", "pairs": []}, ValueError, "pairs is empty"),
        ({"players": 5, "index": "leave-two-out", "pairs": [(1, 1)]}, ValueError, "two different"),
        ({"players": 5, "index": "leave-two-out", "pairs": [(1, 5)]}, KeyError, "number 5"),
        ({"players": 5, "index": "leave-two-out", "budget": 16}, ValueError, "takes 17 evalua"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_paid(arguments, error, message):
    with pytest.raises(error, match=message):
        oc.interactions(lambda s: pytest.fail("paid"), **arguments)


def test_a_value_that_is_not_finite_is_refused_by_name():
    with pytest.raises(oc.ValueFunctionError, match=r"returned nan for the coalition \{a, c\}"):
        oc.interactions(
            lambda s: np.where(s[:, 0] & s[:, 2], np.nan, 0.0), ["a", "b", "c"], batch_size=8
        )
    with pytest.raises(oc.ValueFunctionError, match=r"holds inf for the coalition \{1\}"):
        oc.interactions_from_table([0, 1, np.inf, 2])
    with pytest.raises(ValueError, match="2\\*\\*n values"):
        oc.interactions_from_table([0, 1, 2])


def test_rounding_is_not_shown_as_an_interaction():
    found = oc.interactions(lambda s: s @ [0.1, -0.1, 0.3, 0.4] + 0.2 * s[:, 2] * s[:, 3], 4)
    assert 0 < abs(found[0, 1]) < 1e-15
    assert "0 × 1  +0\n" in str(found)
    assert "e-" not in str(found)


def test_saved_interactions_come_back_unchanged(tmp_path):
    found = oc.interactions(lambda s: s.all(axis=1) / 3, ["a", "b", "ç"], order=3)
    found.save(tmp_path / "i.json")
    assert oc.Interactions.load(tmp_path / "i.json").to_dict() == found.to_dict()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 99}', '{"format": 1}', '"x"'])
def test_a_file_without_interactions_is_refused_by_name(tmp_path, text):
    (tmp_path / "i.json").write_text(text)
    with pytest.raises(ValueError, match=r"i\.json holds no interactions: "):
        oc.Interactions.load(tmp_path / "i.json")

"""Every concept against its definition in exact rationals, and the axioms it promises."""

from __future__ import annotations

import multiprocessing
import sys
from math import comb
from pathlib import Path

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from random_games import as_exact, as_value, players_of, tables

import owen_core as oc
from owen_core import _core

BARE_OR_PATH = [
    name
    for name, concept in oc.CONCEPTS.items()
    if not concept.structures or oc.Path in concept.structures
]
CLOSE = {"rtol": 0, "atol": 1e-12}


@given(tables())
def test_shapley_equals_the_mean_over_all_orders(table):
    exact = reference.shapley(players_of(table), as_exact(table))
    np.testing.assert_allclose(oc.from_table(table).values, np.array(exact, float), **CLOSE)


@given(tables(), st.data())
def test_myerson_equals_the_shapley_value_of_the_run_sum_game(table, data):
    n = players_of(table)
    width = data.draw(st.integers(1, n))
    a = oc.attribute(as_value(table), n, "myerson", oc.path(n, width))
    exact = reference.myerson_path(n, as_exact(table), width)
    np.testing.assert_allclose(a.values, np.array(exact, float), **CLOSE)
    if width == n:

        def run_sum(coalition):
            v = as_exact(table)
            return sum((v(run) - v(frozenset()) for run in reference.runs(coalition)), 0)

        textbook = reference.shapley(n, run_sum)
        np.testing.assert_allclose(a.values, np.array(textbook, float), **CLOSE)


@given(tables(), st.data())
def test_windows_equal_their_definition(table, data):
    n = players_of(table)
    width = data.draw(st.integers(1, n))
    a = oc.attribute(as_value(table), n, "windows", oc.path(n, width))
    exact = reference.windows(n, as_exact(table), width)
    np.testing.assert_allclose(a.values, np.array(exact, float), **CLOSE)


@given(tables(), st.sampled_from(["shapley", "myerson", "windows"]))
def test_a_table_and_its_value_function_agree_to_the_bit(table, concept):
    n = players_of(table)
    by_calls = oc.attribute(as_value(table), n, concept)
    by_table = oc.from_table(table, concept)
    np.testing.assert_array_equal(by_calls.values, by_table.values)
    assert (by_calls.baseline, by_calls.total) == (by_table.baseline, by_table.total)


@pytest.mark.parametrize("concept", ["shapley", "myerson", "growth", "average-tree", "ends"])
@given(table=tables())
def test_efficient_concepts_share_out_the_whole_value(concept, table):
    a = oc.from_table(table, concept)
    assert a.values.sum() == pytest.approx(a.total - a.baseline, abs=1e-12)
    assert a.residual == pytest.approx(0, abs=1e-12)


def test_windows_are_not_efficient():
    # An additive game of 8 players: the published weights sum to 0.22 of what they should.
    a = oc.attribute(lambda s: s.sum(axis=1), 8, "windows")
    assert a.values.sum() == pytest.approx(1.74, abs=0.005)
    assert a.residual == pytest.approx(8 - 1.74, abs=0.005)


@pytest.mark.parametrize("concept", BARE_OR_PATH)
@given(table=tables(2, 5), scale=st.integers(-4, 4), data=st.data())
def test_every_concept_is_linear(concept, table, scale, data):
    n = players_of(table)
    other = data.draw(tables(n, n))
    mixed = oc.from_table(scale * table + other, concept).values
    apart = scale * oc.from_table(table, concept).values + oc.from_table(other, concept).values
    np.testing.assert_allclose(mixed, apart, **CLOSE)


@given(table=tables(2, 6), data=st.data())
def test_shapley_is_symmetric_and_gives_null_players_nothing(table, data):
    n = players_of(table)
    order = data.draw(st.permutations(range(n)))
    renamed = np.array(
        [table[sum(1 << order[i] for i in range(n) if k >> i & 1)] for k in range(table.size)]
    )
    np.testing.assert_allclose(
        oc.from_table(renamed).values, oc.from_table(table).values[list(order)], **CLOSE
    )
    padded = np.concatenate([table, table])  # the last player changes nothing
    assert oc.from_table(padded).values[-1] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(
        oc.from_table(padded).values[:-1], oc.from_table(table).values, **CLOSE
    )


@pytest.mark.parametrize("concept", ["myerson", "windows"])
@given(table=tables(2, 6))
def test_concepts_on_a_line_do_not_mind_its_direction(concept, table):
    n = players_of(table)
    mirrored = oc.attribute(lambda s: as_value(table)(s[:, ::-1]), n, concept).values
    forwards = oc.attribute(as_value(table), n, concept).values
    np.testing.assert_allclose(mirrored[::-1], forwards, **CLOSE)


@pytest.mark.parametrize("n", [7, 8, 11, 14])
def test_large_tables_use_the_blocked_fold_and_stay_exact(n):
    # Unanimity games have known values; sums of them are dense tables with exact credits.
    rng = np.random.default_rng(n)
    table = np.zeros(1 << n)
    expected = np.zeros(n)
    index = np.arange(1 << n)
    for _ in range(20):
        carrier = int(rng.integers(1, 1 << n))
        weight = float(rng.integers(-8, 9))
        table += weight * ((index & carrier) == carrier)
        members = [i for i in range(n) if carrier >> i & 1]
        expected[members] += weight / len(members)
    np.testing.assert_allclose(oc.from_table(table).values, expected, rtol=0, atol=1e-11)


def test_a_common_offset_costs_no_accuracy():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 1 << 20, 1 << 12) / 2.0**20
    shifted = table + 2.0**20
    np.testing.assert_allclose(
        oc.from_table(shifted).values, oc.from_table(table).values, rtol=0, atol=2e-15 * 8
    )


@pytest.mark.parametrize("n", [3, 7, 12, 20, 21])
def test_every_instruction_set_and_number_of_threads_gives_the_same_bits(n):
    table = np.random.default_rng(n).normal(size=1 << n)
    weights = _core.shapley_weights(n)
    baseline = _core.fold_table(table, weights, threads=False, instruction_set="baseline")
    for name in _core.instruction_sets():
        for threads in (False, True):
            values = _core.fold_table(table, weights, threads=threads, instruction_set=name)
            np.testing.assert_array_equal(values, baseline, err_msg=f"{name}, threads={threads}")


def test_an_instruction_set_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no instruction set mmx"):
        _core.fold_table(np.zeros(2), np.ones(1), instruction_set="mmx")


@pytest.mark.filterwarnings("ignore:.*is multi-threaded, use of fork:DeprecationWarning")
def test_threads_fold_after_a_fork():  # Python 3.12 warns of what is tested here
    table = np.random.default_rng(0).normal(size=1 << 20)
    expected = oc.from_table(table).values
    with multiprocessing.get_context("fork").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(_folded, (table,)), expected)


def _folded(table):
    return oc.from_table(table).values


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set by what /proc says")
def test_a_system_that_grants_no_more_threads_gets_the_same_values():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_folds_without_room_for_a_stack, ())


def _folds_without_room_for_a_stack():
    import resource

    table, weights = np.random.default_rng(0).normal(size=1 << 20), _core.shapley_weights(20)
    alone = _core.fold_table(table, weights, threads=False)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + (4 << 20)  # half of a thread's stack
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    return (_core.fold_table(table, weights, threads=True) == alone).all()


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs 80-bit long doubles")
@pytest.mark.parametrize("n", [10, 14, 18])
def test_rounding_stays_within_20_units_in_the_last_place(n):
    table = np.random.default_rng(n).uniform(-1, 1, 1 << n)
    weights = np.array([1 / (n * comb(n - 1, s)) for s in range(n)], np.longdouble)
    view = table.astype(np.longdouble).reshape((2,) * n)
    size = np.indices((2,) * (n - 1), dtype=np.int8).sum(axis=0).ravel()
    for player in range(n):
        axis = n - 1 - player  # bit i of the index is axis n - 1 - i
        gain = (view.take(1, axis) - view.take(0, axis)).ravel()
        exact = sum(weights[s] * gain[size == s].sum() for s in range(n))
        error = abs(float(oc.from_table(table).values[player] - exact))
        assert error <= 20 * np.finfo(float).eps * np.abs(table - table[0]).max()


@pytest.mark.parametrize(
    ("concept", "structure", "count"),
    [
        ("shapley", None, 2**9),
        ("myerson", None, 46),
        ("windows", oc.path(9, 4), 1 + 9 + 8 + 7 + 6 + 1),
        ("myerson", oc.path(9, 8), 46),
        ("myerson", oc.path(9, 1), 11),
    ],
)
def test_a_plan_lists_distinct_coalitions_between_empty_and_grand(concept, structure, count):
    plan = oc.plan(9, concept=concept, structure=structure)
    rows = plan.coalitions
    assert len(plan) == len(rows) == len({row.tobytes() for row in rows}) == count
    assert not rows[0].any()
    assert rows[-1].all()
    np.testing.assert_array_equal(np.vstack([plan.rows(k, k + 1) for k in range(count)]), rows)
    if concept != "shapley":
        edges = np.diff(rows.astype(int), axis=1, prepend=0, append=0)
        assert (abs(edges).sum(axis=1) <= 2).all()  # every row is one interval


def test_textbook_games():
    gloves = oc.attribute(lambda s: s[:, 0] & (s[:, 1] | s[:, 2]), 3)
    np.testing.assert_allclose(gloves.values, [2 / 3, 1 / 6, 1 / 6], **CLOSE)
    airport = oc.attribute(lambda s: (s * [1.0, 2, 3]).max(axis=1), 3)
    np.testing.assert_allclose(airport.values, [1 / 3, 5 / 6, 11 / 6], **CLOSE)
    # Two ends that need each other share with everyone between them (Myerson 1977).
    bridge = oc.attribute(lambda s: s[:, 0] & s[:, 3], 4, "myerson")
    np.testing.assert_allclose(bridge.values, [0.25] * 4, **CLOSE)

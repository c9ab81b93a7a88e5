"""Distinct coalitions and their values, in memory: like a dictionary, only faster."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import owen_core as oc
from owen_core import _core
from owen_core.coalition import words


def packed(rows):
    """Rows of integers as the words of coalitions."""
    return np.array(rows, dtype=np.uint64)


@st.composite
def batches(draw):
    """A number of players, and batches of coalitions that often repeat."""
    n = draw(st.sampled_from([3, 64, 65, 130]))
    row = st.lists(st.integers(0, 7), min_size=words(n), max_size=words(n)).map(tuple)
    return n, draw(st.lists(st.lists(row, min_size=1, max_size=30), max_size=8))


@settings(deadline=None)
@given(batches(), st.data())
def test_an_index_numbers_coalitions_in_the_order_of_their_first_appearance(n_and_batches, data):
    n, all_batches = n_and_batches
    index, numbers = _core.CoalitionIndex(n), {}
    for batch in all_batches:
        found = index.find(packed(batch))
        assert found.tolist() == [numbers.get(row, -1) for row in batch]
        claimed = index.claim(packed(batch))
        assert claimed.tolist() == [numbers.setdefault(row, len(numbers)) for row in batch]
        kept = data.draw(st.integers(0, len(numbers)))
        index.truncate(kept)
        numbers = {row: number for row, number in numbers.items() if number < kept}
        assert len(index) == len(numbers)
        assert list(map(tuple, index.rows(0, kept).tolist())) == list(numbers)


def test_an_index_grows_through_all_its_sizes_and_forgets_as_it_came():
    rows = np.random.default_rng(0).permutation(100_000).astype(np.uint64)[:, None]
    index, reserved = _core.CoalitionIndex(17), _core.CoalitionIndex(17)
    reserved.reserve(len(rows))
    for table in (index, reserved):
        np.testing.assert_array_equal(table.claim(rows), np.arange(len(rows)))
        np.testing.assert_array_equal(table.claim(rows), np.arange(len(rows)))
        np.testing.assert_array_equal(table.rows(10, len(rows)), rows[10:])
        for kept in (99_999, 65_537, 300, 0):
            table.truncate(kept)
            expected = np.where(np.arange(len(rows)) < kept, np.arange(len(rows)), -1)
            np.testing.assert_array_equal(table.find(rows), expected)
        np.testing.assert_array_equal(table.claim(rows[::-1].copy()), np.arange(len(rows)))


@pytest.mark.parametrize(("start", "stop"), [(0, 3), (2, 1), (3, 3)])
def test_rows_that_are_not_there_are_refused(start, stop):
    index = _core.CoalitionIndex(5)
    index.claim(packed([[1], [2]]))
    with pytest.raises(ValueError, match=f"{start} to {stop} were asked for, and there are 2"):
        index.rows(start, stop)


@pytest.mark.parametrize("table", [_core.CoalitionIndex, _core.CoalitionCache])
def test_rows_of_the_wrong_width_and_tables_without_players_are_refused(table):
    with pytest.raises(ValueError, match="at least one player, got 0"):
        table(0)
    for wrong in (packed([[1]]), packed([1, 2])):
        with pytest.raises(ValueError, match="rows of 2 64-bit words"):
            table(65).find(wrong)
    with pytest.raises(TypeError, match="incompatible function arguments"):
        table(65).find(np.ones((1, 2)))


def test_a_cache_wants_one_value_per_coalition():
    with pytest.raises(ValueError, match="one value per coalition: 2 coalitions, 1 values"):
        _core.CoalitionCache(3).put(packed([[1], [2]]), np.ones(1))


@settings(deadline=None)
@given(batches())
def test_a_store_in_memory_is_a_dictionary_for_every_game(n_and_batches):
    n, all_batches = n_and_batches
    store, games = oc.MemoryStore(), {min: {}, max: {}}
    looked_up = hits = 0
    for k, batch in enumerate(all_batches):
        value, known = (min, games[min]) if k % 2 else (max, games[max])
        for other, expected in games.items():
            values, found = store.find(other, packed(batch), n)
            assert found.tolist() == [row in expected for row in batch]
            assert values[found].tolist() == [expected[row] for row in batch if row in expected]
            looked_up, hits = looked_up + len(batch), hits + found.sum()
        paid = np.arange(len(batch)) + 100.0 * k
        store.put(value, packed(batch), n, paid)
        known.update(zip(batch, paid.tolist(), strict=True))
        assert len(store) == sum(map(len, games.values()))
    assert store.statistics == oc.Statistics(len(store), hits, looked_up - hits)


def test_coalitions_of_fewer_players_are_others():
    store = oc.MemoryStore()
    store.put(min, packed([[3]]), 2, np.ones(1))
    assert not store.find(min, packed([[3]]), 3)[1].any()


def test_threads_share_a_store():
    store, rows = oc.MemoryStore(), np.arange(20_000, dtype=np.uint64)[:, None]

    def pay(start):
        for at in range(start, len(rows), 400):
            part = rows[at : at + 100]
            store.put(min, part, 64, part[:, 0] * 0.5)
            assert store.find(min, part, 64)[1].all()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(pay, range(0, 400, 100)))
    values, known = store.find(min, rows, 64)
    assert known.all()
    np.testing.assert_array_equal(values, rows[:, 0] * 0.5)
    assert store.statistics == oc.Statistics(20_000, 40_000, 0)

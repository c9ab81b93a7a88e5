"""Interactions that come with credits: the right ones, at the stated price."""

from __future__ import annotations

from functools import cache

import interaction_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import as_exact, as_value, players_of, tables

import owen_core as oc

LINE = oc.path(7, 3)
EDGES = oc.graph([(i, i + 1) for i in range(6)])
# What the credits take, and the coalitions that lack of those without a player or without two
# neighbours. Of these 13, intervals are 4: without the first, or the first two, and the last.
ELSEWHERE = [
    ("myerson", None, 29, 13 - 4),
    ("myerson", EDGES, 29, 13 - 4),
    ("growth", LINE, 20, 13),
    ("ends", None, 14, 13 - 4),
    ("average-tree", None, 14, 13 - 4),
    ("l-shapley", oc.neighbourhoods(7, 1), 25, 13),
    ("c-shapley", oc.neighbourhoods(7, 1), 25, 13),
    ("owen", oc.contiguous(7), 36, 2),  # without 1 and 2, and without 3 and 4
]


class Counting:
    """A game of seven players that remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, coalitions):
        self.asked += [row.tobytes() for row in coalitions]
        return as_value(np.random.default_rng(7).integers(-64, 64, 128) / 8)(coalitions)


@pytest.mark.parametrize(
    ("concept", "index"),
    [
        ("shapley", "k-SII"),
        ("banzhaf", "BII"),
        (oc.beta_shapley(2, 1), "k-SII"),
        (oc.Semivalue("owen", lambda n: [1.0] + [0.0] * (n - 1)), "k-SII"),
    ],
)
@given(table=tables(1, 5))
def test_a_concept_of_all_coalitions_gives_the_index_of_order_two(concept, index, table):
    n = players_of(table)
    a = oc.attribute(as_value(table), n, concept, interactions=True)
    expected = oc.interactions_from_table(table, index, min(2, n))
    assert a.interactions.index == index
    assert a.interactions.values == expected.values
    assert a.interactions.cost == a.cost
    assert a.cost.new == 1 << n
    from_table = oc.from_table(table, concept, interactions=True)
    assert from_table.interactions.values == expected.values
    assert from_table.interactions.cost is None


@pytest.mark.parametrize("concept", ["owen", "banzhaf-owen", "symmetric-banzhaf"])
@settings(max_examples=15, deadline=None)
@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=5), data=st.data())
def test_flat_unions_give_the_pairs_inside_them_at_no_cost(concept, labels, data):
    n = len(labels)
    groups = [[i for i in range(n) if labels[i] == k] for k in sorted(set(labels))]
    table = data.draw(tables(n, n))
    plain = oc.attribute(as_value(table), n, concept, oc.unions(*groups))
    a = oc.attribute(as_value(table), n, concept, oc.unions(*groups), interactions=True)
    assert a.interactions.index == "SII inside unions"
    expected = reference.sii_inside(groups, cache(as_exact(table)))
    assert a.interactions.values == pytest.approx(
        {players: float(strength) for players, strength in expected.items()}, abs=1e-12
    )
    assert a.cost.asked == plain.cost.asked
    np.testing.assert_array_equal(a.values, plain.values)
    again = oc.from_table(table, concept, oc.unions(*groups), interactions=True)
    assert again.interactions.values == a.interactions.values


@pytest.mark.parametrize(("concept", "structure", "asked", "more"), ELSEWHERE)
@pytest.mark.parametrize("batch_size", [None, 1, 5])
def test_every_other_concept_leaves_out_neighbours(concept, structure, asked, more, batch_size):
    value = Counting()
    plain = oc.attribute(Counting(), 7, concept, structure)
    a = oc.attribute(value, 7, concept, structure, interactions=True, batch_size=batch_size)
    np.testing.assert_array_equal(a.values, plain.values)
    alone = oc.interactions(Counting(), 7, "leave-two-out", pairs="adjacent")
    assert a.interactions.index == "leave-two-out"
    assert a.interactions.values == alone.values
    assert len(value.asked) == len(set(value.asked)) == a.cost.asked == a.cost.new
    assert (plain.cost.asked, a.cost.asked) == (asked, asked + more)
    everything = as_table(Counting())
    again = oc.from_table(everything, concept, structure, interactions=True)
    assert again.interactions.values == a.interactions.values
    np.testing.assert_array_equal(again.values, a.values)


def as_table(value):
    return value(np.arange(128)[:, None] >> np.arange(7) & 1 == 1)


def test_the_pairs_of_a_graph_are_its_edges():
    star = oc.graph([(3, 0), (3, 1), (3, 2)], 5)
    value = lambda s: s[:, 0] * s[:, 3] + 2 * s[:, 1] * s[:, 2]  # noqa: E731
    a = oc.attribute(value, 5, structure=star, interactions=True)
    pairs = {players for players in a.interactions.values if len(players) == 2}
    assert pairs == {(0, 3), (1, 3), (2, 3)}
    assert a.interactions.top(1) == [(("0", "3"), 1.0)]


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("concept", ["myerson", "ends"])
def test_a_short_line_takes_no_coalition_twice(n, concept):
    table = np.random.default_rng(n).normal(size=1 << n)
    a = oc.attribute(as_value(table), n, concept, interactions=True)
    expected = reference.leave_out(n, as_exact(table), 2)
    for players, strength in a.interactions.values.items():
        assert strength == pytest.approx(float(expected[players]), abs=1e-12)
    assert len(a.interactions) == 2 * n - 1
    assert a.cost.new == a.cost.asked <= 1 << n


def test_the_budget_counts_the_added_coalitions():
    value = Counting()
    with pytest.raises(ValueError, match="takes 38 evaluations and the budget is 37"):
        oc.attribute(value, 7, "myerson", interactions=True, budget=37)
    assert value.asked == []
    assert oc.attribute(value, 7, "myerson", interactions=True, budget=38).cost.new == 38


def test_a_list_of_concepts_shares_the_added_coalitions():
    value = Counting()
    with pytest.raises(ValueError, match=r"2 concepts of 7 players takes 38 .* the budget is 37"):
        oc.attribute(value, 7, ["myerson", "ends"], interactions=True, budget=37)
    one, two = oc.attribute(value, 7, ["myerson", "ends"], interactions=True, budget=38)
    assert len(value.asked) == 38 == one.cost.new
    assert (two.cost.new, two.cost.cached) == (0, 23)
    assert one.interactions.values == two.interactions.values


def test_progress_counts_the_added_coalitions():
    seen = []
    oc.attribute(
        Counting(), 7, "myerson", interactions=True, progress=lambda *done: seen.append(done)
    )
    assert seen == [(38, 38)]


def test_nothing_is_valued_for_interactions_unless_they_are_asked_for():
    value = Counting()
    assert oc.attribute(value, 7, "myerson").interactions is None
    assert len(value.asked) == 29
    assert oc.from_table([0, 1, 2, 4]).interactions is None

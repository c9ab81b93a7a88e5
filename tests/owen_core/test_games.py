"""Textbook games and the values that are published for them."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st

import owen_core as oc

CLOSE = {"rtol": 0, "atol": 1e-12}


def shapley(game):
    return oc.attribute(game, concept="shapley").values


@pytest.mark.parametrize(
    ("game", "published"),
    [
        (oc.games.additive([3, -1, 0.5]), [3, -1, 0.5]),
        (oc.games.unanimity(5, [1, 2, 4]), [0, 1 / 3, 1 / 3, 0, 1 / 3]),
        (oc.games.majority(7), [1 / 7] * 7),
        (oc.games.majority(4), [1 / 4] * 4),
        (oc.games.eec_1958(), [14 / 60, 14 / 60, 14 / 60, 9 / 60, 9 / 60, 0]),
        (oc.games.un_security_council(), [421 / 2145] * 5 + [4 / 2145] * 10),
        (oc.games.apex(4), [1 / 2, 1 / 6, 1 / 6, 1 / 6]),
        (oc.games.apex(9), [7 / 9] + [1 / 36] * 8),
        (oc.games.gloves(1, 2), [2 / 3, 1 / 6, 1 / 6]),
        (oc.games.gloves(2, 2), [1 / 2] * 4),
        (oc.games.airport([1, 2, 3]), [1 / 3, 5 / 6, 11 / 6]),
        (oc.games.bankruptcy(100, [100, 200, 300]), [100 / 3] * 3),
        (oc.games.bankruptcy(200, [100, 200, 300]), [100 / 3, 250 / 3, 250 / 3]),
        (oc.games.bankruptcy(300, [100, 200, 300]), [50, 100, 150]),
        (oc.games.inheritance(), [80 + 5 / 6, 20 + 5 / 6, 10 + 5 / 6, 7.5]),
        (oc.games.myerson_1977(), [5, 5, 2]),
        (oc.games.three_cities(), [65, 75, 80]),
        (oc.games.delivery(), [41.5, 40, 38.5]),
    ],
    ids=lambda argument: None if isinstance(argument, oc.Game) else "",
)
def test_shapley_values_are_as_published(game, published):
    np.testing.assert_allclose(shapley(game), published, **CLOSE)


@pytest.mark.parametrize(
    ("game", "published"),
    [
        (oc.games.eec_1958(), [10 / 32, 10 / 32, 10 / 32, 6 / 32, 6 / 32, 0]),
        (oc.games.un_security_council(), [848 / 2**14] * 5 + [84 / 2**14] * 10),
        (oc.games.majority(3), [1 / 2] * 3),
    ],
    ids=["eec", "un", "majority"],
)
def test_banzhaf_values_count_the_swings_that_are_published(game, published):
    np.testing.assert_allclose(oc.attribute(game, concept="banzhaf").values, published, **CLOSE)


def test_three_cities_save_what_shared_lines_cost_less():
    lines = {(0, 1): 100, (0, 2): 140, (0, 3): 130, (1, 2): 50, (1, 3): 30, (2, 3): 20}

    def cheapest(cities):  # of the sets of lines that reach every city from the plant, 0
        costs = []
        for chosen in itertools.combinations(lines, len(cities)):
            parts = reference.components(frozenset({0, *cities}), list(chosen))
            if len(parts) == 1:
                costs.append(sum(lines[line] for line in chosen))
        return min(costs)

    game = oc.games.three_cities()
    for size in (1, 2, 3):
        for cities in itertools.combinations((1, 2, 3), size):
            saved = sum(lines[0, city] for city in cities) - cheapest(cities)
            assert game.value_of(*(f"city {city}" for city in cities)) == saved


@pytest.mark.parametrize("n", [3, 5, 7, 9])
def test_a_majority_on_a_path_pays_the_middle(n):
    # The dividends are 1 of the intervals that just win, and -1 of those with one player more.
    wins = (n + 1) // 2
    expected = np.zeros(n)
    for width, dividend in ((wins, 1), (wins + 1, -1)):
        for first in range(n - width + 1):
            expected[first : first + width] += dividend / width
    on_path = oc.attribute(oc.games.majority(n), concept="myerson").values
    np.testing.assert_allclose(on_path, expected, **CLOSE)
    edges = [(i, i + 1) for i in range(n - 1)]
    on_graph = oc.attribute(oc.games.majority(n), None, "myerson", oc.graph(edges))
    np.testing.assert_allclose(on_graph.values, expected, **CLOSE)


def test_a_majority_of_three_on_a_path_is_a_glove_market():
    on_path = oc.attribute(oc.games.majority(3), concept="myerson").values
    np.testing.assert_allclose(on_path[[1, 0, 2]], shapley(oc.games.gloves(1, 2)), **CLOSE)
    np.testing.assert_allclose(on_path, [1 / 6, 2 / 3, 1 / 6], **CLOSE)


@pytest.mark.parametrize(
    ("edges", "published"),
    [
        ([], [0, 0, 0]),
        ([(0, 1)], [6, 6, 0]),
        ([(0, 2)], [3, 0, 3]),
        ([(1, 2)], [0, 3, 3]),
        ([(0, 1), (0, 2)], [7, 4, 1]),
        ([(0, 1), (1, 2)], [4, 7, 1]),
        ([(0, 2), (1, 2)], [3, 3, 6]),
        ([(0, 1), (0, 2), (1, 2)], [5, 5, 2]),
    ],
)
def test_myersons_example_is_shared_as_he_shared_it(edges, published):
    a = oc.attribute(oc.games.myerson_1977(), None, "myerson", oc.graph(edges, 3))
    np.testing.assert_allclose(a.values, published, **CLOSE)


@given(costs=st.lists(st.integers(0, 50), min_size=1, max_size=7))
def test_each_stretch_of_a_runway_is_shared_by_those_who_need_it(costs):
    shares = np.zeros(len(costs))
    before = 0
    for place, i in enumerate(np.argsort(costs, kind="stable")):
        needing = np.argsort(costs, kind="stable")[place:]
        shares[needing] += (costs[i] - before) / len(needing)
        before = costs[i]
    np.testing.assert_allclose(shapley(oc.games.airport(costs)), shares, **CLOSE)


@given(
    weights=st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any),
    share=st.floats(0.01, 1),
)
def test_weighted_voting_counts_the_orders_in_which_a_voter_decides(weights, share):
    quota = max(1, math.ceil(share * sum(weights)))

    def wins(coalition):
        return int(sum(weights[i] for i in coalition) >= quota)

    exact = reference.shapley(len(weights), wins)
    found = shapley(oc.games.weighted_voting(quota, weights))
    np.testing.assert_allclose(found, np.array(exact, float), **CLOSE)


def test_a_pair_of_gloves_needs_both_hands():
    game = oc.games.gloves(2, 3)
    assert game.names == ("left 1", "left 2", "right 1", "right 2", "right 3")
    assert game.value_of("left 1", "left 2") == 0
    assert game.value_of("left 1", "left 2", "right 1", "right 3") == 2


def test_claimants_get_what_the_others_leave():
    game = oc.games.bankruptcy(200, [100, 200, 300])
    assert [game.value_of("0"), game.value_of("1", "2"), game.value_of("0", "1", "2")] == [
        0,
        100,
        200,
    ]


def test_the_council_needs_nine_votes_and_no_veto():
    game = oc.games.un_security_council()
    permanent, elected = game.names[:5], game.names[5:]
    assert game.value_of(*permanent, *elected[:4]) == 1
    assert game.value_of(*permanent, *elected[:3]) == 0
    assert game.value_of(*permanent[1:], *elected) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: oc.games.additive([]), "weights must be a list of finite numbers"),
        (lambda: oc.games.additive([1, math.nan]), "weights must be a list of finite numbers"),
        (lambda: oc.games.unanimity(3, []), "some of the players 0 to 2"),
        (lambda: oc.games.unanimity(3, [3]), "some of the players 0 to 2"),
        (lambda: oc.games.weighted_voting(11, [4, 6]), "at most the sum of the weights, 10"),
        (lambda: oc.games.weighted_voting(0, [4, 6]), "quota must be positive"),
        (lambda: oc.games.weighted_voting(5, [4, 6], ["a"]), "2 weights, got 1 names"),
        (lambda: oc.games.apex(2), "at least 3 players, got 2"),
        (lambda: oc.games.gloves(0, 2), "a left and a right glove"),
        (lambda: oc.games.airport([1, -2]), "costs must not be negative, got -2"),
        (lambda: oc.games.bankruptcy(7, [1, 2]), "at most their sum, 3; got 7"),
        (lambda: oc.games.majority(0), "at least one player"),
    ],
)
def test_wrong_parameters_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

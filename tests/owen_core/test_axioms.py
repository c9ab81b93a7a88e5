"""Which axioms each value satisfies, cell by cell, and games that show which it does not.

Efficient: the credits sum to v(N) - v(empty). Linear. Dummy: a player who always adds the same
gets just that, and so a null player nothing. Positive: no negative credit where larger coalitions
are never worth less. Equal: players who stand in for each other get the same. Reversible: reading
the text backwards reverses the credits.

Long because every concept meets the axioms that characterise it.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import as_value, players_of, tables

import owen_core as oc

CLOSE = {"rtol": 0, "atol": 1e-9}
FEW = settings(max_examples=40, deadline=None)
KEPT = {
    "shapley": {"efficient", "linear", "null", "dummy", "positive", "equal", "reversible"},
    "owen": {"efficient", "linear", "null", "dummy", "positive", "reversible"},
    "growth": {"efficient", "linear", "null", "dummy", "positive", "reversible"},
    "ends": {"efficient", "linear", "null", "dummy", "positive", "reversible"},
    "windows": {"linear", "null", "positive", "reversible"},
    "myerson": {"efficient", "linear", "reversible", "dummy in runs"},
    "average-tree": {"efficient", "linear", "reversible", "dummy in runs"},
    "myerson, ends": {"efficient", "linear", "reversible", "dummy in runs"},
    "myerson, equal": {"efficient", "linear", "reversible"},
    "growth, equal": {"efficient", "linear", "reversible", "positive"},
}
GAPS = {"shapley", "owen"}  # they value coalitions that are not intervals


def concepts(n):
    """Every value that phrases of a text may be given, by name."""
    wide = max(1, n - 2)
    return {
        "shapley": ("shapley", None),
        "owen": ("owen", oc.contiguous(n)),
        "growth": ("growth", None),
        "ends": ("ends", None),
        "windows": ("windows", None),
        "myerson": ("myerson", None),
        "average-tree": ("average-tree", None),
        "myerson, ends": ("myerson", oc.path(n, wide, residual="ends")),
        "myerson, equal": ("myerson", oc.path(n, wide, residual="equal")),
        "growth, equal": ("growth", oc.path(n, wide, residual="equal")),
    }


def keepers(axiom):
    return [name for name, axioms in KEPT.items() if axiom in axioms]


def breakers(axiom):
    return {name for name, axioms in KEPT.items() if axiom not in axioms}


def credits(value, n, name):
    return oc.attribute(value, n, *concepts(n)[name]).values


def of_table(table, name):
    return credits(as_value(table), players_of(table), name)


def mask(a, b):
    """The coalition of the players from a to b."""
    return (2 << b) - (1 << a)


def intervals(n):
    return [(a, a + width - 1) for width in range(1, n + 1) for a in range(n - width + 1)]


def with_player(table, position, worth):
    """The game with one more player, who adds ``worth`` to every coalition."""
    n = players_of(table)
    low = (1 << position) - 1
    index = np.arange(2 << n)
    old = (index & low) | ((index >> 1) & ~low & ((1 << n) - 1))
    return table[old] + worth * (index >> position & 1)


def of_dividends(dividends, table):
    """The game of intervals with these dividends; its other coalitions stay as they are."""
    game = table.copy()
    game[0] = 0.0
    for a, b in intervals(players_of(table)):
        inside = [d for (c, e), d in dividends.items() if a <= c and e <= b]
        game[mask(a, b)] = sum(inside)
    return game


def random_dividends(data, n):
    return {interval: data.draw(st.integers(-64, 64)) / 8 for interval in intervals(n)}


def test_no_value_is_left_out():
    assert KEPT.keys() == concepts(4).keys()


# The axioms that each value keeps


@pytest.mark.parametrize("name", keepers("efficient"))
@FEW
@given(table=tables(1, 6))
def test_the_whole_value_is_shared_out(name, table):
    assert of_table(table, name).sum() == pytest.approx(table[-1] - table[0], abs=1e-10)


@pytest.mark.parametrize("name", keepers("linear"))
@FEW
@given(table=tables(1, 5), scale=st.integers(-8, 8), data=st.data())
def test_credits_of_a_mixed_game_are_the_mixed_credits(name, table, scale, data):
    other = data.draw(tables(players_of(table), players_of(table)))
    mixed = scale * of_table(table, name) + of_table(other, name)
    np.testing.assert_allclose(of_table(scale * table + other, name), mixed, **CLOSE)


@pytest.mark.parametrize("name", keepers("null"))
@FEW
@given(table=tables(1, 5), data=st.data())
def test_a_player_who_changes_nothing_gets_nothing(name, table, data):
    position = data.draw(st.integers(0, players_of(table)))
    found = of_table(with_player(table, position, 0.0), name)
    assert found[position] == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize("name", keepers("dummy"))
@FEW
@given(table=tables(1, 5), data=st.data())
def test_a_player_who_always_adds_the_same_gets_just_that(name, table, data):
    position, worth = data.draw(st.integers(0, players_of(table))), data.draw(st.integers(-8, 8))
    found = of_table(with_player(table, position, float(worth)), name)
    assert found[position] == pytest.approx(worth, abs=1e-11)


@pytest.mark.parametrize("name", keepers("dummy in runs"))
@FEW
@given(table=tables(1, 6), data=st.data())
def test_a_player_who_adds_the_same_to_every_sum_of_runs_gets_just_that(name, table, data):
    n = players_of(table)
    player = data.draw(st.integers(0, n - 1))
    dividends = random_dividends(data, n)
    for a, b in dividends:
        if a <= player <= b and a < b:
            dividends[a, b] = 0.0
    found = of_table(of_dividends(dividends, table), name)
    assert found[player] == pytest.approx(dividends[player, player], abs=1e-10)


@pytest.mark.parametrize("name", keepers("positive"))
@FEW
@given(table=tables(2, 6))
def test_monotone_games_give_no_negative_credit(name, table):
    n = players_of(table)
    view = np.abs(table).reshape((2,) * n)
    for axis in range(n):  # the running maximum over subsets makes it monotone
        view = np.maximum.accumulate(view, axis=axis)
    assert (of_table(view.ravel(), name) >= -1e-11).all()


@pytest.mark.parametrize("name", [name for name in keepers("positive") if name not in GAPS])
@FEW
@given(table=tables(2, 6))
def test_that_only_intervals_are_monotone_is_enough(name, table):
    for a, b in intervals(players_of(table)):
        smaller = [mask(a + 1, b), mask(a, b - 1)] if a < b else [0]
        table[mask(a, b)] = max(table[mask(a, b)], *table[smaller])
    assert (of_table(table, name) >= -1e-11).all()


@FEW
@given(table=tables(1, 6), data=st.data())
def test_myerson_credits_are_not_negative_where_intervals_are_worth_more_joined(table, data):
    n = players_of(table)
    game = of_dividends({}, table)
    for a, b in intervals(n):
        parts = [game[mask(a, c)] + game[mask(c + 1, b)] for c in range(a, b)]
        game[mask(a, b)] = max(parts, default=0.0) + data.draw(st.integers(0, 64)) / 8
    assert (of_table(game, "myerson") >= -1e-11).all()


@FEW
@given(table=tables(2, 6), data=st.data())
def test_players_who_stand_in_for_each_other_get_the_same_shapley_value(table, data):
    n = players_of(table)
    i, j = data.draw(st.permutations(range(n)))[:2]
    number = np.arange(table.size)
    bits = (number >> i & 1) ^ (number >> j & 1)
    swapped = table[number ^ (bits << i | bits << j)]
    found = of_table(table + swapped, "shapley")
    assert found[i] == pytest.approx(found[j], abs=1e-10)


@FEW
@given(table=tables(4, 4), pair=st.sampled_from([(0, 1), (2, 3)]))
def test_owen_values_are_equal_for_equals_in_a_union_and_for_equal_unions(table, pair):
    number = np.arange(16)
    bits = (number >> pair[0] & 1) ^ (number >> pair[1] & 1)
    alike = table + table[number ^ (bits << pair[0] | bits << pair[1])]
    found = of_table(alike, "owen")
    assert found[pair[0]] == pytest.approx(found[pair[1]], abs=1e-10)
    table[0b1100] = table[0b0011]
    found = of_table(table, "owen")
    assert found[:2].sum() == pytest.approx(found[2:].sum(), abs=1e-10)


@FEW
@given(table=tables(2, 6), data=st.data())
def test_players_who_stand_in_for_each_other_in_runs_get_the_same_myerson_value(table, data):
    n = players_of(table)
    i, j = data.draw(st.permutations(range(n)))[:2]
    dividends = random_dividends(data, n)
    by_mask = {mask(a, b): (a, b) for a, b in dividends}
    for number, interval in by_mask.items():
        if (number >> i & 1) != (number >> j & 1):
            other = number ^ (1 << i | 1 << j)
            dividends[interval] = dividends[by_mask[other]] if other in by_mask else 0.0
    found = of_table(of_dividends(dividends, table), "myerson")
    assert found[i] == pytest.approx(found[j], abs=1e-10)


@pytest.mark.parametrize("name", keepers("reversible"))
@FEW
@given(table=tables(2, 6))
def test_reading_the_text_backwards_reverses_the_credits(name, table):
    n = players_of(table)
    if name == "owen" and n & (n - 1):
        n, table = 4, np.resize(table, 16)  # only a balanced tree is its own mirror image
    forwards = credits(as_value(table), n, name)
    backwards = credits(lambda s: as_value(table)(s[:, ::-1]), n, name)
    np.testing.assert_allclose(backwards[::-1], forwards, **CLOSE)


@pytest.mark.parametrize("name", KEPT)
@pytest.mark.parametrize("n", [4, 8, 16])
def test_each_value_takes_as_many_evaluations_as_it_should(name, n):
    width = n - 2
    narrow = n * width - width * (width - 1) // 2 + 1  # and everyone
    nonempty = {
        "shapley": 2**n - 1,
        "owen": (2 * n * n + 4) // 3 - 1,
        "growth": n * (n + 1) // 2,
        "ends": 2 * n - 1,
        "windows": n * (n + 1) // 2,
        "myerson": n * (n + 1) // 2,
        "average-tree": 2 * n - 1,
        "myerson, ends": narrow + 2,  # without the first player, and without the last
        "myerson, equal": narrow,
        "growth, equal": narrow,
    }[name]
    concept, structure = concepts(n)[name]
    wanted = oc.plan(n, concept=concept, structure=structure)
    assert len(wanted) == 1 + nonempty
    steps = np.diff(wanted.coalitions.astype(int), prepend=0, append=0)
    gaps = (np.abs(steps).sum(axis=1) > 2).any()
    assert gaps == (name in GAPS)


# The games that show which axioms they break


def any_window(s):
    return s.any(axis=1) * 1.0


def either(s):
    return (s[:, 2] | s[:, 5]) * 1.0


def both(s):
    return (s[:, 2] & s[:, 5]) * 1.0


def only_all(s):
    return s.all(axis=1) * 1.0


def two_of(s):
    return (s.sum(axis=1) >= 2) * 1.0


def all_but_the_last(s):
    return s[:, :-1].all(axis=1) * 1.0


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


def broken_by(axiom, games):
    """One case for each value that breaks an axiom, and no case but those."""
    assert games.keys() == breakers(axiom), axiom
    return list(games.items())


@pytest.mark.parametrize(("name", "n"), broken_by("efficient", {"windows": 8}))
def test_windows_share_out_less_than_the_whole_value(name, n):
    found = credits(lambda s: s.sum(axis=1), n, name)
    assert found.sum() == pytest.approx(1.74, abs=0.01)
    np.testing.assert_allclose(found[:4], [0.305, 0.198, 0.186, 0.183], rtol=0, atol=5e-4)


@pytest.mark.parametrize(
    ("name", "game"),
    broken_by(
        "null",
        {
            "myerson": either,
            "average-tree": either,
            "myerson, ends": either,
            "myerson, equal": all_but_the_last,
            "growth, equal": all_but_the_last,
        },
    ),
)
def test_players_who_change_nothing_are_paid_or_charged(name, game):
    nulls = [3, 4] if game is either else [7]
    assert (np.abs(credits(game, 8, name)[nulls]) > 0.05).all()


def test_windows_pay_a_player_who_always_adds_the_same_too_little():
    assert breakers("dummy") - breakers("null") == {"windows"}
    assert (credits(lambda s: s.sum(axis=1), 8, "windows") < 0.31).all()


@pytest.mark.parametrize("name", ["myerson, equal", "growth, equal"])
def test_sharing_a_residual_equally_pays_players_whom_no_run_needs(name):
    assert "dummy in runs" not in KEPT[name]
    assert credits(all_but_the_last, 8, name)[7] > 0.1
    assert credits(all_but_the_last, 8, "myerson, ends")[7] == pytest.approx(0)


@pytest.mark.parametrize(
    ("name", "game"),
    broken_by(
        "positive",
        {
            "myerson": either,
            "average-tree": any_window,
            "myerson, ends": either,
            "myerson, equal": either,
        },
    ),
)
def test_monotone_games_give_negative_credit(name, game):
    assert credits(game, 8, name).min() < -0.1


@pytest.mark.parametrize(
    ("name", "n"),
    broken_by("equal", {name: 3 if name == "owen" else 5 for name in KEPT if name != "shapley"}),
)
def test_equal_players_in_other_places_get_other_credits(name, n):
    assert np.ptp(credits(two_of, n, name)) > 0.01
    np.testing.assert_allclose(credits(two_of, n, "shapley"), 1 / n, **CLOSE)


def test_average_trees_pay_the_one_of_two_equals_in_runs_who_stands_between():
    def value(s):  # both of the first two players are needed
        return (s[:, 0] & s[:, 1]) * 1.0

    np.testing.assert_allclose(credits(value, 3, "average-tree"), [1 / 3, 2 / 3, 0], **CLOSE)
    np.testing.assert_allclose(credits(value, 3, "myerson"), [1 / 2, 1 / 2, 0], **CLOSE)


def test_only_a_tree_that_is_its_own_mirror_image_is_read_backwards_alike():
    np.testing.assert_allclose(credits(two_of, 3, "owen"), [1 / 2, 1 / 2, 0], **CLOSE)


def test_intervals_cannot_see_a_player_who_only_matters_beyond_a_gap():
    def value(s):  # the first and the third, and only without the second
        return (s[:, 0] & s[:, 2] & ~s[:, 1]) * 1.0

    for name in KEPT:
        seen = credits(value, 3, name).tolist() != [0, 0, 0]
        assert seen == (name in GAPS), name

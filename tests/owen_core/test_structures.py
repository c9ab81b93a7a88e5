"""Values with unions, on intervals, on graphs and in neighbourhoods, against their definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from random_games import as_exact, as_value, players_of, tables

import owen_core as oc

CLOSE = {"rtol": 0, "atol": 1e-12}


def close(values, exact):
    np.testing.assert_allclose(values, np.array(exact, float), **CLOSE)


@st.composite
def trees(draw, players, depth=3):
    """A random nested tree over some players."""
    if len(players) == 1:
        return players[0] if draw(st.booleans()) else [players[0]]
    if depth == 0:
        return list(players)
    parts, rest = [], list(draw(st.permutations(players)))
    while rest:
        size = draw(st.integers(1, len(rest)))
        parts.append(draw(trees(rest[:size], depth=depth - 1)))
        rest = rest[size:]
    return parts


@st.composite
def partitions(draw, n):
    order = draw(st.permutations(range(n)))
    cuts = sorted(draw(st.sets(st.integers(1, n - 1)))) if n > 1 else []
    return [list(order[a:b]) for a, b in zip([0, *cuts], [*cuts, n], strict=True)]


@given(table=tables(1, 5), data=st.data())
@settings(deadline=None)
def test_owen_and_winter_equal_the_mean_over_admissible_orders(table, data):
    n = players_of(table)
    tree = data.draw(trees(range(n)))
    tree = tree if isinstance(tree, list) else [tree]
    structure = oc.nested(tree)
    a = oc.attribute(as_value(table), n, structure=structure)
    assert a.concept == "owen"
    close(a.values, reference.owen(tree, as_exact(table)))
    close(oc.from_table(table, structure=structure).values, a.values)
    assert a.residual == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize(
    ("concept", "within"), [("banzhaf-owen", "banzhaf"), ("symmetric-banzhaf", "shapley")]
)
@given(table=tables(1, 5), data=st.data())
def test_banzhaf_values_with_unions_equal_their_definitions(concept, within, table, data):
    n = players_of(table)
    unions = data.draw(partitions(n))
    a = oc.attribute(as_value(table), n, concept, oc.unions(*unions))
    close(a.values, reference.banzhaf_with_unions(unions, as_exact(table), within))


@given(table=tables(1, 5))
def test_trivial_unions_give_the_value_without_unions(table):
    n = players_of(table)
    shapley, banzhaf = (oc.from_table(table, concept).values for concept in ("shapley", "banzhaf"))
    alone, together = oc.unions(*range(n)), oc.unions(range(n))
    for structure in (alone, together):
        close(oc.from_table(table, "owen", structure).values, shapley)
        close(oc.from_table(table, "banzhaf-owen", structure).values, banzhaf)
    close(oc.from_table(table, "symmetric-banzhaf", alone).values, banzhaf)
    close(oc.from_table(table, "symmetric-banzhaf", together).values, shapley)


@given(table=tables(2, 5), data=st.data())
def test_owen_credits_of_a_union_sum_to_its_shapley_value_in_the_quotient_game(table, data):
    n = players_of(table)
    unions = data.draw(partitions(n))
    credits = oc.attribute(as_value(table), n, structure=oc.unions(*unions)).values

    def quotient(coalitions):
        member = np.zeros((len(coalitions), n), dtype=bool)
        for k, union in enumerate(unions):
            member[:, union] = coalitions[:, [k]]
        return as_value(table)(member)

    close([credits[u].sum() for u in unions], oc.attribute(quotient, len(unions)).values)


@pytest.mark.parametrize("n", [8, 16, 32, 64, 128])
def test_a_balanced_binary_tree_takes_two_thirds_n_squared_evaluations(n):
    assert 3 * len(oc.plan(n, structure=oc.contiguous(n))) == 2 * n * n + 4


def test_counts_of_other_trees():
    fours = oc.unions(*(range(k, k + 4) for k in range(0, 24, 4)))
    assert len(oc.plan(24, structure=fours)) == 2752
    assert len(oc.plan(32, structure=oc.contiguous(32, branching=4))) == 2512
    assert len(oc.plan(81, structure=oc.contiguous(81, branching=3))) > 0


@pytest.mark.parametrize(
    "structure",
    [
        oc.contiguous(100),
        oc.unions(*(range(k, k + 5) for k in range(0, 30, 5))),
        oc.contiguous(70, 5),
    ],
    ids=str,
)
def test_large_trees_credit_pairwise_games_exactly(structure):
    # The Owen value of a game of pairs: a pair inside a part shares equally, as does one across.
    n = len(reference.leaves(_lists(structure.parts)))
    rng = np.random.default_rng(n)
    linear, pair = rng.integers(-8, 9, n) / 8, np.triu(rng.integers(-8, 9, (n, n)) / 8, 1)

    def value(s):
        s = s.astype(float)
        return s @ linear + ((s @ pair) * s).sum(axis=1)

    a = oc.attribute(value, n, structure=structure)
    np.testing.assert_allclose(a.values, linear + (pair + pair.T).sum(1) / 2, atol=1e-9)


def _lists(part):
    return [_lists(p) for p in part] if isinstance(part, tuple) else part


@pytest.mark.parametrize("concept", ["growth", "average-tree", "ends"])
@given(table=tables(1, 6))
def test_interval_concepts_equal_their_definitions(concept, table):
    n = players_of(table)
    define = {
        "growth": reference.growth,
        "average-tree": reference.average_tree,
        "ends": reference.ends,
    }[concept]
    close(oc.attribute(as_value(table), n, concept).values, define(n, as_exact(table)))


@given(table=tables(1, 6), data=st.data())
def test_narrow_growth_stops_at_its_width(table, data):
    n = players_of(table)
    width = data.draw(st.integers(1, n))
    a = oc.attribute(as_value(table), n, "growth", oc.path(n, width))
    close(a.values, reference.growth(n, as_exact(table), width))
    windows = [table[((1 << width) - 1) << k] for k in range(n - width + 1)]
    assert a.values.sum() == pytest.approx(np.mean(windows) - table[0], abs=1e-11)


@pytest.mark.parametrize("concept", ["myerson", "growth", "windows"])
@given(table=tables(1, 6), data=st.data())
def test_the_residual_is_reported_or_shared_equally_as_asked(concept, table, data):
    n = players_of(table)
    width = data.draw(st.integers(1, n))
    reported = oc.attribute(as_value(table), n, concept, oc.path(n, width))
    equal = oc.attribute(as_value(table), n, concept, oc.path(n, width, residual="equal"))
    if width < n:
        close(equal.values, reported.values + reported.residual / n)
        assert equal.residual == pytest.approx(0, abs=1e-11)
    else:
        close(equal.values, reported.values)


@given(table=tables(1, 6), data=st.data())
def test_the_residual_game_can_be_shared_by_its_average_tree(table, data):
    n = players_of(table)
    width = data.draw(st.integers(1, n))
    exact = as_exact(table)
    empty = exact(frozenset())

    def dividend(a, b):  # of the interval [a, b]
        def worth(i, j):
            return exact(frozenset(range(i, j + 1))) - empty if i <= j else Fraction(0)

        return worth(a, b) - worth(a + 1, b) - worth(a, b - 1) + worth(a + 1, b - 1) * (b > a)

    def residual(coalition):
        if not coalition:
            return Fraction(0)
        a, b = min(coalition), max(coalition)
        local = sum(
            (dividend(i, j) for i in range(a, b + 1) for j in range(i, min(b, i + width - 1) + 1)),
            Fraction(0),
        )
        return exact(coalition) - empty - local

    expected = [
        local + rest
        for local, rest in zip(
            reference.myerson_path(n, exact, width),
            reference.average_tree(n, residual),
            strict=True,
        )
    ]
    a = oc.attribute(as_value(table), n, "myerson", oc.path(n, width, residual="ends"))
    close(a.values, expected)
    assert a.residual == pytest.approx(0, abs=1e-11)


@given(table=tables(1, 6), data=st.data())
@settings(deadline=None)
def test_myerson_on_a_graph_equals_the_shapley_value_of_the_component_game(table, data):
    n = players_of(table)
    pairs = [(a, b) for b in range(n) for a in range(b)]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    a = oc.attribute(as_value(table), n, structure=oc.graph(edges, n))
    close(a.values, reference.myerson_graph(n, as_exact(table), edges))
    plan = oc.plan(n, structure=oc.graph(edges, n))
    for row in plan.coalitions[1:-1]:
        assert len(reference.components(frozenset(np.flatnonzero(row).tolist()), edges)) == 1


@given(table=tables(1, 7))
def test_a_path_is_a_graph(table):
    n = players_of(table)
    line = oc.graph([(i, i + 1) for i in range(n - 1)], n)
    by_graph, by_path = (oc.plan(n, concept="myerson", structure=s) for s in (line, oc.path(n)))
    assert len(by_graph) == len(by_path)
    close(oc.from_table(table, structure=line).values, oc.from_table(table, "myerson").values)


@pytest.mark.parametrize("concept", ["l-shapley", "c-shapley"])
@given(table=tables(1, 6), radius=st.integers(1, 6))
def test_neighbourhood_values_equal_their_definitions(concept, table, radius):
    n = players_of(table)
    a = oc.attribute(as_value(table), n, concept, oc.neighbourhoods(n, radius))
    exact = reference.neighbourhood_shapley(n, as_exact(table), radius, concept == "c-shapley")
    close(a.values, exact)
    if concept == "l-shapley" and radius >= n - 1:
        close(a.values, oc.from_table(table).values)


@given(table=tables(1, 6), alpha=st.integers(1, 4), beta=st.integers(1, 4))
def test_beta_shapley_equals_its_definition(table, alpha, beta):
    n = players_of(table)

    def beta_function(a, b):
        return Fraction(math.factorial(a - 1) * math.factorial(b - 1), math.factorial(a + b - 1))

    weights = [
        beta_function(s + beta, n - 1 - s + alpha) / beta_function(alpha, beta) for s in range(n)
    ]
    a = oc.from_table(table, oc.beta_shapley(alpha, beta))
    np.testing.assert_allclose(
        a.values, np.array(reference.semivalue(n, as_exact(table), weights), float), atol=1e-10
    )


@given(table=tables(1, 6))
def test_banzhaf_equals_its_definition(table):
    n = players_of(table)
    weights = [Fraction(1, 2 ** (n - 1))] * n
    close(oc.from_table(table, "banzhaf").values, reference.semivalue(n, as_exact(table), weights))


@given(table=tables(2, 6), data=st.data())
def test_weights_of_a_plan_reproduce_its_credits(table, data):
    n = players_of(table)
    concept, structure = data.draw(
        st.sampled_from(
            [
                ("shapley", None),
                ("growth", None),
                ("owen", oc.contiguous(n)),
                ("myerson", oc.path(n, 2, residual="ends")),
                ("c-shapley", oc.neighbourhoods(n, 1)),
            ]
        )
    )
    plan = oc.plan(n, concept=concept, structure=structure)
    player, coalition, weight = plan.weights()
    values = as_value(table)(plan.coalitions)
    credits = np.zeros(n)
    np.add.at(credits, player, weight * (values - values[0])[coalition])
    close(credits, plan.combine(values))


def test_concepts_of_one_call_share_their_evaluations():
    asked = []

    def value(s):
        asked.append(len(s))
        return np.sqrt(s.sum(axis=1))

    concepts = ["shapley", "myerson", "growth", "banzhaf"]
    results = oc.attribute(value, 6, concepts, oc.path(6))
    assert [a.concept for a in results] == concepts
    assert sum(asked) == 64
    for a in results:
        structure = oc.path(6) if a.concept in ("myerson", "growth") else None
        close(a.values, oc.attribute(value, 6, a.concept, structure).values)
    with pytest.raises(ValueError, match="2 concepts of 6 players takes 64 evaluations"):
        oc.attribute(value, 6, ["shapley", "growth"], budget=63)


def test_unions_can_be_named():
    names = ["cheap", "red", "running", "shoes"]
    by_name = oc.attribute(
        lambda s: s.all(axis=1), names, structure=oc.unions("cheap", "red", ["running", "shoes"])
    )
    close(by_name.values, [1 / 3, 1 / 3, 1 / 6, 1 / 6])
    assert by_name.structure == "unions cheap red (running shoes)"


def test_linkage_and_boundaries_make_trees():
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy", reason="scipy is not installed")
    linkage = hierarchy.linkage(np.array([[0.0], [1], [5], [6], [20]]), "single")
    tree = oc.from_linkage(linkage, contiguous=True)
    assert sorted(reference.leaves(_lists(tree.parts))) == [0, 1, 2, 3, 4]
    assert str(oc.from_boundaries(5, [2])) == "unions (0 1) (2 3 4)"
    with pytest.raises(ValueError, match=r"makes \[0, 2\], which is not an interval"):
        oc.from_linkage([[0, 2, 1, 2], [1, 3, 2, 3]], contiguous=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: oc.plan(3, structure=oc.unions([0, 1], [1, 2])), "stands in the structure twice"),
        (lambda: oc.plan(3, structure=oc.unions([0, 1])), "leaves out '2'"),
        (lambda: oc.plan(3, structure=oc.unions([0, 1], [2, 3])), "names 3, and the players are"),
        (lambda: oc.plan(["a"], structure=oc.unions("b")), "names 'b', and the players are"),
        (lambda: oc.plan(3, structure=oc.nested([[0, 1], [1, 2]])), "twice"),
        (lambda: oc.unions([0], []), "a union is empty"),
        (lambda: oc.unions([0, [1, 2]]), "use nested"),
        (lambda: oc.contiguous(4, branching=1), "branching must be at least 2"),
        (lambda: oc.contiguous(0), "at least one player"),
        (lambda: oc.plan(30, structure=oc.unions(*range(30))), "at most 24 parts"),
        (
            lambda: oc.plan(88, structure=oc.unions(*np.arange(88).reshape(4, 22).tolist())),
            "admit 134217680 coalitions, and the limit is 67108864",
        ),
        (
            lambda: oc.plan(480, structure=oc.nested(np.arange(480).reshape(4, 5, 24).tolist())),
            "admit more than 67108864 coalitions",
        ),
        (lambda: oc.plan(7000, structure=oc.contiguous(7000)), "28.7 GiB, and the limit is 2"),
        (lambda: oc.from_boundaries(5, [3, 2]), "must rise from 1 to 4"),
        (lambda: oc.from_linkage([[0, 5, 1, 2]]), "merges cluster 5: not made yet"),
        (lambda: oc.from_linkage([[0, 1]]), r"shape \(n - 1, 4\)"),
        (lambda: oc.graph([(0, 0)]), "does not link two of the players"),
        (lambda: oc.graph([(0, 9)], 3), "does not link two of the players"),
        (lambda: oc.neighbourhoods(4, 0), "radius must be at least 1"),
        (lambda: oc.path(4, 2, residual="hide"), "residual must be"),
        (lambda: oc.plan(4, concept="owen"), r"'owen' needs a structure \(tree\)"),
        (lambda: oc.plan(4, concept="owen", structure=oc.path(4)), "'owen' is not defined for"),
        (lambda: oc.plan(4, concept="growth", structure=oc.path(4, 2, residual="ends")), "'ends'"),
        (lambda: oc.plan(4, concept="ends", structure=oc.path(4, 2)), "leave max_width out"),
        (
            lambda: oc.plan(4, concept="symmetric-banzhaf", structure=oc.nested([[[0, 1], 2], 3])),
            "defined for unions, not for unions of unions",
        ),
        (lambda: oc.plan(30, concept="l-shapley", structure=oc.neighbourhoods(30, 9)), "radius 8"),
        (lambda: oc.plan(4, concept=oc.Semivalue("x", lambda n: [1.0])), "must be 4 finite"),
        (lambda: oc.plan(4, concept=oc.Semivalue("x", lambda n: [np.nan] * n)), "must be 4 finite"),
        (lambda: oc.Semivalue("shapley", lambda n: [0.0] * n), "a concept of its own"),
        (lambda: oc.beta_shapley(0, 1), "must be positive"),
        (
            lambda: oc.plan(30, structure=oc.graph([(a, b) for b in range(30) for a in range(b)])),
            "more than 4194304 connected coalitions",
        ),
    ],
)
def test_what_is_wrong_with_a_structure_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()

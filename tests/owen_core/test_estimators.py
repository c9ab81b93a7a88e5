"""Estimators, told the values of games whose answers are known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_games import as_exact, as_value, players_of, tables
from reference import owen, shapley

import owen_core as oc
from owen_core.coalition import unpack
from owen_core.estimators import SAMPLERS, Estimator

SHAPLEY = [name for name, sampler in SAMPLERS.items() if "shapley" in sampler.concepts]
WITHOUT_REPLACEMENT = ["stratified", "marginals", "leverage"]
TREE = [[0, 1], [2, [3, 4, 5]], 6]
UNIONS = oc.nested(TREE)


def drive(estimator, value, units, limit=1 << 14):
    """Tell an estimator values until it has absorbed so many units."""
    while estimator.units < units and not estimator.exhausted:
        packed, ends = estimator.propose_packed(limit)
        if len(ends) == 0:
            break
        left = units - estimator.units if len(ends) > 1 else 1
        rows = unpack(packed[: ends[min(left, len(ends)) - 1]], estimator.n)
        estimator.absorb(np.asarray(value(rows), dtype=float))
    return estimator


def every_kind(n):
    """One estimator of every sampler and concept, of n >= 7 players."""
    rest = list(range(7, n))
    for name in SHAPLEY:
        yield lambda name=name: Estimator(name, n, rng=3)
    for name in ("antithetic", "permutation"):
        yield lambda name=name: Estimator(name, n, structure=oc.nested([*TREE, *rest]), rng=3)
    yield lambda: Estimator("reuse", n, rng=3)
    for concept in ("growth", "myerson"):
        yield lambda c=concept: Estimator("intervals", n, concept=c, structure=oc.path(n), rng=3)


def saturating(n):
    """A value that grows ever more slowly, with some players who belong together."""
    weights = np.random.default_rng(n).integers(1, 9, n)  # whole, so that sums have no rounding

    def value(coalitions):
        together = coalitions[:, 1] & coalitions[:, 2] & coalitions[:, n - 1]
        return np.sqrt(coalitions @ weights + 3 * together)

    return value


@pytest.mark.parametrize("name", WITHOUT_REPLACEMENT)
@given(table=tables(2, 6), seed=st.integers(0, 9))
def test_an_estimator_that_saw_every_coalition_is_exact(name, table, seed):
    n = players_of(table)
    asked = []

    def value(coalitions):
        asked.extend(map(bytes, coalitions))
        return as_value(table)(coalitions)

    estimator = drive(Estimator(name, n, rng=seed), value, units=10**6)
    truth = [float(x) for x in shapley(n, as_exact(table))]
    assert estimator.exhausted
    assert len(asked) == len(set(asked)) == 1 << n
    np.testing.assert_allclose(estimator.values, truth, atol=1e-7)
    assert estimator.std_error.max() <= 1e-7


@pytest.mark.parametrize("name", ["antithetic", "cyclic", "stratified", "leverage", "kernel"])
@pytest.mark.parametrize("n", [5, 12, 40])
def test_pairs_are_exact_where_players_interact_two_by_two(name, n):
    rng = np.random.default_rng(n)
    alone, together = rng.normal(size=n), np.triu(rng.normal(size=(n, n)), 1)

    def value(s):
        return 2.0 + s @ alone + np.einsum("mi,ij,mj->m", s, together, s)

    truth = alone + (together + together.T).sum(axis=1) / 2
    estimator = drive(Estimator(name, n, rng=1), value, units=4 * n)
    np.testing.assert_allclose(estimator.values, truth, atol=1e-8)
    assert estimator.std_error.max() < 1e-8
    assert estimator.paired is not False


@pytest.mark.parametrize("name", SHAPLEY)
def test_errors_are_as_large_as_they_are_said_to_be(name):
    n, runs = 10, 40
    value = saturating(n)
    truth = oc.attribute(value, n).values
    units = 6 if name == "cyclic" else 150
    scores = []
    for seed in range(runs):
        values, std_error, freedom = drive(Estimator(name, n, rng=seed), value, units).estimate()
        assert freedom >= 3
        scores.append((values - truth) / std_error)
    # Over runs, (estimate - truth) / standard error has mean 0 and spread 1, nearly.
    assert np.abs(np.mean(scores, axis=0)).max() < 5 / np.sqrt(runs)
    assert 0.7 < np.sqrt(np.mean(np.square(scores))) < (1.6 if name == "cyclic" else 1.3)


@pytest.mark.parametrize(
    ("name", "concept", "structure"),
    [
        ("antithetic", "owen", UNIONS),
        ("permutation", "owen", UNIONS),
        ("reuse", "banzhaf", None),
        ("intervals", "growth", oc.path(7)),
        ("intervals", "myerson", oc.path(7)),
    ],
)
def test_other_concepts_are_estimated_as_well(name, concept, structure):
    value = saturating(7)
    truth = oc.attribute(value, 7, concept, structure).values
    scores = []
    for seed in range(40):
        estimator = Estimator(name, 7, concept=concept, structure=structure, rng=seed)
        values, std_error, _ = drive(estimator, value, 200).estimate()
        scores.append((values - truth) / std_error)
    assert np.abs(np.mean(scores, axis=0)).max() < 5 / np.sqrt(40)
    assert 0.7 < np.sqrt(np.mean(np.square(scores))) < 1.3


@pytest.mark.parametrize(
    ("name", "concept", "structure"),
    [
        ("antithetic", "owen", UNIONS),
        ("intervals", "growth", oc.path(7)),
        ("intervals", "myerson", oc.path(7)),
    ],
)
def test_only_coalitions_of_the_structure_are_asked(name, concept, structure):
    allowed = set(map(bytes, oc.plan(7, concept=concept, structure=structure).coalitions))
    estimator = Estimator(name, 7, concept=concept, structure=structure, rng=5)
    asked = set()

    def value(coalitions):
        asked.update(map(bytes, coalitions))
        return coalitions.sum(axis=1)

    drive(estimator, value, 3000)
    assert asked == allowed  # and all of them are, sooner or later


@given(table=tables(2, 5), seed=st.integers(0, 99))
def test_orders_that_keep_unions_together_average_to_the_owen_value(table, seed):
    n = players_of(table)
    tree = [[*range(n - 1)], n - 1]
    estimator = Estimator("permutation", n, structure=oc.nested(tree), rng=seed)
    values, std_error, _ = drive(estimator, as_value(table), 400).estimate()
    truth = np.array([float(x) for x in owen(tree, as_exact(table))])
    assert (np.abs(values - truth) <= 6 * std_error + 1e-9).all()


@pytest.mark.parametrize("make", list(every_kind(9)))
def test_credits_of_an_estimate_sum_to_what_there_is_to_share(make):
    value = saturating(9)
    estimator = drive(make(), value, 40)
    if estimator.concept != "banzhaf":
        ends = value(np.array([[False] * 9, [True] * 9]))
        assert estimator.values.sum() == pytest.approx(ends[1] - ends[0], abs=1e-9)


@pytest.mark.parametrize("make", list(every_kind(9)))
def test_batches_do_not_change_a_bit(make):
    value = saturating(9)
    whole = drive(make(), value, 60)
    for limit in (1, 7, 100):
        pieces = drive(make(), value, 60, limit)
        np.testing.assert_array_equal(pieces.values, whole.values)
        np.testing.assert_array_equal(pieces.std_error, whole.std_error)
        assert pieces.units == whole.units


@pytest.mark.parametrize("make", list(every_kind(9)))
@pytest.mark.parametrize("first", [1, 5, 30])
def test_an_estimator_goes_on_after_it_was_saved_as_if_it_had_not_been(make, first, tmp_path):
    value = saturating(9)
    whole = drive(make(), value, 60)
    half = drive(make(), value, first, limit=50)
    half.propose(100)  # some coalitions wait for their values
    half.save(tmp_path / "half.json")
    other = drive(Estimator.load(tmp_path / "half.json"), value, 60)
    np.testing.assert_array_equal(other.values, whole.values)
    np.testing.assert_array_equal(other.std_error, whole.std_error)
    assert other.names == whole.names
    assert other.concept == whole.concept


@pytest.mark.parametrize("name", ["antithetic", "stratified"])
def test_pairs_are_given_up_where_the_second_tells_what_the_first_did(name):
    weights = np.random.default_rng(0).integers(1, 20, 15)
    quota = weights.sum() / 2
    estimator = drive(Estimator(name, 15, rng=0), lambda s: s @ weights > quota, 400)
    assert estimator.paired is False
    truth = oc.attribute(lambda s: s @ weights > quota, 15).values
    assert (np.abs(estimator.values - truth) < 5 * estimator.std_error).all()


def test_thousands_of_players_can_be_sampled():
    n = 4096
    weights = np.arange(n) / n
    estimator = Estimator("antithetic", n, rng=0)
    coalitions = estimator.propose()
    assert coalitions.shape == (2, n)
    drive(estimator, lambda s: s @ weights, 2)
    np.testing.assert_allclose(estimator.values, weights, atol=1e-9)


@pytest.mark.parametrize("name", SHAPLEY)
def test_nothing_is_said_before_the_first_unit(name):
    estimator = Estimator(name, 8, rng=0)
    assert np.isnan(estimator.values).all()
    assert np.isnan(estimator.std_error).all()


@pytest.mark.parametrize("name", ["permutation", "antithetic", "cyclic"])
def test_one_unit_has_no_honest_error(name):
    estimator = Estimator(name, 8, rng=0)
    estimator.absorb(np.zeros(len(estimator.propose(1))))
    unit = len(estimator.propose(1))
    estimator.absorb(np.ones(unit))
    assert estimator.units == 1
    assert np.isfinite(estimator.values).all()
    assert np.isnan(estimator.std_error).all()


def test_values_must_end_where_a_unit_ends():
    estimator = Estimator("antithetic", 6, rng=0)
    estimator.absorb(np.zeros(len(estimator.propose(1))))
    estimator.propose(20)
    with pytest.raises(ValueError, match=r"got 7 values, and the proposed units end after 10, 20"):
        estimator.absorb(np.zeros(7))
    estimator.absorb(np.zeros(10))
    assert estimator.units == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("magic", 5), "estimator must be one of stratified, .*, got 'magic'"),
        (("reuse", 5, "shapley"), "'reuse' estimates banzhaf, not 'shapley'"),
        (("antithetic", 5, "owen"), "nothing here samples the concept 'owen' with no structure"),
        (("stratified", 1), "at least two players, got 1"),
    ],
)
def test_what_cannot_be_estimated_is_refused(arguments, message):
    name, players, *concept = arguments
    with pytest.raises(ValueError, match=message):
        Estimator(name, players, concept=concept[0] if concept else "auto", rng=0)


def test_intervals_of_limited_width_are_refused():
    with pytest.raises(
        ValueError, match="'growth' with the structure path of 5, intervals up to 2"
    ):
        Estimator("intervals", 5, concept="growth", structure=oc.path(5, max_width=2))


@pytest.mark.parametrize("seed", [-1, 1 << 64])
def test_a_seed_has_64_bits(seed):
    with pytest.raises(ValueError, match=f"64 bits and no sign, got {seed}"):
        Estimator("antithetic", 5, rng=seed)


def test_a_generator_gives_the_seed():
    first = Estimator("antithetic", 5, rng=np.random.default_rng(1)).propose(100)
    again = Estimator("antithetic", 5, rng=np.random.default_rng(1)).propose(100)
    np.testing.assert_array_equal(first, again)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "estimator.json"
    drive(Estimator("stratified", 9, rng=0), saturating(9), 60).save(path)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "reads estimators of format 1, got 2"),
        ({"estimator": "cyclic"}, "values are left over"),
        ({"names": ["a"]}, "at least two players"),
        ({"seed": "0"}, "'seed' must be a whole number, got '0'"),
        ({"seed": -1}, "64 bits and no sign"),
        ({"values": "AAAA"}, "multiple of element size"),
        ({"values": "?"}, "holds no estimator"),
        ({"values": "AAAAAAAA8H8AAAAAAADwfw=="}, "values must be finite, got inf"),
        ({"tree": [[0, 1]]}, "takes unions if it is 'owen'"),
        ({"extra": 1}, "adds extra"),
    ],
)
def test_a_saved_estimator_that_was_altered_is_refused(saved, change, message):
    saved.write_text(json.dumps(json.loads(saved.read_text()) | change))
    with pytest.raises(ValueError, match=message):
        Estimator.load(saved)


@pytest.mark.parametrize(
    "tree", [[0, 1], [[0, 1], [1, 2]], [0, 1, 7], [0, [1, "2"]], [[], 0, 1, 2], 3]
)
def test_a_saved_tree_must_hold_every_player_once(tree, tmp_path):
    path = tmp_path / "estimator.json"
    Estimator("antithetic", 3, structure=oc.nested([0, [1, 2]]), rng=0).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"tree": tree}))
    with pytest.raises(ValueError, match="holds no estimator"):
        Estimator.load(path)

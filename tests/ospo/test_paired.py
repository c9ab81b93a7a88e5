"""Paired statistics against closed forms, full enumeration and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ospo import paired
from ospo.paired import bootstrap_interval, holm, randomization_p, tally

# Sixteenths, whose sums floating point holds exactly, as the reference does not round.
DIFFERENCES = st.lists(st.integers(-16, 16).map(lambda k: k / 16), min_size=2, max_size=8)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


@settings(deadline=None)
@given(DIFFERENCES)
def test_p_of_few_queries_is_exact(differences):
    expected = stats.permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    (p,) = randomization_p(np.transpose([differences]))
    assert p == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("queries", [1, 2, 5, 16])
def test_p_of_one_winner_everywhere_is_two_signs_of_all(queries):
    won = np.full((queries, 1), 0.3)
    assert randomization_p(won).tolist() == [2 / 2**queries]
    assert randomization_p(-won).tolist() == [2 / 2**queries]


def test_random_signs_find_the_exact_p_within_their_error():
    differences = np.random.default_rng(3).normal(0.04, 0.2, (14, 20)).clip(-1, 1)
    exact = randomization_p(differences)
    drawn = randomization_p(differences, permutations=10_000)
    # One of 20 errors above 5 standard deviations has a chance below 2e-5; the seed is fixed.
    assert (np.abs(drawn - exact) < 5 * np.sqrt(exact * (1 - exact) / 10_000)).all()
    assert (drawn != exact).any()


def test_p_of_many_queries_is_that_of_the_normal_limit():
    differences = np.random.default_rng(4).normal(0.008, 0.1, (1000, 1)).clip(-1, 1)
    deviation = differences.sum() / np.sqrt((differences**2).sum())
    (p,) = randomization_p(differences)
    assert p == pytest.approx(2 * stats.norm.sf(deviation), rel=0.1)


def test_equal_systems_have_p_1_and_no_interval_width():
    nothing = np.zeros((50, 1))
    assert randomization_p(nothing).tolist() == [1.0]
    assert bootstrap_interval(nothing).tolist() == [[0.0], [0.0]]


def test_p_is_never_0():
    assert randomization_p(np.full((200, 1), 0.5)) == pytest.approx(1 / 100_001)


def test_an_interval_has_the_quantiles_of_the_resampled_mean():
    # Of 200 queries 70 differ, by 1: the sum of a resample is binomial.
    differences = np.repeat([[1.0], [0.0]], [70, 130], axis=0)
    low, high = bootstrap_interval(differences, resamples=100_000)
    expected = stats.binom(200, 70 / 200).ppf([0.025, 0.975]) / 200
    assert [low[0], high[0]] == pytest.approx(expected, abs=1e-12)


def test_an_interval_holds_the_level_that_is_asked_for():
    differences = np.random.default_rng(5).normal(0.1, 0.2, (3000, 1)).clip(-1, 1)
    low, high = bootstrap_interval(differences, level=0.8)
    half = stats.norm.ppf(0.9) * differences.std() / np.sqrt(3000)
    assert low[0] == pytest.approx(differences.mean() - half, abs=0.05 * half)
    assert high[0] == pytest.approx(differences.mean() + half, abs=0.05 * half)


@given(P_VALUES, st.floats(0.001, 0.999))
def test_holm_rejects_what_its_steps_reject(p_values, level):
    rejected = set()
    for step, k in enumerate(np.argsort(p_values, kind="stable").tolist()):
        if p_values[k] * (len(p_values) - step) >= level:
            break
        rejected.add(k)
    assert {k for k, p in enumerate(holm(p_values)) if p < level} == rejected


@given(P_VALUES)
def test_holm_is_between_no_adjustment_and_bonferroni(p_values):
    adjusted = holm(p_values)
    assert (adjusted >= p_values).all()
    assert (adjusted <= np.minimum(1, np.multiply(p_values, len(p_values)))).all()


@given(st.lists(st.integers(-3, 3), max_size=20), st.floats(0.01, 0.2))
def test_a_tie_is_a_tie_whatever_the_order_of_its_additions(steps, unit):
    noisy = [(0.7 + step * unit) - 0.7 for step in steps]
    won, lost = sum(step > 0 for step in steps), sum(step < 0 for step in steps)
    assert tally(noisy) == (won, len(steps) - won - lost, lost)


def test_one_seed_gives_one_result_in_whatever_parts_it_is_computed(monkeypatch):
    differences = np.random.default_rng(6).normal(0, 0.2, (37, 3)).clip(-1, 1)
    results = []
    for at_a_time in (1, 1000, 1 << 22):
        monkeypatch.setattr(paired, "AT_A_TIME", at_a_time)
        results.append(
            [
                randomization_p(differences, permutations=2000, seed=1).tolist(),
                bootstrap_interval(differences, resamples=2000, seed=1).tolist(),
            ]
        )
    assert results[0] == results[1] == results[2]
    assert results[0][0] != randomization_p(differences, permutations=2000, seed=2).tolist()


def test_a_contrast_does_not_depend_on_the_others():
    differences = np.random.default_rng(7).normal(0, 0.2, (40, 3)).clip(-1, 1)
    for function in (randomization_p, bootstrap_interval):
        alone = function(differences[:, :1])
        assert (function(differences)[..., :1] == alone).all()

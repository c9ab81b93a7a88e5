"""Sampling through attribute: budgets, rules, choices, caches, noise."""

from __future__ import annotations

import itertools
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

import owen_core as oc
from owen_core.quantile import t_quantile

N = 24
WEIGHTS = np.random.default_rng(0).integers(1, 9, N)


class Counting:
    """A saturating game that counts what it is asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, coalitions):
        self.asked.extend(map(bytes, coalitions))
        return np.sqrt(coalitions @ WEIGHTS[: coalitions.shape[1]])


CASES = [
    ("auto", "shapley", None),
    *((name, "shapley", None) for name in ["stratified", "antithetic", "leverage", "kernel"]),
    ("auto", "owen", oc.unions(*(range(k, k + 12) for k in range(0, N, 12)))),
    ("auto", "banzhaf", None),
    ("auto", "growth", oc.path(N)),
    ("auto", "myerson", oc.path(N)),
]


@pytest.mark.parametrize(("estimator", "concept", "structure"), CASES)
@pytest.mark.parametrize("budget", [100, 257, 1000])
def test_the_budget_is_used_and_never_exceeded_and_nothing_is_asked_twice(
    estimator, concept, structure, budget
):
    value = Counting()
    if concept in ("growth", "myerson"):
        budget = min(budget, 257)  # there are 301 intervals in all
    a = oc.attribute(value, N, concept, structure, estimator=estimator, budget=budget, rng=0)
    assert len(value.asked) == len(set(value.asked)) == a.cost.new <= budget
    assert a.cost.new > budget - 2 * N
    assert a.sampling.estimator in oc.SAMPLERS


@given(budget=st.integers(24, 300), seed=st.integers(0, 3))
@settings(deadline=None)
def test_no_budget_is_exceeded_by_one(budget, seed):
    value = Counting()
    oc.attribute(value, 12, estimator="antithetic", budget=budget, rng=seed)
    assert len(set(value.asked)) <= budget


@pytest.mark.parametrize(
    ("budget", "what"),
    [(1, r"v\(empty\) and v\(N\) take 2"), (2, "takes 22 more"), (23, "takes 22 more")],
)
def test_a_budget_below_one_unit_is_refused(budget, what):
    value = Counting()
    with pytest.raises(ValueError, match=f"too small for estimator 'antithetic': .*{what}"):
        oc.attribute(value, 12, estimator="antithetic", budget=budget, rng=0)
    assert len(value.asked) <= min(budget, 2)


def test_values_in_the_cache_cost_nothing_of_the_budget():
    store, value = oc.MemoryStore(), Counting()
    first = oc.attribute(value, N, estimator="stratified", budget=500, rng=0, cache=store)
    more = oc.attribute(value, N, estimator="stratified", budget=500, rng=0, cache=store)
    assert more.cost.cached == first.cost.new == 500
    assert 498 <= more.cost.new <= 500
    assert len(value.asked) == len(set(value.asked))


def test_a_warm_run_asks_nothing_and_finds_the_same_bits():
    store, value = oc.MemoryStore(), Counting()
    cold = oc.attribute(value, N, stop=oc.HalfWidth(0.01), rng=0, cache=store)
    warm = oc.attribute(value, N, stop=oc.HalfWidth(0.01), rng=0, cache=store)
    assert cold.cost.new > 0 == warm.cost.new == warm.cost.calls
    np.testing.assert_array_equal(warm.values, cold.values)
    np.testing.assert_array_equal(warm.std_error, cold.std_error)


def test_what_the_cache_lets_the_budget_pay_is_exact():
    store, value = oc.MemoryStore(), Counting()
    exact = oc.attribute(value, 8, "shapley", cache=store)
    again = oc.attribute(value, 8, "shapley", cache=store, budget=2, interactions=True)
    assert again.exact
    assert again.cost.new == 0
    np.testing.assert_array_equal(again.values, exact.values)


@pytest.mark.parametrize("estimator", ["stratified", "antithetic", "kernel"])
def test_sampling_ends_where_the_cache_knows_every_coalition(estimator):
    store, value = oc.MemoryStore(), Counting()
    exact = oc.attribute(value, 6, "shapley", cache=store)
    sampled = oc.attribute(value, 6, estimator=estimator, budget=40, cache=store, rng=0)
    assert sampled.cost.new == 0
    assert np.abs(sampled.values - exact.values).max() <= 6 * sampled.std_error.max() + 1e-12


@pytest.mark.parametrize("batch_size", [1, 7, 100_000])
def test_batches_and_workers_do_not_change_a_bit(batch_size):
    from concurrent.futures import ThreadPoolExecutor

    whole = oc.attribute(Counting(), N, budget=700, rng=5)
    with ThreadPoolExecutor(3) as pool:
        for executor in (None, pool):
            a = oc.attribute(
                Counting(), N, budget=700, rng=5, batch_size=batch_size, executor=executor
            )
            np.testing.assert_array_equal(a.values, whole.values)
            np.testing.assert_array_equal(a.std_error, whole.std_error)


def test_what_fits_the_budget_is_exact():
    a = oc.attribute(Counting(), 10, budget=1024)
    assert a.exact
    assert a.sampling is None
    assert not oc.attribute(Counting(), 10, budget=1023, rng=0).exact


def test_without_a_budget_nothing_is_estimated_behind_the_users_back():
    for n, concept in ((N, "auto"), (40, "shapley"), (40, "auto")):
        with pytest.raises(ValueError, match="give a budget or a stop rule, and it is estimated"):
            oc.attribute(Counting(), n, concept)


def test_unions_that_are_too_large_to_list_are_sampled():
    n = 60
    unions = oc.unions(range(30), range(30, n))
    with pytest.raises(oc.TooLargeError, match=r"at most 24 parts.*and it is estimated"):
        oc.attribute(lambda s: s.sum(axis=1), n, structure=unions)
    a = oc.attribute(lambda s: s.sum(axis=1), n, structure=unions, budget=500, rng=0)
    np.testing.assert_allclose(a.values, 1.0)


def test_a_rule_without_budget_makes_small_games_exact():
    assert oc.attribute(Counting(), 12, stop=oc.HalfWidth(0.1)).exact
    assert not oc.attribute(Counting(), 13, stop=oc.HalfWidth(0.1), rng=0).exact


def test_sampling_stops_when_intervals_are_narrow_enough():
    a = oc.attribute(Counting(), N, stop=oc.HalfWidth(0.02), rng=0)
    low, high = a.confidence_interval().T
    assert ((high - low) / 2).max() <= 0.02
    narrower = oc.attribute(Counting(), N, stop=oc.HalfWidth(0.005), rng=0)
    assert narrower.cost.new > a.cost.new


def test_the_earlier_of_two_rules_ends_sampling_or_the_later():
    rough, fine = oc.HalfWidth(0.02), oc.HalfWidth(0.005)
    cost = {
        name: oc.attribute(Counting(), N, stop=rule, rng=0).cost.new
        for name, rule in {
            "rough": rough,
            "fine": fine,
            "either": rough | fine,
            "both": rough & fine,
            "capped": fine | oc.Budget(300),
        }.items()
    }
    assert cost["either"] == cost["rough"] < cost["fine"] == cost["both"]
    assert 250 < cost["capped"] <= 300


def test_sampling_stops_when_the_first_places_are_settled():
    def value(coalitions):  # two players stand out, the others are worth the same
        return np.sqrt(coalitions.sum(axis=1) + 3 * coalitions[:, 5] + 9 * coalitions[:, 8])

    a = oc.attribute(value, N, stop=oc.Rank(top=2, level=0.99), rng=0)
    assert list(np.argsort(-a.values)[:2]) == [8, 5]
    low, high = a.confidence_interval(0.99).T
    assert low[8] > high[5]
    assert low[5] > np.delete(high, [5, 8]).max()


def test_time_ends_sampling():
    a = oc.attribute(Counting(), N, stop=oc.Seconds(1e-9), rng=0)
    assert a.sampling.units > 0
    assert a.cost.new < 1000


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        (oc.Budget(10), True),
        (oc.Budget(11), False),
        (oc.Seconds(2.0), True),
        (oc.Seconds(2.1), False),
        (oc.HalfWidth(0.2), True),
        (oc.HalfWidth(0.19), False),
        (oc.HalfWidth(0.19, level=0.9), True),
        (oc.Rank(1), True),
        (oc.Rank(2), False),
        (oc.Budget(10) & oc.Seconds(2.1), False),
        (oc.Budget(11) | oc.Seconds(2.0), True),
    ],
)
def test_rules_are_met_exactly_where_they_say(rule, met):
    error = 0.1
    width = student.ppf(0.975, 50) * error  # 0.2009
    values = np.array([1.0, 1.0 - 2.1 * width, 1.0 - 4 * width])
    if isinstance(rule, oc.HalfWidth):
        error *= 0.2 / width  # half a width of 0.2, nearly
    errors = np.full(3, error * (1 - 1e-5))
    progress = oc.Progress(lambda: (values, errors, 50), 10, 2.0)
    assert rule.met(progress) is met


def test_no_rule_on_errors_is_met_while_they_are_not_known():
    unknown = oc.Progress(lambda: (np.zeros(2), np.full(2, np.nan), 0), 10, 2.0)
    assert not oc.HalfWidth(1e9).met(unknown)
    assert not oc.Rank().met(unknown)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: oc.Budget(0), "budget must be at least 1, got 0"),
        (lambda: oc.HalfWidth(0), "width must be positive, got 0"),
        (lambda: oc.HalfWidth(float("nan")), "width must be positive"),
        (lambda: oc.HalfWidth(1, level=1), "level must be between 0 and 1, got 1"),
        (lambda: oc.Rank(0), "top must be at least 1, got 0"),
        (lambda: oc.Seconds(-1), "seconds must be positive, got -1"),
    ],
)
def test_rules_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimator": "stratified"}, "needs a budget or a stop rule"),
        ({"estimator": "magic", "budget": 99}, "estimator must be one of"),
        ({"estimator": "reuse", "budget": 99}, "estimates banzhaf, not 'shapley'"),
        ({"estimator": "auto", "budget": 5}, "too small for estimator 'antithetic'"),
        ({"estimator": "stratified", "budget": 99, "interactions": True}, "from exact values"),
        ({"concept": ["shapley", "banzhaf"], "stop": oc.Seconds(1)}, "computed exactly"),
        ({"concept": "windows", "budget": 20}, "takes 301 evaluations and the budget is 20"),
        ({"budget": 99, "rng": -1}, "64 bits and no sign"),
        ({"budget": 99, "concept": "shapley", "structure": oc.path(N)}, "not defined for"),
        ({"budget": 99, "concept": "growth", "structure": oc.path(9)}, "has 9 players, the game"),
    ],
)
def test_what_does_not_fit_together_is_refused_before_anything_is_paid(options, message):
    value = Counting()
    with pytest.raises(ValueError, match=message):
        oc.attribute(value, N, **options)
    assert len(value.asked) <= 2  # the ends, where only they show that a budget is too small


@pytest.mark.parametrize("estimator", ["auto", "antithetic", "intervals"])
@pytest.mark.parametrize(
    ("concept", "structure"),
    [
        ("shapley", oc.path(N)),
        ("myerson", oc.graph([(i, i + 1) for i in range(N - 1)] + [(0, N - 1), (3, 9)])),
        ("growth", oc.path(N, max_width=5)),
        ("banzhaf-owen", oc.unions(range(12), range(12, N))),
        (oc.beta_shapley(4, 1), None),
    ],
)
def test_no_other_structure_is_sampled_in_place_of_the_one_that_was_given(
    estimator, concept, structure
):
    with pytest.raises(ValueError, match=r"samples?|not defined|estimates|takes .* evaluations"):
        oc.attribute(Counting(), N, concept, structure, budget=60, estimator=estimator, rng=0)


def test_small_budgets_get_orders_and_larger_ones_a_regression():
    reason = oc.attribute(Counting(), N, budget=200, rng=0).sampling
    assert reason.estimator == "antithetic"
    assert "fewer than the 12 for each of 24 players" in reason.reason
    reason = oc.attribute(Counting(), N, budget=300, rng=0).sampling
    assert reason.estimator == "stratified"


def test_a_pilot_chooses_what_has_the_smaller_error():
    a = oc.attribute(Counting(), N, budget=8000, rng=0)
    assert a.sampling.estimator == "stratified"
    assert "after a pilot of 400 evaluations" in a.sampling.reason
    truth = oc.attribute(Counting(), N, budget=100_000, rng=1).values
    orders = oc.attribute(Counting(), N, estimator="antithetic", budget=8000, rng=0).values
    assert np.abs(a.values - truth).max() < np.abs(orders - truth).max() / 3


def test_noise_is_measured_on_request_and_widens_the_intervals():
    answers = itertools.count()

    def noisy(coalitions):
        return coalitions.sum(axis=1) + [0.01 * (next(answers) % 2) for _ in coalitions]

    exact = oc.attribute(noisy, 4, repeat=True)
    assert exact.noise == pytest.approx(0.01)
    assert not exact.exact
    # A Shapley value of 4 players is sum(w v) with sum(w^2) = 2 (1/16 + 3/144 + 3/144 + 1/16).
    norm = np.sqrt(2 * (1 / 16 + 3 / 144 + 3 / 144 + 1 / 16))
    np.testing.assert_allclose(exact.std_error, 0.01 / np.sqrt(2) * norm)
    low, high = exact.confidence_interval(0.9)[0]
    assert high - low == pytest.approx(2 * student.ppf(0.95, 1) * exact.std_error[0])
    plain = oc.attribute(noisy, 4)
    assert plain.exact
    assert plain.noise is None
    estimate = oc.attribute(noisy, N, budget=1000, rng=0, repeat=True)
    assert estimate.noise == pytest.approx(0.01)
    assert (estimate.std_error >= 0.01 / N).all()


def test_a_game_that_repeats_itself_stays_exact():
    a = oc.attribute(Counting(), 6, repeat=True)
    assert a.noise == 0.0
    assert a.exact


def test_a_sample_too_small_to_tell_its_error_says_so():
    a = oc.attribute(Counting(), N, estimator="antithetic", budget=2 + 2 * (N - 1), rng=0)
    assert a.std_error is None
    assert not a.exact
    with pytest.raises(ValueError, match="too small to tell its error"):
        a.confidence_interval()


@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.995, 0.0005])
@pytest.mark.parametrize("freedom", [1, 2, 3, 4.5, 7, 31, 63, 1e5])
def test_quantiles_are_students(probability, freedom):
    truth = student.ppf(probability, freedom)
    assert t_quantile(probability, freedom) == pytest.approx(truth, rel=2e-5)
    assert t_quantile(0.975, 1e7) == pytest.approx(NormalDist().inv_cdf(0.975), rel=1e-5)

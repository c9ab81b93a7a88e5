"""Attributions in other libraries, and other libraries' games here."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest

import owen_core as oc

WORDS = ("cheap", "red", "running", "shoes")


def an_attribution(**changes):
    fields = {
        "values": np.array([0.1, -0.1, 0.4, 0.5]),
        "names": WORDS,
        "baseline": 0.2,
        "total": 1.1,
        "concept": "shapley",
        "cost": oc.Cost(asked=16, cached=0, new=16, calls=1, seconds=0.5),
    }
    return oc.Attribution(**(fields | changes))


@pytest.fixture
def shap():
    pytest.importorskip("matplotlib").use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        return pytest.importorskip("shap")


@pytest.fixture
def shapiq():
    return pytest.importorskip("shapiq")


@pytest.fixture
def current_axes():
    """The axes that shap drew on; it knows pyplot only."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.close("all")
    yield pyplot.gca
    pyplot.close("all")


def test_shap_gets_every_part(shap):
    a = an_attribution()
    explanation = a.to_shap()
    assert isinstance(explanation, shap.Explanation)
    np.testing.assert_array_equal(explanation.values, a.values)
    assert explanation.base_values == 0.2
    assert explanation.data.dtype == object
    assert tuple(explanation.data) == tuple(explanation.feature_names) == WORDS
    assert explanation.compute_time == 0.5
    assert explanation.lower_bounds is None
    assert explanation.upper_bounds is None
    explanation.values[0] = 7  # what shap's owner does to it stays there
    assert a.values[0] == 0.1


def test_shap_gets_95_percent_bounds_of_estimates(shap):
    error = np.array([0.1, 0.0, 0.2, 0.3])
    explanation = an_attribution(std_error=error, cost=None).to_shap()
    np.testing.assert_allclose(
        explanation.upper_bounds - explanation.values, 1.959964 * error, rtol=1e-6
    )
    np.testing.assert_allclose(
        explanation.values - explanation.lower_bounds, 1.959964 * error, rtol=1e-6
    )
    assert explanation.compute_time is None


@pytest.mark.parametrize("std_error", [None, np.full(4, 0.05)])
def test_shap_draws_its_waterfall(shap, current_axes, std_error):
    shap.plots.waterfall(an_attribution(std_error=std_error).to_shap(), show=False)
    sheets = current_axes().figure.axes
    labels = [label.get_text() for axes in sheets for label in axes.get_yticklabels()]
    assert [name for name in WORDS if any(name in label for label in labels)] == list(WORDS)
    written = {text.get_text() for axes in sheets for text in axes.texts}
    assert {"+0.1", "−0.1", "+0.4", "+0.5"} <= written


def test_shap_draws_its_bars(shap, current_axes):
    shap.plots.bar(an_attribution().to_shap(), show=False)
    assert sorted(bar.get_width() for bar in current_axes().patches if bar.get_height() < 1) == (
        pytest.approx([-0.1, 0.1, 0.4, 0.5])
    )


def test_shap_draws_its_text(shap):
    page = shap.plots.text(an_attribution().to_shap(), display=False)
    assert all(word in page for word in WORDS)
    assert "0.2" in page


@pytest.mark.parametrize(("concept", "index"), [("shapley", "SV"), ("banzhaf", "BV")])
def test_shapiq_gets_the_values_under_their_own_index(shapiq, concept, index):
    a = an_attribution(concept=concept)
    scores = a.to_shapiq()
    assert isinstance(scores, shapiq.InteractionValues)
    assert (scores.index, scores.n_players, scores.max_order) == (index, 4, 1)
    np.testing.assert_array_equal(scores.get_n_order_values(1), a.values)
    assert scores.baseline_value == 0.2
    assert not scores.estimated
    assert scores.estimation_budget is None


def test_shapiq_is_told_what_is_estimated(shapiq):
    scores = an_attribution(std_error=np.zeros(4)).to_shapiq()
    assert scores.estimated
    assert scores.estimation_budget == 16


@pytest.mark.parametrize("concept", [*sorted(set(oc.CONCEPTS) - {"shapley", "banzhaf"}), "mine"])
def test_shapiq_is_never_given_values_under_a_wrong_name(concept):
    with pytest.raises(ValueError, match=f"no index for '{concept}' values, only for shapley and"):
        an_attribution(concept=concept).to_shapiq()


def test_shapiq_reads_back_what_it_saved_of_ours(shapiq, tmp_path):
    scores = an_attribution().to_shapiq()
    scores.to_json_file(tmp_path / "scores.json")
    again = shapiq.InteractionValues.from_json_file(tmp_path / "scores.json")
    assert again.dict_values == scores.dict_values


@pytest.fixture(params=[True, False], ids=["normalised", "as it is"])
def their_game(request, shapiq):
    """A game of shapiq's, worth 2 when nobody is there."""

    class Bakery(shapiq.Game):
        def __init__(self):
            super().__init__(
                n_players=5,
                normalize=request.param,
                normalization_value=2.0 if request.param else None,
            )

        def value_function(self, coalitions):
            together = coalitions[:, 0] & coalitions[:, 3]
            return 2.0 + coalitions @ np.arange(5.0) + 4 * together - coalitions.all(axis=1)

    return Bakery()


@pytest.mark.parametrize("index", ["SV", "BV"])
def test_a_game_of_shapiq_is_valued_as_shapiq_values_it(shapiq, their_game, index):
    from shapiq.game_theory.exact import ExactComputer

    concept = {"SV": "shapley", "BV": "banzhaf"}[index]
    ours = oc.attribute(their_game, concept=concept).to_shapiq()  # it knows its players
    theirs = ExactComputer(their_game, n_players=5)(index, 1)
    for player in range(5):
        assert ours[(player,)] == pytest.approx(theirs[(player,)], abs=1e-12)
    assert ours.baseline_value == theirs.baseline_value == (0.0 if their_game.normalize else 2.0)
    if index == "SV":
        assert ours[()] == theirs[()]
        assert ours.dict_values.keys() == theirs.dict_values.keys()


@pytest.mark.parametrize(("concept", "index"), [("shapley", "k-SII"), ("banzhaf", "BII")])
def test_interactions_go_to_shapiq_as_it_computes_them(shapiq, their_game, concept, index):
    from shapiq.game_theory.exact import ExactComputer

    ours = oc.attribute(their_game, concept=concept, interactions=True).to_shapiq()
    theirs = ExactComputer(their_game, n_players=5)(index, 2)
    assert (ours.index, ours.max_order, ours.n_players) == (index, 2, 5)
    assert ours.dict_values.keys() - {()} == theirs.dict_values.keys() - {()}
    for players, strength in ours.dict_values.items():
        assert strength == pytest.approx(theirs[players], abs=1e-12)
    assert (() in ours.dict_values) == (index == "k-SII")
    assert not ours.estimated


def test_shapley_interactions_go_to_shapiq_under_their_own_index(shapiq):
    joint = oc.Interactions("SII", WORDS, 2, {(0,): 0.1, (2, 3): 0.2}, 0.2, 1.1)
    scores = an_attribution(interactions=joint).to_shapiq()
    assert scores.index == "SII"
    assert scores.dict_values == {(0,): 0.1, (2, 3): 0.2}


def test_interactions_that_shapiq_has_no_name_for_stay_here(shapiq):
    joint = oc.Interactions("leave-two-out", WORDS, 2, {(2, 3): 0.2}, 0.2, 1.1)
    scores = an_attribution(interactions=joint).to_shapiq()
    assert (scores.index, scores.max_order) == ("SV", 1)


@pytest.mark.parametrize("package", ["shap", "shapiq"])
def test_a_missing_package_says_what_to_install(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    a = an_attribution()
    with pytest.raises(ModuleNotFoundError, match=f'to_{package} needs .*install "owen-core\\['):
        getattr(a, f"to_{package}")()

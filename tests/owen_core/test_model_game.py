"""Games of real scikit-learn models."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

import owen_core as oc
from owen_core import model_game

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is not installed")
pd = pytest.importorskip("pandas", reason="pandas is not installed")

from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.ensemble import IsolationForest, RandomForestClassifier  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder  # noqa: E402
from sklearn.svm import LinearSVC  # noqa: E402
from sklearn.tree import DecisionTreeRegressor  # noqa: E402

CLOSE = {"rtol": 0, "atol": 1e-10}


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(60, 5))


@pytest.fixture(scope="module")
def linear(rows):
    return LinearRegression().fit(rows, rows @ [3.0, -2.0, 0.0, 1.0, 0.5] + 7)


@pytest.fixture(scope="module")
def tree(rows):
    return DecisionTreeRegressor(random_state=0).fit(rows, np.sin(rows).prod(axis=1))


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def shop():
    """Prices of shoes by their size and colour; the colour is text."""
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "size": rng.integers(36, 46, 80),
            "colour": rng.choice(["red", "blue", "black"], 80),
            "used": rng.random(80) < 0.3,
        }
    )
    price = frame["size"] * 2.0 + (frame["colour"] == "red") * 5 - frame["used"] * 30
    return frame, price.to_numpy()


def by_hand(predict, x, background, members):
    """The value of one coalition of columns, straight from the definition."""
    mixed = np.array(background, dtype=float)
    mixed[:, members] = np.asarray(x)[members]
    return predict(mixed).mean()


def test_a_linear_model_has_its_closed_form(linear, rows):
    x, background = rows[3], rows[10:40]
    a = oc.attribute(oc.Game.from_estimator(linear, x, background))
    np.testing.assert_allclose(a.values, linear.coef_ * (x - background.mean(axis=0)), **CLOSE)
    assert a.baseline == pytest.approx(linear.predict(background).mean())
    assert a.total == pytest.approx(linear.predict(x[None])[0])
    assert a.names == ("0", "1", "2", "3", "4")


def test_every_coalition_of_a_tree_is_worth_its_mean_prediction(tree, rows):
    x, background = rows[0], rows[20:31]
    game = oc.Game.from_estimator(tree, x, background)
    coalitions = oc.plan(5).coalitions
    expected = [by_hand(tree.predict, x, background, row) for row in coalitions]
    np.testing.assert_allclose(game(coalitions), expected, **CLOSE)


def test_groups_are_players_and_other_columns_stand_alone(tree, rows):
    x, background = rows[0], rows[20:31]
    game = oc.Game.from_estimator(tree, x, background, groups={"ends": [4, 0], "middle": [2]})
    assert game.names == ("ends", "middle", "1", "3")
    assert game.value_of("ends", "3") == pytest.approx(
        by_hand(tree.predict, x, background, [0, 3, 4])
    )
    unnamed = oc.Game.from_estimator(tree, x, background, groups=[[1, 2], [4]])
    assert unnamed.names == ("1 + 2", "4", "0", "3")
    assert unnamed.value_of("1 + 2") == pytest.approx(by_hand(tree.predict, x, background, [1, 2]))


def test_one_hot_columns_stay_together(shop):
    frame, price = shop
    coded = pd.get_dummies(frame, columns=["colour"], dtype=float).astype(float)
    model = LinearRegression().fit(coded, price)
    seen = []
    spy = SimpleNamespace(predict=lambda rows: seen.append(rows) or model.predict(rows))
    colour = [name for name in coded.columns if name.startswith("colour_")]
    game = oc.Game.from_estimator(spy, coded.iloc[0], coded, groups={"colour": colour})
    a = oc.attribute(game)
    assert a.names == ("colour", "size", "used")
    assert all((rows[colour].sum(axis=1) == 1).all() for rows in seen)
    each = model.coef_ * (coded.iloc[0] - coded.mean())
    assert a["colour"] == pytest.approx(each[colour].sum())
    assert a["size"] == pytest.approx(each["size"])


@pytest.mark.parametrize(
    "point",
    [
        lambda frame: frame.iloc[7],
        lambda frame: frame.iloc[[7]],
        lambda frame: frame.iloc[[7]][["used", "size", "colour"]],
        lambda frame: frame.iloc[7].to_dict(),
        lambda frame: list(frame.iloc[7]),
        lambda frame: frame.iloc[7].to_numpy(),
    ],
    ids=["series", "one row", "other order", "dict", "list", "array"],
)
def test_a_pipeline_takes_data_frames_of_mixed_columns(shop, point):
    frame, price = shop
    encode = ColumnTransformer([("colour", OneHotEncoder(), ["colour"])], remainder="passthrough")
    model = make_pipeline(encode, LinearRegression()).fit(frame, price)
    seen = []
    spy = SimpleNamespace(predict=lambda rows: seen.append(rows) or model.predict(rows))
    a = oc.attribute(oc.Game.from_estimator(spy, point(frame), frame.iloc[:20]))
    assert a.names == ("size", "colour", "used")
    assert a.total == pytest.approx(price[7])
    background = frame.iloc[:20]
    assert a["size"] == pytest.approx(2 * (frame["size"][7] - background["size"].mean()))
    red = (frame["colour"][7] == "red") - (background["colour"] == "red").mean()
    assert a["colour"] == pytest.approx(5 * red)
    assert (seen[0].dtypes == frame.dtypes).all()
    assert list(seen[0].columns) == list(frame.columns)


def test_categories_keep_their_type_and_strangers_are_refused(shop):
    frame = shop[0].astype({"colour": "category"})
    seen = []
    spy = SimpleNamespace(predict=lambda rows: seen.append(rows) or rows["size"].to_numpy())
    game = oc.Game.from_estimator(spy, frame.iloc[3], frame.iloc[10:15])
    assert game.value_of("size") == frame["size"][3]
    assert seen[0].dtypes["colour"] == frame.dtypes["colour"]
    with pytest.raises(ValueError, match="'colour' of x is 'pink', which is not a category"):
        oc.Game.from_estimator(spy, [40, "pink", False], frame)


def test_whole_numbers_of_the_background_do_not_round_the_point():
    model = SimpleNamespace(predict=lambda rows: np.asarray(rows)[:, 0])
    for background in (np.array([[1, 2]]), pd.DataFrame([[1, 2]])):
        game = oc.Game.from_estimator(model, [2.5, 0], background)
        assert game.value_of("0") == 2.5


def test_classifiers_are_asked_for_the_probability_of_the_class_they_predict(iris):
    rows, kinds = iris
    names = np.array(["setosa", "versicolor", "virginica"])
    model = RandomForestClassifier(10, random_state=0).fit(rows, names[kinds])
    x, background = rows[70], rows[::10]
    default = oc.attribute(oc.Game.from_estimator(model, x, background))
    predicted = model.predict(x[None])[0]
    place = list(model.classes_).index(predicted)
    assert default.total == pytest.approx(model.predict_proba(x[None])[0, place])
    each = [
        oc.attribute(oc.Game.from_estimator(model, x, background, label=name)) for name in names
    ]
    np.testing.assert_allclose(each[place].values, default.values, **CLOSE)
    np.testing.assert_allclose(sum(a.values for a in each), 0, atol=1e-10)
    assert sum(a.total for a in each) == pytest.approx(1)


def test_decision_scores_are_those_of_the_class_asked_for(iris):
    rows, kinds = iris
    x, background = rows[120], rows[::10]
    several = LogisticRegression(max_iter=1000).fit(rows, kinds)
    game = oc.Game.from_estimator(several, x, background, output="decision_function", label=1)
    closed_form = several.coef_[1] * (x - background.mean(axis=0))
    np.testing.assert_allclose(oc.attribute(game).values, closed_form, **CLOSE)
    two = LinearSVC().fit(rows[kinds > 0], kinds[kinds > 0])
    closed_form = two.coef_[0] * (x - background.mean(axis=0))
    for label, sign in [(2, 1), (1, -1), (None, 1 if two.predict(x[None])[0] == 2 else -1)]:
        game = oc.Game.from_estimator(two, x, background, output="decision_function", label=label)
        np.testing.assert_allclose(oc.attribute(game).values, sign * closed_form, **CLOSE)


def test_models_without_classes_may_score_too(rows):
    model = IsolationForest(n_estimators=10, random_state=0).fit(rows)
    game = oc.Game.from_estimator(model, rows[0], rows[:9], output="decision_function")
    everyone = np.ones((1, 5), dtype=bool)
    assert game(everyone)[0] == pytest.approx(model.decision_function(rows[:1])[0])


def test_a_model_of_several_numbers_needs_the_column_that_counts(rows):
    model = LinearRegression().fit(rows, rows @ np.ones((5, 2)) * [1, 2])
    game = oc.Game.from_estimator(model, rows[0], rows, label=1)
    closed_form = model.coef_[1] * (rows[0] - rows.mean(axis=0))
    np.testing.assert_allclose(oc.attribute(game).values, closed_form, **CLOSE)
    for label in (None, 2):
        game = oc.Game.from_estimator(model, rows[0], rows, label=label)
        with pytest.raises(oc.ValueFunctionError, match=r"returned shape \(1920, 2\) for 1920 row"):
            oc.attribute(game)


def test_chunks_bound_the_memory_and_change_no_bit(tree, rows, monkeypatch):
    calls = []
    spy = SimpleNamespace(predict=lambda mixed: calls.append(len(mixed)) or tree.predict(mixed))
    game = oc.Game.from_estimator(spy, rows[0], rows[:30])
    whole = oc.attribute(game).values
    assert calls == [32 * 30]
    calls.clear()
    monkeypatch.setattr(model_game, "CHUNK_ROWS", 100)
    np.testing.assert_array_equal(oc.attribute(game).values, whole)
    assert calls == [90] * 10 + [60]
    calls.clear()
    monkeypatch.setattr(model_game, "CHUNK_CELLS", 50)  # less than the background
    once = oc.attribute(game).values
    assert calls == [10] * 32 * 3
    np.testing.assert_allclose(once, whole, **CLOSE)
    np.testing.assert_array_equal(oc.attribute(game, batch_size=3).values, once)


def test_shap_has_the_same_values(tree, rows):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shap = pytest.importorskip("shap", reason="shap is not installed")
        masker = shap.maskers.Independent(rows[:25], max_samples=25)
        theirs = shap.explainers.Exact(tree.predict, masker)(rows[40:41])
    ours = oc.attribute(oc.Game.from_estimator(tree, rows[40], rows[:25]))
    np.testing.assert_allclose(ours.values, theirs.values[0], **CLOSE)
    assert ours.baseline == pytest.approx(float(theirs.base_values[0]))


def test_two_games_of_one_model_do_not_share_a_cache(tree, rows):
    store = oc.MemoryStore()
    first = oc.attribute(oc.Game.from_estimator(tree, rows[0], rows[:5]), cache=store)
    second = oc.attribute(oc.Game.from_estimator(tree, rows[1], rows[:5]), cache=store)
    assert (first.cost.new, second.cost.new) == (32, 32)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.ones(4)}, ValueError, r"one row of the 5 features .*, got shape \(4,\)"),
        ({"x": np.ones((2, 5))}, ValueError, r"got shape \(2, 5\)"),
        ({"background": np.empty((0, 5))}, ValueError, r"got shape \(0, 5\)"),
        ({"background": np.ones(5)}, ValueError, r"rows of features, \(b, d\), got shape \(5,\)"),
        ({"groups": [[0, 1], [1]]}, ValueError, "column '1' is in a group twice"),
        ({"groups": [[0, 0]]}, ValueError, "column '0' is in a group twice"),
        ({"groups": [[0, 5]]}, ValueError, "names the column 5, and the columns are"),
        ({"groups": {"a": ["z"]}}, ValueError, "names the column 'z'"),
        ({"groups": {"a": "0"}}, ValueError, "a group is a list of columns, got '0'"),
        ({"groups": [[]]}, ValueError, "a group is a list of columns"),
        ({"groups": {"3": [0, 1]}}, ValueError, "need different names"),
        ({"output": "transform"}, ValueError, "output must be one of predict, predict_proba"),
        ({"output": "predict_proba"}, TypeError, r"has no predict_proba; choose .*\['predict'\]"),
        ({"model": object()}, TypeError, "object has no predict; give a fitted model"),
        ({"label": "red"}, ValueError, "label must be the number of a column of predict"),
    ],
)
def test_wrong_arguments_are_refused(linear, rows, change, error, message):
    arguments = {"model": linear, "x": rows[0], "background": rows[:9], **change}
    positional = [arguments.pop(name) for name in ("model", "x", "background")]
    with pytest.raises(error, match=message):
        oc.Game.from_estimator(*positional, **arguments)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ({"size": 40, "colour": "red"}, "x has the columns"),
        ([40, "red"], "one row of the 3 columns"),
        (pd.DataFrame({"size": [1, 2], "colour": ["a", "b"], "used": [True, True]}), "one row of"),
    ],
)
def test_a_point_that_does_not_fit_the_data_frame_is_refused(shop, x, message):
    with pytest.raises(ValueError, match=message):
        oc.Game.from_estimator(SimpleNamespace(predict=len), x, shop[0])


def test_data_frames_without_rows_or_with_twin_columns_are_refused(shop):
    model = SimpleNamespace(predict=len)
    with pytest.raises(ValueError, match="background must have rows"):
        oc.Game.from_estimator(model, shop[0].iloc[0], shop[0].iloc[:0])
    with pytest.raises(ValueError, match="columns of different names"):
        oc.Game.from_estimator(model, [1, 2], pd.DataFrame([[1, 2]], columns=["a", "a"]))


def test_unknown_classes_and_models_without_probabilities_are_refused(iris):
    rows, kinds = iris
    with pytest.raises(TypeError, match="LinearSVC has no predict_proba; choose output from"):
        oc.Game.from_estimator(LinearSVC().fit(rows, kinds), rows[0], rows)
    model = LogisticRegression(max_iter=1000).fit(rows, kinds)
    with pytest.raises(ValueError, match="label must be one of the classes"):
        oc.Game.from_estimator(model, rows[0], rows, label=3)
    both = RandomForestClassifier(2, random_state=0).fit(rows, np.column_stack([kinds, kinds]))
    with pytest.raises(ValueError, match="predicts 2 targets"):
        oc.Game.from_estimator(both, rows[0], rows)


def test_a_prediction_that_is_not_a_number_names_its_coalition(rows):
    model = SimpleNamespace(predict=lambda mixed: np.where(mixed[:, 1] == 9, np.nan, 1.0))
    game = oc.Game.from_estimator(model, np.full(5, 9.0), rows[:3])
    with pytest.raises(oc.ValueFunctionError, match=r"returned nan for the coalition \{1\}"):
        oc.attribute(game)

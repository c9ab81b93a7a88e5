"""The result object: what it says of itself, and that it survives a file."""

from __future__ import annotations

import html.parser
import json
import math
from pathlib import Path

import numpy as np
import pytest

import owen_core as oc

SAVED = Path(__file__).parents[1] / "saved" / "attribution-0.1.0.json"


def an_attribution(**changes):
    fields = {
        "values": np.array([0.1, -1 / 3, 1e-300]),
        "names": ("café", "$5 <b>", "🙂"),
        "baseline": 0.25,
        "total": 0.7,
        "concept": "owen",
        "structure": "unions (0, 1) (2)",
        "cost": oc.Cost(asked=6, cached=2, new=4, calls=3, seconds=0.125),
        "std_error": np.array([0.01, 0.02, 0.0]),
        "interactions": None,
        "sampling": oc.Sampling("stratified", "it was asked for", 1 << 63, 12, 11.0),
        "noise": 0.03125,
    }
    return oc.Attribution(**(fields | changes))


def with_pairs(**changes):
    strengths = {(0,): 0.1, (1,): -1 / 3, (2,): 0.0, (0, 1): 1e-300, (0, 2): 0.0, (1, 2): -0.75}
    pairs = oc.Interactions("k-SII", an_attribution().names, 2, strengths, 0.25, 0.7)
    return an_attribution(**({"interactions": pairs} | changes))


def assert_same(a, b):
    assert a.values.tobytes() == b.values.tobytes()
    assert (a.std_error is None) == (b.std_error is None)
    if a.std_error is not None:
        assert a.std_error.tobytes() == b.std_error.tobytes()
    for field in (
        "names",
        "baseline",
        "total",
        "concept",
        "structure",
        "cost",
        "sampling",
        "noise",
    ):
        assert getattr(a, field) == getattr(b, field)
    assert (a.interactions is None) == (b.interactions is None)
    if a.interactions is not None:
        for field in ("index", "names", "order", "values", "baseline", "total", "cost"):
            assert getattr(a.interactions, field) == getattr(b.interactions, field)


def test_a_file_of_release_0_1_0_loads_to_exactly_its_values():
    assert_same(oc.Attribution.load(SAVED), with_pairs())


def test_this_release_writes_what_release_0_1_0_wrote(tmp_path):
    with_pairs().save(tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == SAVED.read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"std_error": None, "sampling": None, "noise": None},
        {"cost": None, "structure": None},
    ],
)
def test_every_bit_comes_back_from_a_file(tmp_path, changes):
    rng = np.random.default_rng(0)
    a = an_attribution(values=rng.normal(size=3) * 10.0 ** rng.integers(-300, 300, 3), **changes)
    a.save(tmp_path / "a.json")
    assert_same(oc.Attribution.load(tmp_path / "a.json"), a)


def test_a_failed_save_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    an_attribution().save(path)
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        an_attribution(total=9.0).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "reads attributions of format 1, got 99"),
        ({"format": None}, "reads attributions of format 1, got None"),
        ({"names": ...}, "this lacks names$"),
        ({"values": ..., "cost": ...}, "this lacks cost, values$"),
        ({"colour": "red"}, "this adds colour$"),
        ({"values": [0.1, math.nan, 0]}, r"values must be finite, got nan for '\$5 <b>'"),
        ({"values": [0.1, math.inf, 0]}, "values must be finite, got inf"),
        ({"values": [0.1, 0.2]}, r"values must hold one number .* 3 players, got shape \(2,\)"),
        ({"values": ["0.1", 0, 0]}, "'values' must be a list of numbers"),
        ({"values": [[0.1], [0], [0]]}, "'values' must be a list of numbers"),
        ({"values": [True, 0, 0]}, "'values' must be a list of numbers"),
        ({"values": None}, "'values' must be a list of numbers, got None"),
        ({"std_error": [0.1]}, "std_error must hold one number"),
        ({"std_error": [0.1, -0.1, 0]}, "std_error must not be negative, got -0.1 for '\\$5"),
        ({"names": []}, "'names' must be a list of at least one string"),
        ({"names": "abc"}, "'names' must be a list of at least one string, got 'abc'"),
        ({"names": ["a", 1, "c"]}, "'names' must be a list of at least one string"),
        ({"total": math.nan}, "baseline and total must be finite, got 0.25 and nan"),
        ({"baseline": "0"}, "'baseline' must be a number, got '0'"),
        ({"concept": None}, "'concept' must be a string, got None"),
        ({"structure": [[0], [1]]}, "'structure' must be a string"),
        ({"cost": {"asked": 6}}, "'cost' must be null or the numbers asked, cached"),
        ({"total": 10**400}, "'total' must be a number"),
        ({"values": [10**400, 0, 0]}, "'values' must be a list of numbers"),
        ({"cost": 3}, "'cost' must be null or the numbers"),
        ({"interactions": 3}, "reads interactions of format 1, got 'int'"),
    ],
)
def test_a_spoilt_file_is_refused_in_one_sentence(tmp_path, change, message):
    data = json.loads(SAVED.read_text(encoding="utf-8")) | change
    data = {key: value for key, value in data.items() if value is not ...}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        oc.Attribution.load(path)
    assert str(caught.value).startswith(f"{path} holds no attribution: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 7}, "reads interactions of format 1, got 7"),
        ({"index": ...}, "this lacks index$"),
        ({"colour": "red"}, "this adds colour$"),
        ({"index": None}, "'index' must be a string, got None"),
        ({"names": ["a", "b", "c"]}, r"interactions must be of the same players, \('café'"),
        ({"names": []}, "'names' must be a list of at least one string"),
        ({"order": 0}, "'order' must be a whole number from 1, got 0"),
        ({"order": True}, "'order' must be a whole number from 1, got True"),
        ({"order": 2.0}, "'order' must be a whole number from 1, got 2.0"),
        ({"values": {}}, "'values' must be a list of pairs: players' positions, and a number"),
        ({"values": [[[0], 1, 2]]}, "'values' must be a list of pairs"),
        ({"values": [[0, 1.0]]}, "'values' must be a list of pairs"),
        ({"values": [[["a"], 1.0]]}, "'values' must be a list of pairs"),
        ({"values": [[[0], "1"]]}, "'values' must be a list of pairs"),
        ({"values": [[[0, 3], 1.0]]}, r"of 1 to 2 of the 3 players, .* got \(0, 3\)"),
        ({"values": [[[-1, 1], 1.0]]}, r"of 1 to 2 of the 3 players, .* got \(-1, 1\)"),
        ({"values": [[[1, 0], 1.0]]}, r"in rising order, got \(1, 0\)"),
        ({"values": [[[], 1.0]]}, r"of 1 to 2 of the 3 players, .* got \(\)"),
        ({"values": [[[0, 1, 2], 1.0]]}, r"of 1 to 2 of the 3 players, .* got \(0, 1, 2\)"),
        ({"values": [[[0, 1], math.nan]]}, r"values must be finite, got nan for \(0, 1\)"),
        ({"total": math.inf}, "baseline and total must be finite, got 0.25 and inf"),
        ({"cost": {"asked": 6}}, "'cost' must be null or the numbers asked, cached"),
    ],
)
def test_spoilt_interactions_are_refused_in_one_sentence(tmp_path, change, message):
    data = json.loads(SAVED.read_text(encoding="utf-8"))
    joint = data["interactions"] | change
    data["interactions"] = {key: value for key, value in joint.items() if value is not ...}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        oc.Attribution.load(path)
    assert str(caught.value).startswith(f"{path} holds no attribution: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [0, 1, 40, -3])
def test_a_truncated_file_is_refused(tmp_path, cut):
    path = tmp_path / "a.json"
    path.write_bytes(SAVED.read_bytes()[:cut])
    with pytest.raises(ValueError, match="not whole JSON"):
        oc.Attribution.load(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[1, 2]", "format 1, got 'list'"),
        (b"{}", "format 1, got None"),
        (b"\x89PNG\r\n", "not whole JSON"),
        (b'{"format": 1e400}', "format 1, got inf"),
    ],
)
def test_another_kind_of_file_is_refused(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        oc.Attribution.load(path)


def test_a_missing_file_is_no_spoilt_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        oc.Attribution.load(tmp_path / "none.json")


def test_credits_that_do_not_fit_the_players_are_refused():
    with pytest.raises(ValueError, match="one number for each of the 3 players"):
        an_attribution(values=np.zeros(4))


def test_exact_credits_have_no_standard_error():
    assert an_attribution(std_error=None, sampling=None).exact
    assert not an_attribution(std_error=None).exact  # too small a sample to tell
    assert not an_attribution().exact


@pytest.mark.parametrize(
    ("scale", "offset", "left"),
    [(1.0, 0.0, False), (1e-12, 0.0, False), (1.0, 1e9, False), (1.0, 0.0, True), (1e-12, 0, True)],
)
def test_a_residual_is_told_from_rounding_at_every_scale(scale, offset, left):
    values = scale * np.array([0.1, 0.2, 0.3])
    total = offset + 0.6 * scale + (0.01 * scale if left else 0)
    a = an_attribution(values=values, baseline=offset, total=total)
    assert a.leaves_residual == left


def test_the_text_says_sum_residual_exactness_and_cost():
    text = str(an_attribution(std_error=None, sampling=None, noise=None))
    assert text.splitlines() == [
        "café      +0.1",
        "$5 <b>    -0.333333",
        "🙂         +1e-300",
        "sum       -0.233333",
        "residual  +0.683333",
        "owen, exact; v(N) = 0.7, v(empty) = 0.25; 4 evaluations, 2 cached",
    ]
    estimated = str(an_attribution()).splitlines()
    assert estimated[1] == "$5 <b>    -0.333333 ± 0.02"
    assert estimated[-1].startswith(
        "owen, estimated (stratified); v(N) = 0.7, v(empty) = 0.25, 0.03125 off when asked again; "
    )


def test_the_strongest_pairs_stand_in_the_last_line():
    assert str(with_pairs()).splitlines()[-1] == "k-SII: $5 <b> × 🙂 -0.75"  # 1e-300 is rounding
    n = 4
    pairs = {(i, j): float(i - j - 1) for j in range(n) for i in range(j)}
    joint = oc.Interactions("SII", tuple("abcd"), 2, pairs, 0.0, 0.0)
    a = oc.Attribution(np.zeros(n), tuple("abcd"), 0.0, 0.0, "shapley", interactions=joint)
    assert str(a).splitlines()[-1] == "SII: a × d -4, a × c -3, b × d -3"
    apart = oc.from_table([0, 1, 2, 3], interactions=True)
    assert str(apart).splitlines()[-1] == "k-SII: no interaction"


def test_a_credit_of_minus_zero_is_zero():
    assert str(an_attribution(values=np.array([-0.0, 1, 2]))).startswith("café      +0 ±")


def test_rows_make_a_data_frame_of_numbers():
    pandas = pytest.importorskip("pandas")
    a = an_attribution(values=np.array([0.2, 0.3, -0.05]))
    frame = pandas.DataFrame(a.to_rows())
    assert list(frame.columns) == ["player", "credit", "std_error", "share"]
    assert list(frame["player"]) == list(a.names)
    assert list(frame["std_error"]) == [0.01, 0.02, 0.0]
    assert frame["share"].sum() == pytest.approx(1)
    exact = pandas.DataFrame(an_attribution(std_error=None).to_rows())
    assert [str(kind) for kind in exact.dtypes[1:]] == ["float64"] * 3
    assert (exact["std_error"] == 0).all()


def test_shares_of_nothing_are_not_numbers():
    rows = an_attribution(values=np.array([1.0, -1, 0]), total=0.25).to_rows()
    assert all(math.isnan(row["share"]) for row in rows)


class Tags(html.parser.HTMLParser):
    """Collects the tags, their attributes and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text, self.open = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_notebook_table_prints_every_signed_number():
    page = Tags(an_attribution(std_error=None)._repr_html_())
    assert page.open == []
    for number in ("+0.1", "-0.333333", "+1e-300", "-0.233333", "+0.683333"):
        assert number in page.text
    estimated = Tags(an_attribution()._repr_html_())
    assert "-0.333333 ± 0.02" in estimated.text


def test_a_name_cannot_inject_markup_into_the_notebook():
    evil = '"><script>alert(1)</script><img src=x onerror="alert(2)">'
    a = an_attribution(names=(evil, "'onload='", "</td></table>&amp;"), concept=evil)
    page = Tags(a._repr_html_())
    assert {tag for tag, _ in page.tags} == {"table", "caption", "tbody", "tr", "td", "div"}
    assert {key for _, attributes in page.tags for key in attributes} == {"style", "title"}
    assert evil in page.text
    assert [attributes["title"] for _, attributes in page.tags if "title" in attributes] == [
        *a.names,
        "sum",
        "residual",
    ]


def test_the_notebook_table_ends_with_the_strongest_pairs():
    a = with_pairs()
    page = Tags(a._repr_html_())
    assert page.text[:2] == [a.summary, "k-SII: $5 <b> × 🙂 -0.75"]  # a caption at the foot
    assert "br" not in {tag for tag, _ in Tags(an_attribution()._repr_html_()).tags}


def test_bars_of_the_notebook_table_are_in_proportion():
    a = an_attribution(values=np.array([3.0, -1.0, 0.0]))
    bars = [attributes["style"] for tag, attributes in Tags(a._repr_html_()).tags if tag == "div"]
    assert [bar.split(";")[:2] for bar in bars] == [
        ["margin-left:25.00%", "width:75.00%"],
        ["margin-left:0.00%", "width:25.00%"],
        ["margin-left:25.00%", "width:0.00%"],
    ]
    assert ["#ff0051" in bar for bar in bars] == [True, False, True]


def test_the_notebook_table_takes_its_colours_from_the_page():
    page = an_attribution()._repr_html_()
    assert "color:inherit" in page
    assert page.count("background:#") == 3  # the bars alone


def test_the_notebook_table_of_many_players_is_short():
    n = 1000
    a = oc.Attribution(
        np.arange(n) + 0.0, tuple(map(str, range(n))), 0.0, n * (n - 1) / 2, "shapley"
    )
    page = Tags(a._repr_html_())
    assert sum(tag == "tr" for tag, _ in page.tags) == 40 + 1 + 1
    assert "960 others" in page.text
    assert f"{sum(range(960)):+.6g}" in page.text

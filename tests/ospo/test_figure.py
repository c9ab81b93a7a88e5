"""Pictures of an explanation: what is written, in which order, and how long the bars are."""

from __future__ import annotations

import dataclasses
import itertools
import xml.etree.ElementTree as ElementTree

import pytest

from ospo.data.collection import Catalogue
from ospo.explain import explain
from ospo.report.figure import picture, waterfall
from ospo.search.bm25 import BM25
from owen_core.plots.style import tint

image = pytest.importorskip("matplotlib.image")
colors = pytest.importorskip("matplotlib.colors")

TITLES = {
    "p1": "Salomon trail running shoes, waterproof, blue",
    "p2": "Hoka trail running shoes, wide feet, red",
    "p3": "Red running socks",
    "p4": "Red road running shoes",
}
JUDGMENTS = {"p1": 3, "p2": 2, "p4": 1}
QUERY = "trail running shoes, waterproof, red, wide feet"
MANY = "trail running shoes waterproof red wide feet " + " ".join(f"word{k}" for k in range(33))


def explained(query, **options):
    engine = BM25(Catalogue(tuple(TITLES), {"title": tuple(TITLES.values())}))
    return explain(query, engine, JUDGMENTS, **options)


@pytest.fixture(scope="module")
def exact():
    return explained(QUERY)


@pytest.fixture(scope="module")
def sampled():
    return explained(" ".join(MANY.split()[:8]), budget=60)


def words(axes):
    return [text.get_text() for text in axes.texts]


def test_the_sentence_has_every_phrase_in_order_with_its_credit(exact):
    _, sentence = picture(exact).figure.axes
    headline, *pairs = words(sentence)
    assert headline == f"nDCG@10 {exact.total:.3f} · BM25"
    assert pairs[::2] == list(exact.segments)
    written = [float(number.replace("−", "-")) for number in pairs[1::2]]
    assert written == pytest.approx(list(exact.credit), abs=5e-4)
    assert all(number[0] in "+−" or float(number) == 0 for number in pairs[1::2])


def test_a_box_is_as_red_or_blue_as_its_credit(exact):
    _, sentence = picture(exact).figure.axes
    largest = max(map(abs, exact.credit))
    shades = [colors.to_hex(box.get_facecolor()) for box in sentence.patches]
    assert shades == [tint(credit / largest) for credit in exact.credit]


def test_bars_are_as_long_as_credits_and_lines_as_intervals(sampled):
    bars, _ = picture(sampled).figure.axes
    order = sorted(range(len(sampled.credit)), key=lambda k: -abs(sampled.credit[k]))
    assert [bar.get_width() for bar in bars.patches] == [sampled.credit[k] for k in order]
    drawn = [tuple(line.get_xdata()) for line in bars.lines if line.get_marker() == "|"]
    known = [sampled.interval[k] for k in order if sampled.interval[k][0] < sampled.interval[k][1]]
    assert len(drawn) > 0
    assert drawn == [pytest.approx(interval, abs=1e-12) for interval in known]


def test_exact_credits_have_no_interval_and_say_so(exact):
    bars, _ = picture(exact).figure.axes
    assert not [line for line in bars.lines if line.get_marker() == "|"]
    assert any("exact" in text for text in words(bars))


@pytest.mark.parametrize("query", [QUERY, "shoes", "qwertz", MANY])
def test_nothing_is_cut_off_or_stands_on_something_else(query):
    figure = picture(explained(query)).figure
    boxes = [text.get_window_extent() for axes in figure.axes for text in axes.texts]
    boxes = [box for box in boxes if box.width]
    whole = figure.bbox
    for box in boxes:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_a_long_query_is_whole_in_the_sentence_and_folded_in_the_bars():
    bars, sentence = picture(explained(MANY)).figure.axes
    assert words(sentence)[1::2] == MANY.split()
    assert "28 others" in words(bars)


def test_a_query_from_right_to_left_begins_at_the_right(exact):
    hebrew = dataclasses.replace(
        exact, query="נעלי ריצה, אדום, רחב, זול", segments=("נעלי ריצה", "אדום", "רחב", "זול")
    )
    for e, sign in ((exact, 1), (hebrew, -1)):
        _, sentence = picture(e).figure.axes
        places = [sign * box.get_x() for box in sentence.patches]
        assert places == sorted(places)


def test_control_characters_are_replaced(exact):
    e = dataclasses.replace(exact, segments=("trail\x1b[2J", *exact.segments[1:]))
    _, sentence = picture(e).figure.axes
    assert words(sentence)[1] == "trail�[2J"


def test_the_waterfall_leads_from_the_empty_query_to_the_query(exact):
    plot = waterfall(exact)
    shown = words(plot.axes)
    assert shown[0] == "v(empty)"
    assert shown[-3] == "v(N)"
    assert float(shown[-2]) == pytest.approx(exact.total, abs=5e-4)


def test_pictures_save_as_pixels_and_as_vectors(exact, tmp_path):
    plot = picture(exact)
    plot.save(tmp_path / "explain.png")
    plot.save(tmp_path / "explain.svg")
    pixels = image.imread(tmp_path / "explain.png")[..., :3]
    assert pixels.shape[1] > 1300
    edges = [pixels[:6], pixels[-6:], pixels[:, :6], pixels[:, -6:]]
    assert all((edge == 1).all() for edge in edges)
    assert ElementTree.parse(tmp_path / "explain.svg").getroot().tag.endswith("svg")

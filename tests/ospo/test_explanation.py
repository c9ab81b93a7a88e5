"""The record of an explanation: saved whole, and checked when it is read."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.explain import explain
from ospo.explanation import FORMAT, Explanation
from ospo.report.page import page
from ospo.search.bm25 import BM25

TITLES = ("red trail shoe", "blue road shoe", "נעליים אדומות", "ramp\x1b[31m")
ENGINE = BM25(Catalogue(("a", "b", "c", "d"), {"title": TITLES}))
EXACT = explain("red, shoe", ENGINE, {"a": 2, "b": 1, "c": 0})
SAMPLED = explain("red, blue, trail, road, shoe, ramp, אדומות", ENGINE, {"a": 1}, budget=90)


@pytest.mark.parametrize("explanation", [EXACT, SAMPLED], ids=["exact", "sampled"])
def test_every_bit_comes_back(explanation, tmp_path):
    told = replace(explanation, context="red [shoe]\n\x00", intent="shoe, red")
    told.save(tmp_path / "e.json")
    assert Explanation.load(tmp_path / "e.json") == told
    assert Explanation.from_dict(told.to_dict()) == told
    assert Explanation.from_dict(json.loads(json.dumps(told.to_dict()))) == told


def test_a_notebook_shows_the_page_in_a_frame_that_no_text_breaks_out_of():
    hostile = replace(EXACT, context='"></iframe><script>alert(1)</script>')
    markup = hostile._repr_html_()
    frame = re.fullmatch(
        r'<iframe title="[^"<>]*" srcdoc="([^"<>]*)" style="[^"]*"></iframe>', markup
    )
    assert unescape(frame[1]) == page([hostile])


def changed(change):
    data = json.loads(json.dumps(SAMPLED.to_dict()))
    change(data)
    return data


WRONG = [
    (lambda d: d.update(format=FORMAT + 1), f"format {FORMAT}, got {FORMAT + 1}"),
    (lambda d: d.pop("metric"), "with the keys query, segments"),
    (lambda d: d.update(extra=1), "with the keys query, segments"),
    (lambda d: d.update(total="1"), r"'Explanation\.total' must be a finite number, got '1'"),
    (lambda d: d.update(total=float("nan")), "a finite number, got nan"),
    (lambda d: d.update(total=True), "a finite number, got True"),
    (lambda d: d.update(query=None), r"'Explanation\.query' must be a string, got None"),
    (lambda d: d["credit"].pop(), "credit must be of each of the 7 segments, got 6"),
    (lambda d: d["interval"].pop(), "interval must be of each of the 7 segments, got 6"),
    (lambda d: d["interval"][2].pop(), r"interval\[2\]' must be a list of 2"),
    (lambda d: d["variants"].pop(3), "must begin with the query and its 7 drops"),
    (lambda d: d["variants"][2]["ranks"].pop(), "must rank the 1 relevant products, got 0"),
    (lambda d: d["variants"][2].update(kept=[0.5]), r"kept\[0\]' must be a whole number"),
    (lambda d: d["variants"][0]["ranking"].append("zz"), "says nothing of 'zz'"),
    (lambda d: d["products"]["a"].update(grade=1.5), r"\.grade. must be a whole number, got 1\.5"),
    (lambda d: d.update(products=[]), r"'Explanation\.products' must be an object, got \[\]"),
    (lambda d: d["method"].update(seed="0"), r"method\.seed' must be a whole number"),
    (lambda d: d.update(segments="red"), "must be a list, got 'red'"),
]


@pytest.mark.parametrize(("change", "message"), WRONG)
def test_a_record_that_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Explanation.from_dict(changed(change))


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', '{"format": 1}'])
def test_a_file_that_is_no_explanation_is_named(content, tmp_path):
    path = tmp_path / "e.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"e\.json holds no explanation"):
        Explanation.load(path)
    with pytest.raises(InputError, match="holds no explanation"):
        Explanation.load(tmp_path / "none.json")

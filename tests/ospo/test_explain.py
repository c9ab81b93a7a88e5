"""Explanations: what they say, how they are shown, and what cannot be explained."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from ospo.data.collection import Catalogue
from ospo.data.icecat import load_icecat
from ospo.errors import InputError
from ospo.explain import SearchCost, explain
from ospo.report.terminal import print_explanation
from ospo.search.bm25 import BM25

GOLDEN = Path(__file__).parents[1] / "golden"
TITLES = {
    "p1": "Salomon trail running shoes, waterproof, blue",
    "p2": "Hoka trail running shoes, wide feet, red and a very long name that needs cutting",
    "p3": "Red running socks",
    "p4": "Red road running shoes",
    "p5": "Waterproof [bold]jacket[/bold], red",
    "p6": "Trail map of the Alps",
}
JUDGMENTS = {"p1": 3, "p2": 2, "p4": 1, "p3": 0}


@pytest.fixture(scope="module")
def engine():
    return BM25(Catalogue(tuple(TITLES), {"title": tuple(TITLES.values())}))


def shown(explanation, *, width=80, **details):
    """The explanation as a plain terminal shows it, with the one line that is never the same."""
    fixed = dataclasses.replace(
        explanation, cost=dataclasses.replace(explanation.cost, seconds=0.25)
    )
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, legacy_windows=False)
    details = {"retriever": "BM25 over 6 products of test", "intent": explanation.query} | details
    print_explanation(fixed, console, titles=TITLES, **details)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize(
    ("name", "query", "concept", "details"),
    [
        ("phrases", "trail running shoes, waterproof, red, wide feet", "shapley", {}),
        ("one_word", "shoes", "shapley", {}),
        ("nothing_found", "alps map", "shapley", {}),
        ("windows", "waterproof trail running shoes red", "windows", {}),
        (
            "model",
            "running shoes, road",
            "myerson",
            {"context": "looking for running shoes, not [red] ones", "intent": "running shoes"},
        ),
    ],
)
def test_the_terminal_view_is_golden(engine, name, query, concept, details, request):
    text = shown(explain(query, engine, JUDGMENTS, concept=concept), **details)
    path = GOLDEN / f"explain_{name}.txt"
    if request.config.getoption("--write-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 80


def test_many_segments_stay_readable_on_a_narrow_terminal(engine):
    text = shown(explain("a, b, red, c, d, e, trail, shoes, f, g", engine, JUDGMENTS), width=60)
    assert all(len(line) <= 60 for line in text.splitlines())
    assert "+" in text


@pytest.mark.parametrize("concept", ["shapley", "myerson"])
def test_credits_sum_to_the_metric_and_drops_are_true(engine, concept):
    e = explain("trail running shoes, waterproof, red", engine, JUDGMENTS, concept=concept)
    assert sum(e.credit) == pytest.approx(e.total - e.baseline, abs=1e-12)
    assert e.baseline == 0
    for k, rest in enumerate(
        ["waterproof, red", "trail running shoes, red", "trail running shoes, waterproof"]
    ):
        alone = explain(rest, engine, JUDGMENTS)
        assert e.without[k] == alone.total
        ranks = {row.product_id: row.rank for row in alone.ranks}
        assert {row.product_id: row.without[k] for row in e.ranks} == ranks


def test_nothing_is_searched_twice(engine):
    e = explain("trail shoes, red, red", engine, JUDGMENTS)
    # 8 coalitions, the query again and 3 drops: two phrases say the same, so that the retriever
    # can tell 4 queries apart, of which the empty one needs no search.
    assert e.cost.asked == 8 + 1 + 3
    assert e.cost.searched == 3
    assert e.cost.saved == 9


def test_real_queries_are_explained_exactly(icecat_dir):
    icecat = load_icecat(icecat_dir)
    engine = BM25(icecat.catalogue)
    for query in icecat.answerable:
        e = explain(icecat.queries[query], engine, icecat.qrels[query])
        assert abs(sum(e.credit) - e.total) <= 1e-12
        assert len(e.ranks) == sum(grade > 0 for grade in icecat.qrels[query].values())


def test_an_explanation_is_plain_data(engine):
    e = explain("running shoes", engine, JUDGMENTS)
    data = json.loads(json.dumps(e.to_dict()))
    assert set(data) == {
        "query",
        "segments",
        "credit",
        "concept",
        "baseline",
        "total",
        "metric",
        "without",
        "ranks",
        "cost",
    }
    assert data["segments"] == ["running", "shoes"]
    assert SearchCost(**data["cost"]) == e.cost


@pytest.mark.parametrize(
    ("query", "arguments", "message"),
    [
        ("", {}, "has no words"),
        (" , ;", {}, "has no words"),
        ("qwertz asdf", {}, "none of the words of the query 'qwertz asdf' occurs"),
        ("red " * 17, {}, r"17 segments, .*limited to 16 .* 'myerson' \(154 searches\)"),
        ("red shoes", {"metric": "Judged@5"}, "metric 'Judged@5' is not supported"),
        ("red shoes", {"metric": "what"}, "metric 'what' is not known"),
        ("red shoes", {"concept": "what"}, "concept must be one of shapley, .*, got 'what'"),
    ],
)
def test_what_cannot_be_explained_is_refused_in_one_sentence(engine, query, arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        explain(query, engine, JUDGMENTS, **arguments)
    assert "\n" not in str(caught.value)

"""The page of an evaluation in a real browser."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from ospo.data import load
from ospo.evaluation import System, evaluate
from ospo.report.evaluation_page import evaluation_page
from ospo.search.bm25 import BM25
from ospo.search.metrics import parse_metric

ATTACK = '"><img src=x onerror="window.obeyed=1">'


@pytest.fixture(scope="module")
def evaluation():
    shop = load("shop")
    names = shop.answerable[:30]
    systems = [
        System("original", {q: (shop.queries[q],) for q in names}),
        System("attack", {q: (shop.queries[q], ATTACK, "") for q in names}, "bm25"),
    ]
    retrievers = {
        "bm25": BM25(shop.catalogue),
        "title": BM25(shop.catalogue, fields={"title": 1.0}),
    }
    return evaluate(systems, retrievers, shop, [parse_metric("nDCG@10"), parse_metric("RR")])


@pytest.fixture(scope="module")
def address(evaluation, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "eval.html"
    explain = "ospo explain {} --intent {}".format
    text = evaluation_page(evaluation, command="ospo eval", explain=lambda q, t: explain(t, q))
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(chromium, address):
    """The page, with what it asked for and complained about."""
    view = chromium.new_page()
    view.asked, view.complaints = [], []
    view.on("request", lambda request: view.asked.append(request.url))
    view.on("console", lambda message: view.complaints.append(message.text))
    view.on("pageerror", lambda error: view.complaints.append(str(error)))
    view.goto(address)
    yield view
    view.close()


def test_the_page_asks_for_nothing_and_obeys_no_text(opened, address):
    assert opened.asked == [address]
    assert opened.complaints == []
    assert opened.evaluate("window.obeyed") is None


def test_a_query_is_opened_from_the_keyboard_and_says_how_to_explain_it(opened, evaluation):
    worst = evaluation.queries[evaluation.worst_first[0]]
    command = opened.get_by_text(f"--intent {worst}").first
    assert not command.is_visible()
    opened.locator(".queries summary").first.focus()
    opened.keyboard.press("Enter")
    assert command.is_visible()


def test_the_bars_are_as_many_as_the_queries_won_and_lost(opened, evaluation):
    for panel, difference in enumerate(evaluation.main):
        figure = opened.locator("figure").nth(panel)
        for area, count in (
            ("more", difference.queries.won),
            ("less", difference.queries.lost),
        ):
            drawn = figure.locator(f"path.{area}").get_attribute("d")
            assert drawn.count("M") == count


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(opened, scheme):
    opened.emulate_media(color_scheme=scheme)
    for summary in opened.locator("summary").all()[:3]:
        summary.click()
    found = Axe().run(opened)
    assert [v["id"] for v in found.response["violations"]] == []


def test_the_page_fits_a_phone(opened):
    opened.set_viewport_size({"width": 360, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") == 360

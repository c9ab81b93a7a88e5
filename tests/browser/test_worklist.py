"""The page of a worklist in a real browser: sorted, reached by keyboard, and obeying no text."""

from __future__ import annotations

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib import image
from scipy import ndimage

from ospo.data import load
from ospo.errors import InputError
from ospo.explain import explain
from ospo.report.page import page as page_of
from ospo.report.worklist import worklist_page
from ospo.search.bm25 import BM25
from ospo.worklist import Kinds, Worklist, summarize

ATTACK = '</script><img src=x onerror="window.obeyed=1">'
SETTINGS = {"data": ATTACK, "metric": "nDCG@10", "budget": None}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Real queries, hostile ones, and ones that fail; with their pages."""
    shop = load("shop")
    engine = BM25(shop.catalogue)
    kind = Kinds(shop.catalogue, engine)
    names = dict(zip(range(40), shop.answerable, strict=False))
    queries = {str(k): shop.queries[name] for k, name in names.items()}
    queries |= {"0": f"{ATTACK} {queries['0']}", "1": f"{ATTACK}, water can"}

    def solve(query, text):
        if query in ("2", "3"):
            raise InputError(f"{ATTACK} is not judged")
        e = explain(text, engine, shop.qrels[names[int(query)]])
        return summarize(e, kind), page_of([e])

    folder = tmp_path_factory.mktemp("worklist") / "out"
    worklist = Worklist(folder, SETTINGS)
    worklist.work(queries, lambda: solve)
    rows = worklist.done(queries)
    text = worklist_page(rows, SETTINGS, command=f"ospo explain {ATTACK}", notes=[ATTACK])
    (folder / "index.html").write_text(text, encoding="utf-8")
    return rows, folder / "index.html"


@pytest.fixture
def visit(chromium, rows):
    """Opens the page, and sees that the browser had nothing to say and nothing to fetch."""
    said, fetched, contexts = [], [], []

    def open_page(**options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(rows[1].as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert all(url.startswith(rows[1].parent.as_uri()) for url in fetched), fetched


def column(page, place):
    cells = page.locator(f".queries td:nth-child({place})")
    return [text.strip() for text in cells.all_text_contents()]


def numbers(page, place):
    return [float(text.replace("−", "-")) for text in column(page, place)]


def test_the_largest_gain_stands_first_and_a_click_sorts_by_any_column(visit):
    page = visit()
    change, value = page.locator(".queries th").nth(0), page.locator(".queries th").nth(2)
    first = column(page, 2)
    assert numbers(page, 1) == sorted(numbers(page, 1), reverse=True)
    assert change.get_attribute("aria-sort") == "descending"
    change.get_by_role("button").click()
    assert numbers(page, 1) == sorted(numbers(page, 1))
    value.get_by_role("button").click()
    assert numbers(page, 3) == sorted(numbers(page, 3), reverse=True)
    assert change.get_attribute("aria-sort") is None
    page.locator(".queries th").nth(1).get_by_role("button").click()
    assert column(page, 2) == page.evaluate(
        "texts => texts.sort(new Intl.Collator().compare)", first
    )
    page.locator(".queries th").nth(4).get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert numbers(page, 5) == sorted(numbers(page, 5), reverse=True)
    assert sorted(column(page, 2)) == sorted(first)


def test_every_row_opens_its_own_page(visit, rows):
    page = visit()
    for place in (0, 7):
        link = page.locator(".queries a").nth(place)
        query = link.inner_text()
        link.click()
        assert page.locator("h1").inner_text() == query
        page.go_back()
    explained = [row for row in rows[0] if row.summary is not None]
    assert page.locator(".queries a").count() == len(explained)


def test_failed_queries_are_counted_and_told_with_their_reason(visit, rows):
    page = visit()
    page.get_by_role("link", name="2 not").click()
    failed = [row for row in rows[0] if row.failed]
    assert page.locator(".failed bdi").all_inner_texts() == [row.query for row in failed]
    assert page.locator("section:has(.failed) h3").all_inner_texts() == [failed[0].failed]


def test_without_scripts_everything_is_readable(visit, rows):
    page = visit(java_script_enabled=False)
    assert page.locator("button").count() == 0
    assert numbers(page, 1) == sorted(numbers(page, 1), reverse=True)
    assert page.locator("figure svg").first.is_visible()


def test_each_dot_of_a_swarm_is_painted(visit, rows):
    """Dots are the dashes of a stroke, so they are counted in a picture of them."""
    page = visit(viewport={"width": 1280, "height": 900})
    page.add_style_tag(content="figure path { stroke: #000 !important } .axis { display: none }")
    swarm = page.locator("figure svg").first
    dark = image.imread(io.BytesIO(swarm.screenshot()))[..., 0] < 0.5
    kinds = [kind for row in rows[0] if row.summary for kind in row.summary.kinds]
    assert ndimage.label(dark)[1] == max(map(kinds.count, kinds))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_rule_of_accessibility_is_broken(visit, scheme):
    found = Axe().run(visit(color_scheme=scheme))
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(visit, width):
    page = visit(viewport={"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_nothing_that_is_quoted_is_obeyed(visit):
    page = visit()
    assert page.evaluate("window.obeyed") is None
    assert page.locator("img").count() == 0
    assert ATTACK in page.locator("main").inner_text()

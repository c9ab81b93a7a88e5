"""The page of an explanation in a real browser, held against the search engine itself."""

from __future__ import annotations

import dataclasses
import shlex

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from ospo.data import load
from ospo.explain import SHOWN, explain
from ospo.report.page import page as page_of
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.lsa import LSA
from ospo.search.metrics import parse_metric
from ospo.text.render import render
from ospo.text.segment import segment

SHORT = "soft grey, three seat, sofa, with cushions, linen"
LONG = "soft grey linen three seat sofa with many cushions"  # more phrases than all subsets
ATTACK = "</script><img src=x onerror=\"window.obeyed=1\">' onfocus='window.obeyed=1"


@pytest.fixture(scope="module")
def shop():
    return load("shop")


@pytest.fixture(scope="module")
def judgments(shop):
    return next(shop.qrels[q] for q in shop.answerable if "sofa" in shop.queries[q])


@pytest.fixture(scope="module")
def engine(shop):
    return BM25(shop.catalogue)


def with_command(e):
    command = f"ospo explain {shlex.quote(e.query)} --data shop"
    return dataclasses.replace(e, method=dataclasses.replace(e.method, command=command))


@pytest.fixture(scope="module")
def pages(shop, judgments, engine, tmp_path_factory):
    """Every page that is opened, by name."""
    short = with_command(explain(SHORT, engine, judgments))
    found = {
        "short": [short],
        "long": [with_command(explain(LONG, engine, judgments))],
        "compared": [short, explain(SHORT, LSA(shop.catalogue), judgments)],
        "attacked": [attacked(short)],
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, explanations in found.items():
        (folder / f"{name}.html").write_text(page_of(explanations), encoding="utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in found}


def attacked(e):
    """An explanation in which every product is called by an attack."""
    products = {key: dataclasses.replace(p, title=ATTACK) for key, p in e.products.items()}
    return dataclasses.replace(e, products=products, context=ATTACK, intent=ATTACK)


@pytest.fixture
def visit(chromium, pages):
    """Opens a page, and sees that the browser had nothing to say and nothing to fetch."""
    said, fetched, contexts = [], [], []

    def open_page(name, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: fetched.append(request.url))
        page.goto(pages[name])
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []
    assert len(fetched) == len(contexts), fetched


def listed(page, side=0):
    """The ids, grades and value that the switchboard shows."""
    return (
        page.locator(".outcome")
        .nth(side)
        .evaluate(
            """shown => {
          const lines = [...shown.querySelectorAll(".ranking li")];
          return [
            lines.map(line => line.querySelector(".id").innerText),
            lines.map(line => line.lastElementChild.innerText),
            shown.querySelector(".value").innerText,
          ];
        }"""
        )
    )


def test_every_subset_shows_what_the_search_engine_gives(visit, engine, judgments):
    page = visit("short")
    switches = page.locator(".board input")
    segments = segment(SHORT)
    judge = Judge(engine, judgments, parse_metric("nDCG@10"))
    kept = np.ones(len(segments), dtype=np.bool_)
    for step in range(1, 2 ** len(segments)):
        changed = (step & -step).bit_length() - 1  # a Gray code: one switch leads to each subset
        switches.nth(changed).click()
        kept[changed] ^= True
        text = render(SHORT, segments, kept)
        hits = engine.search([text], SHOWN)[0] if kept.any() else []
        ids, grades, value = listed(page)
        assert ids == [hit.product_id for hit in hits]
        assert grades == [str(judgments.get(product, "–")) for product in ids]
        assert value == f"{judge([text])[0]:.3f}"
        assert page.get_by_text("No products to list").is_visible() == (not hits)
        assert not page.get_by_text("Not evaluated").is_visible()
    page.get_by_role("button", name="all phrases").click()
    assert listed(page)[2] == f"{judge([SHORT])[0]:.3f}"


def test_moves_in_the_list_are_counted_from_the_whole_query(visit, engine):
    page = visit("short")
    page.get_by_role("checkbox", name="linen").uncheck()
    before = [hit.product_id for hit in engine.search([SHORT], SHOWN)[0]]
    ids, _, _ = listed(page)
    moves = page.locator(".outcome .ranking li span:nth-child(2)").all_inner_texts()
    for rank, (product, move) in enumerate(zip(ids, moves, strict=True)):
        if product not in before:
            assert move == "new"
            continue
        rise = before.index(product) - rank
        assert move == (f"↑{rise}" if rise > 0 else f"↓{-rise}" if rise < 0 else "")
    assert any(moves)


def test_a_part_that_was_not_searched_says_so_and_how_to_search_it(visit):
    page = visit("long")
    dropped = ["grey", "sofa", "many"]
    for phrase in dropped:
        page.get_by_role("checkbox", name=phrase).uncheck()
    assert page.get_by_text("Not evaluated").is_visible()
    assert listed(page) == [[], [], "—"]
    words = shlex.split(page.locator("pre.unknown").inner_text())
    segments = segment(LONG)
    kept = np.array([s.phrase not in dropped for s in segments])
    assert words == ["ospo", "explain", render(LONG, segments, kept), "--data", "shop"]


def test_one_switch_shows_both_retrievers(visit, shop, engine):
    page = visit("compared")
    page.get_by_role("checkbox", name="sofa").uncheck()
    text = "soft grey, three seat, with cushions, linen"
    for side, retriever in enumerate([engine, LSA(shop.catalogue)]):
        hits = retriever.search([text], SHOWN)[0]
        assert listed(page, side)[0] == [hit.product_id for hit in hits]


def test_the_switchboard_is_worked_from_the_keyboard(visit):
    page = visit("short")
    box = page.get_by_role("checkbox", name="three seat")
    for _ in range(100):
        if box.evaluate("box => box === document.activeElement"):
            break
        page.keyboard.press("Tab")
    before = listed(page)
    assert box.evaluate("box => getComputedStyle(box.parentElement).outlineStyle") == "solid"
    page.keyboard.press("Space")
    assert not box.is_checked()
    assert listed(page) != before


def test_a_phrase_tells_its_details_when_it_is_focused(visit):
    page = visit("short")
    phrase = page.locator(".phrase").first
    details = page.locator(".details").first
    assert not details.is_visible()
    phrase.focus()
    assert details.is_visible()
    assert "without it nDCG@10" in details.inner_text()
    assert phrase.get_attribute("aria-describedby") == details.get_attribute("id")


def test_without_scripts_everything_but_the_switchboard_is_readable(visit):
    page = visit("short", java_script_enabled=False)
    assert page.get_by_text("With scripts on, each phrase is a switch here").is_visible()
    assert page.locator(".board input").first.is_hidden()
    assert page.locator(".outcome .ranking li").count() == SHOWN
    for heading in page.locator("h2").all():
        assert heading.is_visible()
    folded = page.locator("details.drop:not([open])")
    folded.first.locator("summary").click()
    assert page.locator("details.drop[open]").count() == 2


def test_on_paper_everything_is_unfolded(visit):
    page = visit("long")
    page.emulate_media(media="print")
    lists = page.locator("details.drop .ranking")
    assert lists.count() == 2 * len(segment(LONG))
    assert all(found.is_visible() for found in lists.all())


@pytest.mark.parametrize("name", ["short", "long", "compared"])
def test_nothing_is_wider_than_the_screen(visit, name):
    page = visit(name)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    for width in (360, 768, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(
    ("name", "scheme"), [("short", "light"), ("short", "dark"), ("compared", "light")]
)
def test_no_rule_of_accessibility_is_broken(visit, name, scheme):
    page = visit(name, color_scheme=scheme)
    page.get_by_role("checkbox").first.uncheck()
    page.locator("details").first.evaluate("one => one.open = true")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_nothing_that_is_quoted_is_obeyed(visit):
    page = visit("attacked")
    page.get_by_role("checkbox").first.uncheck()
    assert page.locator(".outcome .ranking bdi").first.inner_text() == ATTACK
    assert page.locator("img").count() == 0
    assert page.evaluate("window.obeyed") is None

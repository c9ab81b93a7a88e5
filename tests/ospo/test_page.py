"""The page of an explanation: what it says, and that what it quotes is only ever text."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import shlex
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ospo.data.collection import Catalogue
from ospo.data.icecat import load_icecat
from ospo.errors import InputError
from ospo.explain import explain
from ospo.explanation import Product
from ospo.report.moves import Lists, Move, lists
from ospo.report.page import page
from ospo.report.printable import printable
from ospo.search.bm25 import BM25
from ospo.search.lsa import LSA

GOLDEN = Path(__file__).parents[1] / "golden" / "page"
TEMPLATES = Path(__file__).parents[2] / "ospo" / "report" / "templates"
TITLES = {
    "p1": "Salomon trail running shoes, waterproof, blue",
    "p2": "Hoka trail running shoes, wide feet, red and a very long name that may need cutting",
    "p3": "Red running socks",
    "p4": "Red road running shoes",
    "p5": "Waterproof <b>jacket</b>, red",
    "p6": "Trail map of the Alps",
}
JUDGMENTS = {"p1": 3, "p2": 2, "p4": 1, "p3": 0}
HEBREW = {"h1": "נעלי ריצה אדומות עמידות במים", "h2": "נעלי הליכה רחבות 👟", "h3": "תיק גב אדום"}
FORTY = "trail running shoes waterproof red wide feet alps map blue " + " ".join(
    f"word{k}" for k in range(30)
)
QUERY = "trail running shoes, waterproof, red, wide feet"


def engine(titles):
    return BM25(Catalogue(tuple(titles), {"title": tuple(titles.values())}))


def settled(explanation, **changes):
    """The explanation without what differs from run to run, and with what the command adds."""
    e = explanation
    method = dataclasses.replace(
        e.method,
        collection="test",
        command=f"ospo explain {shlex.quote(e.query)} --data test",
        versions={"owen-core": "1.0"},
    )
    cost = dataclasses.replace(e.cost, seconds=0.25)
    return dataclasses.replace(e, method=method, cost=cost, **changes)


@cache
def record(case):
    shop = engine(TITLES)
    if case == "sampled":
        return settled(
            explain("trail running shoes waterproof red wide feet", shop, JUDGMENTS, budget=60)
        )
    if case == "no_qrels":
        found = explain(QUERY, shop, {"p2": 1}, metric="score")
        return settled(found, intent=TITLES["p2"])
    if case == "right_to_left":
        return settled(explain("נעלי ריצה, אדום, 👟 רחבות", engine(HEBREW), {"h1": 3, "h2": 1}))
    if case == "rewrite":
        found = explain("running shoes, road", shop, JUDGMENTS)
        return settled(found, context="shoes, but not [red] ones", intent=QUERY)
    query = {
        "exact": QUERY,
        "one_phrase": "shoes",
        "empty_result": "qwertz, asdf",
        "forty_phrases": FORTY,
    }[case]
    return settled(explain(query, shop, JUDGMENTS))


CASES = ["exact", "sampled", "no_qrels", "one_phrase", "empty_result", "forty_phrases"]
CASES += ["right_to_left", "rewrite"]


class Reader(HTMLParser):
    """Reads a page: its text line by line, its tags with their attributes, and its scripts."""

    LINES = ("p", "li", "tr", "h1", "h2", "h3", "summary", "dt", "section", "title", "pre")

    def __init__(self, html):
        super().__init__()
        self.lines, self.tags, self.scripts, self.within = [""], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, attributes))
        if tag not in ("meta", "path", "rect", "input"):
            self.within.append(tag)
        if tag in self.LINES:
            self.lines.append("")
        elif tag in ("td", "th", "dd", "span", "bdi", "b") and self.lines[-1]:
            self.lines[-1] += " "

    def handle_endtag(self, tag):
        if tag not in ("path", "rect"):
            assert self.within.pop() == tag, "a tag is closed that is not open"

    def handle_data(self, data):
        if "script" in self.within:
            self.scripts.append(data)
        elif "style" not in self.within and "template" not in self.within:
            self.lines[-1] += re.sub(r"\s+", " ", data)

    @property
    def text(self):
        lines = [re.sub(" +", " ", line).strip() for line in self.lines]
        return "\n".join(line for line in lines if line) + "\n"

    @property
    def shape(self):
        """Which tags with which attributes: what no text that is quoted may change."""
        return [(tag, [name for name, _ in attributes]) for tag, attributes in self.tags]


@pytest.mark.parametrize("case", [*CASES, "compared"])
def test_what_a_page_says_is_golden(case, request):
    shown = [record("exact"), record("rewrite")] if case == "compared" else [record(case)]
    text = Reader(page(shown)).text
    path = GOLDEN / f"{case}.txt"
    if request.config.getoption("--write-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_a_page_is_whole_and_asks_the_network_for_nothing(case):
    html = page([record(case)])
    read = Reader(html)
    assert read.within == []
    links = [value for _, attributes in read.tags for name, value in attributes if name == "href"]
    assert all(link.startswith("#") for link in links)
    assert not {name for _, names in read.shape for name in names} & {"src", "srcset", "onclick"}
    assert "url(" not in html
    assert "@import" not in html


def test_only_the_script_of_the_page_may_run():
    read = Reader(page([record("exact")]))
    (policy,) = [
        dict(attributes)["content"]
        for tag, attributes in read.tags
        if ("http-equiv", "Content-Security-Policy") in attributes
    ]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    digest = base64.b64encode(hashlib.sha256(read.scripts[-1].encode()).digest()).decode()
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"


def test_ids_are_unique_and_every_link_leads_somewhere():
    read = Reader(page([record("exact"), record("rewrite")]))
    values = [pair for _, attributes in read.tags for pair in attributes]
    ids = [value for name, value in values if name == "id"]
    assert len(ids) == len(set(ids))
    leads = [value.removeprefix("#") for name, value in values if name == "href"]
    leads += [value for name, value in values if name in ("aria-labelledby", "aria-describedby")]
    assert set(leads) <= set(ids)


NASTY = [
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "\" onmouseover=alert(1) x='",
    "<!-- --><![CDATA[ {{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &amp; &#106;avascript:alert(1)",
    "\x00\x07\x1b[2J\x7f\x9b\r\n\u2028\u202etxt.exe\u202c",
    "half \ud83d of an emoji",
]


def quoting(text):
    """An explanation in which every text that comes from outside is the given one."""
    e = record("sampled")
    renamed = {product: f"{product} {text}" for product in e.products}
    return dataclasses.replace(
        e,
        query=" ".join([text] * 7),
        segments=(text,) * 7,
        relevant=tuple(renamed[product] for product in e.relevant),
        products={renamed[p]: Product(text, known.grade) for p, known in e.products.items()},
        variants=tuple(
            dataclasses.replace(
                variant,
                query=" ".join([text] * 7),
                ranking=tuple(renamed[product] for product in variant.ranking),
            )
            for variant in e.variants
        ),
        context=text,
        intent=text,
        method=dataclasses.replace(
            e.method,
            structure=text,
            stopped=text,
            retriever=text,
            collection=text,
            segmenter=text,
            command=f"ospo explain {shlex.quote(' '.join([text] * 7))} --data {shlex.quote(text)}",
            versions={text: text},
        ),
    )


@cache
def plain():
    return Reader(page([quoting("plain")]))


@settings(max_examples=40)
@given(st.text(st.characters(), min_size=1).filter(str.strip))
def test_quoted_text_is_never_markup(text):
    read = Reader(page([quoting(text)]))
    assert read.shape == plain().shape
    assert read.scripts[-1] == plain().scripts[-1]


@pytest.mark.parametrize("text", NASTY)
def test_an_attack_is_shown_and_not_obeyed(text):
    html = page([quoting(text)])
    read = Reader(html)
    assert read.shape == plain().shape
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", html)
    assert " ".join(printable(text).split()) in read.text


def test_the_switchboard_carries_every_variant_as_it_was_recorded():
    e = record("exact")
    read = Reader(page([e]))
    board = json.loads(read.scripts[0])
    assert len(board["variants"]) == len(e.variants) == 2**4
    listed = list(dict.fromkeys(product for v in e.variants for product in v.ranking))
    for variant in e.variants:
        key = "".join("01"[k in variant.kept] for k in range(4))
        value, change, places = board["variants"][key]
        assert value == f"{variant.value:.3f}"
        assert float(change.replace("−", "-")) == pytest.approx(variant.value - e.total, abs=6e-4)
        assert [listed[place] for place in places] == list(variant.ranking)
    before, after = board["command"]
    assert shlex.split(f"{before} {shlex.quote(QUERY)} {after}") == shlex.split(e.method.command)


def test_a_command_without_the_query_is_not_offered_for_its_parts():
    e = record("rewrite")
    method = dataclasses.replace(e.method, command="ospo explain --model runs/demo 'shoes'")
    read = Reader(page([dataclasses.replace(e, method=method)]))
    assert json.loads(read.scripts[0])["command"] is None


@pytest.mark.parametrize(("phrases", "folded"), [(12, False), (13, False), (14, True)])
def test_phrases_fold_after_the_twelve_strongest_but_never_one_alone(phrases, folded):
    e = explain(" ".join(FORTY.split()[:phrases]), engine(TITLES), JUDGMENTS, budget=300)
    assert (f"{phrases - 12} more phrases" in page([e])) == folded


def test_the_best_drop_comes_first_and_is_open():
    e = record("exact")
    html = page([e])
    first = html[html.index('<details class="drop" open>') :]
    summary = Reader(first[: first.index("</summary>")] + "</summary></details>").text
    assert e.segments[e.best_drop] in summary
    assert html.count(" open>") == 1


def test_moves_between_two_lists_are_those_of_the_ranks():
    e = record("exact")
    red = e.without[2]
    shown = lists(e, red)
    assert [move.product for move in shown.before] == list(e.variants[0].ranking)
    assert [move.product for move in shown.after] == list(red.ranking)
    for i, j, direction in shown.arrows:
        assert shown.before[i].product == shown.after[j].product
        assert direction == ("more" if j < i else "less" if j > i else "")
    assert len(shown.arrows) == len({*e.variants[0].ranking} & {*red.ranking})


def test_a_product_that_leaves_the_list_says_where_it_went_if_that_is_known():
    e = record("exact")
    before = dataclasses.replace(e.variants[0], ranking=("p1", "p5", "p2"), ranks=(1, 3, 12))
    after = dataclasses.replace(e.variants[1], ranking=("p2", "p4"), ranks=(14, 1, 2))
    assert e.relevant == ("p1", "p2", "p4")
    e = dataclasses.replace(e, variants=(before, after, *e.variants[2:]))
    assert lists(e, after) == Lists(
        before=(
            Move("p1", 1, "to 14", "less"),
            Move("p5", 2, "out", "less"),
            Move("p2", 3, "", ""),
        ),
        after=(Move("p2", 1, "↑2", "more"), Move("p4", 2, "↑10", "more")),
        arrows=((2, 0, "more"),),
    )


def test_two_retrievers_are_compared_with_what_they_dispute_first():
    titles = Catalogue(tuple(TITLES), {"title": tuple(TITLES.values())})
    pair = [explain(QUERY, found, JUDGMENTS) for found in (BM25(titles), LSA(titles, 3))]
    html = page(pair)
    text = Reader(html).text
    section = text[text.index("Where they disagree") : text.index("Credit of each phrase")]
    gaps = {
        phrase: abs(one - other)
        for phrase, one, other in zip(pair[0].segments, pair[0].credit, pair[1].credit, strict=True)
    }
    order = sorted(gaps, key=lambda phrase: -gaps[phrase])
    places = [section.index(f"\n{phrase} ") for phrase in order]
    assert places == sorted(places)
    assert text.startswith("BM25 against LSA\n")
    assert html.count("<fieldset hidden") == 1  # one switch turns the phrase off for both


def test_two_that_agree_say_so():
    text = Reader(page([record("exact"), record("exact")])).text
    assert "Both rank every relevant product alike." in text


def test_a_page_takes_one_explanation_or_two_of_one_metric():
    e = record("exact")
    for wrong in ([], [e] * 3):
        with pytest.raises(InputError, match=f"got {len(wrong)}"):
            page(wrong)
    other = dataclasses.replace(e, metric="RR")
    with pytest.raises(InputError, match="nDCG@10 and RR cannot be compared"):
        page([e, other])


def test_the_page_of_forty_long_titled_phrases_stays_below_400_kB(icecat_dir):
    icecat = load_icecat(icecat_dir)
    judged = max(icecat.answerable, key=lambda q: len(icecat.qrels[q]))
    words = " ".join(" ".join(icecat.catalogue.fields["title"][:40]).split()).split()
    query = " ".join(list(dict.fromkeys(words))[:40])
    e = explain(query, BM25(icecat.catalogue), icecat.qrels[judged])
    assert len(e.segments) == 40
    assert len(page([e]).encode()) < 400_000


def test_the_script_is_short_and_the_page_says_what_it_would_do():
    code = (TEMPLATES / "explain.js").read_text(encoding="utf-8")
    assert len(code.splitlines()) < 150
    assert "With scripts on" in page([record("exact")])


def test_a_stored_explanation_has_the_same_page(tmp_path):
    e = record("exact")
    e.save(tmp_path / "explain.json")
    assert page([type(e).load(tmp_path / "explain.json")]) == page([e])

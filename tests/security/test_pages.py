"""Pages of hostile texts: whatever a text holds, it adds no tag and no attribute to a page."""

from __future__ import annotations

import json
from dataclasses import asdict
from html.parser import HTMLParser

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import owen_core as oc
from ospo.data.collection import Catalogue, Collection
from ospo.evaluation import System, evaluate
from ospo.explanation import Explanation, Interaction, Method, Product, SearchCost, Variant
from ospo.report.evaluation_page import evaluation_page
from ospo.report.page import page
from ospo.report.run_page import run_page
from ospo.report.run_record import NEEDED
from ospo.report.worklist import worklist_page
from ospo.search.bm25 import BM25
from ospo.search.metrics import parse_metric
from ospo.train.held_out import HeldOut
from ospo.worklist.row import Row, Summary

ATTACKS = [
    "</script><script>alert(1)</script>",
    "</style></template></svg></title></textarea><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--<script>",
    "-->]]>&lt;b&gt;&#60;b&#62;",
    "{{7*7}}{% raw %}",
    "javascript:alert(1)",
    "\\u003cscript\\u003e\u2028",
    "\x1b]0;owned\x07\0\x9b\u202e",
    "=cmd|'/C calc'!A0",
]
# A letter comes first: an empty text has a page of its own.
WORDS = st.text("<>&\"'`/=-!{}\\;: \n\x1b\u202eaשß", max_size=12).map("a".__add__)
TEXTS = st.one_of(st.sampled_from(ATTACKS), WORDS)
often = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Parsed by browsers as markup, scripts or addresses; all others only lay a page out.
ACTIVE = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "link",
    "meta",
    "base",
    "form",
    "img",
    "a",
}


class Skeleton(HTMLParser):
    """The tags of a page with the names of their attributes, and what its active parts hold."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.active: list[object] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, tuple(name for name, _ in attributes)))
        self._inside = tag if tag in ("script", "style") else ""
        if tag in ACTIVE:
            self.active.append((tag, attributes))

    def handle_endtag(self, tag):
        self.tags.append((f"/{tag}", ()))
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "style" or (
            self._inside == "script" and ("type", "application/json") not in self.active[-1][1]
        ):
            self.active.append(data)

    def handle_comment(self, data):
        self.tags.append(("!--", ()))


def same_markup(write, attack: str) -> str:
    """Check that a page of the attack is built like one of plain words; return it."""
    hostile, plain = write(attack), write("plain")
    ours, theirs = Skeleton(hostile), Skeleton(plain)
    assert ours.tags == theirs.tags
    assert ours.active == theirs.active
    assert not any(c in hostile for c in "\x1b\x9b\0\u202e")
    return hostile


def explanation(text: str) -> Explanation:
    """A record in which every text is the given one, or begins with it."""
    first, second = f"{text}1", f"{text}2"
    query = f"{first}, {second}"
    a, b = f"{text}a", f"{text}b"
    return Explanation(
        query=query,
        segments=(first, second),
        credit=(0.6, -0.1),
        interval=((0.5, 0.7), (-0.2, 0.1)),
        baseline=0.0,
        total=0.5,
        metric=f"nDCG{text}",
        interactions=(Interaction(0, 1, 0.2),),
        relevant=(a,),
        products={a: Product(f"{text} lamp", 2), b: Product(text, None)},
        variants=(
            Variant((0, 1), query, 0.5, (a, b), (1,)),
            Variant((1,), second, 0.1, (b, a), (2,)),
            Variant((0,), first, 0.6, (), (0,)),
        ),
        method=Method(
            *(f"{text} {name}" for name in ("concept", "index", "structure", "estimator")),
            f"{text} stopped",
            7,
            *(f"{text} retriever", f"{text} collection", 2, f"{text} segmenter"),
            command="ospo explain plain",
            versions={f"{text} package": text},
        ),
        cost=SearchCost(4, 3, 1, 0.1),
        context=f"context {text}",
        intent=f"intent {text}",
    )


@given(TEXTS)
@often
def test_the_page_of_an_explanation(attack):
    same_markup(lambda text: page([explanation(text)]), attack)


@given(TEXTS)
@often
def test_the_page_of_two_explanations(attack):
    def write(text):
        other = explanation(text)
        return page([explanation(text), Explanation.from_dict(other.to_dict() | {"context": None})])

    same_markup(write, attack)


@given(TEXTS)
@often
def test_the_frame_in_a_notebook(attack):
    frame = Skeleton(explanation(attack)._repr_html_())
    assert frame.tags == [("iframe", ("title", "srcdoc", "style")), ("/iframe", ())]


@given(TEXTS)
@often
def test_the_table_and_the_words_of_an_attribution(attack):
    def write(text):
        names = [f"{text}{k}" for k in range(3)]
        return oc.attribute(lambda s: s.all(axis=1), names, interactions=True)._repr_html_()

    hostile, plain = Skeleton(write(attack)), Skeleton(write("plain"))
    assert hostile.tags == plain.tags


def worklist(text: str) -> str:
    summary = Summary(
        intent=f"intent {text}",
        value=0.5,
        segments=(f"{text}1", f"{text}2"),
        kinds=("word", text),
        credit=(0.6, -0.1),
        without=(0.1, 0.7),
        half_width=0.1,
        drop=1,
        gain=0.2,
        risen=1,
        fallen=0,
        asked=4,
        searched=3,
        seconds=0.1,
    )
    rows = [
        Row("1f", f"{text}q1", f"{text}1, {text}2", None, summary),
        Row("2f", f"{text}q2", text, f"failed {text}", None),
    ]
    settings = {"metric": f"nDCG{text}", "data": text, "seed": 3, "retriever": text}
    settings |= {"concept": text, "segmenter": text, "budget": None, "fingerprint": text}
    return worklist_page(rows, settings, command=f"ospo explain {text}", notes=[f"note {text}"])


@given(TEXTS)
@often
def test_the_page_of_a_worklist(attack):
    same_markup(worklist, attack)


def test_a_worklist_leads_to_its_own_pages_only():
    row = Row('../../x" onclick="alert(1)', "q", "sofa", None, None)
    rows = [Row(**(asdict(row) | {"failed": "why"}))]
    text = worklist_page(rows, {"metric": "RR"}, command="ospo explain")
    assert not [tag for tag in Skeleton(text).tags if "onclick" in tag[1]]


def evaluation(text: str) -> str:
    ids = (f"{text}a", f"{text}b")
    catalogue = Catalogue(ids, {"title": (f"desk lamp {text}", f"sofa {text}")})
    queries = {f"{text}q1": f"lamp {text}", f"{text}q2": f"sofa {text}"}
    qrels = {f"{text}q1": {ids[0]: 1}, f"{text}q2": {ids[1]: 1}}
    collection = Collection(f"{text}shop", catalogue, queries, qrels, (f"note {text}",))
    systems = [
        System("original", {query: (words,) for query, words in queries.items()}),
        System("other", dict.fromkeys(queries, (f"desk {text}", "")), text, (text,)),
    ]
    found = evaluate(systems, {f"bm25 {text}": BM25(catalogue)}, collection, [parse_metric("RR")])
    return evaluation_page(found, command=f"ospo {text}", explain=lambda q, t: f"explain {q} {t}")


@given(st.sampled_from(ATTACKS))
@settings(parent=often, max_examples=len(ATTACKS))
def test_the_page_of_an_evaluation(attack):
    same_markup(evaluation, attack)


@pytest.fixture
def trained(tmp_path_factory):
    def write(text: str) -> str:
        folder = tmp_path_factory.mktemp("run")
        run = dict.fromkeys(NEEDED, text) | {"reward": "similar", "credit": "myerson"}
        numbers = ("seed", "max_steps", "gradient_accumulation_steps", "steps_per_generation")
        run |= dict.fromkeys((*numbers, "num_iterations"), 1)
        (folder / "config.yaml").write_text(yaml.safe_dump(run), encoding="utf-8")
        records = [
            HeldOut(f"{text}q{k}", f"want {text}", 1.0, 0.5, f"{text} before", text, 0.1 * k, 0.5)
            for k in range(3)
        ]
        lines = (json.dumps(asdict(record)) + "\n" for record in records)
        (folder / "held_out.jsonl").write_text("".join(lines), encoding="utf-8")
        logged = {"step": 1, "reward": 0.5, f"{text}/loss": 0.25}
        (folder / "metrics.jsonl").write_text(json.dumps(logged) + "\n", encoding="utf-8")
        return run_page(folder).replace(folder.name, "run")

    return write


@given(attack=TEXTS)
@often
def test_the_page_of_a_run(trained, attack):
    same_markup(trained, attack)

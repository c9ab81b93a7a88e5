"""The terminal view of explanations: every branch, on every kind of terminal."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from ospo.data.collection import Catalogue
from ospo.explain import explain
from ospo.report.terminal import print_explanation
from ospo.report.terminal_comparison import print_comparison
from ospo.search.bm25 import BM25
from ospo.search.tfidf import TFIDF

GOLDEN = Path(__file__).parents[1] / "golden" / "explain"
TITLES = {
    "p1": "Salomon trail running shoes, waterproof, blue",
    "p2": "Hoka trail running shoes, wide feet, red and a very long name that needs cutting",
    "p3": "Red running socks",
    "p4": "Red road running shoes",
    "p5": "Waterproof [bold]jacket[/bold], red",
    "p6": "Trail map of the Alps",
    "p7": "נעלי ריצה אדומות לשבילים",
    "p8": "防水トレイルランニングシューズ 赤 👟",
    "p9": "\x1b[31mlamp\x07\x9b2J \u202etxet\ud800",
}
SHOP = Catalogue(tuple(TITLES), {"title": tuple(TITLES.values())})
ENGINE = BM25(SHOP)
JUDGMENTS = {"p1": 3, "p2": 2, "p4": 1, "p3": 0}
WORDS = list(dict.fromkeys(re.findall(r"\w+", " ".join(list(TITLES.values())[:6]))))
FORTY = ", ".join(f"{word} {k}" for k, word in enumerate((WORDS * 3)[:40]))

SCREENS = {
    "exact": ("trail running shoes, waterproof, red, wide feet", JUDGMENTS, {}),
    "sampled": (", ".join(WORDS[:17]), JUDGMENTS, {"budget": 400}),
    "target": ("red, waterproof, lamp", {"p5": 1}, {"metric": "score"}),
    "target_rank": ("red, waterproof", {"p5": 1}, {"metric": "RR"}),
    "one_phrase": ("shoes", JUDGMENTS, {}),
    "empty_result": ("qwertz, asdf", JUDGMENTS, {}),
    "nothing_relevant": ("alps map", JUDGMENTS, {}),
    "forty_phrases": (FORTY, JUDGMENTS, {}),
    "right_to_left": ("נעלי, אדומות, red", {"p7": 2, "p4": 1}, {}),
    "wide": ("防水トレイルランニングシューズ, 赤, red", {"p8": 2, "p4": 1}, {}),
    "control": ("red, \x1b[31mlamp\x07 \u202e[red]x[/]", {"p9": 2, "p4": 1}, {}),
    "windows": ("waterproof trail running shoes red", JUDGMENTS, {"concept": "windows"}),
}


def explained(name):
    query, judgments, options = SCREENS[name]
    e = explain(query, ENGINE, judgments, **options)
    cost = dataclasses.replace(e.cost, seconds=0.25)
    return dataclasses.replace(
        e, cost=cost, method=dataclasses.replace(e.method, collection="test")
    )


def shown(view, *, width=80, encoding="utf-8", **options):
    """What a terminal shows."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    options = {"color_system": None, "legacy_windows": False} | options
    view(Console(file=out, width=width, **options))
    out.flush()
    text = raw.getvalue().decode(encoding)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def checked(name, text, request):
    path = GOLDEN / f"{name}.txt"
    if request.config.getoption("--write-golden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SCREENS)
def test_the_terminal_view_is_golden(name, request):
    e = explained(name)
    text = shown(lambda console: print_explanation(e, console))
    checked(name, text, request)
    assert max(map(cell_len, text.splitlines())) <= 80


def test_a_rewrite_is_shown_with_its_context_its_intent_and_its_files(request):
    e = dataclasses.replace(
        explained("exact"), context="looking for shoes, not [red] ones", intent="running shoes"
    )
    wrote = [Path("out/explain.html"), Path("out/explain.json")]
    text = shown(lambda console: print_explanation(e, console, wrote=wrote))
    checked("model", text, request)


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("width", [60, 100])
def test_other_widths_lose_no_number(name, width):
    e = explained(name)
    text = shown(lambda console: print_explanation(e, console), width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    strongest = max(e.credit, key=abs)
    assert f"{strongest:+.3f}".replace("-", "−") in text or strongest == 0
    assert f"{e.total:.3f}" in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("name", SCREENS)
def test_a_terminal_without_unicode_gets_the_same_table_in_its_own_signs(name, encoding):
    e = explained(name)
    text = shown(lambda console: print_explanation(e, console), encoding=encoding)
    assert "█" not in text
    assert len(text.splitlines()) == len(
        shown(lambda console: print_explanation(e, console)).splitlines()
    )
    strongest = max(e.credit, key=abs)
    assert f"{strongest:+.3f}" in text or strongest == 0


@pytest.mark.parametrize("color", [None, "truecolor"])
def test_nothing_in_a_query_or_a_title_is_interpreted(color):
    e = explained("control")
    text = shown(
        lambda console: print_explanation(e, console), color_system=color, force_terminal=True
    )
    own = re.sub(r"\x1b\[[0-9;]*m", "", text)  # rich's own colours
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", own)
    assert "␛[31mlamp␇" in own
    assert "[red]x[/]" in own
    if color is None:
        assert "\x1b" not in text


def test_no_color_takes_the_colours_away(monkeypatch):
    e = explained("exact")
    options = {"color_system": "standard", "force_terminal": True}
    with_colour = shown(lambda console: print_explanation(e, console), **options)
    assert re.search(r"\x1b\[[0-9;]*3[14]", with_colour)
    monkeypatch.setenv("NO_COLOR", "1")
    without = shown(lambda console: print_explanation(e, console), **options)
    assert not re.search(r"\x1b\[[0-9;]*3[14]", without)


def test_a_number_after_right_to_left_text_stays_in_its_column():
    lines = shown(lambda console: print_explanation(explained("right_to_left"), console))
    for line in lines.splitlines():
        if re.search("[א-ת].*[0-9]", line):
            assert re.search("[א-ת][^א-ת0-9]*\u200e[^א-ת]*[0-9]", line), line


COMPARED = {
    "retrievers": lambda: (
        explain("trail running shoes, waterproof, red, wide feet", ENGINE, JUDGMENTS),
        explain("trail running shoes, waterproof, red, wide feet", TFIDF(SHOP), JUDGMENTS),
    ),
    "rewrite": lambda: (
        explain("running shoes, road", ENGINE, JUDGMENTS),
        explain("looking for running shoes for the road", ENGINE, JUDGMENTS),
    ),
    "same": lambda: (explained("exact"), explained("exact")),
}


@pytest.mark.parametrize("name", COMPARED)
def test_a_comparison_is_golden(name, request):
    first, second = (
        dataclasses.replace(e, cost=dataclasses.replace(e.cost, seconds=0.25), intent="shoes")
        for e in COMPARED[name]()
    )
    text = shown(lambda console: print_comparison((first, second), console))
    checked(f"compare_{name}", text, request)
    assert max(map(cell_len, text.splitlines())) <= 80

"""The report of a real run, however short, in a real browser."""

from __future__ import annotations

import json
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe

from ospo.cli import main

SHORT = ["--max_steps", "3", "--per_device_train_batch_size", "16", "--warm_start_steps", "150"]
SHORT += ["--gradient_accumulation_steps", "1", "--max_completion_length", "16", "--seed", "5"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a run as ``ospo train`` leaves it, and a copy that has the first beside it."""
    folder = tmp_path_factory.mktemp("runs")
    alone, compared = folder / "alone", folder / "compared"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        assert main(["train", *SHORT, "--output_dir", str(alone)]) == 0
        shutil.copytree(alone, compared)
        assert main(["train", "--report", str(compared), "--baseline", str(alone)]) == 0
    return folder


@pytest.fixture(params=["alone", "compared"])
def opened(chromium, runs, request):
    """The page, with what it asked for and complained about."""
    view = chromium.new_page()
    view.asked, view.complaints = [], []
    view.on("request", lambda request: view.asked.append(request.url))
    view.on("console", lambda message: view.complaints.append(message.text))
    view.on("pageerror", lambda error: view.complaints.append(str(error)))
    view.goto((runs / request.param / "report.html").as_uri())
    yield view
    view.close()


def test_the_page_asks_for_nothing_and_complains_of_nothing(opened):
    assert opened.asked == [opened.url]
    assert opened.complaints == []


def test_the_curves_are_seen_with_those_of_a_baseline(opened, runs):
    lines = (runs / "alone" / "metrics.jsonl").read_text().splitlines()
    logged = [line["entropy"] for line in map(json.loads, lines) if "entropy" in line]
    plot = opened.get_by_role("img", name="entropy")
    assert len(logged) == 3
    assert f"from {logged[0]:.3g}"[:8] in plot.get_attribute("aria-label")
    assert plot.locator("path.other").count() == ("compared" in opened.url)
    box = plot.locator("path.curve").bounding_box()
    assert min(box["width"], box["height"]) > 50


def test_ten_samples_are_shown_with_tints_that_follow_their_signs(opened):
    samples = opened.locator("article.sample")
    assert samples.count() == 10
    for phrase in opened.locator(".strip .tint").all()[:20]:
        sign = phrase.locator("small").inner_text()[0]
        kind = {"+": "tint more", "−": "tint less"}.get(sign, "tint")
        assert phrase.get_attribute("class").strip() == kind


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(opened, scheme):
    opened.emulate_media(color_scheme=scheme)
    found = Axe().run(opened)
    assert [v["id"] for v in found.response["violations"]] == []


def test_the_page_fits_a_phone(opened):
    opened.set_viewport_size({"width": 360, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") == 360

"""The pages: what they show runs and gives what they say, and what they name exists."""

from __future__ import annotations

import argparse
import doctest
import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from ospo.commands import cache, eval, explain
from ospo.train.launch import FLAG, divided

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TEXTS = {
    str(page.relative_to(DOCS)): page.read_text(encoding="utf-8")
    for page in sorted(DOCS.rglob("*.md"))
    if "auto_tutorials" not in page.parts
}
RUN = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)  # {code-block}: shown only
TYPED = re.compile(r"^\$ (?:.*-m )?ospo(?:\.cli)? (.*)$", re.MULTILINE)
FILE = re.compile(r"`((?:benchmarks|examples|tests)/[\w./-]+)`")
MODULE = re.compile(r"`python -m (benchmarks[\w.]+)")


def those_with(pattern):
    """The pages in which a pattern is found."""
    pages = [page for page, text in TEXTS.items() if pattern.search(text)]
    return pytest.mark.parametrize("page", pages)


@those_with(RUN)
def test_the_code_of_a_page_gives_what_the_page_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "\n".join(RUN.findall(TEXTS[page]))
    example = doctest.DocTestParser().get_doctest(code, {}, page, page, 0)
    failed, tried = doctest.DocTestRunner().run(example)
    assert tried
    assert not failed


@those_with(TYPED)
def test_the_commands_of_a_page_can_be_typed(page):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for command in (explain, eval, cache):
        command.add(commands)
    for line in TYPED.findall(TEXTS[page].replace("\\\n>", "")):
        command, *options = shlex.split(line)
        if command != "train":
            parser.parse_args([command, *options])
        elif "--report" not in options:
            _, unknown = divided([option for option in options if option != FLAG])
            assert not [option for option in unknown if option.startswith("-")], line


def test_the_scripts_that_pages_name_are_there():
    every = "\n".join(TEXTS.values())
    files = {ROOT / name for name in FILE.findall(every)}
    files |= {ROOT / name.replace(".", "/") for name in MODULE.findall(every)}
    assert len(files) > 5
    missing = [path for path in files if not path.exists() and not path.with_suffix(".py").exists()]
    assert missing == []


def test_each_benchmark_is_in_the_table_of_benchmarks():
    folder = ROOT / "benchmarks"
    rows = set(re.findall(r"^\| `([\w./]+)` \|", (folder / "README.md").read_text(), re.MULTILINE))
    run = {path for path in folder.rglob("*.py") if '__name__ == "__main__"' in path.read_text()}
    scripts = {path.parent if path.stem == "__main__" else path for path in run}
    assert rows == {str(path.relative_to(folder)) for path in scripts}


def test_a_released_readme_links_to_files_of_the_repository():
    absolute = runpy.run_path(str(ROOT / ".ci" / "readme.py"))["absolute"]
    text = absolute((ROOT / "README.md").read_text(encoding="utf-8"), "owner/name", "0123abc")
    places = re.findall(r'\]\(([^)]+)|src(?:set)?="([^"]+)', text)
    ours = [at for at in map("".join, places) if "/owner/name/" in at]
    assert len(ours) >= 8
    assert all(at.startswith("https://") for at in map("".join, places))
    files = [re.split(r"/0123abc/", at)[1] for at in ours]
    assert [file for file in files if not (ROOT / file).is_file()] == []


def stored(name):
    return json.loads((ROOT / "benchmarks" / "results" / name).read_text(encoding="utf-8"))


def test_the_comparison_says_what_the_stored_results_say():
    exact, step = stored("exact.json"), stored("step.json")
    found = exact["peers"]
    said = [f"{found['owen_core'] * 1e3:.2f} ms"]
    said += [f"shapiq {found['shapiq ExactComputer']:.2f} s, shap {found['shap Exact']:.1f} s"]
    (_, owen, _, ours), (_, asked, calls, theirs) = exact["structured"][:2]
    said += [f"{owen:,} evaluations in 1 call, {ours * 1e3:.2f} ms"]
    said += [f"shap {asked:,} in {calls:,} calls, {theirs:.2f} s"]
    (_, winter, calls, ours), *shap = exact["structured"][2:]
    said += [f"{winter:,} in {calls} calls, {ours * 1e3:.2f} ms"]
    said += [f"shap Partition {shap[0][-1]:.2f} s, Exact {shap[1][-1]:.2f} s"]
    errors = stored("sampling.json")["error"]["32 players, 4096 evaluations"]
    auto, peers = errors["auto"], [v for k, v in errors.items() if k.startswith("shap")]
    smaller = [min(p[f] for p in peers) / auto[f] for f in auto if auto[f] > 1e-18]
    said += [f"{min(smaller):.1f} to {max(smaller):.0f} times smaller"]
    for case in ("no retriever", "bm25", "dense", "dense:#onnx"):
        share = {k: f"{v:+.0%}".replace("-", "−") for k, v in step[case]["overhead"].items()}
        estimate = share["estimate"].replace("%", " %")
        said += [f"{estimate} ({share['low'][:-1]} to {share['high'][:-1]})"]
    page = " ".join(TEXTS["comparison.md"].split())
    assert [words for words in said if words not in page] == []


def test_the_readme_says_what_was_learned():
    learned = stored("learning.json")
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    for task, own in learned["best_rate"].items():
        found = own[learned["default"]]
        ratio = ["never" if at is None else f"{at:.2f}" for at in found["steps_ratio"].values()]
        end = [f"{at:+.3f}".replace("-", "−") for at in found["end"].values()]
        for estimate, low, high in (ratio, end):
            assert f"{estimate} [{low}, {high}]" in readme, task
        assert f"{found['runs']} paired runs" in readme

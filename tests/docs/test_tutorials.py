"""The tutorials, as far as that can be said without running them, which ``make docs`` does."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

import owen_core as oc

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.py"))
OURS = re.compile(r"(owen_core|ospo)\b")

every_tutorial = pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)


def test_tutorials_are_numbered_in_the_order_of_the_gallery():
    numbers = [int(path.stem[:2]) for path in TUTORIALS]
    assert numbers == list(range(1, 12))


@every_tutorial
def test_a_tutorial_begins_with_its_title_and_what_it_is_about(path):
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    title, underline, blank, *about = text.split("\n")
    assert underline == "=" * len(title)
    assert not blank
    assert about


@every_tutorial
def test_a_tutorial_names_only_what_there_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and OURS.match(node.module or ""):
            module = import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) == "oc":
            assert hasattr(oc, node.attr)


@every_tutorial
def test_a_tutorial_asks_nothing_of_the_network(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|from_pretrained|load_dataset|fetch_\w+\(", text)

"""The house: what imports what, and what is listed where."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

import owen_core

ROOT = Path(__file__).parents[1]
# Imports go from left to right only.
ORDER = [
    "errors",
    "named",
    "storage",
    "paired",
    "record",
    "text",
    "data",
    "search",
    "reward",
    "game",
    "credit",
    "advantage",
    "train",
    "explanation",
    "explain",
    "order",
    "worklist",
    "evaluation",
]
ORDER += ["report", "commands", "cli"]
# What owen_core may load when, and only when, a feature that needs it is used.
OPTIONAL = {
    "distributed",
    "matplotlib",
    "numba",
    "pandas",
    "ray",
    "rich",
    "shap",
    "shapiq",
    "sklearn",
}


def imports(path: Path, *, on_import_only: bool = False) -> set[str]:
    """Every module that a file imports, at any depth of its code.

    With ``on_import_only``, those that importing the file loads: not the ones inside functions,
    nor those that only type checkers see.
    """
    found = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if on_import_only and (
            isinstance(node, ast.FunctionDef)
            or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        ):
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
        nodes += ast.iter_child_nodes(node)
    return found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "owen_core").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_owen_core_knows_numpy_and_nothing_else_until_it_is_asked(path):
    base = sys.stdlib_module_names | {"numpy", "owen_core"}
    assert {name.partition(".")[0] for name in imports(path, on_import_only=True)} <= base
    assert {name.partition(".")[0] for name in imports(path)} <= base | OPTIONAL


@pytest.mark.parametrize(
    "path", sorted((ROOT / "ospo").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_imports_inside_ospo_go_one_way(path):
    parts = path.relative_to(ROOT / "ospo").with_suffix("").parts
    if parts == ("__init__",):
        return
    own = ORDER.index(parts[0])
    for name in imports(path):
        if name.startswith("ospo."):
            assert ORDER.index(name.split(".")[1]) <= own, f"{path} imports {name}"


def loaded(path: Path) -> set[str]:
    """The modules of our own that importing a file loads by name."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module in FILES:
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & FILES.keys()
            found |= inside or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & FILES.keys()
    return found


# Module -> file; compiled ones by what types them.
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("owen_core", "ospo")
    for path in (ROOT / package).rglob("*.py*")
    if path.suffix in (".py", ".pyi")
}


def test_no_modules_import_each_other():
    order = TopologicalSorter({name: loaded(path) for name, path in FILES.items()})
    assert len([*order.static_order()]) == len(FILES)


def test_the_core_imports_nothing_of_ospo():
    core = {path for name, path in FILES.items() if name.startswith("owen_core")}
    assert not any(name.startswith("ospo") for path in core for name in imports(path))


def test_headers_include_the_standard_library_and_each_other_one_way():
    headers = {path.name: path for path in (ROOT / "cpp" / "include" / "owen").iterdir()}
    included = {
        name: re.findall(r'^#include [<"](.*)[>"]', path.read_text(encoding="utf-8"), re.MULTILINE)
        for name, path in headers.items()
    }
    own = {name: {i[5:] for i in of if i.startswith("owen/")} for name, of in included.items()}
    assert {*TopologicalSorter(own).static_order()} == headers.keys()
    others = {i for of in included.values() for i in of if not i.startswith("owen/")}
    assert not [name for name in others if "." in name or "/" in name]


WRITTEN = {".cpp", ".css", ".hpp", ".html", ".js", ".md", ".py"}
LONGEST = 400  # lines of a file that gives no reason in its first ones


def test_a_long_file_says_why_at_its_top():
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    long = []
    for path in (ROOT / name for name in names.splitlines()):
        # Scripts write the pages of results.
        if path.suffix in WRITTEN and path.is_file() and "results" not in path.parts:
            lines = path.read_text(encoding="utf-8").splitlines()
            if len(lines) > LONGEST and "Long because" not in "".join(lines[:20]):
                long.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
    assert not long


def test_what_the_core_offers_is_listed_in_one_place():
    offered = {
        name
        for name, thing in vars(owen_core).items()
        if not name.startswith("_") and not isinstance(thing, ModuleType)
    }
    assert offered <= {*owen_core.__all__}
    assert all(hasattr(owen_core, name) for name in owen_core.__all__)

"""The house: what imports what, and what a plain installation brings."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Imports go from left to right only.
ORDER = [
    "errors",
    "storage",
    "paired",
    "text",
    "data",
    "search",
    "reward",
    "game",
    "credit",
    "advantage",
    "train",
    "record",
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


@pytest.fixture(scope="module")
def plain_python(tmp_path_factory):
    """An interpreter in a virtual environment where only ``pip install .`` was run."""
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT]
    subprocess.run([*command, "-c", ROOT / "constraints.txt"], check=True)
    return python


def run(python, code):
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True, cwd=python.parent
    ).stdout


def test_a_plain_installation_brings_numpy_and_nothing_else(plain_python):
    listing = run(
        plain_python,
        "import importlib.metadata as m, json;"
        "print(json.dumps([d.metadata['Name'].lower() for d in m.distributions()]))",
    )
    assert set(json.loads(listing)) - {"pip", "setuptools", "wheel"} == {"numpy", "owen-core"}


def test_importing_owen_core_loads_numpy_and_the_standard_library_only(plain_python):
    code = (
        "import sys, json, numpy; before = set(sys.modules); import owen_core;"
        "print(json.dumps(sorted({m.partition('.')[0] for m in set(sys.modules) - before})))"
    )
    assert set(json.loads(run(plain_python, code))) - sys.stdlib_module_names <= {
        "numpy",
        "owen_core",
    }


def test_everything_in_the_packages_is_installed(plain_python):
    code = "import importlib.metadata as m; print(*m.files('owen-core'), sep='\\n')"
    installed = set(run(plain_python, code).splitlines())
    kept = {".css", ".html", ".js", ".md", ".py", ".pyi", ".toml", ".typed"}
    ours = {
        str(path.relative_to(ROOT))
        for package in ("owen_core", "ospo")
        for path in (ROOT / package).rglob("*")
        if path.suffix in kept
    }
    assert ours <= installed


def test_the_installed_core_attributes(plain_python):
    code = "import owen_core as oc; print(oc.from_table([0, 0, 0, 1]).values.tolist())"
    assert run(plain_python, code).strip() == "[0.5, 0.5]"


@pytest.mark.parametrize("command", [["explain", "gaming laptop"], ["train"]])
def test_a_command_without_its_extra_exits_2_and_says_what_to_install(plain_python, command):
    done = subprocess.run([plain_python.parent / "ospo", *command], capture_output=True, text=True)
    assert done.returncode == 2
    assert f'pip install "owen-core[{command[0]}]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1

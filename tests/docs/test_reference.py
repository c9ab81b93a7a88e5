"""The reference: it documents the public interface, all of it, and nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections import Counter
from pathlib import Path

import owen_core as oc

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DIRECTIVE = re.compile(r"^\.\. (currentmodule|auto\w+|py:data):: ([\w.]+)$", re.MULTILINE)
FENCE = re.compile(r"^```(?:python|\{code-block\} python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def found(name):
    """What a dotted name stands for, importing the modules on its way."""
    parts = name.split(".")
    for split in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for part in parts[split:]:
            thing = getattr(thing, part)
        return thing
    raise LookupError(name)


def members(module):
    """The names that ``automodule`` documents: classes and functions with a docstring."""
    loaded = importlib.import_module(module)
    for name in getattr(loaded, "__all__", vars(loaded)):
        thing = getattr(loaded, name)
        own = hasattr(loaded, "__all__") or getattr(thing, "__module__", None) == module
        code = inspect.isclass(thing) or inspect.isroutine(thing)
        if own and code and not name.startswith("_") and inspect.getdoc(thing):
            yield f"{module}.{name}"


def documented():
    """Every name of the reference, as often as it is there."""
    for page in sorted((DOCS / "reference").glob("*.md")):
        inside = ""
        for directive, name in DIRECTIVE.findall(page.read_text(encoding="utf-8")):
            if directive == "currentmodule":
                inside = f"{name}."
            elif directive == "automodule":
                yield from members(name)
            else:
                yield inside + name if "." not in name else name


NAMES = Counter(documented())
THINGS = {name: found(name) for name in NAMES}


def listed(module):
    """The names of a module's ``__all__``, but for modules."""
    loaded = importlib.import_module(module)
    return {f"{module}.{n}" for n in loaded.__all__ if not inspect.ismodule(getattr(loaded, n))}


def of(module):
    return {name for name in NAMES if name.rpartition(".")[0] == module}


def test_the_reference_of_owen_core_is_its_public_interface():
    assert of("owen_core") == listed("owen_core")
    assert of("owen_core.plots") == listed("owen_core.plots")
    assert of("owen_core.games") == set(members("owen_core.games"))
    places = {name.rpartition(".")[0] for name in NAMES if name.startswith("owen_core.")}
    assert places == {"owen_core", "owen_core.games", "owen_core.plots"}
    modules = {n for n in oc.__all__ if inspect.ismodule(getattr(oc, n))}
    assert modules == {"games", "plots"}


def test_the_reference_of_ospo_has_all_that_its_packages_list():
    packages = [
        ".".join(path.parent.relative_to(ROOT).parts)
        for path in (ROOT / "ospo").rglob("__init__.py")
        if "__all__" in path.read_text(encoding="utf-8")
    ]
    assert "ospo.train" in packages
    for package in packages:
        assert of(package) == listed(package), package


def test_nothing_is_documented_twice():
    assert [name for name, times in NAMES.items() if times > 1] == []
    code = {name: thing for name, thing in THINGS.items() if callable(thing)}
    times = Counter(map(id, code.values()))
    assert [name for name, thing in code.items() if times[id(thing)] > 1] == []


def test_everything_documented_says_what_it_is():
    code = {
        n: thing
        for n, thing in THINGS.items()
        if inspect.isclass(thing) or inspect.isroutine(thing)
    }
    assert [name for name, thing in code.items() if not inspect.getdoc(thing)] == []


def functions():
    """Every public function, method and property, with the name it is documented under."""
    for name, thing in THINGS.items():
        within = [thing]
        if inspect.isclass(thing):
            within = [f for n, f in vars(thing).items() if n[0] != "_" or n == "__init__"]
        for function in within:
            function = getattr(function, "fget", getattr(function, "__func__", function))
            function = inspect.unwrap(function)
            if inspect.isfunction(function):
                yield name, function


def test_the_types_in_its_signatures_are_documented_too():
    known, unnamed = set(map(id, THINGS.values())), set()
    for name, function in functions():
        for word in re.findall(
            r"\b[A-Z]\w+", " ".join(map(str, function.__annotations__.values()))
        ):
            thing = function.__globals__.get(word)
            if inspect.isclass(thing) and is_ours(thing.__module__) and id(thing) not in known:
                unnamed.add(f"{thing.__module__}.{word} in {name}")
    assert unnamed == set()


def is_ours(module):
    return module.partition(".")[0] in ("owen_core", "ospo")


def used(code):
    """What a script takes from the two packages, as dotted names."""
    tree = ast.parse(code)
    short = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and is_ours(node.module or ""):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            short |= {a.asname or a.name for a in node.names if a.name == "owen_core"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in short:
            yield f"owen_core.{node.attr}"


def shown():
    """The code that users are shown: of the pages, the README, the examples and the tutorials."""
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            lines = block.splitlines()
            prompted = [line[4:] for line in lines if line.startswith((">>>", "..."))]
            yield page, "\n".join(prompted or lines)
    for script in [*ROOT.glob("examples/*.py"), *(DOCS / "tutorials").glob("*.py")]:
        yield script, script.read_text(encoding="utf-8")


def test_users_are_shown_nothing_that_the_reference_does_not_name():
    known = set(map(id, THINGS.values()))
    unnamed = [
        f"{page.relative_to(ROOT)}: {name}"
        for page, code in shown()
        for name in used(code)
        if id(found(name)) not in known and not inspect.ismodule(found(name))
    ]
    assert unnamed == []

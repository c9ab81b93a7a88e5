"""What is handed out: the sdist, the wheel built from it, and what installing that brings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)  # the core is compiled

ROOT = Path(__file__).parents[1]
NAME = "owen_core-" + tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def files(root, *folders):
    """Return the paths of all files in these folders."""
    found = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix() for path in found}


def build(kind, folder, out):
    code = f"from setuptools import build_meta; build_meta.build_{kind}({str(out)!r})"
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """What a fresh clone would be: the tree without anything that was built in it."""
    clone = tmp_path_factory.mktemp("clone") / "clone"
    made = [".?*", "build", "dist", "runs", "*.egg-info", "*.so", "__pycache__"]
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(*made))
    return clone


@pytest.fixture(scope="module")
def sdist(clone, tmp_path_factory):
    """The source distribution."""
    return build("sdist", clone, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel, built from nothing but the source distribution."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    return build("wheel", folder / NAME, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def plain_python(wheel, tmp_path_factory):
    """An interpreter in a virtual environment where the wheel is installed without an extra."""
    folder = tmp_path_factory.mktemp("plain")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    subprocess.run([*command, "-c", ROOT / "constraints.txt"], check=True)
    return python


def run(python, *arguments):
    return subprocess.run(
        [python, *arguments], capture_output=True, text=True, check=True, cwd=python.parent
    ).stdout


def test_the_sdist_holds_what_builds_the_wheel_and_nothing_else(sdist, clone):
    with tarfile.open(sdist) as archive:
        members = {member.name for member in archive.getmembers() if member.isfile()}
    found = {name.removeprefix(f"{NAME}/") for name in members}
    made = {file for file in found if file.startswith("owen_core.egg-info/")}
    assert found - made == {
        *files(clone, "owen_core", "ospo", "cpp/bindings", "cpp/include"),
        *["LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"],
        *["PKG-INFO", "setup.cfg"],  # by setuptools
    }


def test_the_wheel_holds_the_two_packages_and_nothing_else(wheel, clone):
    with zipfile.ZipFile(wheel) as archive:
        found = set(archive.namelist())
    described = {file for file in found if file.startswith(f"{NAME}.dist-info/")}
    compiled = {file for file in found if file.startswith("owen_core/_core.cpython-")}
    assert len(compiled) == 1
    assert found - described - compiled == files(clone, "owen_core", "ospo")
    assert f"{NAME}.dist-info/licenses/LICENSE" in described


def test_the_citation_names_the_same_version():
    assert f"version: {NAME.removeprefix('owen_core-')}\n" in (ROOT / "CITATION.cff").read_text()


def test_a_plain_installation_brings_numpy_and_nothing_else(plain_python):
    code = (
        "import importlib.metadata as m, json;"
        "print(json.dumps([d.metadata['Name'].lower() for d in m.distributions()]))"
    )
    brought = set(json.loads(run(plain_python, "-c", code))) - {"pip", "setuptools", "wheel"}
    assert brought == {"numpy", "owen-core"}


def test_importing_owen_core_loads_numpy_and_the_standard_library_only(plain_python):
    code = (
        "import sys, json, numpy; before = set(sys.modules); import owen_core;"
        "print(json.dumps(sorted({m.partition('.')[0] for m in set(sys.modules) - before})))"
    )
    loaded = set(json.loads(run(plain_python, "-c", code)))
    assert loaded - sys.stdlib_module_names <= {"numpy", "owen_core"}


def test_the_installed_core_keeps_the_axioms(plain_python):
    assert "The axioms hold in" in run(plain_python, "-I", ROOT / ".ci" / "smoke.py")


@pytest.mark.parametrize("command", [["explain", "gaming laptop"], ["train"]])
def test_a_command_without_its_extra_exits_2_and_says_what_to_install(plain_python, command):
    done = subprocess.run([plain_python.parent / "ospo", *command], capture_output=True, text=True)
    assert done.returncode == 2
    assert f'pip install "owen-core[{command[0]}]"' in done.stderr
    assert len(done.stderr.splitlines()) == 1

"""Builds the sdist and from it the wheel, and tries each extra of it in an empty environment.

The files are left in dist/. With names of extras, only those are tried, with the wheel there.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
SMOKE = ROOT / ".ci" / "smoke.py"
DEMO = "ospo explain --demo"
DASK_AND_RAY = "import doctest, owen_core.clusters as m; exit(doctest.testmod(m).failed)"
OTHERS = "import owen_core as oc; a = oc.from_table([0, 0, 0, 1]); a.to_shap(), a.to_shapiq()"
VERL = "import ospo.train.verl.plugin; from verl.trainer.ppo.core_algos import get_adv_estimator_fn"
# What shows that an extra brought what its features take: commands and how they exit. 3 is said of
# a search engine that does not answer, 1 of a spaCy pipeline that is not there.
CHECKS = {
    "": [],
    "all": [(DEMO, 0), ("ospo train --dry_run", 0)],
    "dense": [(f"{DEMO} --retriever dense", 0)],
    "dev": [("python -m pytest --version", 0), ("mypy --version", 0), ("ruff --version", 0)],
    "distributed": [(f"python -c '{DASK_AND_RAY}'", 0)],
    "docs": [("python -c 'import furo, math_core, myst_parser, sphinx, sphinx_gallery'", 0)],
    "explain": [(DEMO, 0)],
    "faiss": [(f"{DEMO} --retriever faiss", 0)],
    "http": [(f"{DEMO} --retriever http:http://127.0.0.1:9/_search", 3)],
    "interop": [(f"python -c '{OTHERS}; a.plot.waterfall()'", 0)],
    "onnx": [(f"{DEMO} --retriever dense:#onnx", 0)],
    "postgres": [(f"{DEMO} --retriever postgres:postgresql://127.0.0.1:9/shop", 3)],
    "sklearn": [(f"{DEMO} --retriever lsa", 0)],
    "spacy": [(f"{DEMO} --segmenter spacy:absent", 1)],
    "train": [(DEMO, 0), ("ospo train --dry_run", 0)],
    "verl": [(f"python -c '{VERL}; get_adv_estimator_fn(\"ospo\")'", 0)],
}


def build() -> None:
    """Write the sdist, and the wheel that is built from it, to an empty dist/."""
    shutil.rmtree(DIST, ignore_errors=True)
    command = [sys.executable, "-m", "build", "--outdir", str(DIST)]
    _run(command, 0, str(ROOT))


def check(extra: str) -> None:
    """Install the wheel with an extra in an empty environment, and run what shows that it works."""
    (wheel,) = DIST.glob("*.whl")
    constraints = "constraints-verl.txt" if extra == "verl" else "constraints.txt"
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder)
        programs = Path(folder) / "bin"
        pip = [sys.executable, "-m", "pip", "--python", str(programs / "python")]
        target = f"owen-core[{extra}] @ {wheel.as_uri()}"
        _run([*pip, "install", "--no-compile", "-c", str(ROOT / constraints), target], 0, folder)
        _run([*pip, "check"], 0, folder)
        for command, code in [(f"python -I {SMOKE}", 0), *CHECKS[extra]]:
            program, *arguments = shlex.split(command)
            _run([str(programs / program), *arguments], code, folder)


def _run(arguments: list[str], code: int, cwd: str) -> None:
    done = subprocess.run(
        arguments, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != code:
        command = shlex.join(arguments)
        sys.exit(f"{done.stdout}\nexit {done.returncode} instead of {code}: {command}")


def main(wanted: list[str]) -> None:
    """Do all steps, or the wanted ones, and print how long each took."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    if unlike := {"", *project["optional-dependencies"]} ^ CHECKS.keys():
        sys.exit(f"CHECKS of {__file__} and the extras of pyproject.toml differ: {unlike}")
    if unknown := set(wanted) - CHECKS.keys():
        sys.exit(f"no extra {unknown}: choose among {sorted(CHECKS)}")
    steps: dict[str, Callable[[], None]] = {
        f"owen-core[{extra}]": partial(check, extra) for extra in wanted or CHECKS
    }
    if not wanted:
        steps = {"sdist and wheel": build, **steps}
    for name, step in steps.items():
        start = time.monotonic()
        step()
        print(f"{name:24} {time.monotonic() - start:6.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

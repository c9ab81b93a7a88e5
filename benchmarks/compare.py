"""What the benchmarks found, beside what they found before.

    python benchmarks/compare.py                      what is stored, beside what was last committed
    python benchmarks/compare.py v0.1.0               ... beside that of any revision
    python benchmarks/compare.py before.json now.json two files, or two folders of files

Every number that differs by more than ``--over`` percent has a line, the largest change first; of a
list of numbers, such as repeated times, the median counts. Numbers of two processors are shown
beside each other, and said to be of two.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path("benchmarks/results")
OVER = 10.0  # percent

Results = dict[str, dict[str, float | str]]  # file -> where a number stands -> the number


def flat(data: Any, path: str = "") -> Iterator[tuple[str, float | str]]:
    """Yield where each number and text of a result stands, and what it is.

    Examples
    --------
    >>> dict(flat({"fold": {"n": 16, "ms": [3.0, 1.0, 2.0]}, "on": "x86"}))
    {'fold / n': 16, 'fold / ms': 2.0, 'on': 'x86'}
    """
    if isinstance(data, list) and data and all(map(is_number, data)):
        yield path, median(data)
    elif isinstance(data, dict | list):
        for name, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from flat(value, f"{path} / {name}" if path else str(name))
    elif is_number(data) or isinstance(data, str):
        yield path, data


def is_number(value: object) -> bool:
    """Whether a value is a number, and not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def read(source: str) -> Results:
    """Return the results in a file, in a folder, or of a revision."""
    path = Path(source)
    if path.is_file():
        return {"": dict(flat(json.loads(path.read_text(encoding="utf-8"))))}
    if path.is_dir():
        texts = {file.name: file.read_text(encoding="utf-8") for file in path.glob("*.json")}
    else:
        names = [file.name for file in map(Path, listed(source)) if file.suffix == ".json"]
        texts = {name: git("show", f"{source}:{RESULTS / name}").stdout for name in names}
    return {name: dict(flat(json.loads(text))) for name, text in texts.items()}


def listed(revision: str) -> list[str]:
    """Return the files of results that a revision has."""
    done = git("ls-tree", "--name-only", revision, f"{RESULTS}/")
    if done.returncode:
        raise SystemExit(f"{revision} is no file, no folder and no revision: name one of these")
    return done.stdout.splitlines()


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask git of this repository."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)


def change(before: float, now: float) -> float:
    """Return by how much a number changed, as a logarithm: double and half are equally much.

    Examples
    --------
    >>> change(2.0, 4.0) == -change(4.0, 2.0)
    True
    >>> change(0.0, 0.0), change(0.0, 1.0)
    (0.0, inf)
    """
    if before == now:
        return 0.0
    return math.log(now / before) if before * now > 0 else math.inf


def compare(before: Results, now: Results, over: float = OVER) -> Iterator[str]:
    """Yield a line for each number that changed by more than ``over`` percent.

    Examples
    --------
    >>> for line in compare({"a.json": {"ms": 2.0, "n": 5}}, {"a.json": {"ms": 1.0, "n": 5}}):
    ...     print(line)
    a.json: 1 of 2 numbers changed by more than 10 %
               2 ->            1     x 0.50  ms
    """
    for file in sorted(before.keys() | now.keys()):
        old, new = before.get(file), now.get(file)
        if old is None or new is None:
            yield f"{file}: only {'now' if old is None else 'before'}"
            continue
        if old.get("processor") != new.get("processor"):
            yield f"{file}: of two processors, {old.get('processor')} and {new.get('processor')}"
        shared = [k for k in old.keys() & new.keys() if is_number(old[k]) and is_number(new[k])]
        changes = {key: change(old[key], new[key]) for key in shared}
        least = math.log1p(over / 100)
        changed = [key for key in shared if abs(changes[key]) > least]
        changed.sort(key=lambda key: (-abs(changes[key]), key))
        told = f"{len(changed)} of {len(shared)} numbers changed by more than {over:g} %"
        yield f"{file}: {told}" if file else told
        for key in changed:
            ratio = f"x {math.exp(changes[key]):.2f}" if math.isfinite(changes[key]) else ""
            yield f"{old[key]:>12.6g} -> {new[key]:>12.6g} {ratio:>10}  {key}"
        if lost := len(old.keys() ^ new.keys()):
            yield f"  {lost} of one of the two only"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", nargs="?", default="HEAD", help="a revision, file or folder")
    parser.add_argument("now", nargs="?", default=str(ROOT / RESULTS), help="a file or folder")
    parser.add_argument("--over", type=float, default=OVER, help="percent (default: %(default)g)")
    options = parser.parse_args()
    for line in compare(read(options.before), read(options.now), options.over):
        print(line)


if __name__ == "__main__":
    main()

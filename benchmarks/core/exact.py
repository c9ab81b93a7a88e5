"""The exact engine: its time, its evaluations, its rounding, and its peers beside it.

    python benchmarks/core/exact.py

Everything is timed in this process, minimum over repeats; ratios compare like with like. The fold
against a streaming read is measured by fold.cpp, which this script compiles and runs.
"""

from __future__ import annotations

import json
import platform
import subprocess
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import shap
from scipy.cluster import hierarchy
from shapiq.game_theory.exact import ExactComputer

import owen_core as oc
from owen_core import _core

HERE = Path(__file__).parent
RESULTS = HERE.parent / "results" / "exact.json"

Model = Callable[[np.ndarray], np.ndarray]


def best(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the seconds of the fastest of some repeats."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


class Counting:
    """A trivial vectorised game, won by the first three players, that counts how it is asked."""

    def __init__(self) -> None:
        self.rows = self.calls = 0

    def __call__(self, coalitions: np.ndarray) -> np.ndarray:
        """Return whether the first three players are there."""
        self.rows += len(coalitions)
        self.calls += 1
        return coalitions[:, 0] & coalitions[:, 1] & coalitions[:, 2]


def shap_masked(game: Model, n: int, **options: object) -> object:
    """Return what shap's explainers take: the game as a model whose features are present or not."""
    return shap.Explainer(lambda rows: game(rows > 0.5) * 1.0, np.zeros((1, n)), **options)


def peers(n: int) -> dict[str, float]:
    """Exact Shapley values of a trivial game of n players: seconds by tool."""
    game = Counting()
    seconds = {"owen_core": best(lambda: oc.attribute(game, n))}
    seconds["owen_core, fold alone"] = best(
        lambda: _core.fold_table(np.zeros(1 << n), _core.shapley_weights(n)), 50
    )
    seconds["shapiq ExactComputer"] = best(lambda: ExactComputer(game, n_players=n)("SV", 1), 1)
    explainer = shap_masked(game, n, algorithm="exact")
    seconds["shap Exact"] = best(lambda: explainer(np.ones((1, n)), max_evals=1 << 20), 1)
    return seconds


def structured() -> list[tuple[str, int, int, float]]:
    """Evaluations, calls and seconds of values with unions, and of shap's explainers of them."""
    unions = oc.unions(*np.arange(24).reshape(6, 4).tolist())
    rows = []
    for label, n, structure, rivals in [
        ("Owen, 24 players in unions of 4", 24, unions, {"shap Coalition*": shap_coalition}),
        (
            "Winter, balanced binary tree of 128",
            128,
            oc.contiguous(128),
            {
                "shap Partition": shap_tree("partition", silent=True),
                "shap Exact with clustering": shap_tree("exact"),
            },
        ),
    ]:
        game = Counting()
        credits = oc.attribute(game, n, structure=structure).values
        asked, calls = game.rows, game.calls
        seconds = best(lambda g=game, k=n, s=structure: oc.attribute(g, k, structure=s), 30)
        rows.append((label, asked, calls, seconds))
        for rival, explain in rivals.items():
            rows.append((f"  {rival}", *timed(explain, n, credits)))
    return rows


Explain = Callable[[Model, int], "shap.Explanation"]


def timed(explain: Explain, n: int, expected: np.ndarray) -> tuple[int, int, float]:
    """Return the coalitions and calls that an explainer takes, and its seconds.

    It runs twice, as its first run compiles. Its values must be ours.
    """
    for _ in range(2):
        game = Counting()
        model = lambda rows, game=game: game(np.asarray(rows) > 0.5) * 1.0  # noqa: E731
        began = time.perf_counter()
        found = explain(model, n)
        seconds = time.perf_counter() - began
    np.testing.assert_allclose(found.values[0], expected, atol=1e-9)
    return game.rows, game.calls, seconds


def shap_tree(algorithm: str, **options: object) -> Explain:
    """Return an explainer of shap's that follows a balanced binary tree."""

    def explain(model: Model, n: int) -> shap.Explanation:
        masker = shap.maskers.Partition(np.zeros((1, n)), clustering=np.array(linkage(n)))
        explainer = shap.Explainer(model, masker, algorithm=algorithm)
        return explainer(np.ones((1, n)), max_evals=1 << 17, **options)

    return explain


def shap_coalition(model: Model, n: int) -> shap.Explanation:
    """Return shap's Owen values in unions of 4.

    shap 0.51 converts an array of one number with ``float``, which numpy 2.4 refuses; without
    the first line here, it raises a TypeError.
    """
    shap.explainers._coalition.float = lambda array: array.item()
    names = [f"player {i}" for i in range(n)]
    nobody = pd.DataFrame(np.zeros((1, n)), columns=names)
    unused = hierarchy.linkage(np.arange(n, dtype=float)[:, None])  # yet the masker wants a tree
    masker = shap.maskers.Partition(nobody, clustering=unused)
    unions = {f"union {i}": names[i : i + 4] for i in range(0, n, 4)}
    explainer = shap.CoalitionExplainer(model, masker, partition_tree=unions)
    return explainer(nobody + 1)


def linkage(n: int) -> list[list[float]]:
    """Return the balanced binary tree over n = 2**k players in scipy's form."""
    rows, level, next_id = [], [(i, 1) for i in range(n)], n
    while len(level) > 1:
        merged = []
        for (a, size_a), (b, size_b) in zip(level[::2], level[1::2], strict=True):
            rows.append([a, b, float(size_a + size_b), size_a + size_b])
            merged.append((next_id, size_a + size_b))
            next_id += 1
        level = merged
    return rows


def rounding(n: int) -> float:
    """Return the largest error of the fold in units of eps * max |v - v(empty)|."""
    table = np.random.default_rng(n).uniform(-1, 1, 1 << n)
    weights = [np.longdouble(1) / (n * comb(n - 1, s)) for s in range(n)]
    view, size = table.reshape((2,) * n), np.zeros((2,) * (n - 1), np.int8)
    for axis in range(n - 1):
        size += np.arange(2, dtype=np.int8).reshape((2,) + (1,) * (n - 2 - axis))
    size, values, worst = size.ravel(), oc.from_table(table).values, 0.0
    for player in range(0, n, max(1, n // 6)):
        axis = n - 1 - player
        gain = view.take(1, axis).astype(np.longdouble) - view.take(0, axis)
        exact = sum(weights[s] * gain.ravel()[size == s].sum() for s in range(n))
        worst = max(worst, abs(float(values[player] - exact)))
    return worst / (np.finfo(float).eps * np.abs(table - table[0]).max())


def main() -> None:
    warnings.filterwarnings("ignore")
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "fold"
        flags = ["-O3", "-std=c++17", "-ffp-contract=off", f"-I{HERE.parents[1]}/cpp/include"]
        subprocess.run(["g++", *flags, HERE / "fold.cpp", "-o", program, "-pthread"], check=True)
        print("fold of a table against a streaming read")
        found["fold"] = subprocess.run([program], check=True, capture_output=True, text=True).stdout
        print(found["fold"])

    print("exact Shapley values of a trivial game of 16 players")
    seconds = peers(16)
    found["peers"] = seconds
    for tool, value in seconds.items():
        ratio = value / seconds["owen_core, fold alone"]
        print(f"  {tool:<24} {value * 1e3:>12.3f} ms   {ratio:>12,.0f} x the fold")

    game = Counting()
    alone = best(lambda: game(np.zeros((1 << 20, 20), bool)))
    seconds_20 = best(lambda: oc.attribute(game, 20)) - alone
    tracemalloc.start()
    oc.attribute(game, 20)
    extra = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    found["callable"] = {"engine_ms": seconds_20 * 1e3, "extra_mib": extra}
    print(f"\ncallable, 20 players: engine {seconds_20 * 1e3:.1f} ms, peak memory {extra:.1f} MiB")

    print(f"\n{'values with unions':<32} evaluations  calls        ms")
    found["structured"] = structured()
    for label, asked, calls, value in found["structured"]:
        print(f"  {label:<36} {asked:>7} {calls:>6} {value * 1e3:>9.3f}")
    print("  * with the repair of one line that shap 0.51 needs beside numpy 2.4")

    print("\n1,024 players in a line, from 524,801 values")
    found["intervals"] = {}
    for concept in ("myerson", "growth"):
        plan = oc.plan(1024, concept=concept)
        values = np.random.default_rng(0).random(len(plan))
        found["intervals"][concept] = best(lambda p=plan, v=values: p.combine(v)) * 1e3
        print(f"  {concept:<10} {found['intervals'][concept]:.2f} ms")

    print("\nk-SII of all pairs, from a table")
    found["pairs"] = {}
    for n in (16, 20, 24):
        table = np.random.default_rng(n).random(1 << n)
        work = lambda t=table: oc.interactions_from_table(t)  # noqa: E731
        found["pairs"][n] = best(work, 3) * 1e3
        print(f"  n = {n}: {found['pairs'][n]:.1f} ms")

    print("\nlargest error of the fold, in eps * max |v - v(empty)|")
    found["rounding"] = {n: rounding(n) for n in (12, 16, 20, 22, 24, 26)}
    for n, units in found["rounding"].items():
        print(f"  n = {n}: {units:.2f}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

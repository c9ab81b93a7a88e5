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
import shap
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
    """A trivial vectorised game that counts how it is asked."""

    def __init__(self) -> None:
        self.rows = self.calls = 0

    def __call__(self, coalitions: np.ndarray) -> np.ndarray:
        """Return whether the first player is there."""
        self.rows += len(coalitions)
        self.calls += 1
        return np.asarray(coalitions)[:, 0] * 1.0


def shap_masked(game: Model, n: int, **options: object) -> object:
    """Return what shap's explainers take: the game as a model whose features are present or not."""
    return shap.Explainer(lambda rows: game(rows > 0.5), np.zeros((1, n)), **options)


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
    """Evaluations, calls and seconds of structured values, and of shap's nearest explainers."""
    rows = []
    for label, n, structure in [
        ("Owen, 24 players in unions of 4", 24, oc.unions(*np.arange(24).reshape(6, 4).tolist())),
        ("Winter, balanced binary tree of 128", 128, oc.contiguous(128)),
    ]:
        game = Counting()
        oc.attribute(game, n, structure=structure)
        asked, calls = game.rows, game.calls
        seconds = best(lambda g=game, k=n, s=structure: oc.attribute(g, k, structure=s), 30)
        rows.append((label, asked, calls, seconds))
    rows.append(("shap Partition, same tree", *shap_partition(128)))
    return rows


def shap_partition(n: int) -> tuple[int, int, float]:
    """Return what shap's Partition explainer asks and takes for a balanced binary tree."""
    masker = shap.maskers.Partition(np.zeros((1, n)), clustering=np.array(linkage(n)))
    return timed(
        lambda model: shap.Explainer(model, masker, algorithm="partition")(
            np.ones((1, n)), max_evals=1 << 17, silent=True
        )
    )


def timed(
    explain: Callable[[Callable[[np.ndarray], np.ndarray]], object],
) -> tuple[int, int, float]:
    """Return the rows and calls that an explainer of shap's makes, and its seconds."""
    game = Counting()
    began = time.perf_counter()
    explain(lambda rows: game(rows > 0.5))
    return game.rows, game.calls, time.perf_counter() - began


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

    print("\nvalues with unions           evaluations   calls      ms")
    found["structured"] = structured()
    for label, asked, calls, value in found["structured"]:
        print(f"  {label:<36} {asked:>7} {calls:>6} {value * 1e3:>9.3f}")

    print("\n1,024 players in a line, from 524,801 values")
    found["intervals"] = {}
    for concept in ("myerson", "growth"):
        plan = oc.plan(1024, concept=concept)
        values = np.random.default_rng(0).random(len(plan))
        found["intervals"][concept] = best(lambda p=plan, v=values: p.combine(v)) * 1e3
        print(f"  {concept:<10} {found['intervals'][concept]:.2f} ms")

    print("\nlargest error of the fold, in eps * max |v - v(empty)|")
    found["rounding"] = {n: rounding(n) for n in (12, 16, 20, 22)}
    for n, units in found["rounding"].items():
        print(f"  n = {n}: {units:.2f}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""The speed of sampling, the game itself left out, with shap and shapiq beside it.

    python benchmarks/core/sampling.py

Everything runs in this process, one after the other, minimum over repeats. The game answers zeros;
its own time, measured apart, is taken off every figure. `propose` is the estimator alone, asking
and being told; `run` is everything that attribute() does: telling coalitions apart, counting the
budget, calling the game with rows of bits or of bools.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shap
import shapiq

import owen_core as oc

RESULTS = Path(__file__).parents[1] / "results" / "sampling_speed.json"
BUDGET = 1 << 16
GOALS = {32: 60, 128: 40, 1024: 8}  # million proposed coalitions a second
REGRESSION_GOALS = {128: 80, 1024: 3000}  # ms


class Zeros:
    """A game that answers zeros and remembers how long that took."""

    def __init__(self) -> None:
        self.rows, self.seconds = 0, 0.0

    def __call__(self, coalitions: np.ndarray) -> np.ndarray:
        """Return a zero for each coalition."""
        began = time.perf_counter()
        values = np.zeros(len(coalitions))
        self.rows += len(coalitions)
        self.seconds += time.perf_counter() - began
        return values


def engine(work: Callable[[Zeros], object], repeats: int) -> tuple[float, int]:
    """Return the seconds of the fastest repeat without the game's own, and the rows it valued."""
    times = []
    for _ in range(repeats):
        game = Zeros()
        began = time.perf_counter()
        work(game)
        times.append((time.perf_counter() - began - game.seconds, game.rows))
    return min(times)


def ask_and_tell(n: int) -> Callable[[Zeros], None]:
    """Return what drives an estimator by hand, without telling coalitions apart."""

    def work(game: Zeros) -> None:
        estimator = oc.Estimator("permutation", n, rng=0)
        while game.rows < BUDGET:
            estimator.absorb(game(estimator.propose_packed()[0]))

    return work


def attributed(n: int, estimator: str, packed: bool = False) -> Callable[[Zeros], object]:
    """Return an attribution with the whole budget."""
    return lambda zeros: oc.attribute(
        oc.Game(zeros, n, packed=packed), estimator=estimator, budget=BUDGET, rng=0
    )


def shap_permutation(n: int) -> Callable[[Zeros], object]:
    """Return shap's Permutation explainer."""
    return lambda game: shap.PermutationExplainer(game, np.zeros((1, n)))(
        np.ones((1, n)), max_evals=BUDGET, silent=True
    )


def shap_kernel(n: int) -> Callable[[Zeros], object]:
    """Return shap's Kernel explainer, without its selection of features."""
    return lambda game: shap.KernelExplainer(game, np.zeros((1, n))).shap_values(
        np.ones((1, n)), nsamples=BUDGET, l1_reg=0, silent=True
    )


def of_shapiq(kind: type, n: int) -> Callable[[Zeros], object]:
    """Return an approximator of shapiq's."""
    return lambda game: kind(n, random_state=0).approximate(BUDGET, game)


def permutations() -> dict[int, dict[str, float]]:
    """Print and return million coalitions a second."""
    names = ("propose", "run, bits", "run, bools", "shap Permutation", "shapiq Permutation")
    print(f"random orders, {BUDGET} coalitions, million a second")
    print(f"{'players':<10}{'goal':>6}" + "".join(f"{name:>20}" for name in names))
    found = {}
    for n, goal in GOALS.items():
        works = [
            (ask_and_tell(n), 7),
            (attributed(n, "permutation", packed=True), 7),
            (attributed(n, "permutation"), 7),
            (shap_permutation(n), 2),
            (of_shapiq(shapiq.PermutationSamplingSV, n), 2),
        ]
        rates = []
        for work, repeats in works:
            seconds, rows = engine(work, repeats)
            rates.append(rows / seconds / 1e6)
        found[n] = dict(zip(names, rates, strict=True))
        print(f"{n:<10}{goal:>6}" + "".join(f"{rate:>20.3g}" for rate in rates))
        print(f"{'':<16}" + "".join(f"{rate / rates[-1]:>19.3g}x" for rate in rates), flush=True)
    return found


def regressions() -> dict[int, dict[str, float]]:
    """Print and return milliseconds."""
    print(f"\nregression, {BUDGET} coalitions, ms")
    found = {}
    for n, goal in REGRESSION_GOALS.items():
        works = {name: attributed(n, name) for name in ("leverage", "kernel", "stratified")}
        if n < 1024:  # more than 25 s each there
            works["shap Kernel"] = shap_kernel(n)
            works["shapiq KernelSHAP"] = of_shapiq(shapiq.KernelSHAP, n)
        found[n] = {name: engine(work, 2)[0] * 1e3 for name, work in works.items()}
        listed = ", ".join(f"{name} {ms:.0f}" for name, ms in found[n].items())
        print(f"  {n} players (goal {goal}): {listed}", flush=True)
    return found


def main() -> None:
    """Print everything and store it."""
    warnings.simplefilter("ignore")
    found = {"million_a_second": permutations(), "regression_ms": regressions()}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

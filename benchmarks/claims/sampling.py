"""The error of every sampler, and of its peers, at equal evaluations; and its intervals' coverage.

    python benchmarks/claims/sampling.py [--seeds 8] [--runs 1000]

The error is the sum of squared errors over the sum of squared Shapley values, its mean over seeds;
a seed draws its own game of the family (two of them) and its own sample. Peers may evaluate more
than the budget says, and the largest number of distinct coalitions that they did is printed where
it is more. Coverage is of 95 % intervals, over all players of all runs at 16 players and 1,024
evaluations; credit that is exact but for rounding counts as covered.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shap
import shapiq
from sampled_games import FAMILIES, Game

import owen_core as oc

RESULTS = Path(__file__).parents[1] / "results" / "sampling.json"
SIZES = [(16, 1 << 12), (32, 1 << 12), (32, 1 << 14), (128, 1 << 16)]
OURS = [
    "auto",
    "stratified",
    "antithetic",
    "permutation",
    "cyclic",
    "marginals",
    "leverage",
    "kernel",
]
ROUNDING = 1e-9  # of the largest credit: intervals
EXACT = 1e-18  # a relative squared error below it is rounding

Sampler = Callable[[Game, int, int, int], np.ndarray]


class Counting:
    """A game that counts the distinct coalitions it is asked."""

    def __init__(self, game: Game) -> None:
        self.game, self.seen = game, set()

    def __call__(self, coalitions: np.ndarray) -> np.ndarray:
        """Return the values of coalitions, in any of the forms that peers use."""
        rows = np.atleast_2d(np.asarray(coalitions)).astype(bool)
        self.seen.update(row.tobytes() for row in np.packbits(rows, axis=1))
        return self.game(rows).astype(float)


def ours(name: str) -> Sampler:
    """Return a sampler of this project."""
    return lambda game, n, budget, seed: (
        oc.attribute(game, n, "shapley", estimator=name, budget=budget, rng=seed).values
    )


def of_shapiq(kind: type) -> Sampler:
    """Return an approximator of shapiq's."""

    def sample(game: Game, n: int, budget: int, seed: int) -> np.ndarray:
        # Their KernelSHAP takes v(empty) for 0.
        base = float(game(np.zeros((1, n), dtype=bool))[0])
        found = kind(n, random_state=seed).approximate(budget, lambda s: game(s) - base)
        return np.array([found[(i,)] for i in range(n)])

    return sample


def shap_permutation(game: Game, n: int, budget: int, seed: int) -> np.ndarray:
    """Shap's Permutation explainer."""
    explainer = shap.PermutationExplainer(game, np.zeros((1, n)), seed=seed)
    return explainer(np.ones((1, n)), max_evals=budget, silent=True).values[0]


def shap_kernel(game: Game, n: int, budget: int, seed: int) -> np.ndarray:
    """Shap's Kernel explainer, without the selection of features that is its default."""
    np.random.seed(seed)  # noqa: NPY002, it draws from the global generator
    explainer = shap.KernelExplainer(game, np.zeros((1, n)))
    return explainer.shap_values(np.ones((1, n)), nsamples=budget, l1_reg=0, silent=True)[0]


PEERS = {
    "shap Permutation": shap_permutation,
    "shap Kernel": shap_kernel,
    "shapiq Permutation": of_shapiq(shapiq.PermutationSamplingSV),
    "shapiq KernelSHAP": of_shapiq(shapiq.KernelSHAP),
    "shapiq Stratified": of_shapiq(shapiq.StratifiedSamplingSV),
    "shapiq SVARM": of_shapiq(shapiq.SVARM),
}
NOT_RUN = {
    ("shapiq SVARM", 128): "more than a minute a run",
    ("shapiq Stratified", 128): "more than a minute a run",
    ("cyclic", 128): "only four circles fit the budget",
}


def errors(seeds: int) -> dict[str, dict[str, dict[str, float]]]:
    """Print and return the mean error of each sampler, by size and family."""
    samplers = {name: ours(name) for name in OURS} | PEERS
    found: dict[str, dict[str, dict[str, float]]] = {}
    for n, budget in SIZES:
        size = f"{n} players, {budget} evaluations"
        table: dict[str, dict[str, float]] = {name: {} for name in samplers}
        over: dict[str, int] = {}
        for family, make in FAMILIES.items():
            games = [make(n, np.random.default_rng(k)) for k in range(2)]
            for name, sample in samplers.items():
                if (name, n) in NOT_RUN:
                    continue
                parts = []
                for seed in range(seeds):
                    game, truth = games[seed % 2]
                    counting = Counting(game)
                    values = sample(counting, n, budget, seed)
                    parts.append(((values - truth) ** 2).sum() / (truth**2).sum())
                    over[name] = max(over.get(name, 0), len(counting.seen))
                table[name][family] = float(np.mean(parts))
        found[size] = table
        show(n, budget, table, over)
    return found


def show(n: int, budget: int, table: dict[str, dict[str, float]], over: dict[str, int]) -> None:
    """Print one table, and how `auto` stands to the best peer of each family."""
    print(f"\nrelative squared error, {n} players, {budget} evaluations")
    print(f"{'':<22}" + "".join(f"{family:>11}" for family in FAMILIES))
    for name, row in table.items():
        if row:
            note = f"  asked {over[name]}" if over[name] > budget else ""
            print(f"{name:<22}" + "".join(f"{row[f]:>11.1e}" for f in FAMILIES) + note)
        else:
            print(f"{name:<22}  not run: {NOT_RUN[name, n]}")
    best = {f: min(table[p][f] for p in PEERS if table[p]) for f in FAMILIES}
    ratios = (f"{max(best[f], EXACT) / max(table['auto'][f], EXACT):>10.3g}x" for f in FAMILIES)
    print(f"{'best peer / auto':<22}" + "".join(ratios), flush=True)


def coverage(runs: int, n: int = 16, budget: int = 1024) -> dict[str, dict[str, float]]:
    """Print and return the share of 95 % intervals that hold the truth, by sampler and family."""
    print(f"\ncoverage of 95 % intervals, {n} players, {budget} evaluations, {runs} runs")
    print(f"{'':<22}" + "".join(f"{family:>11}" for family in FAMILIES))
    games = {f: make(n, np.random.default_rng(0)) for f, make in FAMILIES.items()}
    found: dict[str, dict[str, float]] = {}
    for name in OURS:
        found[name] = {}
        for family, (game, truth) in games.items():
            slack = ROUNDING * np.abs(truth).max()
            held = []
            for seed in range(runs):
                a = oc.attribute(game, n, "shapley", estimator=name, budget=budget, rng=seed)
                low, high = a.confidence_interval().T
                held.append((low - slack <= truth) & (truth <= high + slack))
            found[name][family] = float(np.mean(held))
        row = found[name]
        print(f"{name:<22}" + "".join(f"{row[f]:>11.3f}" for f in FAMILIES), flush=True)
    return found


def main() -> None:
    """Run both parts and store what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # what the peers say of small budgets
    found = {"coverage": coverage(options.runs), "error": errors(options.seeds)}
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

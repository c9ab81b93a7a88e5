"""The clue-selection game, GRPO beside OSPO with turns as segments: rewards with intervals.

    OMP_NUM_THREADS=1 python -m benchmarks.claims.clue_game [--seeds 4] [--steps 150] [--workers 2]

For each seed all rules start from the same weights. The learning rate is one for all and tuned for
none: it was picked by a look at seed 0, which is not among the seeds here. ``mean`` is the reward
over the whole training, ``end`` over its last tenth; differences from GRPO are paired by seed, with
95 % intervals of Student's t.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from examples.clue_game import BEST, trainer
from owen_core.quantile import t_quantile

RESULTS = Path(__file__).parents[1] / "results" / "clue_game.json"
ARMS = {
    "GRPO": {"rule": "uniform"},
    "prefix": {"rule": "prefix"},
    "anchored": {"rule": "anchored"},
    "additive": {"rule": "additive"},
    "additive placebo": {"rule": "additive", "placebo": True},
}


def curve(arm: str, seed: int, steps: int) -> list[float]:
    """Return the mean reward of each step of a training."""
    with tempfile.TemporaryDirectory() as folder:
        made = trainer(
            folder, **ARMS[arm], seed=seed, max_steps=steps, per_device_train_batch_size=64
        )
        made.train()
    return [log["reward"] for log in made.state.log_history if "reward" in log]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=4)
    options.add_argument("--steps", type=int, default=150)
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args()
    keys = [(arm, seed) for seed in range(1, chosen.seeds + 1) for arm in ARMS]
    with ProcessPoolExecutor(chosen.workers, get_context("spawn")) as pool:
        curves = pool.map(curve, *zip(*keys, strict=True), [chosen.steps] * len(keys))
        found = dict(zip(keys, curves, strict=True))
    last = chosen.steps // 10
    record: dict[str, Any] = {"seeds": chosen.seeds, "steps": chosen.steps, "arms": {}}
    for arm in ARMS:
        own = np.array([found[arm, seed] for seed in range(1, chosen.seeds + 1)])
        parts = {"mean": own.mean(axis=1), "end": own[:, -last:].mean(axis=1)}
        record["arms"][arm] = {name: its.round(4).tolist() for name, its in parts.items()}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    report(record)


def report(record: dict[str, Any]) -> None:
    """Print the rewards, and how far each rule is from GRPO."""
    seeds, arms = record["seeds"], record["arms"]
    print(f"{seeds} seeds, {record['steps']} steps; the best is {BEST:.2f}")
    print("rule               mean   end    mean less GRPO's         end less GRPO's")
    for arm, its in arms.items():
        levels, told = [], []
        for part in ("mean", "end"):
            differences = np.subtract(its[part], arms["GRPO"][part])
            error = differences.std(ddof=1) / math.sqrt(seeds)
            mean, half = differences.mean(), t_quantile(0.975, seeds - 1) * error
            levels.append(f"{np.mean(its[part]):.3f}")
            told.append(f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]")
        print(f"{arm:<17}  {'  '.join(levels)}  {'  '.join(told)}")


if __name__ == "__main__":
    main()

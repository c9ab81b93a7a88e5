"""The clue-selection game, GRPO beside OSPO with turns as segments: rewards with intervals.

    OMP_NUM_THREADS=1 python -m benchmarks.claims.clue_game [--seeds 10] [--steps 150] [--workers 2]
    python -m benchmarks.claims.clue_game --report

For each seed all rules start from the same weights. Each rule has the learning rate at which its
mean reward is highest for seed 0, which is in no figure. Runs are kept as they finish and none is
made twice. ``mean`` is the reward over the whole training, ``end`` over its last tenth; differences
from GRPO are paired by seed, with 95 % intervals of Student's t.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from examples.clue_game import BEST, trainer
from owen_core.quantile import t_quantile

RESULTS = Path(__file__).parents[1] / "results" / "clue_game.jsonl"
RATES = (1.5e-3, 3e-3, 6e-3)
VALIDATION = 0  # the seed that chooses rates
ARMS = {
    "GRPO": {"rule": "uniform"},
    "prefix": {"rule": "prefix"},
    "sign-aware": {"rule": "sign-aware"},
    "anchored": {"rule": "anchored"},
    "additive": {"rule": "additive"},
    "additive placebo": {"rule": "additive", "placebo": True},
}
Rewards = dict[str, float]  # mean and end


class Run(NamedTuple):
    """What makes a run the run that it is."""

    arm: str
    rate: float
    seed: int
    steps: int


def train(run: Run) -> Rewards:
    """Return the mean reward of a training, and that of its last tenth."""
    with tempfile.TemporaryDirectory() as folder:
        made = trainer(
            folder,
            **ARMS[run.arm],
            learning_rate=run.rate,
            seed=run.seed,
            max_steps=run.steps,
            per_device_train_batch_size=64,
        )
        made.train()
    curve = np.array([log["reward"] for log in made.state.log_history if "reward" in log])
    end = curve[-(run.steps // 10) :]
    return {"mean": round(float(curve.mean()), 4), "end": round(float(end.mean()), 4)}


def read() -> dict[Run, Rewards]:
    """Return the runs that were made."""
    rows = map(json.loads, RESULTS.read_text(encoding="utf-8").splitlines())
    return {Run(*(row.pop(name) for name in Run._fields)): row for row in rows}


def make(runs: Iterable[Run], workers: int) -> None:
    """Make those runs that are missing."""
    known = read()
    missing = [run for run in runs if run not in known]
    with (
        ProcessPoolExecutor(workers, get_context("spawn")) as pool,
        RESULTS.open("a", encoding="utf-8") as file,
    ):
        trained = {pool.submit(train, run): run for run in missing}
        for done, each in enumerate(as_completed(trained), start=1):
            run = trained[each]
            file.write(json.dumps(run._asdict() | each.result()) + "\n")
            file.flush()
            print(f"{done} of {len(missing)}: {run}", file=sys.stderr)


def rate_of(arm: str, known: Mapping[Run, Rewards], steps: int) -> float:
    """Return the rate of a rule: the best for the validation seed, or the only one tried."""
    runs = {run: its for run, its in known.items() if (run.arm, run.steps) == (arm, steps)}
    validated = {run.rate: its["mean"] for run, its in runs.items() if run.seed == VALIDATION}
    if validated:
        return max(validated, key=validated.__getitem__)
    (only,) = {run.rate for run in runs}
    return only


def main() -> None:
    """Make the runs that are missing, and report on all."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--steps", type=int, default=150)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--report", action="store_true", help="report on the runs that there are")
    asked = options.parse_args()
    steps, workers = asked.steps, asked.workers
    if not asked.report:
        make([Run(arm, rate, VALIDATION, steps) for arm in ARMS for rate in RATES], workers)
        rates = {arm: rate_of(arm, read(), steps) for arm in ARMS}
        seeds = range(VALIDATION + 1, VALIDATION + 1 + asked.seeds)
        make([Run(arm, rates[arm], seed, steps) for seed in seeds for arm in ARMS], workers)
    report(read(), steps)


def report(known: Mapping[Run, Rewards], steps: int) -> None:
    """Print the rewards, and how far each rule is from GRPO."""
    tried = [arm for arm in ARMS if any((run.arm, run.steps) == (arm, steps) for run in known)]
    rates = {arm: rate_of(arm, known, steps) for arm in tried}
    of = {
        arm: {
            run.seed: its
            for run, its in known.items()
            if run == (arm, rates[arm], run.seed, steps) and run.seed != VALIDATION
        }
        for arm in tried
    }
    print(f"{steps} steps; the best reward is {BEST:.2f}")
    print("rule              rate    seeds  mean   end    mean less GRPO's         end less GRPO's")
    for arm, own in of.items():
        seeds = sorted({*own} & {*of["GRPO"]})
        levels, told = [], []
        for part in ("mean", "end"):
            mine, theirs = (
                np.array([its[seed][part] for seed in seeds]) for its in (own, of["GRPO"])
            )
            differences = mine - theirs
            mean = differences.mean()
            half = t_quantile(0.975, len(seeds) - 1) * differences.std(ddof=1) / len(seeds) ** 0.5
            levels.append(f"{mine.mean():.3f}")
            told.append(f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]")
        print(
            f"{arm:<16}  {rates[arm]:<7g} {len(seeds):>5}  {'  '.join(levels)}  {'  '.join(told)}"
        )


if __name__ == "__main__":
    main()

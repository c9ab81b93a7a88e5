r"""Does credit of sentences learn faster? Controlled generation with a Bradley-Terry reward.

    OMP_NUM_THREADS=1 python -m benchmarks.claims.sentences train [--arms grpo praise placebo]
    python -m benchmarks.claims.sentences report
    python -m benchmarks.claims.sentences reward

``train`` runs each arm at every rate with the first seed, and with the other seeds at the rate that
was best on validation pages. It makes the runs that are missing, one after another, and keeps each
as it finishes, so it can be stopped and started. The figures of ``report`` are of test pages.
``reward`` tells how often the reward model, and the truth, agree with readers, and whether they
count sentences. Both write what they print to where the results page reads it.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from itertools import product

from benchmarks.claims.learning import analysis, records
from benchmarks.claims.learning.arms import ARMS
from benchmarks.claims.learning.run import Key
from benchmarks.claims.sentences.checks import counting
from benchmarks.claims.sentences.report import PAGES, report
from benchmarks.claims.sentences.reward_model import reward_model
from benchmarks.claims.sentences.run import train
from benchmarks.claims.sentences.task import Task, Wanted

NAME = "sentences"  # of the records
COUNTED = PAGES / "sentences_reward.md"
RULES = ["grpo", "praise", "placebo", "oracle", "pruned", "pruned-praise"]
RULES += ["sign-aware", "anchored", "additive"]


def main() -> None:
    """Make runs, or report on them or on the reward."""
    # TRL's settings use names that transformers is about to rename.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["train", "report", "reward"])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=RULES)
    parser.add_argument("--rates", nargs="+", type=float, default=[8e-4, 1.6e-3, 3.2e-3])
    parser.add_argument("--policies", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3])
    parser.add_argument("--steps", type=int, default=60)
    asked = parser.parse_args()
    if asked.action == "report":
        report(records.read(NAME), steps=asked.steps)
        return
    if asked.action == "reward":
        task = Task()
        told = counting(task, {"model": reward_model(task), "truth": Wanted(task)})
        print(told)
        COUNTED.write_text(f"{told}\n", encoding="utf-8")
        return
    first, *others = asked.seeds
    make(
        Key(arm, rate, policy, first, asked.steps)
        for policy, rate, arm in product(asked.policies, asked.rates, asked.arms)
    )
    tried = analysis.by_rate(records.read(NAME), steps=asked.steps, group=Key.group)
    best = {arm: analysis.best_rate(tried[arm]) for arm in asked.arms}
    make(
        Key(arm, best[arm], policy, seed, asked.steps)
        for seed, policy, arm in product(others, asked.policies, asked.arms)
    )


def make(keys: Iterable[Key]) -> None:
    """Make the runs that are missing."""
    known = records.read(NAME)
    missing = [key for key in keys if key not in known]
    task = Task()
    path = records.path_of(NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        for done, key in enumerate(missing, start=1):
            record = train(key, task)
            file.write(json.dumps(asdict(key) | record) + "\n")
            file.flush()
            print(f"{done} of {len(missing)}, {record['seconds']} s: {key}", file=sys.stderr)


if __name__ == "__main__":
    main()

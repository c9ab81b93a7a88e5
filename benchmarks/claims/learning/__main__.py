r"""Does OSPO learn faster than GRPO? Each arm at its own best rate, on queries that chose nothing.

    python -m benchmarks.claims.learning train --data icecat:DIR --arms grpo praise \
        --rates 4e-4 8e-4 --policies 0 1 2 --seeds 0 1 2 3 --steps 120 --jobs 2
    python -m benchmarks.claims.learning report --data icecat:DIR
    python -m benchmarks.claims.learning publish --data icecat:DIR shop

``train`` makes the runs that are missing and keeps each as it finishes, so it can be stopped and
started; ``report`` prints what all kept runs say, and ``publish`` writes it to where the results
page reads it, with its figures. Rates are chosen on validation queries, and every figure of the
report is of test queries.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from itertools import product

from benchmarks.claims.learning import records
from benchmarks.claims.learning.analysis import by_rate
from benchmarks.claims.learning.arms import ARMS, MAIN, STUDIES
from benchmarks.claims.learning.publish import publish
from benchmarks.claims.learning.report import markdown
from benchmarks.claims.learning.run import Key
from benchmarks.claims.learning.studies import studies
from benchmarks.claims.learning.task import Task


def main() -> None:
    """Make runs, or report on them."""
    # TRL's settings use names that transformers is about to rename.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["train", "report", "publish"])
    parser.add_argument("--data", nargs="+", default=["shop"])
    parser.add_argument("--study", choices=STUDIES, default="main")
    parser.add_argument("--arms", nargs="+", choices=ARMS, help="of the study, all by default")
    parser.add_argument("--rates", nargs="+", type=float, default=[4e-4, 8e-4, 1.6e-3])
    parser.add_argument("--policies", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--group", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    if options.action == "publish":
        publish([Task(data) for data in options.data])
    for data in options.data:
        if options.action == "report":
            task = Task(data)
            runs = records.read(task.name)
            rates = by_rate(runs, steps=options.steps, group=options.group, arms=MAIN)
            print(markdown(task, rates, steps=options.steps, group=options.group))
            print(studies(task, runs))
        elif options.action == "train":
            _train(data, options)


def _train(data: str, options: argparse.Namespace) -> None:
    keys = [
        Key(arm, rate, policy, seed, options.steps, options.group)
        for seed, policy, rate, arm in product(
            options.seeds, options.policies, options.rates, options.arms or STUDIES[options.study]
        )
    ]
    began = time.monotonic()
    for done, total, key in records.make(data, keys, jobs=options.jobs):
        left = (time.monotonic() - began) / done * (total - done)
        print(f"{done:>5} of {total}, {left / 60:.0f} min left: {key}", file=sys.stderr)


if __name__ == "__main__":
    main()

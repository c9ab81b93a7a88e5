"""Held-out nDCG@100 before and after a short training, uniform credit (GRPO) beside praise.

    python benchmarks/claims/first_training.py [--data icecat:DIR] [--seeds 0 1] [--steps 120]

One warm start and one stream of prompts per seed, shared by both rules; the learning rate is the
same for both and was not tuned for either. This shows that the whole flow trains. It is no
evidence of which rule is better: that takes many seeds, and each rule's own best learning rate.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from ospo.train.held_out import gain
from ospo.train.run import train
from ospo.train.settings import parse


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", default="shop")
    options.add_argument("--seeds", type=int, nargs="+", default=[0])
    options.add_argument("--steps", type=int, default=120)
    options.add_argument("--out", type=Path, default=None, help="append one JSON line per run")
    chosen = options.parse_args()
    print(f"{chosen.data}, {chosen.steps} steps; held-out nDCG@100, greedy decoding")
    print("seed  rule      before   after    gain  [95 % interval]    searches  saved")
    for seed in chosen.seeds:
        for rule in ("uniform", "praise"):
            with tempfile.TemporaryDirectory() as folder:
                flags = ["--data", chosen.data, "--rule", rule, "--seed", str(seed)]
                flags += ["--max_steps", str(chosen.steps), "--output_dir", folder]
                result = train(*parse(flags))
            records = result.held_out
            before = sum(r.value_before for r in records) / len(records)
            after = sum(r.value_after for r in records) / len(records)
            g = gain(records)
            saved = 1 - result.searched / result.asked
            print(
                f"{seed:>4}  {rule:<8}  {before:.3f}   {after:.3f}   {g.mean:+.3f}  "
                f"[{g.low:+.3f}, {g.high:+.3f}]   {result.searched:>8}   {saved:4.0%}",
                flush=True,
            )
            if chosen.out is not None:
                row = {"data": chosen.data.partition(":")[0], "seed": seed, "rule": rule}
                row |= {"steps": chosen.steps, "before": before, "after": after}
                row |= {"gain": [g.mean, g.low, g.high], "searched": result.searched}
                with chosen.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()

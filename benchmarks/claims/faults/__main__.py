r"""Each fault of the published code alone: what it does to credit, to token advantages, to updates.

    OMP_NUM_THREADS=1 python -m benchmarks.claims.faults run --data icecat:DIR
    python -m benchmarks.claims.faults report

The shipped small policy, as it is when training begins, writes groups of completions, which are
rewarded and credited as in training. Every mode of the published redistribution then spreads the
advantages with all faults off, which is the reference, and with one of them on. The update is the
gradient of the log-probabilities, weighted by the advantages. ``behind reasoning`` puts tokens
before every completion that do not reach the retriever. ``report`` prints the stored figures as
they stand in the docs, and draws the picture there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.claims.credit_quality.measures import Parts, figures, rounded
from benchmarks.claims.faults import pages
from benchmarks.claims.faults.batches import BATCHES, BUDGET, FAULTS, SETTINGS, TIGHT, batches
from benchmarks.claims.faults.measures import of_credits, of_tokens, of_updates
from benchmarks.claims.learning.task import Task
from ospo.advantage.paper import CORRECTED

RESULTS = Path(__file__).parents[2] / "results" / "faults.json"
FIGURES = Path(__file__).parents[3] / "docs" / "results" / "figures"
OF_CREDIT = ("shuffled_truncation", "partial_weights")


def run(data: str) -> dict[str, Any]:
    """Return what each fault does, by setting, and to credit, by budget."""
    torch.set_num_threads(1)
    began = time.process_time()
    spread: dict[str, dict[str, list[tuple[str, Parts]]]] = {
        name: defaultdict(list) for name in SETTINGS
    }
    credits: dict[str, list[tuple[str, Parts]]] = defaultdict(list)
    seen: dict[str, list[float]] = defaultdict(list)
    for number, (batch, update) in enumerate(batches(Task(data))):
        unit, exact = str(number), batch.shapley()
        for budget in (BUDGET, TIGHT):
            right = batch.credits(budget)
            both = replace(CORRECTED, **dict.fromkeys(OF_CREDIT, True))
            for name, faults in ({f: FAULTS[f] for f in OF_CREDIT} | {"both": both}).items():
                wrong = batch.credits(budget, faults)
                credits[f"{name}, M={budget}"].append((unit, of_credits(right, wrong, exact)))
            credits[f"corrected, M={budget}"].append((unit, of_credits(right, right, exact)))
        for name, setting in SETTINGS.items():
            intended, mask = setting.advantages(batch), setting.mask(batch)
            rivals = {fault: setting.advantages(batch, FAULTS[fault]) for fault in setting.faults}
            rivals["GRPO"] = batch.advantages[:, None] * mask
            ours = None if setting.reasoning else update(intended)
            for fault, found in rivals.items():
                parts = of_tokens(intended, found, mask)
                if ours is not None:
                    parts |= of_updates(ours, update(found))
                spread[name][fault].append((unit, parts))
        seen["reward"] += batch.rewards.tolist()
        seen["advantage"] += (batch.advantages != 0).tolist()
        seen["tokens"] += batch.mask.sum(dim=1).tolist()
        seen["phrases"] += [len(written.segments) for written in batch.written.values()]
        spent = time.process_time() - began
        print(f"{number + 1} of {BATCHES} batches, {spent:.0f} s", file=sys.stderr)
    return {
        "completions": len(seen["reward"]),
        "mean": {name: sum(values) / len(values) for name, values in seen.items()},
        "zero_reward": sum(value == 0 for value in seen["reward"]) / len(seen["reward"]),
        "settings": {
            name: {fault: figures(its) for fault, its in faults.items()}
            for name, faults in spread.items()
        },
        "credits": {name: figures(its) for name, its in credits.items()},
    }


def stored() -> dict[str, Any]:
    """Return what was kept so far."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["run", "report"])
    parser.add_argument("--data", default="shop")
    chosen = parser.parse_args()
    kept = stored()
    if chosen.action == "run":
        kept[chosen.data.partition(":")[0]] = rounded(run(chosen.data))
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
        return
    print("\n".join(pages.lines(kept)))
    pages.draw(kept, FIGURES)


if __name__ == "__main__":
    main()

"""Credit mathematics alone: from the values of coalitions to token advantages.

    python benchmarks/core/advantage.py

The trainer's own path after the searches, on one core: the values of each completion are combined
into credit, stacked into tensors, and spread over tokens by a rule. Completions have 12 segments of
4 tokens, intervals up to 8 segments, and batches are of 48 completions, 8 of each prompt. The goal
is 10,000 completions a second. Times are of the processor, minimum over repeats.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ospo.advantage import RULES, Credits, Shaping, token_advantages
from ospo.advantage.paper import PaperFaults, paper_advantages, window_asker
from ospo.credit import TokenCredit, Written
from ospo.game import Asker, Shares, asker, plan_of
from ospo.text.segment import segment
from ospo.train.rows import stacked
from owen_core.plan import Plan

RESULTS = Path(__file__).parents[1] / "results" / "advantage.json"
SEGMENTS, WIDTH, TOKENS, GROUP, BATCH = 12, 8, 4, 8, 48
GOAL = 10_000  # rows a second

TEXT = ", ".join("abcdefghijkl")
WRITTEN = Written(TEXT, tuple(segment(TEXT)), np.repeat(np.arange(SEGMENTS), TOKENS))
NAMES = tuple(s.phrase for s in WRITTEN.segments)


def rows_a_second(work: Callable[..., object], *given: object, repeats: int = 40) -> float:
    """Return the completions that the fastest of some repeats would do in a second."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work(*given)
        times.append(time.process_time() - began)
    return BATCH / min(times)


def credited(ask: Asker, values: np.ndarray) -> Shares:
    """Play a game whose values are known."""
    game = ask(NAMES, (0,))
    next(game)
    try:
        game.send(values)
    except StopIteration as end:
        return end.value
    raise AssertionError("an exact credit takes one round")


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    values = rng.random((BATCH, len(plan_of("myerson", SEGMENTS, WIDTH))))
    left_out, prefixes = rng.random((2, SEGMENTS))
    advantages = torch.from_numpy(rng.normal(size=BATCH)).float()
    mask = torch.ones(BATCH, len(WRITTEN.owners))
    groups = torch.arange(BATCH) // GROUP
    found: dict[str, float] = {}

    def combined(plan: Plan) -> list[np.ndarray]:
        return [plan.combine(own) for own in values]

    def tables(ask: Asker, needs: tuple[str, ...] = ()) -> Credits:
        credits = {
            row: TokenCredit(WRITTEN, credited(ask, own), 0.0, left_out, prefixes)
            for row, own in enumerate(values)
        }
        return stacked(credits, mask, {"values", *needs})

    def spread(known: Credits, shaping: Shaping) -> object:
        return token_advantages(advantages, known, mask, shaping, groups=groups)

    def both(ask: Asker, shaping: Shaping) -> object:
        return spread(tables(ask, RULES[shaping.rule].needs), shaping)

    def as_published(ask: Asker, faults: PaperFaults) -> object:
        return paper_advantages(advantages, advantages, tables(ask), mask, faults=faults)

    for concept in ("windows", "myerson", "growth"):
        ask = asker(concept, max_width=WIDTH)
        plan = plan_of(concept, SEGMENTS, WIDTH)
        found[f"{concept}, values to credit"] = rows_a_second(combined, plan)
        found[f"{concept}, values to tensors"] = rows_a_second(tables, ask)
    ask = asker("myerson", max_width=WIDTH)
    for name, rule in RULES.items():
        shaping = Shaping(name, weight=1.0 if name == "prefix" else None)
        known = tables(ask, rule.needs)
        found[f"{name}, credit to advantages"] = rows_a_second(spread, known, shaping)
        found[f"myerson and {name}, values to advantages"] = rows_a_second(both, ask, shaping)
    for title, faults in (("corrected", PaperFaults()), ("published", PaperFaults.published())):
        ask = window_asker(WIDTH, 96, faults)
        found[f"paper, {title}, values to advantages"] = rows_a_second(as_published, ask, faults)

    print(f"{SEGMENTS} segments, width {WIDTH}: completions a second on one core")
    for name, rate in found.items():
        print(f"  {name:<46}{rate:>12,.0f}" + ("" if rate >= GOAL else "   below the goal"))
    print(f"  the goal is {GOAL:,}")
    record = {"processor": platform.processor() or platform.machine(), **found}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()

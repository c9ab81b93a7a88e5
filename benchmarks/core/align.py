"""Alignment of generated ids with the text that they write: milliseconds per 1,000 tokens.

    OMP_NUM_THREADS=1 python benchmarks/core/align.py

The tokenizers are those of the tests, one of each family. "text" are the ids of a text, "random"
are ids drawn evenly from the vocabulary, most of which write broken characters where the
vocabulary has bytes. Times are of the processor, minimum over repeats, all in this process. That
the spans are right, on as many rows as one likes, is what the tests show:

    OSPO_ALIGN_ROWS=100000 python -m pytest tests/ospo/test_align.py
"""

from __future__ import annotations

import importlib
import json
import platform
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ospo.text.align import token_segments, token_spans
from ospo.text.align.pieces import Pieces
from ospo.text.align.spans import _one_by_one
from ospo.text.segment import segment

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "align.json"
TOKENS, MANY = 1000, 100_000
GOAL = 1.0  # ms per 1,000 tokens


def best(work: Callable[[], object], repeats: int = 20) -> float:
    """Return the processor's milliseconds in the fastest of some repeats."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 1e3


def measure(tokenizer: Any, ids: list[int], repeats: int) -> dict[str, float]:
    """Return the milliseconds for one row of ids."""
    text, spans = token_spans(tokenizer, ids)
    segments = segment(text)
    assert np.isin(np.arange(len(text)), [k for a, b in spans for k in range(a, b)]).all()
    return {
        "decode": best(lambda: tokenizer.decode(ids, skip_special_tokens=True), repeats),
        "spans": best(lambda: token_spans(tokenizer, ids), repeats),
        "owners": best(lambda: token_segments(spans, segments), repeats),
        "segments": len(segments),
    }


def main() -> None:
    sys.path.insert(0, str(ROOT / "tests" / "oracle"))
    built = importlib.import_module("tokenizers_built")
    draw = random.Random(0)
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    print(
        f"{TOKENS:,} tokens, ms: decoding alone, spans (which decode once), owners, spans + owners"
    )
    for name, family in built.families().items():
        tokenizer = family.tokenizer
        encoded = tokenizer.encode(", ".join(built.TEXTS * 40), add_special_tokens=False)[:TOKENS]
        drawn = draw.choices(range(len(tokenizer)), k=TOKENS)
        repeats = 3 if name in built.ONE_BY_ONE else 20
        for kind, ids in (("text", encoded), ("random", drawn)):
            found[f"{name}, {kind}"] = row = measure(tokenizer, ids, repeats)
            total = row["spans"] + row["owners"]
            numbers = "".join(f"{row[key]:>9.3f}" for key in ("decode", "spans", "owners"))
            print(f"  {name:<34}{kind:<8}{numbers}{total:>9.3f}")
    print(f"  the goal is {GOAL:g} at most; the last family is decoded id by id")

    policy = built.families()["the small policy's"].tokenizer
    ids = policy.encode(", ".join(built.TEXTS * (MANY // 100)))[:MANY]
    found["long"] = long = best(lambda: token_spans(policy, ids), 3) / MANY * 1000
    found["one by one"] = slow = best(
        lambda: _one_by_one(policy, ids[:TOKENS], policy.decode(ids[:TOKENS])), 3
    )
    found["first look at an id"] = first = best(
        lambda: Pieces(policy).joined(range(len(policy)))
    ) / len(policy)
    print(f"\nthe small policy's tokenizer: a text of {MANY:,} tokens, ms per 1,000: {long:.3f}")
    print(f"  {TOKENS:,} tokens decoded id by id, as where the bytes do not fit, ms: {slow:.0f}")
    print(f"  the first look at an id, once in a process, ms: {first:.4f}")
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

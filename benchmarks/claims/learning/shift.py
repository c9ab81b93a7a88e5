r"""Retriever shift: what the final rewrites are worth to retrievers that no training saw.

    python -m benchmarks.claims.learning.shift --data icecat:DIR shop

Reads the rewrites that the records keep, of each arm at its best rate.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.claims.learning import analysis, records
from benchmarks.claims.learning.analysis import BASE, Curves, Estimate, Floats
from benchmarks.claims.learning.arms import MAIN
from benchmarks.claims.learning.publish import GROUP, PAGES, STEPS
from benchmarks.claims.learning.report import best, signed, table
from benchmarks.claims.learning.task import PER_QUERY, Task
from ospo.reward.retrieval import Retrieval
from ospo.search.load import load_retriever
from ospo.search.metrics import NDCG
from ospo.storage import cache_dir

STORED = Path(__file__).parents[2] / "results" / "learning_shift.json"
PAGE = PAGES / "learning_shift.md"
UNSEEN = {
    "BM25 of titles": ("bm25:title", NDCG(100)),
    "LSA": ("lsa", NDCG(100)),
    "MiniLM": ("dense", NDCG(100)),
    "MiniLM, judged products": ("dense", NDCG(10, judged_only=True)),
}


def shifted(task: Task) -> dict[str, dict[str, Any]]:
    """Return what each arm's rewrites are worth to each retriever, and that less GRPO's."""
    rates = analysis.by_rate(records.read(task.name), steps=STEPS, group=GROUP, arms=MAIN)
    own = {arm: rates[arm][rate] for arm, rate in best(rates).items()}
    found: dict[str, dict[str, Any]] = {}
    for name, (retriever, metric) in UNSEEN.items():
        engine = load_retriever(retriever, task.collection.catalogue, cache_dir())
        retrieval = Retrieval(task.collection, engine, metric)
        worth = {arm: _worth(task, retrieval, curves) for arm, curves in own.items()}
        for arm, values in worth.items():
            pairs = sorted(set(values) & set(worth[BASE]))
            if len(pairs) < 2:
                continue
            mine, theirs = (np.array([its[p] for p in pairs]) for its in (values, worth[BASE]))
            apart = asdict(analysis.crossed(pairs, mine - theirs))
            told = {"runs": len(pairs), "level": float(mine.mean()), "apart": apart}
            found.setdefault(arm, {})[name] = told
    return found


def _worth(task: Task, retrieval: Retrieval, curves: Curves) -> dict[tuple[int, int], Floats]:
    """Return the metric of each test query, a mean over its contexts, by run."""
    rows = [{"query_id": context.query_id} for context in task.test]
    return {
        pair: retrieval.value(record["rewrites"], rows).reshape(-1, PER_QUERY).mean(axis=1)
        for pair, record in curves.of.items()
    }


def tables(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return what was stored, a table for each task."""
    lines = []
    for task, arms in found.items():
        rows = [
            [arm, str(next(iter(its.values()))["runs"]), *(_cell(its[name]) for name in UNSEEN)]
            for arm, its in arms.items()
        ]
        lines += [f"**{task}**", "", *table(("arm", "runs", *UNSEEN), rows), ""]
    return "\n".join(lines)


def _cell(told: Mapping[str, Any]) -> str:
    return f"{told['level']:.3f}; {signed(Estimate(**told['apart']))}"


def main() -> None:
    """Value, store, and write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", default=["shop"])
    found = {task.name: shifted(task) for task in map(Task, parser.parse_args().data)}
    STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(tables(found), encoding="utf-8")
    print(tables(found))


if __name__ == "__main__":
    main()

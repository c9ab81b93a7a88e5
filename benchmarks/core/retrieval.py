"""Exact Shapley values of the phrases of a query, and ranks by counting beside sorting.

    OMP_NUM_THREADS=1 python benchmarks/core/retrieval.py --data icecat:DIR

Contexts are real queries joined by commas, judged by the first; every one starts with an empty
cache. Times are of the processor, on one thread (what a clock shows on an idle machine), minimum
over repeats, all in this process.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ospo.data import Collection, load
from ospo.game import RetrievalGame
from ospo.search.bm25 import BM25
from ospo.search.judge import Judge
from ospo.search.metrics import NDCG
from owen_core import _core

RESULTS = Path(__file__).parents[1] / "results"
CONTEXTS = 20


def best(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the processor's milliseconds in the fastest of some repeats."""
    times = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 1e3


def shapley(collection: Collection, n: int) -> dict[str, float]:
    """Return the time of exact Shapley values of n phrases, and of one coalition."""
    engine = BM25(collection.catalogue)
    ids = collection.answerable
    whole, one, relevant = [], [], []
    for start in range(CONTEXTS):
        chosen = [ids[(start * n + i) % len(ids)] for i in range(n)]
        text = ", ".join(collection.queries[query] for query in chosen)

        def judge(query: str = chosen[0]) -> Judge:
            return Judge(engine, collection.qrels[query], NDCG(100))

        game = RetrievalGame(text, judge())
        assert len(game.segments) == n
        whole.append(best(lambda t=text, j=judge: RetrievalGame(t, j()).attribute()))
        one.append(best(lambda t=text, j=judge: j()([t]), 20))
        relevant.append(len(game.judge.product_ids))
    return {
        "median_ms": float(np.median(whole)),
        "worst_ms": max(whole),
        "one_coalition_median_ms": float(np.median(one)),
        "one_coalition_worst_ms": max(one),
        "mean_relevant": float(np.mean(relevant)),
    }


def ranks(documents: int, targets: int) -> dict[str, float]:
    """Return the times to find where some documents stand in one ranking."""
    random = np.random.default_rng(0)
    scores = random.normal(size=(1, documents))
    wanted = random.choice(documents, targets, replace=False)

    def sorted_whole() -> np.ndarray:
        places = np.empty(documents, np.int64)
        places[np.argsort(-scores[0], kind="stable")] = np.arange(1, documents + 1)
        return places[wanted]

    def sorted_top() -> np.ndarray:
        top = np.argpartition(-scores[0], 1000)[:1000]
        return top[np.argsort(-scores[0, top], kind="stable")]

    def counted() -> np.ndarray:
        return _core.count_ranks(scores, wanted, -np.inf)

    np.testing.assert_array_equal(counted()[0], sorted_whole())
    return {
        "count_ms": best(counted, 20),
        "sort_ms": best(sorted_whole),
        "top_1000_ms": best(sorted_top),
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", default="shop")
    collection = load(options.parse_args().data)
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    products = len(collection.catalogue)
    print(f"exact Shapley values, BM25 over {products:,} products of {collection.name}, nDCG@100")
    print("  phrases  coalitions   median ms  worst ms   one coalition: median  worst")
    for n in (5, 10):
        row = found[f"shapley_{n}"] = shapley(collection, n) | {"products": products}
        print(
            f"  {n:>7}  {2**n:>10}  {row['median_ms']:>10.2f}  {row['worst_ms']:>8.2f}"
            f"   {row['one_coalition_median_ms']:>21.3f}  {row['one_coalition_worst_ms']:>5.3f}"
        )
    print("\nranks of some documents among synthetic scores, ms")
    print("  documents  targets    counted  full sort  top 1000   full sort / counted")
    for documents in (19_406, 1_000_000):
        for targets in (13, 40):
            row = found[f"ranks_{documents}_{targets}"] = ranks(documents, targets)
            print(
                f"  {documents:>9,}  {targets:>7}  {row['count_ms']:>9.3f}  {row['sort_ms']:>9.3f}"
                f"  {row['top_1000_ms']:>8.3f}   {row['sort_ms'] / row['count_ms']:>19.0f}"
            )
    path = RESULTS / f"retrieval_{collection.name}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Where judged products stand for one dense query: counted, sorted, or looked up by FAISS.

    OMP_NUM_THREADS=1 python benchmarks/core/dense.py

Vectors are synthetic, of 384 numbers. Each way starts from the vector of the query, so scoring all
products is in all of them; its own time is printed first. The flat FAISS index looks in single
precision and returns the best 1,000; products beyond are not found, and these are drawn at random.
Times are of the processor, on one thread, the minimum over repeats, all in this process. The
million needs 5 GB of memory.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np

from ospo.search.vectors import unit_vectors
from owen_core import _core

RESULTS = Path(__file__).parents[1] / "results"
DIMENSIONS, TARGETS, TOP, REPEATS = 384, 13, 1000, 5


def best(work: Callable[[], object]) -> float:
    """Return the processor's milliseconds in the fastest of some repeats."""
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) * 1e3


def measure(documents: int) -> dict[str, float]:
    """Return the times of each way to the ranks of some documents."""
    random = np.random.default_rng(0)
    products = np.empty((documents, DIMENSIONS))
    for start in range(0, documents, 10_000):
        part = products[start : start + 10_000]
        part[:] = unit_vectors(random.normal(size=part.shape))
    query = unit_vectors(random.normal(size=(1, DIMENSIONS)))
    index = faiss.IndexFlatIP(DIMENSIONS)
    for start in range(0, documents, 10_000):
        index.add(products[start : start + 10_000].astype(np.float32))
    wanted = np.sort(random.choice(documents, TARGETS, replace=False))

    def scored() -> np.ndarray:
        return query @ products.T

    def counted() -> np.ndarray:
        return _core.count_ranks(scored(), wanted, -np.inf)[0]

    def sorted_whole() -> np.ndarray:
        places = np.empty(documents, np.int64)
        places[np.argsort(-scored()[0], kind="stable")] = np.arange(1, documents + 1)
        return places[wanted]

    def looked_up() -> np.ndarray:
        _, rows = index.search(query.astype(np.float32), TOP)
        hits = rows[0] == wanted[:, None]
        return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)

    exact = counted()
    np.testing.assert_array_equal(exact, sorted_whole())
    seen = looked_up()
    np.testing.assert_array_equal(seen[seen > 0], exact[seen > 0])
    return {
        "score_ms": best(scored),
        "count_ms": best(counted),
        "sort_ms": best(sorted_whole),
        "faiss_ms": best(looked_up),
        "found_by_count": int((exact > 0).sum()),
        "found_by_faiss": int((seen > 0).sum()),
    }


def main() -> None:
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    print(f"ranks of {TARGETS} products for one query, ms; each time includes the scores")
    print("  products   scores alone   counted  full sort  FAISS top 1000   ranked: counted  FAISS")
    for documents in (19_406, 1_000_000):
        row = found[f"products_{documents}"] = measure(documents)
        print(
            f"  {documents:>9,}  {row['score_ms']:>12.2f}  {row['count_ms']:>8.2f}"
            f"  {row['sort_ms']:>9.2f}  {row['faiss_ms']:>14.2f}"
            f"   {row['found_by_count']:>15}  {row['found_by_faiss']:>5}",
            flush=True,
        )
    path = RESULTS / "dense_ranks.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

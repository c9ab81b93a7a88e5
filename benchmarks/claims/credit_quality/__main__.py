r"""Whether credit finds planted junk, and how much of it is chance.

    OMP_NUM_THREADS=1 python -m benchmarks.claims.credit_quality run --data icecat:DIR
    OMP_NUM_THREADS=1 python -m benchmarks.claims.credit_quality run --data shop
    python -m benchmarks.claims.credit_quality report

Every coalition of every text is valued once, and each credit is then played on that table by the
shipped code, with its own budget and draws. ``run`` keeps what a retriever and part found as soon
as it is found, so that ``--retrievers`` and ``--parts`` make it in pieces; MiniLM encodes the
titles of the products the first time, which takes minutes. ``report`` prints the stored figures as
they stand in the docs, and draws the pictures there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.claims.credit_quality import pictures, planted, redraws, tables
from benchmarks.claims.credit_quality.credits import compared
from benchmarks.claims.credit_quality.measures import rounded
from ospo.data import load
from ospo.search.judge import Judge
from ospo.search.load import load_retriever
from ospo.search.metrics import parse_metric
from ospo.storage import cache_dir

RESULTS = Path(__file__).parents[2] / "results" / "credit_quality.json"
FIGURES = Path(__file__).parents[3] / "docs" / "results" / "figures"
MINILM = "dense:#onnx&fields=title"
PLAIN, JUDGED = parse_metric("nDCG@100"), parse_metric("nDCG(judged_only=True)@100")
# The judgments were pooled from lexical results, so that MiniLM is measured on judged products too.
RETRIEVERS = {
    "bm25": ("bm25", {"BM25": PLAIN}),
    "minilm": (MINILM, {"MiniLM": PLAIN, "MiniLM, judged": JUDGED}),
}
PARTS = ("planted", "redraws")
LONG = {"bm25": 60, "minilm": 12}  # queries of which texts of twelve phrases are redrawn


def run(data: str, name: str, part: str) -> None:
    """Measure a part with a retriever, and keep it."""
    began = time.process_time()

    def tell(what: str) -> None:
        spent = time.process_time() - began
        print(f"{collection.name}, {name}, {spent:.0f} s: {what}", file=sys.stderr)

    def encoded(done: int, count: int) -> None:
        tell(f"{done} of {count} products")

    collection = load(data)
    dense: Any = load_retriever(MINILM, collection.catalogue, cache_dir(), encoded)
    called, metrics = RETRIEVERS[name]
    retriever = dense if called == MINILM else load_retriever(called, collection.catalogue)

    @cache
    def judge(query: str) -> Judge:
        return Judge(retriever, collection.qrels[query], JUDGED)

    embed = dense.query_vectors
    if part == "planted":
        found = planted.measure(collection, judge, metrics, compared(embed), tell)
    else:
        found = redraws.measure(collection, judge, metrics, embed, LONG[name], tell)
    kept = stored()
    kept.setdefault(collection.name, {}).setdefault(part, {}).update(rounded(found))
    RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def stored() -> dict[str, Any]:
    """Return what was kept so far."""
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["run", "report"])
    parser.add_argument("--data", default="shop")
    parser.add_argument("--retrievers", nargs="+", choices=RETRIEVERS, default=[*RETRIEVERS])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    chosen = parser.parse_args()
    if chosen.action == "run":
        for name in chosen.retrievers:
            for part in chosen.parts:
                run(chosen.data, name, part)
        return
    print("\n".join(tables.lines(stored())))
    pictures.draw(stored(), FIGURES)


if __name__ == "__main__":
    main()

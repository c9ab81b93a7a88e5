"""What each retriever finds, and what it costs: the baselines that training is compared with.

    OMP_NUM_THREADS=1 python benchmarks/claims/retrievers.py --data icecat:DIR cranfield:DIR

Metrics are means over the queries with a relevant product, of rankings of 1,000 products; each is
computed from ranks alone and held against ir-measures. Queries are asked one at a time, for 1,000
products, and the fastest of some passes counts, in which a dense retriever remembers the vector of
the query (dense.py has what encoding costs); an index is timed once, without imports. With
--postgres and the address of an empty database, PostgreSQL's full text search is measured too.
With --cache, indexes are kept in a folder, and one that is there already is timed as it is loaded:
embedding a catalogue takes minutes. Rows of other retrievers stay in the results as they are.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import ir_measures
import numpy as np

from ospo.data import Catalogue, Collection, load
from ospo.search.load import load_retriever
from ospo.search.metrics import judged_share, parse_metric
from ospo.search.retriever import Hit, Retriever

RESULTS = Path(__file__).parents[1] / "results"
RETRIEVERS = (
    "bm25",
    "bm25:title",
    "fts5",
    "fts5:title^2,description",
    "tfidf",
    "lsa",
    "fusion:bm25+lsa",
)
METRICS = ("nDCG@10", "nDCG@100", "nDCG@1000", "nDCG(judged_only=True)@10", "RR", "AP", "R@100")
DEPTH = 1000
PASSES = 5

Values = dict[str, float]


def from_ranks(collection: Collection, found: Sequence[Sequence[Hit]]) -> dict[str, Values]:
    """Return the metrics of every query, by our own formulas."""
    values: dict[str, Values] = {}
    for query, hits in zip(collection.answerable, found, strict=True):
        judged = collection.qrels[query]
        rank = {hit.product_id: rank for rank, hit in enumerate(hits, start=1)}
        ranks = [rank.get(product, 0) for product in judged]
        values[query] = {
            name: float(parse_metric(name)(ranks, list(judged.values()))) for name in METRICS
        }
    return values


def from_ir_measures(collection: Collection, found: Sequence[Sequence[Hit]]) -> dict[str, Values]:
    """Return the metrics of every query, by ir-measures."""
    gains = {
        grade: 2**grade - 1 for judged in collection.qrels.values() for grade in judged.values()
    }
    qrels = [
        ir_measures.Qrel(query, product, grade)
        for query, judged in collection.qrels.items()
        for product, grade in judged.items()
    ]
    # The evaluator breaks ties in its own way, so it is given the order, not the scores.
    run = [
        ir_measures.ScoredDoc(query, hit.product_id, -float(rank))
        for query, hits in zip(collection.answerable, found, strict=True)
        for rank, hit in enumerate(hits)
    ]
    values: dict[str, Values] = {
        query: dict.fromkeys(METRICS, 0.0) for query in collection.answerable
    }
    for name in METRICS:
        measure = ir_measures.parse_measure(name)
        if measure.NAME == "nDCG":
            measure = measure(gains=gains)
        for each in ir_measures.iter_calc([measure], qrels, run):
            if each.query_id in values:
                values[each.query_id][name] = each.value
    return values


def measure(collection: Collection, make: Callable[[Catalogue], Retriever]) -> Values:
    """Return what a retriever finds in a collection, and its times."""
    began = time.perf_counter()
    retriever = make(collection.catalogue)
    index = time.perf_counter() - began
    queries = [collection.queries[query] for query in collection.answerable]
    passes = []
    for _ in range(PASSES):
        began = time.perf_counter()
        found = [retriever.search([query], DEPTH)[0] for query in queries]
        passes.append((time.perf_counter() - began) / len(queries))
    ours, theirs = from_ranks(collection, found), from_ir_measures(collection, found)
    gap = max(abs(ours[q][name] - theirs[q][name]) for q in ours for name in METRICS)
    assert gap <= 1e-9, f"a metric differs from ir-measures by {gap}"
    means = {name: float(np.mean([values[name] for values in ours.values()])) for name in METRICS}
    judged = [
        judged_share([hit.product_id for hit in hits], collection.qrels[query], 10)
        for query, hits in zip(collection.answerable, found, strict=True)
    ]
    return means | {
        "Judged@10": float(np.mean(judged)),
        "index_s": index,
        "query_ms": min(passes) * 1e3,
        "gap_to_ir_measures": gap,
    }


def in_postgres(dsn: str, catalogue: Catalogue) -> Retriever:
    """Store a catalogue in a table of its own, and return what searches it."""
    from ospo.search.postgres import Postgres, create_table

    table = f"products_{catalogue.fingerprint[:12]}"
    create_table(dsn, catalogue, table=table)
    return Postgres(dsn, catalogue, table=table)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", nargs="+", default=["shop"])
    options.add_argument("--retrievers", nargs="+", default=RETRIEVERS)
    options.add_argument("--postgres", metavar="DSN")
    options.add_argument("--cache", metavar="DIR", type=Path)
    chosen = options.parse_args()
    makers = {
        name: partial(load_retriever, name, cache_dir=chosen.cache) for name in chosen.retrievers
    }
    for make in makers.values():
        make(load("shop").catalogue)  # what is imported is not the index
    if chosen.postgres:
        makers["postgres"] = partial(in_postgres, chosen.postgres)
    for spec in chosen.data:
        collection = load(spec)
        print(
            f"{collection.name}: {len(collection.catalogue):,} products, {len(collection.queries)} "
            f"queries, {len(collection.answerable)} of them with relevant products"
        )
        print(
            f"  {'retriever':<32}nDCG@10   @100  @1000  condensed@10     RR     AP  R@100  "
            "judged@10  index s  query ms"
        )
        rows = {}
        for name, make in makers.items():
            row = rows[name] = measure(collection, make)
            metrics = "  ".join(f"{row[metric]:5.3f}" for metric in METRICS[:3])
            more = "  ".join(f"{row[metric]:5.3f}" for metric in METRICS[4:])
            print(
                f"  {name:<32}  {metrics}         {row[METRICS[3]]:5.3f}  {more}      "
                f"{row['Judged@10']:5.3f}  {row['index_s']:7.2f}  {row['query_ms']:8.3f}",
                flush=True,
            )
        path = RESULTS / f"retrievers_{collection.name}.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        found = before | {"processor": platform.processor() or platform.machine()} | rows
        path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

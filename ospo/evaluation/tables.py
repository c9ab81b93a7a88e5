"""An evaluation as plain tables: every value as CSV, and all that follows from them as JSON."""

from __future__ import annotations

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ospo.evaluation.difference import LEVEL
from ospo.evaluation.evaluation import Evaluation
from ospo.evaluation.trec_files import ir_measures_name
from ospo.paired import PERMUTATIONS, RESAMPLES

FORMAT = 1
COLUMNS = ("query_id", "query", "system", "texts", "retriever", "metric", "value")


def write_csv(evaluation: Evaluation, path: Path) -> None:
    """Write one row for each query, system, retriever and metric.

    ``query`` is the judged query; ``texts`` is how many texts of the system the value is the mean
    of.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for q, query in enumerate(evaluation.queries):
            for s, system in enumerate(evaluation.systems):
                for r, retriever in enumerate(evaluation.retrievers):
                    for m, metric in enumerate(evaluation.metrics):
                        text = evaluation.collection.queries[query]
                        value = float(evaluation.values[s, r, m, q])
                        count = len(system.texts[query])
                        row = (query, text, system.name, count, retriever, metric, value)
                        table.writerow(row)


def to_dict(evaluation: Evaluation) -> dict[str, Any]:
    """Return the means, the differences and how they were computed, ready for JSON.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.evaluation import System, evaluate
    >>> from ospo.search.bm25 import BM25
    >>> from ospo.search.metrics import parse_metric
    >>> shop = load("shop")
    >>> plain = System("plain", {q: (shop.queries[q],) for q in shop.answerable[:9]})
    >>> found = evaluate([plain], {"bm25": BM25(shop.catalogue)}, shop, [parse_metric("RR")])
    >>> [mean] = to_dict(found)["means"]
    >>> mean["system"], mean["retriever"], mean["metric"], round(mean["mean"], 3)
    ('plain', 'bm25', 'RR', 0.891)
    """
    qrels = [evaluation.collection.qrels[query] for query in evaluation.queries]
    grades = {grade for judgments in qrels for grade in judgments.values()}
    return {
        "format": FORMAT,
        "collection": evaluation.collection.name,
        "queries": len(evaluation.queries),
        "systems": [
            {"name": system.name, "trained_with": system.trained_with}
            for system in evaluation.systems
        ],
        "retrievers": [
            {"name": retriever, "held_out": evaluation.held_out(retriever)}
            for retriever in evaluation.retrievers
        ],
        "metrics": [
            {"name": str(metric), "ir_measures": ir_measures_name(metric, grades)}
            for metric in evaluation.metrics
        ],
        "means": [
            {
                "system": system.name,
                "retriever": retriever,
                "metric": str(metric),
                "mean": evaluation.mean(s, r, m).value,
            }
            for s, system in enumerate(evaluation.systems)
            for r, retriever in enumerate(evaluation.retrievers)
            for m, metric in enumerate(evaluation.metrics)
        ],
        "differences": [
            asdict(difference) | {"queries": difference.queries._asdict()}
            for difference in evaluation.differences
        ],
        "method": {
            "test": "paired randomization of the mean difference, two-sided; p_holm is adjusted "
            "over the pairs of systems",
            "permutations": PERMUTATIONS,
            "level": LEVEL,
            "interval": "percentile bootstrap over queries, 95 %",
            "resamples": RESAMPLES,
            "seed": evaluation.seed,
        },
        "notes": list(evaluation.notes),
    }

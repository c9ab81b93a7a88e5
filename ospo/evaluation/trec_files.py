"""TREC's run and qrels files of an evaluation, from which any tool computes the same numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Collection, listed
from ospo.errors import InputError
from ospo.evaluation.evaluation import Evaluation
from ospo.evaluation.system import System
from ospo.search.metrics import NDCG, Metric

QRELS = "qrels.txt"


def check_ids(collection: Collection) -> None:
    """Refuse ids with blanks, which divide the columns of TREC's files.

    Raises
    ------
    InputError
        A query or a product has such an id.

    Examples
    --------
    >>> from ospo.data import load
    >>> check_ids(load("shop"))
    """
    for what, ids in (("query", collection.queries), ("product", collection.catalogue.ids)):
        blank = [name for name in ids if name.split() != [name]]
        if blank:
            raise InputError(
                f"{len(blank)} {what} ids have blanks ({listed(blank)}), which files in TREC's "
                "form cannot hold: rename them, or compare without writing files"
            )


def write_trec_files(evaluation: Evaluation, folder: Path) -> None:
    """Write ``qrels.txt``, and one run file for each system and retriever.

    A system with several texts for a query has a file for the first text of every query, one for
    the second, and so on: the value of a query is the mean over the files.

    Parameters
    ----------
    evaluation : Evaluation
    folder : Path
        It exists, and gets a folder ``runs``.
    """
    check_ids(evaluation.collection)
    qrels = evaluation.collection.qrels
    with (folder / QRELS).open("w", encoding="utf-8") as file:
        for query in evaluation.queries:
            file.writelines(f"{query} 0 {p} {grade}\n" for p, grade in qrels[query].items())
    (folder / "runs").mkdir()
    for retriever in evaluation.retrievers:
        for system in evaluation.systems:
            tag = f"{system.name}.{file_name(retriever)}"
            files = max(len(system.texts[query]) for query in evaluation.queries)
            for k in range(files):
                name = f"{tag}.run" if files == 1 else f"{tag}.{k + 1}.run"
                with (folder / "runs" / name).open("w", encoding="utf-8") as file:
                    file.writelines(_run(evaluation, retriever, system, k, tag))


def _run(evaluation: Evaluation, retriever: str, system: System, k: int, tag: str) -> Iterator[str]:
    """Yield the lines of the run of the text ``k`` of every query that has one."""
    ids, rankings = evaluation.collection.catalogue.ids, evaluation.rankings[retriever]
    for query in evaluation.queries:
        for text in system.texts[query][k : k + 1]:
            found = rankings[text]
            hits = zip(found.rows.tolist(), falling(found.scores).tolist(), strict=True)
            for rank, (row, score) in enumerate(hits, start=1):
                yield f"{query} Q0 {ids[row]} {rank} {score:.9g} {tag}\n"


def falling(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return scores, each below the one before it by the least that 32 bits can tell.

    Tools order a run by its scores and break ties in their own way; most read 32 bits. A score
    that is below the one before it already stays as it is.

    Examples
    --------
    >>> falling(np.array([2.0, 1.0, 1.0, 0.5], dtype=np.float32)).tolist()
    [2.0, 1.0, 0.9999999403953552, 0.5]
    """
    bits = scores.view(np.int32).astype(np.int64)
    # As integers, 32-bit floats are in their own order above 0, and in the reverse order below.
    places = np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))
    steps = np.arange(len(scores))
    places = np.minimum.accumulate(places + steps) - steps
    bits = np.where(places >= 0, places, -places | 0x80000000)
    return bits.astype(np.uint32).view(np.float32)


def file_name(retriever: str) -> str:
    """Return what a retriever is called in file names.

    Examples
    --------
    >>> file_name("bm25:title^2,brand")
    'bm25-title-2-brand'
    """
    return re.sub(r"[^\w.]+", "-", retriever).strip("-")


def ir_measures_name(metric: Metric, grades: Iterable[int]) -> str:
    """Return by what name ir-measures computes a metric, given the grades that are judged.

    It has no name for nDCG with exponential gains, but takes the gain of each grade.

    Examples
    --------
    >>> ir_measures_name(NDCG(10), [0, 2])
    'nDCG(gains={0: 0, 2: 3})@10'
    """
    if not isinstance(metric, NDCG) or metric.dcg != "exp-log2":
        return str(metric)
    options = f"gains={ {grade: 2**grade - 1 for grade in sorted(set(grades))} }"
    options += ", judged_only=True" * metric.judged_only
    return f"nDCG({options})" + f"@{metric.cutoff}" * (metric.cutoff is not None)

"""The page of an evaluation: the table, every contrast, and every query by its difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ospo.evaluation.evaluation import Evaluation
from ospo.evaluation.queries import LETTERS
from ospo.paired import PERMUTATIONS, RESAMPLES
from ospo.report.evaluation import SUPERSCRIPTS, heading, legend, probability, short, tallied
from ospo.report.template import render


@dataclass(frozen=True, slots=True)
class Bars:
    """The differences of one retriever, sorted, as the paths of two areas.

    Attributes
    ----------
    won, lost : str
        The paths are drawn in a box from (0, -1) to (queries, 1), and y points down.
    largest, smallest : float
        The ends of the differences.
    """

    won: str
    lost: str
    largest: float
    smallest: float


@dataclass(frozen=True, slots=True)
class Written:
    """What one system searched with for a query, what it was worth, and how to explain it.

    Attributes
    ----------
    name : str
    values : tuple of float
        Of the first metric, by each retriever.
    texts : tuple of (str, str or None)
        Each text with the command that explains it; None for one without words.
    """

    name: str
    values: tuple[float, ...]
    texts: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A query: its id and text, the main contrast by each retriever, and all that was written."""

    query_id: str
    text: str
    differences: tuple[float, ...]
    systems: tuple[Written, ...]


def evaluation_page(
    evaluation: Evaluation, *, command: str, explain: Callable[[str, str], str]
) -> str:
    """Return the page of an evaluation, one self-contained HTML file.

    Parameters
    ----------
    evaluation : Evaluation
    command : str
        What reproduces it on the command line.
    explain : callable
        Returns, for a query id and a text, the command that explains what the text retrieves.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.evaluation import System, evaluate
    >>> from ospo.search.bm25 import BM25
    >>> from ospo.search.metrics import parse_metric
    >>> shop = load("shop")
    >>> plain = System("plain", {q: (shop.queries[q],) for q in shop.answerable[:9]})
    >>> found = evaluate([plain], {"bm25": BM25(shop.catalogue)}, shop, [parse_metric("RR")])
    >>> page = evaluation_page(found, command="ospo eval", explain=lambda q, t: f"explain {t}")
    >>> page.startswith("<!doctype html>"), page.count("<pre dir")
    (True, 9)
    """
    first, last = evaluation.systems[0].name, evaluation.systems[-1].name
    lettered = dict(zip((s.name for s in evaluation.systems), LETTERS, strict=False))
    return render(
        "evaluation.html",
        heading=f"{last} against {first}" if evaluation.main else first,
        evaluation=evaluation,
        metrics={str(metric): short(metric) for metric in evaluation.metrics},
        headings=[heading(evaluation, retriever) for retriever in evaluation.retrievers],
        letters=lettered,
        bars=_bars(evaluation) if evaluation.main else [],
        queries=[_query(evaluation, q, explain) for q in evaluation.worst_first],
        legend=list(legend(evaluation)),
        superscripts=SUPERSCRIPTS,
        command=command,
        permutations=PERMUTATIONS,
        resamples=RESAMPLES,
        probability=probability,
        tallied=tallied,
    )


def _bars(evaluation: Evaluation) -> list[Bars]:
    contrast = np.sort(evaluation.contrast)
    scale = float(np.abs(contrast).max()) or 1.0
    found = []
    for difference, rising in zip(evaluation.main, contrast.tolist(), strict=True):
        bars = [f"M{x} 0v{-height / scale:.4f}h.8V0z" for x, height in enumerate(rising)]
        lost, tied = difference.queries.lost, difference.queries.tied
        won = "".join(bars[lost + tied :])
        found.append(Bars(won, "".join(bars[:lost]), largest=rising[-1], smallest=rising[0]))
    return found


def _query(evaluation: Evaluation, q: int, explain: Callable[[str, str], str]) -> Query:
    query = evaluation.queries[q]
    systems = (
        Written(
            system.name,
            tuple(evaluation.values[s, :, 0, q].tolist()),
            tuple(
                (text, explain(query, text) if text.strip() else None)
                for text in system.texts[query]
            ),
        )
        for s, system in enumerate(evaluation.systems)
    )
    differences = evaluation.contrast[:, q].tolist()
    return Query(query, evaluation.collection.queries[query], tuple(differences), tuple(systems))

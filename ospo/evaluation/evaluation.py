"""The comparison: every system with every retriever by every metric, and every pair of systems."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Collection
from ospo.errors import InputError
from ospo.evaluation.difference import Difference, differences
from ospo.evaluation.queries import LETTERS, common_queries
from ospo.evaluation.run import Ranking, search, worth
from ospo.evaluation.system import System
from ospo.search.metrics import NDCG, Metric
from ospo.search.retriever import Retriever

Progress = Callable[[str, int, int], None]  # retriever, texts searched, texts to search


@dataclass(frozen=True, slots=True)
class Mean:
    """A cell of the table.

    Attributes
    ----------
    value : float
        The mean over the queries.
    best : bool
        Whether no system has a higher one in its column, if there are several.
    beaten : str
        The letters of the systems that it is significantly better than.
    """

    value: float
    best: bool
    beaten: str


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Systems x retrievers x metrics on the same queries.

    Attributes
    ----------
    collection : Collection
    queries : tuple of str
        The ids of the queries that all systems answer and that the judgments can value, in the
        order of the collection.
    systems : tuple of System
    retrievers : tuple of str
    metrics : tuple of Metric
    values : ndarray
        ``(systems, retrievers, metrics, queries)``: means over the texts of a query.
    rankings : mapping
        Retriever and text to what it retrieves.
    differences : tuple of Difference
        Of every pair of systems (the later minus the earlier), retriever and metric.
    notes : tuple of str
        What was left out, and what is to be known, a sentence each.
    seed : int
        Of the resampling.
    """

    collection: Collection
    queries: tuple[str, ...]
    systems: tuple[System, ...]
    retrievers: tuple[str, ...]
    metrics: tuple[Metric, ...]
    values: NDArray[np.float64] = field(repr=False)
    rankings: Mapping[str, Mapping[str, Ranking]] = field(repr=False)
    differences: tuple[Difference, ...] = field(repr=False)
    notes: tuple[str, ...]
    seed: int

    @property
    def main(self) -> tuple[Difference, ...]:
        """The last system against the first by the first metric, with each retriever."""
        ends, metric = (self.systems[-1].name, self.systems[0].name), str(self.metrics[0])
        return tuple(
            d for d in self.differences if (d.system, d.other) == ends and d.metric == metric
        )

    @property
    def contrast(self) -> NDArray[np.float64]:
        """The main contrast of each query, ``(retrievers, queries)``."""
        return np.asarray(self.values[-1, :, 0] - self.values[0, :, 0])

    @property
    def worst_first(self) -> list[int]:
        """Where the queries stand that the main contrast lost most with the first retriever."""
        places: list[int] = np.argsort(self.contrast[0], kind="stable").tolist()
        return places

    def mean(self, system: int, retriever: int, metric: int) -> Mean:
        """Return a cell of the table; its system, retriever and metric are given by number."""
        column = self.values[:, retriever, metric].mean(axis=-1)
        name = self.systems[system].name
        at = self.retrievers[retriever], str(self.metrics[metric])
        won = [d for d in self.differences if (d.retriever, d.metric) == at and d.better == name]
        beaten = {each for d in won for each in (d.system, d.other)} - {name}
        lettered = zip(LETTERS, self.systems, strict=False)
        return Mean(
            value=float(column[system]),
            best=bool(len(column) > 1 and column[system] == column.max()),
            beaten="".join(letter for letter, each in lettered if each.name in beaten),
        )

    def held_out(self, retriever: str) -> bool:
        """Return whether there are trained systems, and none was trained with a retriever."""
        trained = {s.trained_with for s in self.systems if s.trained_with is not None}
        return bool(trained) and retriever not in trained


def evaluate(
    systems: Sequence[System],
    retrievers: Mapping[str, Retriever],
    collection: Collection,
    metrics: Sequence[Metric],
    *,
    seed: int = 0,
    progress: Progress = lambda *_: None,
) -> Evaluation:
    """Compare systems on the queries that all of them answer.

    Beside every nDCG stands the one of condensed lists, which take out the products that nobody
    judged: it is fairer to a retriever whose results were not in the pool.

    Parameters
    ----------
    systems : sequence of System
    retrievers : mapping
        What each is called to the retriever over the collection's catalogue. A metric sees as
        many products as its ``depth`` says.
    collection : Collection
        Holds the judgments.
    metrics : sequence of Metric
        The first is that of the main contrast.
    seed : int
        Decides the permutations of the tests and the resamples of the intervals.
    progress : callable
        Is told the retriever, the texts searched and the texts to search.

    Raises
    ------
    InputError
        The systems cannot be compared, as :func:`ospo.evaluation.queries.common_queries` says, or
        a metric is deeper than a retriever looks.
    RetrieverError
        A retriever cannot be reached, or its answer is no ranking.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> full = System("full", {q: (shop.queries[q],) for q in shop.answerable})
    >>> last = System("last", {q: (shop.queries[q].split()[-1],) for q in shop.answerable})
    >>> found = evaluate([last, full], {"bm25": BM25(shop.catalogue)}, shop, [NDCG(10)])
    >>> [difference] = found.main
    >>> print(f"{difference.mean:+.2f} {difference.better} {difference.queries}")
    +0.34 full Tally(won=155, tied=32, lost=13)
    """
    metrics = tuple(dict.fromkeys(twin for metric in metrics for twin in _with_condensed(metric)))
    _check_depth(metrics, retrievers)
    queries, notes = common_queries(systems, collection, metrics)
    values = np.empty((len(systems), len(retrievers), len(metrics), len(queries)))
    texts = [[text for query in queries for text in system.texts[query]] for system in systems]
    rankings = {}
    for r, (label, retriever) in enumerate(retrievers.items()):
        found = rankings[label] = search(
            chain.from_iterable(texts), retriever, collection.catalogue, partial(progress, label)
        )
        for s, system in enumerate(systems):
            for q, query in enumerate(queries):
                its = [found[text] for text in system.texts[query]]
                judgments = collection.qrels[query]
                values[s, r, :, q] = worth(its, judgments, metrics, collection.catalogue)
            empty = sum(not len(found[text].rows) for text in texts[s])
            if empty:
                notes.append(
                    f"{empty} texts of {system.name} retrieve nothing with {label}: they are "
                    "worth 0"
                )
    labels = [[s.name for s in systems], list(retrievers), list(map(str, metrics))]
    return Evaluation(
        collection=collection,
        queries=queries,
        systems=tuple(systems),
        retrievers=tuple(retrievers),
        metrics=metrics,
        values=values,
        rankings=rankings,
        differences=differences(values, *labels, seed=seed),
        notes=(*(note for system in systems for note in system.notes), *notes),
        seed=seed,
    )


def _with_condensed(metric: Metric) -> tuple[Metric, ...]:
    return (metric, replace(metric, judged_only=True)) if isinstance(metric, NDCG) else (metric,)


def _check_depth(metrics: Sequence[Metric], retrievers: Mapping[str, Retriever]) -> None:
    for label, retriever in retrievers.items():
        for metric in metrics:
            if (metric.cutoff or 0) > retriever.depth:
                raise InputError(
                    f"{metric} looks deeper than {label}, which finds {retriever.depth} products: "
                    "choose a smaller cutoff"
                )

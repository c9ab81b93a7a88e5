"""Explanation of a query: which of its phrases drive retrieval."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ospo.errors import InputError
from ospo.game import CONCEPTS, RetrievalGame
from ospo.search.judge import Judge
from ospo.search.metrics import ReciprocalRank, parse_metric
from ospo.search.retriever import Retriever
from ospo.search.stored import Stored, found_in_store
from ospo.search.target import TargetScore
from ospo.text.render import render
from ospo.text.segment import Segmenter, segment

SCORE = "score"  # of one product, in place of a metric
MAX_EXACT_SEGMENTS = 16  # 65,536 coalitions: some seconds over twenty thousand products


@dataclass(frozen=True, slots=True)
class ProductRanks:
    """Where one relevant product stands.

    Attributes
    ----------
    product_id : str
    grade : int
    rank : int
        Its rank for the whole query; 0 = not retrieved.
    without : tuple of int
        Its rank for the query without each segment.
    """

    product_id: str
    grade: int
    rank: int
    without: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SearchCost:
    """Query texts valued, searches made for them, searches saved, and wall time."""

    asked: int
    searched: int
    saved: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which segments of a query earned its metric.

    Attributes
    ----------
    query : str
    segments : tuple of str
        Its phrases, the players.
    credit : tuple of float
        Each phrase's credit, in units of the metric. Exact.
    concept : str
        The solution concept that the credits follow.
    baseline, total : float
        The metric of the empty query and of the query.
    metric : str
        Its ir-measures name, or ``score``.
    without : tuple of float
        The metric of the query without each phrase.
    ranks : tuple of ProductRanks
        The relevant products, best grade first, then by rank.
    cost : SearchCost
    """

    query: str
    segments: tuple[str, ...]
    credit: tuple[float, ...]
    concept: str
    baseline: float
    total: float
    metric: str
    without: tuple[float, ...]
    ranks: tuple[ProductRanks, ...]
    cost: SearchCost

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data, ready for JSON."""
        return asdict(self)


def explain(
    query: str,
    retriever: Retriever,
    judgments: Mapping[str, int],
    *,
    metric: str = "nDCG@10",
    concept: str = "shapley",
    segmenter: Segmenter = segment,
) -> Explanation:
    """Explain which phrases of a query drive its retrieval metric.

    Parameters
    ----------
    query : str
        Phrases with delimiters between them, or plain words.
    retriever : Retriever
    judgments : mapping
        Product id to grade: what the query should find.
    metric : str
        An ir-measures name; or ``score``, the retriever's score of the only product in the
        judgments.
    concept : str
        The solution concept, one of :data:`ospo.game.CONCEPTS`.
    segmenter : Segmenter
        Cuts the query into players.

    Raises
    ------
    InputError
        The query has no words, no word that the retriever knows, or too many segments for the
        concept; no product is relevant; or a score is asked of several products, or of a
        retriever that does not score all products itself.
    RetrieverError
        The retriever cannot be reached, or its answer is no ranking.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> query_id = shop.answerable[0]
    >>> e = explain(shop.queries[query_id], BM25(shop.catalogue), shop.qrels[query_id])
    >>> abs(sum(e.credit) - e.total) < 1e-12
    True
    """
    began, found = time.perf_counter(), found_in_store(retriever)
    if concept not in CONCEPTS:
        raise InputError(f"concept must be one of {', '.join(CONCEPTS)}, got {concept!r}")
    segments = segmenter(query)
    if not segments:
        raise InputError(f"the query {query!r} has no words; write at least one")
    searched_text = render(query, segments, np.ones(len(segments), dtype=np.bool_))
    if not retriever.key(searched_text):
        raise InputError(
            f"none of the words of the query {query!r} occurs in the catalogue, "
            "so it retrieves nothing; use words of its products"
        )
    n = len(segments)
    if concept in ("shapley", "banzhaf") and n > MAX_EXACT_SEGMENTS:
        raise InputError(
            f"the query has {n} segments, and exact {concept} credit is limited to "
            f"{MAX_EXACT_SEGMENTS} (2**{n} searches); use the concept 'myerson' "
            f"({n * (n + 1) // 2 + 1} searches) or join words with commas into fewer phrases"
        )
    score = _target_score(retriever, judgments) if metric == SCORE else None
    judge = Judge(retriever, judgments, parse_metric(metric) if score is None else ReciprocalRank())
    game = RetrievalGame(query, score or judge, segments)
    attribution = game.attribute(concept)
    drops = game.texts(~np.eye(n, dtype=np.bool_))
    ranks = judge.ranks([searched_text, *drops])
    products = [
        ProductRanks(product, grade, rank, tuple(others))
        for product, grade, (rank, *others) in zip(
            judge.product_ids, judge.grades, ranks.T.tolist(), strict=True
        )
        if judge.metric.relevant(grade)
    ]
    products.sort(key=lambda p: (-p.grade, p.rank == 0, p.rank))
    asked, searched = judge.asked, judge.searched - (found_in_store(retriever) - found)
    if score is None:
        without = judge.metric(ranks[1:], judge.grades)
    else:
        without = score(drops)
        assert attribution.cost is not None
        scored = attribution.cost.new + n
        asked, searched = asked + scored, searched + scored
    return Explanation(
        query=query,
        segments=game.names,
        credit=tuple(attribution.values.tolist()),
        concept=attribution.concept,
        baseline=attribution.baseline,
        total=attribution.total,
        metric=str(judge.metric) if score is None else SCORE,
        without=tuple(without.tolist()),
        ranks=tuple(products),
        cost=SearchCost(asked, searched, asked - searched, time.perf_counter() - began),
    )


def _target_score(retriever: Retriever, judgments: Mapping[str, int]) -> TargetScore:
    if len(judgments) != 1:
        raise InputError(
            f"the judgments name {len(judgments)} products, and a score is of one: name one "
            "target, or choose a metric"
        )
    if isinstance(retriever, Stored):
        raise InputError("ranks are kept in a file, scores are not: leave the cache out")
    (product,) = judgments
    return TargetScore(retriever, product)

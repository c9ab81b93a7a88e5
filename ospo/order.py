"""Orders of a query: what it is worth when the same phrases stand in another order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from ospo.errors import InputError
from ospo.search.judge import Judge
from ospo.search.metrics import parse_metric
from ospo.search.retriever import Retriever
from ospo.text.segment import Segment, Segmenter, segment

MOST = 720  # orders that are all searched: of six phrases


@dataclass(frozen=True, slots=True)
class Orders:
    """What a query is worth in each order of its phrases.

    Attributes
    ----------
    metric : str
    texts : tuple of str
        The query first, then its other orders.
    values : tuple of float
        The metric of each.
    complete : bool
        Whether these are all orders; else they are drawn at random.
    searched : int
        How many of them the retriever can tell apart; 1 = it sees no order.
    """

    metric: str
    texts: tuple[str, ...]
    values: tuple[float, ...]
    complete: bool
    searched: int


def orders(
    query: str,
    retriever: Retriever,
    judgments: Mapping[str, int],
    *,
    metric: str = "nDCG@10",
    segmenter: Segmenter = segment,
    most: int = MOST,
    rng: int = 0,
) -> Orders:
    """Value a query in every order of its phrases, or in so many as are drawn.

    Phrases change places, and what stands between them stays. Orders that the retriever cannot
    tell apart are searched once, so a bag of words costs one search.

    Parameters
    ----------
    query : str
    retriever : Retriever
    judgments : mapping
        Product id to grade.
    metric : str
        An ir-measures name.
    segmenter : Segmenter
        Cuts the query into phrases.
    most : int
        Where there are more orders than this, so many of them are drawn.
    rng : int
        The seed of the draw.

    Raises
    ------
    InputError
        The query has no words, or no product is relevant.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> found = orders("patio bench with storage", BM25(shop.catalogue), shop.qrels["q002"])
    >>> len(found.texts), found.texts[1], found.searched
    (24, 'patio bench storage with', 1)
    """
    segments = segmenter(query)
    if not segments:
        raise InputError(f"the query {query!r} has no words; write at least one")
    n = len(segments)
    complete = math.factorial(n) <= most
    if complete:
        places = list(permutations(range(n)))
    else:
        draw = np.random.default_rng(rng)
        places = [tuple(range(n)), *(tuple(draw.permutation(n)) for _ in range(most - 1))]
    texts = tuple(dict.fromkeys(_said(query, segments, order) for order in places))
    judge = Judge(retriever, judgments, parse_metric(metric))
    values = tuple(judge(texts).tolist())
    return Orders(str(judge.metric), texts, values, complete, judge.searched)


def _said(query: str, segments: Sequence[Segment], order: Sequence[int]) -> str:
    """Return the query with its phrases in another order."""
    pieces, end = [], 0
    for place, phrase in zip(segments, order, strict=True):
        pieces += [query[end : place.phrase_start], segments[phrase].phrase]
        end = place.phrase_end
    return "".join([*pieces, query[end:]])

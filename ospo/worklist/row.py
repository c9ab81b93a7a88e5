"""The row of a query in a worklist: what its explanation says in a line, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ospo.errors import InputError
from ospo.explanation import Explanation


@dataclass(frozen=True, slots=True)
class Summary:
    """What a worklist keeps of an explanation.

    Attributes
    ----------
    intent : str or None
        The judged query that says what is relevant; None where that is the query itself.
    value : float
        The metric of the query.
    segments, kinds : tuple of str
        Its phrases, and what kind each is of.
    credit, without : tuple of float
        The credit of each phrase, and the metric when just that phrase is deleted.
    half_width : float or None
        Half of the widest 95 % interval of a credit; None = they are exact.
    drop : int
        The place of the phrase without which the metric is highest.
    gain : float
        How much higher it is then; 0 or less = no single drop is better.
    risen, fallen : int
        The relevant products that stand higher and lower then.
    asked, searched : int
        Query texts valued, and searches made for them.
    seconds : float
        What the explanation took.
    """

    intent: str | None
    value: float
    segments: tuple[str, ...]
    kinds: tuple[str, ...]
    credit: tuple[float, ...]
    without: tuple[float, ...]
    half_width: float | None
    drop: int
    gain: float
    risen: int
    fallen: int
    asked: int
    searched: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Row:
    """One query of a worklist.

    Attributes
    ----------
    key : str
        A hash of the query and of everything that its explanation depends on. Its page is
        ``pages/KEY.html``.
    query_id, query : str
    failed : str or None
        Why it could not be explained.
    summary : Summary or None
        None where it failed.
    """

    key: str
    query_id: str
    query: str
    failed: str | None
    summary: Summary | None


def summarize(explanation: Explanation, kind: Callable[[str], str]) -> Summary:
    """Return what a worklist keeps of an explanation.

    Parameters
    ----------
    explanation : Explanation
    kind : callable
        Says of what kind a phrase is.

    Raises
    ------
    InputError
        Nothing is retrieved by any part of the query that was searched.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.explain import explain
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> e = explain("patio bench", BM25(shop.catalogue), shop.qrels["q002"])
    >>> summary = summarize(e, kind=lambda phrase: "word")
    >>> e.segments[summary.drop], round(summary.gain, 3)
    ('patio', 0.14)
    """
    e = explanation
    if not any(variant.ranking for variant in e.variants):
        raise InputError(f"no part of the query {e.query!r} retrieves any product: use their words")
    without = tuple(variant.value for variant in e.without)
    drop = max(range(len(without)), key=without.__getitem__)
    return Summary(
        intent=e.intent,
        value=e.total,
        segments=e.segments,
        kinds=tuple(map(kind, e.segments)),
        credit=e.credit,
        without=without,
        half_width=None if e.interval is None else max((b - a) / 2 for a, b in e.interval),
        drop=drop,
        gain=without[drop] - e.total,
        risen=e.risen(e.without[drop]),
        fallen=e.fallen(e.without[drop]),
        asked=e.cost.asked,
        searched=e.cost.searched,
        seconds=e.cost.seconds,
    )

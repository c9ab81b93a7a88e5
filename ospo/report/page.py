"""The page of an explained query, or of two to compare: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Sequence

from ospo.errors import InputError
from ospo.explanation import Explanation
from ospo.report.comparison import compared_phrases, compared_products
from ospo.report.side import Side
from ospo.report.template import render


def page(explanations: Sequence[Explanation]) -> str:
    """Return the page of one explanation, or of two that are compared side by side.

    Everything is in the one file: it asks the network for nothing, is readable with scripts off,
    and prints. The only script serves the switchboard, which shows the value and the ranking of
    any part of the query that was searched.

    Parameters
    ----------
    explanations : sequence of Explanation
        One; or two of the same wish, by two retrievers or of two texts.

    Raises
    ------
    InputError
        There are no explanations, or more than two, or two that are measured differently.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.explain import explain
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> query_id = shop.answerable[0]
    >>> e = explain(shop.queries[query_id], BM25(shop.catalogue), shop.qrels[query_id])
    >>> page([e]).startswith("<!doctype html>")
    True
    """
    if not 1 <= len(explanations) <= 2:
        raise InputError(
            f"a page shows one explanation or compares two, got {len(explanations)}: "
            "write one page for each"
        )
    metrics = list(dict.fromkeys(explanation.metric for explanation in explanations))
    if len(metrics) > 1:
        raise InputError(
            f"{' and '.join(metrics)} cannot be compared: explain both with the same metric"
        )
    sides = [Side(e, label) for e, label in zip(explanations, _labels(explanations), strict=True)]
    one_board = len({e.segments for e in explanations}) == 1
    compares = len(sides) > 1
    products = compared_products(*explanations) if compares else []
    return render(
        "explain.html",
        heading=" against ".join(side.label for side in sides),
        sides=sides,
        boards=[sides] if one_board else [[side] for side in sides],
        phrases=compared_phrases(*explanations) if compares and one_board else [],
        products=[row for row in products if row.first != row.second],
    )


def _labels(explanations: Sequence[Explanation]) -> list[str]:
    """Return what tells the explanations apart."""
    retrievers = [e.method.retriever for e in explanations]
    if 1 < len(explanations) == len(set(retrievers)):
        return retrievers
    written = [e.context is not None for e in explanations]
    if len(set(written)) > 1:
        return ["Rewrite" if by_policy else "Original query" for by_policy in written]
    return [e.query for e in explanations]

"""What a retriever outside ospo answered, held against what a ranking is."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from decimal import Decimal
from numbers import Real

from ospo.search.retriever import Hit, RetrieverError


def check_answers(
    answers: object, queries: Sequence[str], k: int, known: Container[str], source: str
) -> list[list[Hit]]:
    """Return a retriever's answers as hits, if they are rankings of the catalogue.

    Parameters
    ----------
    answers : object
        For each query, a list of at most ``k`` product ids, best first, or of pairs of a product
        id and a score. Ids without a score are given their reciprocal rank.
    queries : sequence of str
    k : int
    known : container of str
        The product ids of the catalogue.
    source : str
        Who answered, for the message.

    Raises
    ------
    RetrieverError
        There is not one list for each query, or one of them is too long, names an unknown
        product, names a product twice, or holds something else than ids and numbers.

    Examples
    --------
    >>> check_answers([["b", ("a", 0.4)]], ["lamp"], 10, {"a", "b"}, "my engine")
    [[Hit(product_id='b', score=1.0), Hit(product_id='a', score=0.4)]]
    """
    if not isinstance(answers, list | tuple) or len(answers) != len(queries):
        raise RetrieverError(
            f"{source} answered {_brief(answers)} to {len(queries)} queries: "
            "return a list with one list of hits for each query"
        )
    return [
        _check_hits(hits, k, known, f"{source}, asked for {query!r},")
        for query, hits in zip(queries, answers, strict=True)
    ]


def _check_hits(hits: object, k: int, known: Container[str], source: str) -> list[Hit]:
    if not isinstance(hits, list | tuple):
        raise RetrieverError(
            f"{source} returned {_brief(hits)}: return a list of product ids with their scores"
        )
    if len(hits) > k:
        raise RetrieverError(f"{source} returned {len(hits)} products: return at most k = {k}")
    checked = [_check_hit(hit, rank, source) for rank, hit in enumerate(hits, start=1)]
    seen: set[str] = set()
    for product, _ in checked:
        if product not in known:
            raise RetrieverError(
                f"{source} returned the product {product!r}, which is not in the catalogue: "
                "search an index of the same catalogue, under the same ids"
            )
        if product in seen:
            raise RetrieverError(
                f"{source} returned the product {product!r} twice: return each product once"
            )
        seen.add(product)
    return checked


def _check_hit(hit: object, rank: int, source: str) -> Hit:
    match hit:
        case str():
            return Hit(hit, 1.0 / rank)
        case (str(product), Real() | Decimal() as score) if not math.isnan(float(score)):
            return Hit(product, float(score))
        case _:
            raise RetrieverError(
                f"{source} returned {_brief(hit)} at rank {rank}: "
                "return the product's id as text, and a score that is a number"
            )


def _brief(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else f"{text[:60]}..."

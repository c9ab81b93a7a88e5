"""Where two explanations of one wish disagree."""

from __future__ import annotations

from dataclasses import dataclass

from ospo.explanation import Explanation, Product
from ospo.report.moves import moved


@dataclass(frozen=True, slots=True)
class PhraseRow:
    """The credit of a phrase by the one and by the other."""

    phrase: str
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class ProductRow:
    """The rank of a relevant product by the one and by the other; 0 = not retrieved."""

    product_id: str
    product: Product
    first: int
    second: int

    @property
    def move(self) -> tuple[str, str]:
        """The move from the first to the second, as text and direction."""
        return moved(self.first, self.second)


def compared_phrases(first: Explanation, second: Explanation) -> list[PhraseRow]:
    """Return the phrases of two explanations of the same phrases, the most disputed first."""
    rows = map(PhraseRow, first.segments, first.credit, second.credit)
    return sorted(rows, key=lambda row: -abs(row.second - row.first))


def compared_products(first: Explanation, second: Explanation) -> list[ProductRow]:
    """Return the relevant products, those that only one of the two retrieves first.

    Then come those whose reciprocal ranks differ most: from 1 to 2 is farther than from 50 to 90.
    """
    ranks = [dict(zip(e.relevant, e.variants[0].ranks, strict=True)) for e in (first, second)]
    known = {**second.products, **first.products}
    rows = [
        ProductRow(product, known[product], *(own.get(product, 0) for own in ranks))
        for product in dict.fromkeys([*first.relevant, *second.relevant])
    ]
    return sorted(rows, key=_disagreement)


def _disagreement(row: ProductRow) -> tuple[bool, float]:
    worth = [1 / rank if rank else 0.0 for rank in (row.first, row.second)]
    return (not row.first) == (not row.second), -abs(worth[0] - worth[1])

"""What a query text is worth without judgments: the score that it gives one product."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ospo.search.retriever import Retriever
from ospo.search.stored import Stored, scorer_behind


class TargetScore:
    """Values query texts by the score of one product: which phrases put it where it ranks.

    A text that does not find the product is worth 0. For the product's rank instead, judge by
    ``RR`` with the product as the only judgment; that works with every retriever.

    Parameters
    ----------
    retriever : Retriever
        One that scores all products itself, or a :class:`ospo.search.stored.Stored` one of these;
        engines outside ospo tell the scores of the best only.
    product_id : str

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> from ospo.search.bm25 import BM25
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> TargetScore(BM25(shop), "2")(["blue shoe", "blue", "red"]).round(2)
    array([0.43, 0.34, 0.  ])
    """

    def __init__(self, retriever: Retriever, product_id: str) -> None:
        scorer = scorer_behind(retriever)
        self.retriever = retriever if isinstance(retriever, Stored) else scorer
        self.product_id = product_id

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the product's score for each text, ``(len(texts),)``."""
        return self.retriever.product_scores(texts, [self.product_id])[:, 0]

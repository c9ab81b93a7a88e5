"""Any Python function as a retriever."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ospo.data.collection import Catalogue
from ospo.search.check import check_answers
from ospo.search.retriever import Hit, Retriever, check_depth

Search = Callable[[Sequence[str], int], object]


class FunctionRetriever(Retriever):
    """Searches with a function, and checks what it answers.

    Parameters
    ----------
    search : callable
        ``search(queries, k)`` returns, for each query, a list of at most ``k`` products, best
        first: pairs of id and score, or ids alone.
    catalogue : Catalogue
        The products that it searches.
    name : str
        What to call it in messages.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> retriever = FunctionRetriever(lambda queries, k: [["2"] for _ in queries], shop)
    >>> retriever.ranks(["shoe"], ["1", "2"])
    array([[0, 1]])
    """

    def __init__(self, search: Search, catalogue: Catalogue, name: str = "the function") -> None:
        self._search = search
        self.catalogue = catalogue
        self.name = name

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first, or fewer."""
        check_depth(k)
        answers = self._search(queries, k)
        return check_answers(answers, queries, k, self.catalogue.position, self.name)

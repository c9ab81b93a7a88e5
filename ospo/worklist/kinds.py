"""Kinds of phrases: what a catalogue and the rules of phrases say that one is."""

from __future__ import annotations

import re

from ospo.data.collection import Catalogue
from ospo.search.retriever import Retriever
from ospo.text.phrase_rules import FUNCTION_WORDS

LONGEST = 40  # characters of a value that a phrase may be; descriptions are none
NUMBER = "number or measure"
FUNCTION = "function words"
UNKNOWN = "unknown to the catalogue"
OTHER = "other words"
_DIGIT = re.compile(r"\d")


class Kinds:
    """Tells the kind of a phrase.

    A phrase that is the whole value of a column, such as a brand, is of the kind that the column is
    called. Others are numbers and measures, function words, words in which the retriever sees
    nothing, and other words.

    Parameters
    ----------
    catalogue : Catalogue
        Its title says no kind.
    retriever : Retriever

    Examples
    --------
    >>> from ospo.search.bm25 import BM25
    >>> columns = {"title": ("red trail shoe", "watch for men"), "brand": ("Velora", "Tick Tock")}
    >>> shop = Catalogue(("1", "2"), columns)
    >>> list(map(Kinds(shop, BM25(shop)), ["velora", "42 mm", "for", "sofa", "red shoe"]))
    ['brand', 'number or measure', 'function words', 'unknown to the catalogue', 'other words']
    """

    def __init__(self, catalogue: Catalogue, retriever: Retriever) -> None:
        self._column = {
            value.lower(): name
            for name, column in catalogue.fields.items()
            if name != "title"
            for value in set(column)
            if 0 < len(value) <= LONGEST
        }
        self._retriever = retriever

    def __call__(self, phrase: str) -> str:
        """Return the kind of a phrase."""
        phrase = phrase.lower()
        if phrase in self._column:
            return self._column[phrase]
        if _DIGIT.search(phrase):
            return NUMBER
        if FUNCTION_WORDS.issuperset(phrase.split()):
            return FUNCTION
        return OTHER if self._retriever.key(phrase) else UNKNOWN

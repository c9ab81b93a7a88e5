"""How a lexical retriever turns a text into index terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import Stemmer

from ospo.errors import InputError
from ospo.text.terms import terms

STEMMER = "english"
_WORD = re.compile(r"\w+")

Analyzer = Callable[[str], list[str]]


def analyzer(stemmer: str | None = STEMMER) -> Analyzer:
    """Return the function from a text to its lower-case words, stemmed, in order.

    Parameters
    ----------
    stemmer : str, optional
        A Snowball stemmer by its language, or None to keep words as they are.

    Examples
    --------
    >>> analyzer("german")("Lampen für Kinder"), analyzer(None)("red Shoes")
    (['lamp', 'fur', 'kind'], ['red', 'shoes'])
    """
    if stemmer == STEMMER:
        return terms  # the very terms by which segments and contexts are compared
    if stemmer is None:
        return lambda text: _WORD.findall(text.lower())
    try:
        stem = lru_cache(maxsize=1 << 16)(Stemmer.Stemmer(stemmer).stemWord)
    except KeyError as error:
        raise InputError(
            f"there is no stemmer {stemmer!r}: choose one of {', '.join(Stemmer.algorithms())}"
        ) from error
    return lambda text: [stem(word) for word in _WORD.findall(text.lower())]

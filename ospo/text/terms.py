"""Index terms: what a lexical retriever sees of a text."""

from __future__ import annotations

import re
from functools import lru_cache

import Stemmer

_WORD = re.compile(r"\w+")
_stemmer = Stemmer.Stemmer("english")


def terms(text: str) -> list[str]:
    """Return the stemmed, lower-case words of a text, in order and with repetitions.

    Examples
    --------
    >>> terms("Gaming Laptops, 15.6-inch")
    ['game', 'laptop', '15', '6', 'inch']
    """
    return [_stem(word) for word in _WORD.findall(text.lower())]


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))

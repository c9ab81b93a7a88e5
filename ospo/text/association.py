"""Association: how much more often words follow each other in a catalogue than by chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError
from ospo.text.terms import terms

BATCH = 1 << 16  # texts counted at a time, which bounds the memory


class Association:
    """Normalised pointwise mutual information of ordered pairs of terms.

    A pair is counted where its second term follows the first in one text, fewer than ``window``
    positions on. Where both occur, but never so, the association is -1; where they do so no more
    often than independent terms would, 0; where neither occurs in any other pair, 1.

    Source: G. Bouma, "Normalized (pointwise) mutual information in collocation extraction",
    GSCL 2009.

    Parameters
    ----------
    texts : iterable of str
        Read once; titles of products.
    window : int
        At least 2, which counts neighbours only.

    Raises
    ------
    InputError
        If the window is smaller, or no text has two terms.

    Examples
    --------
    >>> titles = ["usb cable black", "usb cable", "black desk lamp", "desk lamp"]
    >>> association = Association(titles, window=2)
    >>> known = association.ids(terms("usb cable desk zebra"))
    >>> association.npmi(known[:-1], known[1:]).round(2)
    array([ 1., -1., nan])
    """

    def __init__(self, texts: Iterable[str], *, window: int = 3) -> None:
        if window < 2:
            raise InputError(f"a window of {window} words holds no pair: give at least 2")
        self._id: dict[str, int] = {}
        self._pairs = np.empty(0, dtype=np.int64)
        self._counts = np.empty(0, dtype=np.int64)
        remaining = iter(texts)
        while batch := list(islice(remaining, BATCH)):
            self._count(batch, window)
        if not len(self._pairs):
            raise InputError("no text has two words, so none are associated: give longer texts")
        first, second = np.divmod(self._pairs, 1 << 32)
        self._first = np.bincount(first, self._counts, minlength=len(self._id))
        self._second = np.bincount(second, self._counts, minlength=len(self._id))

    def _count(self, texts: Sequence[str], window: int) -> None:
        """Add the pairs of some texts; a pair is one key, so that they stay sorted."""
        found = [
            [self._id.setdefault(term, len(self._id)) for term in terms(text)] for text in texts
        ]
        text = np.repeat(np.arange(len(found)), [len(ids) for ids in found])
        ids = np.array([each for ids in found for each in ids], dtype=np.int64)
        keys, counts = [self._pairs], [self._counts]
        for gap in range(1, window):
            same = text[gap:] == text[:-gap]
            pairs = (ids[:-gap][same] << 32) + ids[gap:][same]
            keys.append(pairs)
            counts.append(np.ones(len(pairs), dtype=np.int64))
        self._pairs, where = np.unique(np.concatenate(keys), return_inverse=True)
        self._counts = np.bincount(where, np.concatenate(counts)).astype(np.int64)

    def ids(self, words: Iterable[str]) -> NDArray[np.int64]:
        """Return the number of each term, ``(n,)``; -1 for one that no text has."""
        return np.array([self._id.get(word, -1) for word in words], dtype=np.int64)

    def npmi(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the association of pairs of terms, each ``(n,)``, in [-1, 1]; NaN if unknown."""
        keys = (first << 32) + second
        at = np.searchsorted(self._pairs, keys).clip(max=len(self._pairs) - 1)
        count = np.where(self._pairs[at] == keys, self._counts[at], 0)
        total = self._counts.sum()
        expected = self._first[first] * self._second[second] / total
        with np.errstate(divide="ignore", invalid="ignore"):
            value: NDArray[np.float64] = np.log(count / expected) / -np.log(count / total)
        value[count == 0] = -1.0
        value[count == total] = 1.0  # the only pair there is
        value[(first < 0) | (second < 0)] = np.nan
        return value

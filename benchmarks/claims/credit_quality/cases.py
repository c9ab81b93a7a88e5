"""Cases: texts in which phrases of a judged query stand among planted junk."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ospo.data.collection import Collection
from ospo.data.contexts import FILLER
from ospo.search.judge import Judge
from ospo.search.metrics import Metric
from ospo.text.phrase_rules import FUNCTION_WORDS
from ospo.text.render import render
from ospo.text.segment import segment
from ospo.text.terms import terms

# What a kind of case is made of: the query's words apart or whole, how many other queries, in
# what order. In the long one, so many others that there are twelve phrases.
KINDS = {
    "whole": "the query whole, three other queries and a filler, shuffled",
    "words": "the query's words one by one, then two other queries and a filler",
    "shuffled": "the same, shuffled",
    "long": "the query's words one by one, other queries and a filler: twelve phrases, shuffled",
}
LONG = 12
SEED = 8


@dataclass(frozen=True)
class Case:
    """A text with planted junk.

    Attributes
    ----------
    query : str
        Id of the judged query.
    phrases : tuple of str
    real : ndarray
        ``(n,) bool``: the phrases of the query; the others are junk.
    """

    query: str
    phrases: tuple[str, ...]
    real: NDArray[np.bool_]

    @property
    def text(self) -> str:
        """The text."""
        return ", ".join(self.phrases)

    def values(self, judge: Judge, metrics: Mapping[str, Metric]) -> dict[str, NDArray[np.float64]]:
        """Return what every coalition is worth by each metric, ``(2**n,)``.

        Bit i of a place says whether phrase i is in the coalition.
        """
        segments = segment(self.text)
        assert len(segments) == len(self.phrases)
        ranks = judge.ranks([render(self.text, segments, row) for row in coalitions(len(segments))])
        return {name: metric(ranks, judge.grades) for name, metric in metrics.items()}


def coalitions(n: int) -> NDArray[np.bool_]:
    """Return all coalitions of n players, ``(2**n, n)``, in the order of a table of values."""
    return (np.arange(1 << n)[:, None] >> np.arange(n) & 1).astype(np.bool_)


def planted(collection: Collection, kind: str, queries: int, draw: int = 0) -> Iterator[Case]:
    """Yield a case of every query that has one, of so many queries in a fixed random order.

    Another draw has other junk.

    Junk shares neither a word nor a relevant product with the query. Function words of a query,
    such as "with", are left out where words are phrases: nobody can say whether they are junk.
    """
    rng = random.Random(SEED)
    ids = sorted(collection.answerable, key=lambda _: rng.random())
    texts = {query: " ".join(collection.queries[query].lower().split()) for query in ids}
    relevant = {q: {p for p, grade in collection.qrels[q].items() if grade > 0} for q in ids}
    for query in ids[:queries]:
        own = [texts[query]]
        if kind != "whole":
            own = [word for word in dict.fromkeys(own[0].split()) if word not in FUNCTION_WORDS]
            if len(own) < 2:
                continue
        draws = random.Random(f"{SEED} {draw} {query}")
        others = [
            texts[other]
            for other in sorted(ids, key=lambda _: draws.random())
            if not (relevant[query] & relevant[other] or _share(texts[query], texts[other]))
        ]
        filler = draws.choice([said for said in FILLER if not _share(texts[query], said)])
        count = {"whole": 3, "long": LONG - 1 - len(own)}.get(kind, 2)
        chosen: list[str] = []
        for other in others:
            if len(chosen) < count and not any(_share(other, said) for said in chosen):
                chosen.append(other)
        phrases = [(phrase, True) for phrase in own]
        phrases += [(phrase, False) for phrase in (*chosen, filler)]
        if kind != "words":
            draws.shuffle(phrases)
        said, real = zip(*phrases, strict=True)
        yield Case(query, said, np.array(real))


def _share(one: str, other: str) -> bool:
    return bool({*terms(one)} & {*terms(other)})

"""Noisy shopping contexts: what a shopper says around the one thing that is wanted.

A context is a shuffled run of clauses. One clause asks for something ("looking for ..."), others
mention products that are not wanted ("just bought ..."), some say nothing of any product. The task
of a policy is to write the search phrases, separated by commas, that find the wanted products.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ospo.data.collection import Collection
from ospo.errors import InputError
from ospo.text.terms import terms

__all__ = ["CLAUSES", "Context", "noisy_contexts", "warm_start_pairs"]

WANTED = (
    "looking for {}",
    "i need {}",
    "want to buy {}",
    "searching for {}",
    "please find me {}",
    "in the market for {}",
    "trying to find {}",
    "can you recommend {}",
)
UNWANTED = (
    "just bought {}",
    "returned my {}",
    "saw an ad for {}",
    "already own {}",
    "my friend has {}",
    "no longer use {}",
    "gave away my {}",
    "not interested in {}",
)
FILLER = (
    "on a budget",
    "as a gift",
    "for the weekend",
    "with fast delivery",
    "nothing fancy",
    "good quality please",
    "for my brother",
    "before friday",
)
CLAUSES = (*WANTED, *UNWANTED, *FILLER)

# A long mixture of letters and digits is a part number, which shoppers do not say.
_WORD = re.compile(r"(?<![^\s(])(?:[^\W\d_]{2,}(?:-[^\W\d_]+)*|\w{2,6})(?![^\s),;:*®™])")
TRIES = 1000
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Context:
    """A noisy context and the judged query hidden in it.

    Attributes
    ----------
    text : str
        The clauses in lower case, separated by ", ".
    query_id : str
        The query of the wanted clause: its judgments decide what a rewrite is worth.
    """

    text: str
    query_id: str


def noisy_contexts(
    collection: Collection, query_ids: Sequence[str], *, per_query: int, seed: int
) -> list[Context]:
    """Hide each query among one to three clauses about other products.

    The unwanted products are other queries *of* ``query_ids`` or fragments of titles, so that
    contexts for training show nothing of the queries held out. None of them has all the
    words of the wanted query.

    Parameters
    ----------
    collection
        Where the queries and the titles come from.
    query_ids
        The queries to hide.
    per_query
        Contexts for each query, at least 1.
    seed
        Same seed, same contexts.

    Returns
    -------
    list of Context
        Query by query, in the order given.

    Raises
    ------
    InputError
        If a query is unknown, none is given, ``per_query`` is below 1, or the collection has
        nothing but the wanted query to talk about.

    Examples
    --------
    >>> from ospo.data import load
    >>> shop = load("shop")
    >>> [context] = noisy_contexts(shop, shop.answerable[:1], per_query=1, seed=0)
    >>> shop.queries[context.query_id] in context.text
    True
    """
    unknown = [query for query in query_ids if query not in collection.queries]
    if unknown:
        raise InputError(
            f'collection "{collection.name}" has no query "{unknown[0]}": give known ids'
        )
    if not query_ids or per_query < 1:
        raise InputError(
            f"{len(query_ids)} queries with {per_query} contexts each make no context: give at least one"
        )
    rng = random.Random(seed)
    titles = _titles(collection)
    queries = {query: _phrase(collection.queries[query]) for query in query_ids}

    def unwanted(wanted: str) -> str:
        words = set(terms(wanted))
        for _ in range(TRIES):
            other = (
                _pick(rng, list(queries.values()))
                if rng.random() < 0.5
                else " ".join(_fragment(rng, _pick(rng, titles)))
            )
            if not words <= set(terms(other)):
                return other
        raise InputError(
            f'collection "{collection.name}" has nothing to say beside "{wanted}": '
            "give more queries or a larger catalogue"
        )

    def context(query: str) -> Context:
        wanted = queries[query]
        others = [unwanted(wanted) for _ in range(_between(rng, 1, 3))]
        return Context(_clauses(rng, wanted, others), query)

    return [context(query) for query in query_ids for _ in range(per_query)]


def warm_start_pairs(collection: Collection, count: int, *, seed: int) -> list[tuple[str, str]]:
    """Contexts made of title fragments, with search phrases that copy without judgment.

    The phrases are a random part of everything the context mentions, wanted or not, and of the
    words around it in the titles. A policy that learns from them can write phrases but not
    tell the useful ones apart; queries and judgments are not looked at.

    Parameters
    ----------
    collection
        Where the titles come from.
    count
        Number of pairs.
    seed
        Same seed, same pairs.

    Returns
    -------
    list of (context, phrases)
        Both in lower case; the phrases are separated by ", ".

    Examples
    --------
    >>> from ospo.data import load
    >>> pairs = warm_start_pairs(load("shop"), 100, seed=0)
    >>> sum("looking for" in context for context, phrases in pairs) > 0
    True
    """
    rng = random.Random(seed)
    titles = _titles(collection)

    def pair() -> tuple[str, str]:
        mentioned = [_pick(rng, titles) for _ in range(_between(rng, 2, 4))]
        wanted, *others = fragments = [" ".join(_fragment(rng, title)) for title in mentioned]
        text = _clauses(rng, wanted, others)
        related = [_pick(rng, title) for title in mentioned]
        fillers = [filler for filler in FILLER if filler in text]
        likely = [*((f, 0.6) for f in fragments), *((r, 0.15) for r in related)]
        likely += [(filler, 0.5) for filler in fillers]
        chosen = [phrase for phrase, chance in likely if rng.random() < chance]
        return text, ", ".join(_shuffled(rng, chosen or fragments))

    return [pair() for _ in range(count)]


def _clauses(rng: random.Random, wanted: str, others: Sequence[str]) -> str:
    clauses = [_pick(rng, WANTED).format(wanted)]
    clauses += [_pick(rng, UNWANTED).format(other) for other in others]
    if rng.random() < 0.5:
        clauses.append(_pick(rng, FILLER))
    return ", ".join(_shuffled(rng, clauses))


def _titles(collection: Collection) -> list[list[str]]:
    """The words of each title that a shopper would say."""
    titles = [_WORD.findall(title.lower()) for title in collection.catalogue.fields["title"]]
    spoken = [title for title in titles if title]
    if not spoken:
        raise InputError(f'no title of collection "{collection.name}" has a word: give real titles')
    return spoken


def _fragment(rng: random.Random, title: list[str]) -> list[str]:
    length = _between(rng, 1, min(3, len(title)))
    start = _between(rng, 0, len(title) - length)
    return title[start : start + length]


def _phrase(query: str) -> str:
    # A comma would end the phrase.
    return " ".join(query.lower().replace(",", " ").split())


# Only random() is promised to give the same numbers in every Python version.


def _pick(rng: random.Random, items: Sequence[_T]) -> _T:
    return items[int(rng.random() * len(items))]


def _between(rng: random.Random, low: int, high: int) -> int:
    return low + int(rng.random() * (high - low + 1))


def _shuffled(rng: random.Random, items: Sequence[_T]) -> list[_T]:
    return sorted(items, key=lambda _: rng.random())

"""Noisy shopping contexts: what a shopper says around the one thing that is wanted.

A context is a shuffled run of clauses. One clause asks for something ("looking for ..."), others
mention products that are not wanted ("just bought ..."), some say nothing of any product. The task
of a policy is to write the search phrases, separated by commas, that find the wanted products.
"""

from __future__ import annotations

import random
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from ospo.data.collection import Collection
from ospo.data.draw import between, pick
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
JOINING = frozenset({"a", "and", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})
TRIES = 1000

# Warm-start pairs: chances that a word is coined, that a target is one phrase only, that a phrase
# is in a longer target, and that another word of its title comes with it.
COINED, SINGLE, MENTIONED, RELATED = 0.2, 0.2, 0.9, 0.1


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
            f"{len(query_ids)} queries with {per_query} contexts each make no context: "
            "give at least one of both"
        )
    rng = random.Random(seed)
    titles = collection.catalogue.fields["title"]
    worded = _worded(collection)
    queries = [_phrase(collection.queries[query]) for query in query_ids]

    def product() -> str:
        if rng.random() < 0.5:
            return pick(rng, queries)
        return " ".join(_fragment(rng, _said(titles[pick(rng, worded)])))

    def unwanted(wanted: str) -> str:
        for _ in range(TRIES):
            if not set(terms(wanted)) <= set(terms(other := product())):
                return other
        raise InputError(
            f'collection "{collection.name}" has nothing to say beside "{wanted}": '
            "give more queries or a larger catalogue"
        )

    def text(wanted: str) -> str:
        others = [unwanted(wanted) for _ in range(between(rng, 1, 3))]
        return ", ".join(clause for clause, _ in _clauses(rng, wanted, others))

    return [
        Context(text(wanted), query)
        for query, wanted in zip(query_ids, queries, strict=True)
        for _ in range(per_query)
    ]


def warm_start_pairs(collection: Collection, count: int, *, seed: int) -> list[tuple[str, str]]:
    """Make contexts of title fragments, with search phrases that copy without judgment.

    The phrases are a random part of everything the context mentions, wanted or not, in its
    order, now and then with another word of the same title. A policy that learns from them can
    write phrases but not tell the useful ones apart; queries and judgments are not looked at.

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
    >>> [(context, phrases)] = warm_start_pairs(load("shop"), 1, seed=6)
    >>> phrases.split(", ")[0] in context
    True
    """
    rng = random.Random(seed)
    titles = collection.catalogue.fields["title"]
    worded = _worded(collection)
    words = list(dict.fromkeys(word for title in titles for word in _said(title)))

    def spoken(word: str) -> str:
        # A query may have words that no title has; the policy must be able to copy them too.
        return _coined(rng, words) if rng.random() < COINED else word

    def phrases(mentioned: Sequence[str]) -> list[str]:
        # A policy that never stopped early could not learn to.
        if rng.random() < SINGLE:
            return [pick(rng, mentioned)]
        return [phrase for phrase in mentioned if rng.random() < MENTIONED] or list(mentioned)

    def pair() -> tuple[str, str]:
        titles_of = {}
        for _ in range(between(rng, 2, 4)):
            title = _said(titles[pick(rng, worded)])
            fragment = " ".join(map(spoken, _fragment(rng, title)))
            titles_of[fragment] = title
        wanted, *others = titles_of
        clauses = _clauses(rng, wanted, others)
        chosen = []
        for phrase in phrases([phrase for _, phrase in clauses]):
            chosen.append(phrase)
            related = [w for w in titles_of.get(phrase, ()) if w not in phrase.split()]
            if related and rng.random() < RELATED:
                chosen.append(pick(rng, related))
        return ", ".join(clause for clause, _ in clauses), ", ".join(chosen)

    return [pair() for _ in range(count)]


def _clauses(rng: random.Random, wanted: str, others: Sequence[str]) -> list[tuple[str, str]]:
    """The shuffled clauses, each with the phrase that it mentions."""
    clauses = [(pick(rng, WANTED).format(wanted), wanted)]
    clauses += [(pick(rng, UNWANTED).format(other), other) for other in others]
    if rng.random() < 0.5:
        filler = pick(rng, FILLER)
        clauses.append((filler, filler))
    return sorted(clauses, key=lambda _: rng.random())


def _worded(collection: Collection) -> array[int]:
    """The rows of the titles that have words; the words are not held: there may be millions."""
    titles = collection.catalogue.fields["title"]
    rows = array("q", (row for row, title in enumerate(titles) if _said(title)))
    if not rows:
        raise InputError(f'no title of collection "{collection.name}" has a word: give real titles')
    return rows


def _said(title: str) -> list[str]:
    """The words of a title that a shopper would say."""
    return [word for word in _WORD.findall(title.lower()) if word not in JOINING]


def _fragment(rng: random.Random, title: list[str]) -> list[str]:
    length = between(rng, 1, min(4, len(title)))
    start = between(rng, 0, len(title) - length)
    return title[start : start + length]


def _coined(rng: random.Random, words: Sequence[str]) -> str:
    """The beginning of one word and the end of another."""
    first, last = pick(rng, words), pick(rng, words)
    return first[: between(rng, 1, len(first))] + last[between(rng, 0, len(last) - 1) :]


def _phrase(query: str) -> str:
    # A comma would end the phrase.
    return " ".join(query.lower().replace(",", " ").split())

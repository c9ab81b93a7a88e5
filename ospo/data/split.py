"""Splits of queries that keep near-duplicates on one side."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from ospo.errors import InputError
from ospo.text.terms import terms


def split_queries(
    queries: Mapping[str, str], held_out: Sequence[float], *, seed: int
) -> tuple[tuple[str, ...], ...]:
    """Divide queries into a training part and held-out parts.

    Groups of :func:`groups` stay together. Which part a group falls to depends on the seed and on
    what its queries say, not on their ids or on their order.

    Parameters
    ----------
    queries
        Query id -> text.
    held_out
        Wanted share of each held-out part; never exceeded. What they leave is for training.
    seed
        Another seed gives another split.

    Returns
    -------
    tuple of tuple of str
        The ids of the training part and of each held-out part, in the order of ``queries``.

    Raises
    ------
    InputError
        If a share is not above 0, they leave nothing, or the groups cannot give each part a query.

    Examples
    --------
    >>> texts = ["desk lamp", "lamps, desk", "gaming laptop", "laptops", "red kite", "sofa"]
    >>> split_queries(dict(zip("abcdef", texts)), [0.4], seed=0)
    (('c', 'd', 'e', 'f'), ('a', 'b'))
    """
    if not held_out or min(held_out) <= 0 or sum(held_out) >= 1:
        raise InputError(
            f"held_out is {', '.join(map(str, held_out))}: "
            "give shares above 0 that leave something for training"
        )
    together = groups(queries)
    room = [round(share * len(queries)) for share in held_out]
    part_of: dict[str, int] = {}
    for group in sorted(together, key=lambda group: _draw(seed, [queries[q] for q in group])):
        part = next((i for i, free in enumerate(room) if len(group) <= free), -1)
        part_of.update(dict.fromkeys(group, part))
        if part >= 0:
            room[part] -= len(group)
    parts = tuple(
        tuple(query for query in queries if part_of[query] == part)
        for part in (-1, *range(len(held_out)))
    )
    if not all(parts):
        raise InputError(
            f"{len(queries)} answerable queries in {len(together)} groups cannot be split with "
            f"held_out={', '.join(map(str, held_out))}: use more queries or other shares"
        )
    return parts


def groups(queries: Mapping[str, str]) -> list[list[str]]:
    """Gather the queries that should not be on different sides of a split.

    Near-duplicates are together, and so are their near-duplicates: queries whose sets of stemmed
    words have a Jaccard similarity of at least 2/3, such as two that differ in the order of their
    words, in an inflection, or in one word added to two. Then those are joined whose last words
    share a stem ("laptop", "gaming laptops"), which in shop queries is the kind of product: each
    cluster of near-duplicates goes by the last stem that is most frequent in it. (Joining a
    cluster by every last stem would in a large log soon tie nearly all queries together.)

    Parameters
    ----------
    queries
        Query id -> text.

    Returns
    -------
    list of list of str
        The ids of each group; each query is in one.

    Examples
    --------
    >>> groups({"a": "office chair", "b": "chair, office", "c": "garden chairs", "d": "sofa"})
    [['a', 'b', 'c'], ['d']]
    """
    words = {query: terms(text) for query, text in queries.items()}
    ids_of: dict[frozenset[str], list[str]] = {}
    for query, its in words.items():
        ids_of.setdefault(frozenset(its), []).append(query)
    gathered: dict[str, list[str]] = {}
    for cluster in _connected(ids_of, _similar(list(ids_of))):
        ids = [query for its in cluster for query in ids_of[its]]
        last = Counter(words[query][-1] for query in ids if words[query])
        head = min(last, key=lambda stem: (-last[stem], stem), default="")
        gathered.setdefault(head, []).extend(ids)
    return list(gathered.values())


def _similar(sets: Sequence[frozenset[str]]) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """The pairs with a Jaccard similarity of at least 2/3.

    Such a pair shares one of the rarest terms of each: if two sets of n and m terms agree in that
    degree, they must do so among the n - ceil(2n/3) + 1 first terms of the one and as many of the
    other in any common order (prefix filtering; Chaudhuri, Ganti and Kaushik 2006).
    """
    frequency = Counter(chain.from_iterable(sets))
    holders: dict[str, list[frozenset[str]]] = {}
    for one in sets:
        rarest = sorted(one, key=lambda term: (frequency[term], term))[: len(one) // 3 + 1]
        for other in {other: None for term in rarest for other in holders.get(term, ())}:
            if 3 * len(one & other) >= 2 * len(one | other):
                yield one, other
        for term in rarest:
            holders.setdefault(term, []).append(one)


def _connected(
    nodes: Iterable[frozenset[str]], edges: Iterable[tuple[frozenset[str], frozenset[str]]]
) -> list[list[frozenset[str]]]:
    """The connected components, by merging the smaller of two into the larger."""
    component = {node: [node] for node in nodes}
    for one, other in edges:
        small, large = sorted((component[one], component[other]), key=len)
        if small is not large:
            large += small
            component.update(dict.fromkeys(small, large))
    return list({id(part): part for part in component.values()}.values())


def _draw(seed: int, texts: Iterable[str]) -> bytes:
    """A random number, in effect, that depends on the seed and the texts alone."""
    content = "\n".join(sorted(texts))
    return hashlib.sha256(f"{seed}\n{content}".encode()).digest()

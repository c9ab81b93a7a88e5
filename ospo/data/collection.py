"""A test collection: products, shoppers' queries, and how well each product answers them."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from ospo.data.split import split_queries
from ospo.errors import InputError

MOST_GRADE = 1000  # nDCG takes 2 to this power
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Catalogue:
    """The products that can be found, as aligned columns.

    Parameters
    ----------
    ids
        One unique id per product, in catalogue order (the order that breaks ties between scores).
    fields
        Text columns by name, each with one entry per product; ``"title"`` is always there. A
        column is passed over as often as needed and need not be held in memory: the loaders of
        large files give :class:`ospo.data.stored.Column`.

    Raises
    ------
    InputError
        If it is empty, an id occurs twice, there is no title, or a column has another length.

    Examples
    --------
    >>> lamps = Catalogue(("a", "b"), {"title": ("desk lamp", "floor lamp")})
    >>> len(lamps), lamps.position["b"]
    (2, 1)
    """

    ids: tuple[str, ...]
    fields: Mapping[str, Sequence[str]]
    position: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.ids:
            raise InputError("the catalogue is empty: give it at least one product")
        position = {product: row for row, product in enumerate(self.ids)}
        if len(position) < len(self.ids):
            twice = [name for row, name in enumerate(self.ids) if position[name] != row]
            raise InputError(
                f"{len(twice)} product ids occur more than once ({listed(twice)}): "
                "keep one product per id"
            )
        if "title" not in self.fields:
            raise InputError(
                f'the catalogue has no "title" among its columns ({listed(self.fields)}): add one'
            )
        for name, column in self.fields.items():
            if len(column) != len(self.ids):
                raise InputError(
                    f'column "{name}" has {len(column)} entries for {len(self.ids)} products: '
                    "give one entry per product"
                )
        object.__setattr__(self, "position", position)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 (hex) of the ids and columns, in their order."""
        digest = hashlib.sha256()
        for name, column in [("id", self.ids), *self.fields.items()]:
            digest.update(json.dumps([name, len(column)]).encode())
            texts = iter(column)
            while batch := list(islice(texts, 1024)):
                digest.update(json.dumps(batch).encode())
        return digest.hexdigest()


@dataclass(frozen=True)
class Collection:
    """A catalogue with queries and graded judgments (qrels).

    Parameters
    ----------
    name
        What the collection is called in reports.
    catalogue
        The products.
    queries
        Query id -> what the shopper typed.
    qrels
        Query id -> product id -> grade, an integer from 0 (not wanted) upwards; a product
        that is not listed was not judged.
    notes
        What was left out when the collection was read, a sentence each.

    Raises
    ------
    InputError
        If there is no query, or a judgment names an unknown query, an unknown product, or a
        grade that is not an integer from 0 to 1,000.

    Examples
    --------
    >>> lamps = Catalogue(("a", "b"), {"title": ("desk lamp", "floor lamp")})
    >>> collection = Collection("lamps", lamps, {"q": "lamp for my desk"}, {"q": {"a": 3, "b": 1}})
    >>> collection.answerable
    ('q',)
    >>> print(collection)
    lamps: 2 products, 2 judgments of 1 queries, of which 0 have no relevant product
    """

    name: str
    catalogue: Catalogue
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if not self.queries:
            raise InputError(f'collection "{self.name}" has no query: give it at least one')
        _refuse_unknown("query", self.qrels, self.queries)
        judged = dict.fromkeys(product for grades in self.qrels.values() for product in grades)
        _refuse_unknown("product", judged, self.catalogue.position)
        for query, grades in self.qrels.items():
            for product, grade in grades.items():
                if type(grade) is not int or not 0 <= grade <= MOST_GRADE:
                    raise InputError(
                        f'the grade of product "{product}" for query "{query}" is {grade!r}: '
                        f"grades are integers from 0 to {MOST_GRADE:,}"
                    )

    def __str__(self) -> str:
        return (
            f"{self.name}: {len(self.catalogue):,} products, "
            f"{sum(map(len, self.qrels.values())):,} judgments of {len(self.queries):,} queries, "
            f"of which {len(self.unanswered):,} have no relevant product"
        )

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 (hex) of the name, products, queries and judgments, in their order."""
        content = [self.name, self.catalogue.fingerprint, self.queries, self.qrels]
        return hashlib.sha256(json.dumps(content, default=dict).encode()).hexdigest()

    @cached_property
    def answerable(self) -> tuple[str, ...]:
        """The ids of the queries that some product answers (grade above 0), in their order."""
        return tuple(query for query in self.queries if any(self.qrels.get(query, {}).values()))

    @cached_property
    def unanswered(self) -> tuple[str, ...]:
        """The ids of the other queries, for which the right result is none, in their order."""
        answerable = set(self.answerable)
        return tuple(query for query in self.queries if query not in answerable)

    def judged(self, text: str) -> str:
        """Return the id of the answerable query that a text is, or that it contains.

        Raises
        ------
        InputError
            It is no judged query and contains none, or contains several that are not part of
            one another.

        Examples
        --------
        >>> lamps = Catalogue(("a",), {"title": ("desk lamp",)})
        >>> collection = Collection("lamps", lamps, {"q": "desk lamp"}, {"q": {"a": 3}})
        >>> collection.judged("Looking for a desk lamp!")
        'q'
        """
        words = _words(text)
        inside = {
            its: query for query in self.answerable if (its := _words(self.queries[query])) in words
        }
        # "laptop" is no second intent beside "gaming laptop".
        widest = [q for its, q in inside.items() if not any(its in o for o in inside if o != its)]
        if len(widest) == 1:
            return widest[0]
        if widest:
            named = ", ".join(repr(self.queries[query]) for query in widest)
            raise InputError(
                f"{text!r} contains {len(widest)} judged queries ({named}): name one as the intent"
            )
        known = {self.queries[query].lower(): None for query in self.answerable}
        close = difflib.get_close_matches(text.lower(), known, cutoff=0.0)
        raise InputError(
            f"{text!r} is not a query with relevant products in {self.name}, so nothing says what "
            f"it should find: name one as the intent, such as {', '.join(map(repr, close))}"
        )

    def split(
        self, held_out: float | Sequence[float] = 0.35, seed: int = 0
    ) -> tuple[tuple[str, ...], ...]:
        """Divide the answerable queries into training and held-out ones.

        Near-duplicates stay on one side, and so do queries for one kind of product ("laptop",
        "gaming laptops"), so that a held-out query is not a rewording of a training query; see
        :func:`ospo.data.split.groups`.

        Parameters
        ----------
        held_out
            Wanted share of held-out queries, or one share for each of several held-out parts,
            such as ``(0.1, 0.2)`` for validation and test; never exceeded.
        seed
            Another seed gives another split. The order and the ids of the queries do not matter.

        Returns
        -------
        tuple
            Training ids, then the ids of each held-out part, in the order of ``queries``.

        Raises
        ------
        InputError
            If the shares are out of range, or the groups cannot give each part a query.
        """
        shares = [held_out] if isinstance(held_out, int | float) else held_out
        texts = {query: self.queries[query] for query in self.answerable}
        return split_queries(texts, shares, seed=seed)


def _refuse_unknown(what: str, named: Iterable[str], known: Mapping[str, object]) -> None:
    unknown = [name for name in named if name not in known]
    if unknown:
        raise InputError(
            f"the judgments name {len(unknown)} unknown {what} ids ({listed(unknown)}): "
            f"remove them or add what they name"
        )


def _words(text: str) -> str:
    """The words of a text between single spaces, so that ``in`` finds whole words."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def listed(names: Iterable[str]) -> str:
    """Return the first three names, for a message.

    Examples
    --------
    >>> listed("abcd")
    'a, b, c, ...'
    """
    names = list(names)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")

"""A test collection: products, shoppers' queries, and how well each product answers them."""

from __future__ import annotations

import difflib
import hashlib
import json
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import Stemmer

from ospo.data.draw import shuffled
from ospo.errors import InputError

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Catalogue:
    """The products that can be found, as aligned columns.

    Parameters
    ----------
    ids
        One unique id per product, in catalogue order (the order that breaks ties between scores).
    fields
        Text columns by name, each with one entry per product; ``"title"`` is always there.

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
    fields: Mapping[str, tuple[str, ...]]
    position: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.ids:
            raise InputError("the catalogue is empty: give it at least one product")
        position = {product: row for row, product in enumerate(self.ids)}
        if len(position) < len(self.ids):
            twice = [name for row, name in enumerate(self.ids) if position[name] != row]
            raise InputError(
                f"{len(twice)} product ids occur more than once ({_first(twice)}): "
                "keep one product per id"
            )
        if "title" not in self.fields:
            raise InputError(
                f'the catalogue has no "title" among its columns ({_first(self.fields)}): add one'
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
        return hashlib.sha256(json.dumps([self.ids, self.fields]).encode()).hexdigest()


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

    Raises
    ------
    InputError
        If there is no query, or a judgment names an unknown query, an unknown product, or a
        grade that is not an integer of at least 0.

    Examples
    --------
    >>> lamps = Catalogue(("a", "b"), {"title": ("desk lamp", "floor lamp")})
    >>> collection = Collection("lamps", lamps, {"q": "lamp for my desk"}, {"q": {"a": 3, "b": 1}})
    >>> collection.answerable
    ('q',)
    """

    name: str
    catalogue: Catalogue
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]

    def __post_init__(self) -> None:
        if not self.queries:
            raise InputError(f'collection "{self.name}" has no query: give it at least one')
        _refuse_unknown("query", self.qrels, self.queries)
        judged = dict.fromkeys(product for grades in self.qrels.values() for product in grades)
        _refuse_unknown("product", judged, self.catalogue.position)
        for query, grades in self.qrels.items():
            for product, grade in grades.items():
                if type(grade) is not int or grade < 0:
                    raise InputError(
                        f'the grade of product "{product}" for query "{query}" is {grade!r}: '
                        "grades are integers of at least 0"
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
        self, held_out: float = 0.35, seed: int = 0
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Divide the answerable queries into training and held-out ones.

        Queries whose last words share a stem ("laptop", "gaming laptops") stay on one side, so
        that a held-out query is not a rewording of a training query.

        Parameters
        ----------
        held_out
            Wanted share of held-out queries, strictly between 0 and 1; never exceeded.
        seed
            Shuffles the groups.

        Returns
        -------
        tuple
            Training ids and held-out ids, each in the order of ``queries``.

        Raises
        ------
        InputError
            If the share is out of range, or the groups cannot give each side a query.
        """
        if not 0 < held_out < 1:
            raise InputError(f"held_out is {held_out}: give a share strictly between 0 and 1")
        stem = Stemmer.Stemmer("english").stemWord
        groups: dict[str, list[str]] = {}
        for query in self.answerable:
            words = _WORD.findall(self.queries[query].lower()) or [""]
            groups.setdefault(stem(words[-1]), []).append(query)
        rng = random.Random(seed)
        room = round(held_out * len(self.answerable))
        chosen: set[str] = set()
        for group in shuffled(rng, groups.values()):
            if len(chosen) + len(group) <= room:
                chosen.update(group)
        train = tuple(query for query in self.answerable if query not in chosen)
        if not chosen or not train:
            raise InputError(
                f"{len(self.answerable)} answerable queries in {len(groups)} groups cannot be "
                f"split with held_out={held_out}: use more queries or another share"
            )
        return train, tuple(query for query in self.answerable if query in chosen)


def _refuse_unknown(what: str, named: Iterable[str], known: Mapping[str, object]) -> None:
    unknown = [name for name in named if name not in known]
    if unknown:
        raise InputError(
            f"the judgments name {len(unknown)} unknown {what} ids ({_first(unknown)}): "
            f"remove them or add what they name"
        )


def _words(text: str) -> str:
    """The words of a text between single spaces, so that ``in`` finds whole words."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _first(names: Iterable[str]) -> str:
    """The first three names, for a message."""
    names = list(names)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")

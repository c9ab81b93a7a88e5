"""Which columns of a catalogue a lexical retriever reads, and how much each counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import isfinite

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.analyzer import Analyzer


def field_weights(
    catalogue: Catalogue, fields: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the weight of each column to search; every column of the catalogue by default.

    Raises
    ------
    InputError
        A column is not in the catalogue, or a weight is no positive number.

    Examples
    --------
    >>> lamps = Catalogue(("a",), {"title": ("desk lamp",), "brand": ("Lumo",)})
    >>> field_weights(lamps), field_weights(lamps, {"title": 2})
    ({'title': 1.0, 'brand': 1.0}, {'title': 2.0})
    """
    chosen = dict.fromkeys(catalogue.fields, 1.0) if fields is None else fields
    for name, weight in chosen.items():
        if name not in catalogue.fields:
            raise InputError(
                f"there is no column {name!r} to search: "
                f"the catalogue has {', '.join(catalogue.fields)}"
            )
        if not (isfinite(weight) and weight > 0):
            raise InputError(f"column {name!r} has the weight {weight}: give a number above 0")
    if not chosen:
        raise InputError("no column was chosen: name at least one to search")
    return {name: float(weight) for name, weight in chosen.items()}


def parse_fields(text: str) -> dict[str, float] | None:
    """Return the weights in Lucene's notation, such as ``title^2,brand``; None for no text.

    Examples
    --------
    >>> parse_fields("title^2,brand")
    {'title': 2.0, 'brand': 1.0}
    """
    if not text:
        return None
    weights = {}
    for field in text.split(","):
        name, _, weight = field.strip().partition("^")
        try:
            weights[name] = float(weight or 1)
        except ValueError as error:
            raise InputError(
                f"{weight!r} is no weight for the column {name!r}: write for example title^2,brand"
            ) from error
    return weights


def documents(
    catalogue: Catalogue, fields: Iterable[str], analyze: Analyzer
) -> Iterator[list[list[str]]]:
    """Yield the index terms of each product, column by column.

    Raises
    ------
    InputError
        At the end, when no product had a term.
    """
    fields = tuple(fields)
    empty = True
    for texts in zip(*(catalogue.fields[name] for name in fields), strict=True):
        columns = [analyze(text) for text in texts]
        empty = empty and not any(columns)
        yield columns
    if empty:
        raise InputError(
            f"none of the {len(catalogue)} products has a word in {', '.join(fields)}; "
            "check which columns the catalogue was read from"
        )


def weighted_counts(
    catalogue: Catalogue, weights: Mapping[str, float], analyze: Analyzer
) -> Iterator[dict[str, float]]:
    """Yield the frequency of each term in each product, summed over columns by their weights."""
    for columns in documents(catalogue, weights, analyze):
        counts: dict[str, float] = {}
        for words, weight in zip(columns, weights.values(), strict=True):
            for word in words:
                counts[word] = counts.get(word, 0.0) + weight
        yield counts

"""Queries and judgments (qrels) from rows of a table, and the collection that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote_plus

from ospo.data.collection import Catalogue, Collection, listed
from ospo.data.malformed import Row
from ospo.errors import InputError

Qrels = dict[str, dict[str, int]]


def collect(
    name: str,
    catalogue: Catalogue,
    queries: Iterable[Row] | None,
    labels: Iterable[Row] | None,
    grades: Mapping[str, int] | None,
    notes: list[str],
) -> Collection:
    """Return the collection of a catalogue, its queries and their judgments.

    Queries that no judgment names are left out: that nobody looked does not mean that they have
    no answer.

    Parameters
    ----------
    name, catalogue
        Of the collection.
    queries
        Id and text of each. Without them, the judgments name each query by its text, and its id is
        the text with blanks written as "+": run files in TREC's form allow no blanks.
    labels
        Query, product and label of each judgment. Without them, no query has an answer.
    grades
        The grade of each label; by default a label is itself a grade, an integer of at least 0.
    notes
        What was left out; read only when all rows were.

    Raises
    ------
    InputError
        If queries, labels and catalogue do not fit together.

    Examples
    --------
    >>> lamps = Catalogue(("a", "b"), {"title": ("desk lamp", "floor lamp")})
    >>> labels = [("lamp", "a", "good"), ("lamp", "b", "bad")]
    >>> collect("lamps", lamps, None, labels, {"good": 1, "bad": 0}, []).qrels
    {'lamp': {'a': 1, 'b': 0}}
    """
    if labels is None:
        return Collection(name, catalogue, read_queries(queries or ()), {}, tuple(notes))
    if queries is None:
        labels = list(labels)
        queries = [(quote_plus(text), text) for text, _, _ in labels]
        labels = [(quote_plus(text), *label) for text, *label in labels]
    qrels = read_qrels(labels, grades)
    texts = read_queries(queries)
    unjudged = [query for query in texts if query not in qrels]
    if unjudged:
        notes.append(
            f"left out {len(unjudged)} of {len(texts)} queries that no judgment names "
            f"({listed(unjudged)})"
        )
    judged = {query: text for query, text in texts.items() if query in qrels}
    return Collection(name, catalogue, judged, qrels, tuple(notes))


def read_queries(rows: Iterable[Row]) -> dict[str, str]:
    """Return query id -> text, in the order of the rows.

    Parameters
    ----------
    rows
        Id and text of each query; a row that is repeated counts once.

    Raises
    ------
    InputError
        An id has two texts.

    Examples
    --------
    >>> read_queries([("q1", "desk lamp"), ("q2", "sofa"), ("q1", "desk lamp")])
    {'q1': 'desk lamp', 'q2': 'sofa'}
    """
    queries: dict[str, str] = {}
    for query, text in rows:
        first = queries.setdefault(query, text)
        if first != text:
            raise InputError(
                f'query "{query}" has two texts, {first!r} and {text!r}: give each its own id'
            )
    return queries


def read_qrels(rows: Iterable[Row], grades: Mapping[str, int] | None = None) -> Qrels:
    """Return query id -> product id -> grade, in the order of the rows.

    A judgment that is repeated counts once.

    Parameters
    ----------
    rows
        Query id, product id and label of each judgment.
    grades
        The grade of each label; by default a label is itself a grade, an integer of at least 0.

    Raises
    ------
    InputError
        A label has no grade, or the same product is judged twice and differently for a query.

    Examples
    --------
    >>> rows = [("q1", "a", "Exact"), ("q1", "b", "Irrelevant")]
    >>> read_qrels(rows, {"Exact": 2, "Partial": 1, "Irrelevant": 0})
    {'q1': {'a': 2, 'b': 0}}
    """
    qrels: Qrels = {}
    for query, product, label in rows:
        grade = _integer(label) if grades is None else grades.get(label)
        if grade is None or grade < 0:
            expected = f"one of {', '.join(grades)}" if grades else "an integer of at least 0"
            raise InputError(
                f'the grade of product "{product}" for query "{query}" is {label!r}, not '
                f"{expected}: correct it, or say which grade each label stands for"
            )
        first = qrels.setdefault(query, {}).setdefault(product, grade)
        if first != grade:
            raise InputError(
                f'product "{product}" is graded twice for query "{query}", '
                f"{first} and {grade}: keep one of the two"
            )
    return qrels


def _integer(label: str) -> int | None:
    """The integer that a label says, also as 2.0."""
    try:
        number = float(label)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def parse_grades(text: str) -> dict[str, int] | None:
    """Return the grade of each label from ``LABEL:GRADE/LABEL:GRADE``; None for no text.

    Raises
    ------
    InputError
        It is not of this form.

    Examples
    --------
    >>> parse_grades("Exact:2/Partial:1/Irrelevant:0")
    {'Exact': 2, 'Partial': 1, 'Irrelevant': 0}
    """
    if not text:
        return None
    grades = {}
    for pair in text.split("/"):
        label, _, grade = pair.rpartition(":")
        if not label or not grade.isdecimal():
            raise InputError(
                f"{pair!r} does not say which grade a label stands for: "
                "write for example Exact:2/Partial:1/Irrelevant:0"
            )
        grades[label] = int(grade)
    return grades

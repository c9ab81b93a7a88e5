"""The queries that can be compared, and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

from ospo.data.collection import Collection, listed
from ospo.errors import InputError
from ospo.evaluation.system import System
from ospo.search.metrics import Metric

LETTERS = ascii_lowercase.replace("q", "")  # of the systems; there is no superscript q


def common_queries(
    systems: Sequence[System], collection: Collection, metrics: Sequence[Metric]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the ids of the queries that all systems answer and all metrics value, and notes.

    The ids are in the order of the collection; the notes say what was left out, a sentence each.

    Raises
    ------
    InputError
        Two systems have one name, there are too many, the collection has no query of one, or they
        have fewer than two queries in common.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> from ospo.search.metrics import parse_metric
    >>> lamps = Catalogue(("a",), {"title": ("desk lamp",)})
    >>> texts = dict.fromkeys("123", ("lamp",))
    >>> judged = Collection(
    ...     "lamps", lamps, dict.fromkeys(texts, "lamp"), dict.fromkeys(texts, {"a": 1})
    ... )
    >>> few, many = System("few", {"1": ("lamp",), "2": ("desk",)}), System("many", texts)
    >>> common_queries([few, many], judged, [parse_metric("RR")])
    (('1', '2'), ['left out 1 queries of many that another system lacks (3)'])
    """
    names = [system.name for system in systems]
    if not 0 < len(set(names)) == len(names) <= len(LETTERS):
        raise InputError(
            f"the systems are {', '.join(names) or 'none'}: give 1 to {len(LETTERS)}, each with "
            "its own name"
        )
    notes = []
    for system in systems:
        unknown = [query for query in system.texts if query not in collection.queries]
        if len(unknown) == len(system.texts):
            raise InputError(
                f"{collection.name} has none of the {len(unknown)} query ids of {system.name} "
                f"({listed(unknown)}): use its own ids ({listed(collection.queries)})"
            )
        if unknown:
            notes.append(
                f"left out {len(unknown)} of {len(system.texts)} query ids of {system.name} that "
                f"{collection.name} does not have ({listed(unknown)})"
            )
    answered = dict.fromkeys(
        q for q in collection.queries if all(q in system.texts for system in systems)
    )
    for system in systems:
        lacking = [q for q in collection.queries if q in system.texts and q not in answered]
        if lacking:
            notes.append(
                f"left out {len(lacking)} queries of {system.name} that another system lacks "
                f"({listed(lacking)})"
            )
    hopeless = dict.fromkeys(
        query
        for query in answered
        if not all(
            any(map(metric.relevant, collection.qrels.get(query, {}).values()))
            for metric in metrics
        )
    )
    if hopeless:
        notes.append(
            f"left out {len(hopeless)} queries without a relevant product ({listed(hopeless)})"
        )
    queries = tuple(query for query in answered if query not in hopeless)
    if len(queries) < 2:
        raise InputError(
            f"the systems have {len(queries)} judged queries in common, and a comparison needs 2: "
            "give texts for the same queries"
        )
    return queries, notes

"""Data sets of Hugging Face's ``datasets``: products, queries and judgments, with any columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from ospo.data.collection import Catalogue, Collection
from ospo.data.judgments import collect, parse_grades
from ospo.data.malformed import Row, sound
from ospo.data.stored import Column
from ospo.data.table import Columns
from ospo.errors import InputError
from owen_core.optional import needs

with needs("train", "reading Hugging Face data sets"):
    from datasets import Dataset, DatasetDict, Value, load_from_disk

BATCH = 1000  # rows that are Python objects at a time
PARTS = ("products", "queries", "qrels")


def load_hf(folder: Path, *, grades: str = "", **columns: str) -> Collection:
    """Read a folder that ``DatasetDict.save_to_disk`` wrote.

    Parameters
    ----------
    folder
        Holds the parts "products", "queries" and "qrels"; one of the last two may be absent, as
        for :func:`ospo.data.table.load_table`.
    grades, **columns
        As for :func:`ospo.data.table.load_table`.

    Returns
    -------
    Collection
        Named after the folder.

    Raises
    ------
    InputError
        If the folder is not of that form, or a part lacks a column.
    """
    try:
        parts = load_from_disk(str(folder))
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InputError(f"{folder} is no saved DatasetDict ({error}): save one there") from error
    if not isinstance(parts, DatasetDict) or "products" not in parts:
        raise InputError(f"{folder} has no part products: save a DatasetDict of {', '.join(PARTS)}")
    return from_datasets(
        parts["products"],
        parts.get("queries"),
        parts.get("qrels"),
        name=folder.resolve().name,
        grades=parse_grades(grades),
        **columns,
    )


def from_datasets(
    products: Dataset,
    queries: Dataset | None = None,
    qrels: Dataset | None = None,
    *,
    name: str = "datasets",
    grades: Mapping[str, int] | None = None,
    **columns: str,
) -> Collection:
    """Return data sets as a collection; the texts of the products stay where they are.

    Parameters
    ----------
    products, queries, qrels
        As for :func:`ospo.data.table.load_table`.
    name
        What to call the collection.
    grades
        The grade of each label; by default a label is itself the grade.
    **columns
        What the columns are called, as for :func:`ospo.data.table.load_table`.

    Raises
    ------
    InputError
        If a data set lacks a column, or a column is not of texts or numbers.

    Examples
    --------
    >>> products = Dataset.from_dict({"sku": ["a", "b"], "title": ["desk lamp", "floor lamp"]})
    >>> qrels = Dataset.from_dict({"query": ["lamp"], "product_id": ["a"], "grade": [3]})
    >>> print(from_datasets(products, qrels=qrels, id="sku"))
    datasets: 2 products, 1 judgments of 1 queries, of which 0 have no relevant product
    """
    named = Columns.named(columns)
    notes: list[str] = []
    _check(products, "products", [named.id, *named.fields.values()])
    texts = products.flatten_indices().data  # nothing is copied unless rows were selected
    catalogue = Catalogue(
        tuple(Column(texts.column(named.id))),
        {field: Column(texts.column(column)) for field, column in named.fields.items()},
    )
    query = named.query if queries is None else named.qrels_query_id
    return collect(
        name,
        catalogue,
        _rows(queries, "queries", [named.query_id, named.query], notes),
        _rows(qrels, "qrels", [query, named.product_id, named.grade], notes),
        grades,
        notes,
    )


def _rows(
    data: Dataset | None, part: str, columns: Sequence[str], notes: list[str]
) -> Iterator[Row] | None:
    if data is None:
        return None
    _check(data, part, columns)
    batches = data.select_columns(columns).iter(BATCH)
    rows = chain.from_iterable(zip(*(batch[c] for c in columns), strict=True) for batch in batches)
    return sound(
        enumerate(rows, start=1),
        notes,
        source=part,
        columns=columns,
        filled=len(columns),
        unit="row",
    )


def _check(data: Dataset, part: str, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in data.features]
    if missing:
        raise InputError(
            f"{part} lacks the columns {', '.join(missing)}: it has {', '.join(data.features)}"
        )
    for name in columns:
        # The numbers of a ClassLabel are no grades, and those of a list no text.
        feature = data.features[name]
        if not isinstance(feature, Value) or "binary" in feature.dtype:
            raise InputError(
                f"column {name} of {part} is {feature}, not text or a number: "
                "turn it into one with Dataset.map"
            )

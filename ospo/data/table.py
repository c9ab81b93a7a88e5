"""A collection in tables of one's own: products, queries and judgments, with any column names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ospo.data.collection import Collection
from ospo.data.files import UTF8, require
from ospo.data.judgments import collect, parse_grades
from ospo.data.rows import read_rows, table_suffix
from ospo.data.stored import stored
from ospo.data.trec import read_trec_qrels
from ospo.errors import InputError

# What columns are called unless the user says otherwise.
NAMES = {
    "id": "id",
    "title": "title",
    "query_id": "query_id",
    "query": "query",
    "product_id": "product_id",
    "grade": "grade",
}
QRELS_QUERY_ID = "qrels_query_id"  # of the judgments, where it is not called as in the queries


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of the three tables are called.

    Attributes
    ----------
    id : str
        The products' ids.
    fields : mapping
        Name in the catalogue -> column of the products, "title" among them.
    query_id, query : str
        Columns of the queries.
    qrels_query_id, product_id, grade : str
        Columns of the judgments.
    """

    id: str
    fields: Mapping[str, str]
    query_id: str
    query: str
    qrels_query_id: str
    product_id: str
    grade: str

    @classmethod
    def named(cls, columns: Mapping[str, str]) -> Columns:
        """Return the columns that were named, and :data:`NAMES` for the rest.

        The queries' ids are called the same in the judgments, unless ``qrels_query_id`` is named.
        Any other name is of one more column of the catalogue.

        Examples
        --------
        >>> Columns.named({"id": "sku", "brand": "maker"}).fields
        {'title': 'title', 'brand': 'maker'}
        """
        chosen = {**NAMES, **columns}
        chosen.setdefault(QRELS_QUERY_ID, chosen["query_id"])
        own = {name: chosen.pop(name) for name in (*NAMES, QRELS_QUERY_ID) if name != "title"}
        return cls(fields=chosen, **own)


def load_table(
    products: Path,
    *,
    queries: Path | None = None,
    qrels: Path | None = None,
    grades: str = "",
    encoding: str = UTF8,
    **columns: str,
) -> Collection:
    """Read tables of products, queries and judgments.

    Parameters
    ----------
    products, queries, qrels
        Tables as :func:`ospo.data.rows.read_rows` takes them. The judgments may also be in
        TREC's form of four columns. Without a table of queries, the judgments name each query by
        its text; without judgments, no query has an answer.
    grades
        The grade of each label as ``LABEL:GRADE/LABEL:GRADE``; by default a label is itself the
        grade.
    encoding
        Of all files that are text.
    **columns
        What the columns are called, where it is not what :data:`NAMES` says; ``qrels_query_id`` is
        that of the judgments where the queries call it otherwise. Any other name is of one more
        column of the catalogue: ``brand="maker"``.

    Returns
    -------
    Collection
        Named after the table of products, with the column title and those named. Queries that
        nobody judged are left out.

    Raises
    ------
    InputError
        If a table is missing, damaged or lacks a column, or there is neither query nor judgment.
    """
    require(products)
    if queries is None and qrels is None:
        raise InputError(f"{products} alone says nothing of queries: give queries or qrels as well")
    named = Columns.named(columns)
    notes: list[str] = []
    catalogue = stored(
        tuple(named.fields),
        lambda left_out: read_rows(
            products, [named.id, *named.fields.values()], left_out, encoding=encoding
        ),
        files=[products],
        settings=(named.id, named.fields, encoding),
        notes=notes,
    )
    texts = labels = None
    if queries is not None:
        wanted = [named.query_id, named.query]
        texts = read_rows(queries, wanted, notes, filled=2, encoding=encoding)
    if qrels is not None and table_suffix(qrels) is None:
        labels = read_trec_qrels(qrels, notes, encoding)
    elif qrels is not None:
        query = named.query if queries is None else named.qrels_query_id
        wanted = [query, named.product_id, named.grade]
        labels = read_rows(qrels, wanted, notes, filled=3, encoding=encoding)
    return collect(products.stem, catalogue, texts, labels, parse_grades(grades), notes)

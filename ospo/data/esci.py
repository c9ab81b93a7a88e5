"""The Shopping Queries Data Set (ESCI; Reddy et al. 2022): Amazon's queries, products and labels.

The folder holds the two published files ``shopping_queries_dataset_examples.parquet`` and
``shopping_queries_dataset_products.parquet`` of github.com/amazon-science/esci-data.

A label is Exact, Substitute, Complement or Irrelevant. The data set's own nDCG gives them the
gains 1, 0.1, 0.01 and 0. Grades are integers, so here they are 3, 2, 1 and 0, and a metric with
the published gains is, in the words of ir-measures, ``nDCG(gains={3: 100, 2: 10, 1: 1, 0: 0})``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ospo.data.collection import Collection
from ospo.data.files import files_in
from ospo.data.judgments import read_qrels, read_queries
from ospo.data.malformed import Row
from ospo.data.rows import read_rows
from ospo.data.stored import stored
from ospo.errors import InputError

EXAMPLES = "shopping_queries_dataset_examples.parquet"
PRODUCTS = "shopping_queries_dataset_products.parquet"
GRADES = {"E": 3, "S": 2, "C": 1, "I": 0}
FIELDS = {
    "title": "product_title",
    "brand": "product_brand",
    "color": "product_color",
    "bullets": "product_bullet_point",
    "description": "product_description",
}
LOCALES = ("us", "es", "jp")
VERSIONS = ("small", "large")
SPLITS = ("train", "test", "all")


def load_esci(
    folder: Path, *, locale: str = "us", version: str = "small", split: str = "all"
) -> Collection:
    """Read one locale of the Shopping Queries Data Set.

    Parameters
    ----------
    folder
        Where the two published files lie.
    locale
        ``us``, ``es`` or ``jp``; the catalogue is all products of that locale.
    version
        ``small``, the harder queries of the published ranking task, or ``large``, all queries.
    split
        The published part: ``train``, ``test``, or ``all`` for both.

    Returns
    -------
    Collection
        Named after the choices, with the columns title, brand, color, bullets and description.

    Raises
    ------
    InputError
        If a choice is unknown, or a file is missing, damaged or not of the published form.
    """
    for chosen, known in ((locale, LOCALES), (version, VERSIONS), (split, SPLITS)):
        if chosen not in known:
            raise InputError(f"ESCI has no {chosen!r}: choose one of {', '.join(known)}")
    examples, products = files_in(folder, EXAMPLES, PRODUCTS)
    notes: list[str] = []

    def read_products(left_out: list[str]) -> Iterator[Row]:
        columns = ["product_id", "product_locale", *FIELDS.values()]
        for product, its_locale, *texts in read_rows(products, columns, left_out, filled=2):
            if its_locale == locale:
                yield product, *texts

    catalogue = stored(
        tuple(FIELDS), read_products, files=[products], settings=(locale, FIELDS), notes=notes
    )
    columns = ["query_id", "query", "product_id", "esci_label", "product_locale", "split"]
    position, ids = catalogue.position, catalogue.ids
    queries: dict[Row, None] = {}  # id and text, as often as a query has another text

    def judged() -> Iterator[Row]:
        for row in read_rows(examples, [*columns, f"{version}_version"], notes, filled=7):
            query, text, product, label, its_locale, part, chosen = row
            if its_locale == locale and split in ("all", part) and chosen == "1":
                queries[query, text] = None
                # The catalogue's own text of the id, so that memory holds it once.
                yield query, ids[position[product]] if product in position else product, label

    qrels = read_qrels(judged(), GRADES)
    texts = read_queries(queries)
    return Collection(f"esci-{locale}-{version}-{split}", catalogue, texts, qrels, tuple(notes))

"""WANDS, the Wayfair annotation data set (Chen et al. 2022): furniture and home goods.

The folder holds the published ``product.csv``, ``query.csv`` and ``label.csv`` of
github.com/wayfair/WANDS, which are tab-separated in spite of their names.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ospo.data.collection import Collection
from ospo.data.files import files_in
from ospo.data.judgments import collect
from ospo.data.rows import read_rows
from ospo.data.stored import stored

GRADES = {"Exact": 2, "Partial": 1, "Irrelevant": 0}
FIELDS = {
    "title": "product_name",
    "class": "product_class",
    "description": "product_description",
    "features": "product_features",
}


def load_wands(folder: Path) -> Collection:
    """Read the WANDS folder.

    Parameters
    ----------
    folder
        Where the three published files lie.

    Returns
    -------
    Collection
        Named "wands", with the columns title, class, description and features.

    Raises
    ------
    InputError
        If a file is missing, damaged or not of the published form.
    """
    products, queries, labels = files_in(folder, "product.csv", "query.csv", "label.csv")
    notes: list[str] = []
    read = partial(read_rows, delimiter="\t")
    catalogue = stored(
        tuple(FIELDS),
        lambda left_out: read(products, ["product_id", *FIELDS.values()], left_out),
        files=[products],
        settings=FIELDS,
        notes=notes,
    )
    texts = read(queries, ["query_id", "query"], notes, filled=2)
    judged = read(labels, ["query_id", "product_id", "label"], notes, filled=3)
    return collect("wands", catalogue, texts, judged, GRADES, notes)

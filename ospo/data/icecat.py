"""The Icecat/Chorus collection: real shop products with human judgments, read as published.

The folder holds ``1.json.zip`` .. ``4.json.zip`` (one JSON array of products each) and
``Broad_Query_Set_rated.csv.gz`` (columns query, docid, rating from 0 to 3), as found in the
public repository querqy/chorus. The product texts are Icecat's (icecat.biz), under its own
share-alike licence, so they are read from the user's copy and never shipped.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

from ospo.data.collection import Catalogue, Collection
from ospo.data.files import files_in
from ospo.data.judgments import collect
from ospo.data.rows import read_rows
from ospo.errors import InputError
from owen_core import json_file

PRODUCT_FILES = tuple(f"{part}.json.zip" for part in range(1, 5))
RATING_FILE = "Broad_Query_Set_rated.csv.gz"
GRADES = {str(rating): rating for rating in range(4)}
MOST_BYTES = 1 << 28  # of a file when unpacked; the published ones have 8 MB
_AGAIN = "download it again from github.com/querqy/chorus"


def load_icecat(folder: Path) -> Collection:
    """Read the Icecat/Chorus folder.

    Parameters
    ----------
    folder
        Where the five published files lie.

    Returns
    -------
    Collection
        Named "icecat", with the columns title, brand and description. A query's id is its text
        with blanks written as "+" ("usb+hub"): the file has no ids of its own, the text
        names the query for readers, and run files in TREC form allow no blanks.

    Raises
    ------
    InputError
        If a file is missing, damaged or not of the published form.
    """
    *parts, ratings = files_in(folder, *PRODUCT_FILES, RATING_FILE)
    products = [row for path in parts for row in _read_products(path)]
    catalogue = Catalogue(
        tuple(row[0] for row in products),
        {
            name: tuple(row[column] for row in products)
            for column, name in enumerate(("title", "brand", "description"), start=1)
        },
    )
    notes: list[str] = []
    labels = read_rows(ratings, ("query", "docid", "rating"), notes, filled=3)
    return collect("icecat", catalogue, None, labels, GRADES, notes)


def _read_products(path: Path) -> list[tuple[str, str, str, str]]:
    """Id, title, brand and description of each product; only the description may be absent."""
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.infolist()[0]
            if content.file_size > MOST_BYTES:  # zipfile reads no more than it says here
                raise zipfile.BadZipFile(f"{content.file_size:,} bytes are packed in it")
            products: Any = json_file.parse(archive.read(content))
    except (zipfile.BadZipFile, zlib.error, EOFError, IndexError, RuntimeError, OSError) as error:
        raise InputError(f"{path} is not a whole zip file ({error}): {_AGAIN}") from error
    except ValueError as error:
        raise InputError(f"{path} does not hold valid JSON ({error}): {_AGAIN}") from error
    try:
        rows = [
            (row["id"], row["title"], row["supplier"], row.get("short_description") or "")
            for row in products
        ]
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path} does not hold a JSON array of products with id, title and supplier "
            f"({error!r}): {_AGAIN}"
        ) from error
    for row in rows:
        if not all(isinstance(text, str) for text in row):
            raise InputError(f"{path} has a product that is not all text ({row}): {_AGAIN}")
    return rows

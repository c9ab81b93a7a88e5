"""The Icecat/Chorus collection: real shop products with human judgments, read as published.

The folder holds ``1.json.zip`` .. ``4.json.zip`` (one JSON array of products each) and
``Broad_Query_Set_rated.csv.gz`` (columns query, docid, rating from 0 to 3), as found in the
public repository querqy/chorus. The product texts are Icecat's (icecat.biz), under its own
share-alike licence, so they are read from the user's copy and never shipped.
"""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from ospo.data.collection import Catalogue, Collection
from ospo.errors import InputError

PRODUCT_FILES = tuple(f"{part}.json.zip" for part in range(1, 5))
RATING_FILE = "Broad_Query_Set_rated.csv.gz"
RATING_COLUMNS = ("query", "docid", "rating")
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
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give the one that holds {PRODUCT_FILES[0]}")
    missing = [name for name in (*PRODUCT_FILES, RATING_FILE) if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder} lacks {', '.join(missing)}: add what is missing")
    products = [row for name in PRODUCT_FILES for row in _read_products(folder / name)]
    queries, qrels = _read_ratings(folder / RATING_FILE)
    catalogue = Catalogue(
        tuple(row[0] for row in products),
        {
            name: tuple(row[column] for row in products)
            for column, name in enumerate(("title", "brand", "description"), start=1)
        },
    )
    return Collection("icecat", catalogue, queries, qrels)


def _read_products(path: Path) -> list[tuple[str, str, str, str]]:
    """Id, title, brand and description of each product; only the description may be absent."""
    try:
        with zipfile.ZipFile(path) as archive:
            products: Any = json.loads(archive.read(archive.namelist()[0]))
    except (zipfile.BadZipFile, zlib.error, EOFError, IndexError) as error:
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


def _read_ratings(path: Path) -> tuple[dict[str, str], dict[str, dict[str, int]]]:
    """Queries by id, and their judgments, in file order."""
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines)
            absent = [name for name in RATING_COLUMNS if name not in (rows.fieldnames or ())]
            if absent:
                raise InputError(
                    f"{path} lacks the columns {', '.join(absent)}: "
                    f"its first line must name {', '.join(RATING_COLUMNS)}"
                )
            for row in rows:
                text, product, rating = (row[name] for name in RATING_COLUMNS)
                if not text or not product or rating not in ("0", "1", "2", "3"):
                    raise InputError(
                        f"{path} line {rows.line_num} reads {text!r}, {product!r}, {rating!r}, not "
                        "a query, a product id and a rating of 0, 1, 2 or 3: correct that line"
                    )
                query = quote_plus(text)
                queries[query] = text
                if qrels.setdefault(query, {}).setdefault(product, int(rating)) != int(rating):
                    raise InputError(
                        f'{path} line {rows.line_num} rates product "{product}" for "{text}" a '
                        "second time and differently: keep one of the two"
                    )
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a whole gzip file ({error}): {_AGAIN}") from error
    return queries, qrels

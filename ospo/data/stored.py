"""Catalogues whose texts stay on disk: read once, row by row, then mapped into memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import overload

import pyarrow as pa

from ospo.data.collection import Catalogue
from ospo.data.files import require
from ospo.data.malformed import Row
from ospo.errors import InputError
from ospo.storage import cache_dir, whole

VERSION = 1  # of the stored form; raise it when the same files give another catalogue
BATCH = 1024  # texts that are Python objects at a time


class Column(Sequence[str]):
    """Texts in Arrow memory, which may be a mapped file; they become Python objects when read.

    Parameters
    ----------
    texts : pyarrow.ChunkedArray
        Of any type that casts to text; an absent value is an empty text.

    Examples
    --------
    >>> column = Column(pa.chunked_array([["desk lamp"], ["floor lamp", None]]))
    >>> len(column), column[1], list(column)
    (3, 'floor lamp', ['desk lamp', 'floor lamp', ''])
    """

    def __init__(self, texts: pa.ChunkedArray) -> None:
        self._texts = texts if texts.type == pa.string() else texts.cast(pa.string())

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> Column: ...
    def __getitem__(self, row: int | slice) -> str | Column:
        if isinstance(row, slice):
            return Column(self._texts[row])
        return self._texts[row].as_py() or ""

    def __iter__(self) -> Iterator[str]:
        for chunk in self._texts.chunks:
            for start in range(0, len(chunk), BATCH):
                yield from chunk.slice(start, BATCH).fill_null("").to_pylist()


def stored(
    fields: Sequence[str],
    read: Callable[[list[str]], Iterable[Row]],
    *,
    files: Iterable[Path],
    settings: object,
    notes: list[str],
) -> Catalogue:
    """Return the catalogue of some files, from the cache if the same ones were read before.

    Texts stay on disk. What is held in memory is the ids and their rows, some 150 bytes a
    product.

    Parameters
    ----------
    fields
        The names of the columns; "title" is one of them.
    read
        Yields the id and the columns of each product, and tells its argument what was left out.
    files
        All that is read. Their contents name the catalogue, so that it is read again when one of
        them changes.
    settings
        What else decides the rows; its ``repr`` says all of it.
    notes
        Is told what was left out, now or when the files were read.

    Raises
    ------
    InputError
        The files make no catalogue, or the stored one is damaged.
    """
    folder = cache_dir() / f"catalogue-{content_key(files, (VERSION, tuple(fields), settings))}"
    if not folder.exists():
        with whole(folder) as draft:
            draft.mkdir()
            left_out: list[str] = []
            _write(draft / "products.arrow", fields, read(left_out))
            about = {"fingerprint": _mapped(draft).fingerprint, "notes": left_out}
            (draft / "about.json").write_text(json.dumps(about), encoding="utf-8")
    try:
        catalogue = _mapped(folder)
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(
            f"the stored catalogue {folder} is damaged ({error}); delete it and it is read again"
        ) from error
    notes += about["notes"]
    # Computed once, when the catalogue was stored: it takes a pass over all texts.
    catalogue.__dict__["fingerprint"] = about["fingerprint"]
    return catalogue


def content_key(files: Iterable[Path], settings: object) -> str:
    """Return a name for what is made of the contents of files, and of settings that ``repr`` says.

    Raises
    ------
    InputError
        One of the files is absent.
    """
    name = hashlib.sha256(repr(settings).encode())
    for path in files:
        require(path)
        with path.open("rb") as file:
            name.update(hashlib.file_digest(file, "sha256").digest())
    return name.hexdigest()[:20]


def _write(path: Path, fields: Sequence[str], rows: Iterable[Row]) -> None:
    schema = pa.schema([(name, pa.string()) for name in ("id", *fields)])
    rows = iter(rows)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
        while batch := list(islice(rows, BATCH)):
            columns = [pa.array(texts, pa.string()) for texts in zip(*batch, strict=True)]
            writer.write_batch(pa.record_batch(columns, schema=schema))


def _mapped(folder: Path) -> Catalogue:
    table = pa.ipc.open_file(pa.memory_map(str(folder / "products.arrow"))).read_all()
    ids, *columns = table.columns
    fields = dict(zip(table.column_names[1:], map(Column, columns), strict=True))
    return Catalogue(tuple(Column(ids)), fields)

"""The rows of a table, one at a time, whatever file it is in."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from ospo.data.files import OPENERS, UTF8, opened, require
from ospo.data.malformed import Malformed, Numbered, Row, sound
from ospo.errors import InputError
from owen_core import json_file

BATCH = 1024  # rows of a Parquet file that are in memory


def table_suffix(path: Path) -> str | None:
    """Return the suffix that tells the format of a table, or None.

    Examples
    --------
    >>> table_suffix(Path("lamps.csv.gz")), table_suffix(Path("qrels.txt"))
    ('.csv', None)
    """
    suffix = path.with_suffix("").suffix if path.suffix in OPENERS else path.suffix
    return suffix if suffix in READERS else None


def read_rows(
    path: Path,
    columns: Sequence[str],
    notes: list[str],
    *,
    filled: int = 1,
    optional: Collection[str] = (),
    encoding: str = UTF8,
    delimiter: str | None = None,
) -> Iterator[Row]:
    r"""Yield some columns of a CSV, TSV, JSON-lines or Parquet file, row by row.

    Only one row, or one batch of a Parquet file, is in memory. Numbers come as they are written;
    an absent value is empty text. Few malformed rows are left out, see
    :func:`ospo.data.malformed.sound`; in CSV files, those with another number of fields than the
    header are malformed too.

    Parameters
    ----------
    path
        A file whose suffix tells its format: ``.csv``, ``.tsv``, ``.jsonl``, ``.ndjson`` or
        ``.parquet``; all but the last may be compressed.
    columns
        The columns wanted.
    notes
        Is told which malformed rows were left out.
    filled
        How many of the first columns must have a value.
    optional
        Columns that the file may lack.
    encoding
        Of the text.
    delimiter
        Between fields, when it is not what the suffix says.

    Raises
    ------
    InputError
        The file is absent, damaged or of no known format, lacks a column, or too many of its rows
        are malformed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "lamps.csv"
    >>> _ = path.write_text("sku,price,name\na,5,desk lamp\nb,7,floor lamp\n")
    >>> list(read_rows(path, ["sku", "name"], notes=[]))
    [('a', 'desk lamp'), ('b', 'floor lamp')]
    """
    suffix = table_suffix(path)
    if suffix is None:
        raise InputError(f"{path} is no table: give a file of {', '.join(READERS)}")
    reader = READERS[suffix] if delimiter is None else partial(_delimited, delimiter=delimiter)
    return sound(
        reader(path, columns, optional, encoding),
        notes,
        source=path.name,
        columns=columns,
        filled=filled,
        unit="row" if suffix == ".parquet" else "line",
    )


def _delimited(
    path: Path,
    columns: Sequence[str],
    optional: Collection[str],
    encoding: str,
    *,
    delimiter: str,
) -> Iterator[Numbered | Malformed]:
    with opened(path, encoding) as file:
        lines = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            header = next(lines, [])
        except csv.Error as error:
            raise InputError(f"the first line of {path} is no header ({error})") from error
        _refuse_missing(path, columns, optional, header)
        width = len(header)
        places = [header.index(name) if name in header else width for name in columns]
        while True:
            number = lines.line_num + 1
            try:
                fields = next(lines)
            except StopIteration:
                return
            except csv.Error as error:  # perhaps a quote that swallowed lines
                yield Malformed(number, str(error), lines.line_num - number + 1)
                continue
            if len(fields) == width:
                fields.append("")  # what an optional column has that the file lacks
                yield number, [fields[place] for place in places]
            elif fields:
                yield Malformed(number, f"{len(fields)} fields instead of {width}")


def _json_lines(
    path: Path, columns: Sequence[str], optional: Collection[str], encoding: str
) -> Iterator[Numbered | Malformed]:
    known: dict[str, None] = {}
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json_file.parse(line)
            except ValueError as error:
                yield Malformed(number, f"it is no JSON ({error})")
                continue
            if isinstance(record, dict):
                known.update(dict.fromkeys(record))
                yield number, [record.get(name) for name in columns]
            else:
                yield Malformed(number, "it is no JSON object")
    _refuse_missing(path, columns, optional, known)


def _parquet(
    path: Path, columns: Sequence[str], optional: Collection[str], encoding: str
) -> Iterator[Numbered]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    require(path)
    try:
        file = pq.ParquetFile(path, memory_map=True)
        schema = file.schema_arrow
        _refuse_missing(path, columns, optional, schema.names)
        present = [name for name in columns if name in schema.names]
        for name in present:
            if pa.types.is_nested(schema.field(name).type):
                raise InputError(
                    f"{path} holds {schema.field(name).type} in {name}: give a column of texts"
                )
        number = 1
        for batch in file.iter_batches(BATCH, columns=present):
            absent = [""] * len(batch)
            values = [_decoded(batch[name]) if name in present else absent for name in columns]
            for row in zip(*values, strict=True):
                yield number, row
                number += 1
    except (pa.ArrowException, OSError) as error:
        why = " ".join(str(error).split())
        raise InputError(f"{path} is no whole Parquet file ({why}): get it again") from error


def _decoded(column: Any) -> list[str]:
    """The texts of an Arrow array; bytes that are not UTF-8 come as lone surrogates."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(column.type):  # NaN is how pandas writes an absent value
        column = pc.if_else(pc.is_nan(column), None, column)
    try:
        return cast(list[str], column.cast(pa.string()).fill_null("").to_pylist())
    except (pa.ArrowInvalid, UnicodeDecodeError):
        values = column.cast(pa.binary()).fill_null(b"").to_pylist()
        return [value.decode("utf-8", "surrogateescape") for value in values]


READERS: dict[str, Callable[..., Iterator[Numbered | Malformed]]] = {
    ".csv": partial(_delimited, delimiter=","),
    ".tsv": partial(_delimited, delimiter="\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}


def _refuse_missing(
    path: Path, columns: Iterable[str], optional: Collection[str], known: Collection[str]
) -> None:
    missing = [name for name in columns if name not in known and name not in optional]
    if missing:
        has = ", ".join(name if name.isprintable() else repr(name) for name in known)
        raise InputError(
            f"{path} lacks the columns {', '.join(missing)}: it has {has or 'none'}; "
            "of a table of your own, say what they are called by NAME=COLUMN, as in title=COLUMN"
        )

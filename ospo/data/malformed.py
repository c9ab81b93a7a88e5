"""Rows that cannot be read: few are left out, counted and named; many are refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ospo.errors import InputError

Row = tuple[str, ...]
Numbered = tuple[int, Sequence[Any]]  # the number of a row, and its values

TOLERATED = 0.01  # share of malformed rows that may be left out
NAMED = 3  # malformed rows that are named


@dataclass(frozen=True, slots=True)
class Malformed:
    """What stands in place of one row, or of several: where, and what is wrong with it."""

    number: int
    why: str
    rows: int = 1


def sound(
    rows: Iterable[Numbered | Malformed],
    notes: list[str],
    *,
    source: str,
    columns: Sequence[str],
    filled: int = 1,
    unit: str = "line",
) -> Iterator[Row]:
    """Yield the rows that are texts, if the malformed ones are few.

    Parameters
    ----------
    rows
        Values with the number of their row, or what is wrong with it. Numbers become texts, an
        absent value an empty text. Lists and objects are malformed, and so are texts that are not
        UTF-8.
    notes
        Is told, when all rows were read, how many were left out, and why the first of them.
    source, columns, unit
        What the rows are from, what their values are called and what the numbers count, for
        messages.
    filled
        How many of the first columns must have a value.

    Raises
    ------
    InputError
        More than :data:`TOLERATED` of all rows are malformed.

    Examples
    --------
    >>> notes = []
    >>> rows = [*enumerate([["a", 2.5]] * 198, start=2), (200, ["", 1]), (201, ["b", None])]
    >>> kept = list(sound(rows, notes, source="lamps.csv", columns=["id", "price"]))
    >>> len(kept), kept[-2:]
    (199, [('a', '2.5'), ('b', '')])
    >>> notes
    ['left out 1 of 200 rows of lamps.csv (line 200: id is empty)']
    """
    read = left_out = 0
    first: list[str] = []
    for row in rows:
        texts = row if isinstance(row, Malformed) else _texts(*row, columns, filled)
        if isinstance(texts, Malformed):
            left_out += texts.rows
            if len(first) < NAMED:
                first.append(f"{unit} {texts.number}: {texts.why}")
        else:
            read += 1
            yield texts
    if left_out:
        which = f"{left_out} of {read + left_out} rows of {source} ({'; '.join(first)})"
        if left_out > TOLERATED * (read + left_out):
            raise InputError(f"cannot read {which}: correct them, or name their encoding")
        notes.append(f"left out {which}")


def _texts(
    number: int, values: Sequence[Any], columns: Sequence[str], filled: int
) -> Row | Malformed:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return Malformed(number, "it has characters that are not UTF-8")
    except TypeError:  # not all are texts
        for name, value in zip(columns, values, strict=True):
            if isinstance(value, list | dict):
                return Malformed(number, f"{name} holds a {type(value).__name__}, not text")
        texts = ["" if value is None else str(value) for value in values]
        return _texts(number, texts, columns, filled)
    if not all(values[:filled]):
        return Malformed(number, f"{columns[values.index('')]} is empty")
    return tuple(values)

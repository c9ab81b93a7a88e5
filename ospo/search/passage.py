"""The text of a product as a neural model reads it: its columns, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ospo.data.collection import Catalogue
from ospo.search.fields import field_weights


def columns(catalogue: Catalogue, fields: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the columns to read; every column of the catalogue by default.

    Raises
    ------
    InputError
        A column is not in the catalogue, or none was chosen.
    """
    return tuple(field_weights(catalogue, None if fields is None else dict.fromkeys(fields, 1.0)))


def passage(catalogue: Catalogue, fields: Sequence[str], row: int) -> str:
    """Return the text of a product.

    Examples
    --------
    >>> lamps = Catalogue(("a",), {"title": ("desk lamp",), "brand": ("",), "colour": ("red",)})
    >>> passage(lamps, columns(lamps), row=0)
    'desk lamp red'
    """
    return " ".join(filter(None, (catalogue.fields[name][row] for name in fields)))

"""Records as plain data: frozen dataclasses, checked against their annotations when read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from owen_core.json_file import is_integer, is_number, refuse

T = TypeVar("T")

PLAIN: dict[object, tuple[str, Callable[[Any], bool]]] = {
    str: ("a string", lambda value: isinstance(value, str)),
    int: ("a whole number", is_integer),
    float: ("a finite number", lambda value: is_number(value) and math.isfinite(value)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    NoneType: ("null", lambda value: value is None),
}


def from_plain(kind: type[T], data: Any) -> T:
    """Return the record of a kind that plain data describes, as ``dataclasses.asdict`` makes it.

    Annotations may be strings, numbers, records, tuples, mappings by strings, and unions of one of
    them with None.

    Raises
    ------
    ValueError
        A value is not what its annotation says, or a key is missing or unknown.

    Examples
    --------
    >>> from ospo.explanation import Product
    >>> from_plain(Product, {"title": "desk lamp", "grade": None})
    Product(title='desk lamp', grade=None)
    >>> from_plain(Product, {"title": "desk lamp", "grade": "good"})
    Traceback (most recent call last):
        ...
    ValueError: 'Product.grade' must be a whole number, got 'good'
    """
    record: T = _read(kind, data, kind.__name__)
    return record


def _read(kind: Any, data: Any, where: str) -> Any:
    if kind in PLAIN:
        expected, fits = PLAIN[kind]
        if not fits(data):
            refuse(where, expected, data)
        return float(data) if kind is float else data
    if isinstance(kind, type) and is_dataclass(kind):
        names = [field.name for field in fields(kind)]
        if not (isinstance(data, dict) and data.keys() == set(names)):
            refuse(where, f"an object with the keys {', '.join(names)}", data)
        hints = get_type_hints(kind)
        return kind(**{name: _read(hints[name], data[name], f"{where}.{name}") for name in names})
    kinds = get_args(kind)
    if get_origin(kind) is UnionType:
        (present,) = set(kinds) - {NoneType}
        return None if data is None else _read(present, data, where)
    if get_origin(kind) is Mapping:
        if not isinstance(data, dict):
            refuse(where, "an object", data)
        return {key: _read(kinds[1], value, f"{where}[{key!r}]") for key, value in data.items()}
    any_length = kinds[-1] is Ellipsis
    if not (isinstance(data, list | tuple) and (any_length or len(data) == len(kinds))):
        refuse(where, "a list" if any_length else f"a list of {len(kinds)}", data)
    each = kinds[:1] * len(data) if any_length else kinds
    pairs = zip(each, data, strict=True)
    return tuple(_read(k, value, f"{where}[{i}]") for i, (k, value) in enumerate(pairs))

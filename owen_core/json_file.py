"""JSON files: written whole or not at all, and checked value by value when they are read."""

from __future__ import annotations

import json
import math
import os
import reprlib
import sys
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

Data = dict[str, Any]


def write(data: Data, path: Path) -> None:
    """Write plain data to a file, which appears whole or not at all."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def parse(text: str | bytes) -> Any:
    """Return the data in a JSON text; ValueError if it is none, or nested too deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def read(path: Path) -> Any:
    """Return the data in a JSON file; ValueError if it is not whole."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"not whole JSON ({error}); save it again") from error


def check_keys(data: Any, what: str, version: int, keys: Collection[str]) -> None:
    """Refuse data of another format, and data that lacks or adds a key."""
    if not isinstance(data, dict) or data.get("format") != version:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise ValueError(f"this version reads {what} of format {version}, got {found!r}")
    for problem, wrong in (("lacks", set(keys) - set(data)), ("adds", set(data) - set(keys))):
        if wrong:
            raise ValueError(
                f"format {version} has the keys {', '.join(keys)}; this {problem} "
                f"{', '.join(sorted(wrong))}"
            )


def is_number(value: Any) -> bool:
    """Whether a value is a number that a float holds."""
    if is_integer(value):
        return bool(abs(value) <= sys.float_info.max)
    return isinstance(value, float)


def is_integer(value: Any) -> bool:
    """Whether a value is a whole number, and not a truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(data: Data, key: str) -> float:
    """Return the number under a key."""
    if not is_number(data[key]):
        refuse(key, "a number", data[key])
    return float(data[key])


def numbers(data: Data, key: str) -> list[float]:
    """Return the list of numbers under a key."""
    value = data[key]
    if not (isinstance(value, list) and all(map(is_number, value))):
        refuse(key, "a list of numbers", value)
    return [float(each) for each in value]


def string(data: Data, key: str) -> str:
    """Return the string under a key."""
    if not isinstance(data[key], str):
        refuse(key, "a string", data[key])
    return str(data[key])


def strings(data: Data, key: str) -> tuple[str, ...]:
    """Return the list of strings, at least one, under a key."""
    value = data[key]
    if not (isinstance(value, list) and value and all(isinstance(each, str) for each in value)):
        refuse(key, "a list of at least one string", value)
    return tuple(value)


def record(data: Data, key: str, fields: Collection[str]) -> Data | None:
    """Return the finite numbers, one for each field, under a key; None for null."""
    value = data[key]
    if value is None:
        return None
    whole = isinstance(value, dict) and value.keys() == set(fields)
    if not (whole and all(is_number(each) and math.isfinite(each) for each in value.values())):
        refuse(key, f"null or the numbers {', '.join(sorted(fields))}", value)
    return dict(value)


def refuse(key: str, expected: str, value: Any) -> NoReturn:
    """Refuse the value under a key."""
    raise ValueError(f"{key!r} must be {expected}, got {reprlib.repr(value)}")

"""The saved form of an attribution: JSON, versioned, checked when it is read.

====================  ============================================================
key                   value
====================  ============================================================
``format``            1, the version of this form
``values``            credits, a list of n finite numbers
``names``             the players, a list of n strings
``baseline, total``   v(empty) and v(N), finite numbers
``concept``           the solution concept, a string
``structure``         the coalition structure in words, or null
``cost``              null, or ``asked, cached, new, calls`` and ``seconds``
``std_error``         null when exact, or a list of n finite numbers
====================  ============================================================

Numbers are written with all their digits, so every bit comes back.
"""

from __future__ import annotations

import json
import math
import os
import reprlib
import sys
import uuid
from dataclasses import asdict
from dataclasses import fields as fields_of
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from owen_core.evaluate import Cost
from owen_core.game import Values

if TYPE_CHECKING:
    from owen_core.attribution import Attribution

FORMAT = 1
KEYS = (
    "format",
    "values",
    "names",
    "baseline",
    "total",
    "concept",
    "structure",
    "cost",
    "std_error",
)


def to_dict(a: Attribution) -> dict[str, Any]:
    """Return an attribution in its saved form."""
    return {
        "format": FORMAT,
        "values": a.values.tolist(),
        "names": list(a.names),
        "baseline": a.baseline,
        "total": a.total,
        "concept": a.concept,
        "structure": a.structure,
        "cost": None if a.cost is None else asdict(a.cost),
        "std_error": None if a.std_error is None else a.std_error.tolist(),
    }


def fields(data: Any) -> dict[str, Any]:
    """Return the fields of the attribution that a saved form describes.

    Raises
    ------
    ValueError
        Another format, keys missing or unknown, or a value of the wrong kind.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise ValueError(f"this version reads attributions of format {FORMAT}, got {found!r}")
    for problem, keys in (("lacks", set(KEYS) - set(data)), ("adds", set(data) - set(KEYS))):
        if keys:
            raise ValueError(
                f"format {FORMAT} has the keys {', '.join(KEYS)}; this {problem} "
                f"{', '.join(sorted(keys))}"
            )
    return {
        "values": _numbers(data, "values"),
        "names": _names(data),
        "baseline": _number(data, "baseline"),
        "total": _number(data, "total"),
        "concept": _string(data, "concept"),
        "structure": None if data["structure"] is None else _string(data, "structure"),
        "cost": None if data["cost"] is None else _cost(data["cost"]),
        "std_error": None if data["std_error"] is None else _numbers(data, "std_error"),
    }


def write(data: dict[str, Any], path: Path) -> None:
    """Write a saved form to a file, which appears whole or not at all."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path) -> Any:
    """Return the data in a JSON file; ValueError if it is not whole."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"not whole JSON ({error}); save it again") from error


def _is_number(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) <= sys.float_info.max
    return isinstance(value, float)


def _refuse(key: str, expected: str, value: Any) -> NoReturn:
    raise ValueError(f"{key!r} must be {expected}, got {reprlib.repr(value)}")


def _number(data: dict[str, Any], key: str) -> float:
    if not _is_number(data[key]):
        _refuse(key, "a number", data[key])
    return float(data[key])


def _numbers(data: dict[str, Any], key: str) -> Values:
    value = data[key]
    if not (isinstance(value, list) and all(map(_is_number, value))):
        _refuse(key, "a list of numbers", value)
    return np.array(value, dtype=np.float64)


def _string(data: dict[str, Any], key: str) -> str:
    if not isinstance(data[key], str):
        _refuse(key, "a string", data[key])
    return str(data[key])


def _names(data: dict[str, Any]) -> tuple[str, ...]:
    names = data["names"]
    if not (isinstance(names, list) and names and all(isinstance(name, str) for name in names)):
        _refuse("names", "a list of at least one string", names)
    return tuple(names)


def _cost(value: Any) -> Cost:
    keys = {field.name for field in fields_of(Cost)}
    whole = isinstance(value, dict) and value.keys() == keys
    if not (whole and all(_is_number(x) and math.isfinite(x) for x in value.values())):
        _refuse("cost", f"null or the numbers {', '.join(sorted(keys))}", value)
    return Cost(**value)

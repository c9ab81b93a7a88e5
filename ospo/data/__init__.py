"""Collections to search in: the generated shop, and loaders for published sets and own files."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, get_type_hints

from ospo.data.collection import Catalogue, Collection
from ospo.errors import InputError

__all__ = ["Catalogue", "Collection", "load"]

# Kind -> how it is written. The function load_KIND is in the module KIND.
LOADERS = {
    "shop": "shop",
    "icecat": "icecat:DIR",
    "esci": "esci:DIR[,locale=us][,version=small][,split=all]",
    "wands": "wands:DIR",
    "hm": "hm:DIR[,customers=1000][,history=10][,seed=0]",
    "cranfield": "cranfield:DIR",
    "beir": "beir:DIR[,split=test]",
    "trec": "trec:DOCUMENTS,topics=FILE,qrels=FILE[,part=title][,grades=...][,encoding=...]",
    "table": "table:PRODUCTS,queries=FILE,qrels=FILE[,id=COLUMN][,title=COLUMN][,NAME=COLUMN]"
    "[,grades=...][,encoding=...]",
    "hf": "hf:DIR[,id=COLUMN][,title=COLUMN][,NAME=COLUMN][,grades=...]",
}
_log = logging.getLogger(__name__)


def load(spec: str) -> Collection:
    """The collection that ``spec`` names.

    What was left out of it, such as malformed rows, is logged as a warning.

    Parameters
    ----------
    spec
        A kind, the path of what to read, and options: one of :data:`LOADERS`. The options are
        those of the kind's loader, such as :func:`ospo.data.esci.load_esci`.

    Raises
    ------
    InputError
        If nothing goes by that name, an option is unknown or missing, or the files of the
        collection are wrong.

    Examples
    --------
    >>> len(load("shop").queries)
    200
    """
    kind, colon, rest = spec.partition(":")
    # Only a comma before "name=" ends a path: paths may have commas.
    path, *options = re.split(r",(?=\w+=)", rest)
    if kind not in LOADERS or bool(colon) != (":" in LOADERS[kind]) or bool(path) != bool(colon):
        raise InputError(
            f'there is no collection "{spec}": choose one of {", ".join(LOADERS.values())}'
        )
    loader = getattr(import_module(f"ospo.data.{kind}"), f"load_{kind}")
    paths = [Path(path).expanduser()] if path else []
    collection: Collection = loader(*paths, **_options(kind, loader, options))
    for note in collection.notes:
        _log.warning("%s: %s", collection.name, note)
    return collection


def _options(kind: str, loader: Callable[..., Collection], options: list[str]) -> dict[str, Any]:
    """The keyword arguments that the options say, each of the type that the loader wants."""
    given = dict(option.split("=", 1) for option in options)
    parameters = inspect.signature(loader).parameters.values()
    known = {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}
    any_name = any(p.kind is p.VAR_KEYWORD for p in parameters)
    unknown = [] if any_name else [name for name in given if name not in known]
    missing = [n for n, p in known.items() if p.default is p.empty and n not in given]
    if unknown or missing or len(given) < len(options):
        wrong = [f"unknown: {', '.join(unknown)}"] * bool(unknown)
        wrong += [f"missing: {', '.join(missing)}"] * bool(missing)
        raise InputError(
            f"the options of {kind} are wrong ({'; '.join(wrong) or 'one is given twice'}): "
            f"write {LOADERS[kind]}"
        )
    hints = get_type_hints(loader)
    return {name: _converted(name, value, hints.get(name, str)) for name, value in given.items()}


def _converted(name: str, value: str, wanted: object) -> str | int | Path:
    if wanted is str:
        return value
    if wanted is not int:
        return Path(value).expanduser()
    try:
        return int(value)
    except ValueError as error:
        raise InputError(f"{name} is {value!r}: give an integer") from error

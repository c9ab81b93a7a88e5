"""Retrievers by name, as they are written on the command line."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.retriever import Retriever

if TYPE_CHECKING:
    from ospo.search.dense import Dense

# What is after the name's colon, the catalogue, and where indexes are kept.
Loader = Callable[[str, Catalogue, Path | None], Retriever]


def load_retriever(name: str, catalogue: Catalogue, cache_dir: Path | None = None) -> Retriever:
    """Return the retriever that a name stands for, over a catalogue.

    ===========================  ===============================================================
    ``bm25``, ``fts5``,          over all columns; ``bm25:title^2,brand`` over some, with weights
    ``tfidf``
    ``lsa``                      ``lsa:100`` keeps that many dimensions
    ``dense``                    all-MiniLM-L6-v2; ``dense:MODEL_FOLDER`` with any model of
                                 sentence-transformers; ``dense:#fields=title,brand`` over some
                                 columns
    ``faiss``                    as ``dense``, by a flat FAISS index
    ``rerank:FOLDER#bm25``       the best products of any of these, read again by a cross-encoder
    ``http:URL``                 Elasticsearch, OpenSearch or Solr; any engine with
                                 ``http:URL#ids=hits[*].id``, where the URL holds ``{query}`` and
                                 ``{k}``, or ``&body=FILE`` does. More settings there:
                                 ``scores``, ``timeout``, ``retries``, ``depth``, ``version``
    ``postgres:DSN``             ``postgres:DSN#table=products&config=english``; also ``timeout``,
                                 ``depth``, ``version``
    ``fusion:bm25+lsa``          reciprocal rank fusion of any of these
    ``package.module:function``  ``function(queries, k)``, or an object with ``search``
    ===========================  ===============================================================

    Parameters
    ----------
    name : str
    catalogue : Catalogue
    cache_dir : Path, optional
        Where indexes are kept between runs.

    Raises
    ------
    InputError
        Nothing goes by that name, or a setting is wrong.
    ModuleNotFoundError
        What the retriever needs is not installed; the message says how to install it.

    Examples
    --------
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> retriever = load_retriever("fusion:bm25+fts5:title", shop)
    >>> [hit.product_id for hit in retriever.search(["red shoes"], k=10)[0]]
    ['1', '2']
    """
    kind, _, argument = name.partition(":")
    if argument.startswith("//"):
        argument = name  # an address says its kind itself
    if kind in LOADERS:
        return LOADERS[kind](argument, catalogue, cache_dir)
    if argument:
        return _function(name, catalogue)
    raise InputError(
        f"there is no retriever {name!r}: choose one of {', '.join(LOADERS)}, "
        "or package.module:function"
    )


def _bm25(fields: str, catalogue: Catalogue, cache_dir: Path | None) -> Retriever:
    from ospo.search.bm25 import BM25
    from ospo.search.fields import parse_fields

    return BM25(catalogue, cache_dir, fields=parse_fields(fields))


def _fts5(fields: str, catalogue: Catalogue, cache_dir: Path | None) -> Retriever:
    from ospo.search.fields import parse_fields
    from ospo.search.fts5 import FTS5

    return FTS5(catalogue, cache_dir, fields=parse_fields(fields))


def _tfidf(fields: str, catalogue: Catalogue, _: Path | None) -> Retriever:
    from ospo.search.fields import parse_fields
    from ospo.search.tfidf import TFIDF

    return TFIDF(catalogue, fields=parse_fields(fields))


def _lsa(dimensions: str, catalogue: Catalogue, _: Path | None) -> Retriever:
    from ospo.search.lsa import LSA

    if dimensions and not dimensions.isdecimal():
        raise InputError(f"lsa:{dimensions} is no number of dimensions: write for example lsa:100")
    return LSA(catalogue, int(dimensions)) if dimensions else LSA(catalogue)


def _dense(argument: str, catalogue: Catalogue, cache_dir: Path | None) -> Dense:
    from ospo.search.dense import Dense
    from ospo.search.encoder import Encoder, minilm_folder

    folder, settings = _settings(argument, {"fields": _columns})
    encoder = Encoder(Path(folder) if folder else minilm_folder())
    return Dense(catalogue, encoder, cache_dir, **settings)


def _faiss(argument: str, catalogue: Catalogue, cache_dir: Path | None) -> Retriever:
    from ospo.search.faiss import FAISS

    return FAISS(_dense(argument, catalogue, cache_dir))


def _rerank(argument: str, catalogue: Catalogue, cache_dir: Path | None) -> Retriever:
    from ospo.search.cross_encoder import Reranker

    folder, _, name = argument.partition("#")
    if not (folder and name):
        raise InputError(
            f"rerank:{argument} does not say what reads which products: write for example "
            "rerank:MODEL_FOLDER#bm25"
        )
    return Reranker(load_retriever(name, catalogue, cache_dir), catalogue, Path(folder))


def _http(argument: str, catalogue: Catalogue, _: Path | None) -> Retriever:
    from ospo.search.http import HTTP, Shape

    known = {"ids": str, "scores": str, "body": Path, "retries": int} | REMOTE
    url, settings = _settings(argument, known)
    shape = {name: settings.pop(name) for name in ("ids", "scores", "body") if name in settings}
    if shape and "ids" not in shape:
        raise InputError(f"{argument!r} does not say where the answer has the ids: add ids=PATH")
    if "body" in shape:
        shape["body"] = _read_json(shape["body"])
    return HTTP(url, catalogue, Shape(**shape) if shape else None, **settings)


def _postgres(argument: str, catalogue: Catalogue, _: Path | None) -> Retriever:
    from ospo.search.postgres import Postgres

    dsn, settings = _settings(argument, {"table": str, "config": str} | REMOTE)
    return Postgres(dsn, catalogue, **settings)


def _fusion(parts: str, catalogue: Catalogue, cache_dir: Path | None) -> Retriever:
    from ospo.search.fusion import Fusion

    return Fusion([load_retriever(part, catalogue, cache_dir) for part in parts.split("+")])


def _function(path: str, catalogue: Catalogue) -> Retriever:
    from ospo.search.function import FunctionRetriever

    module, _, attributes = path.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a command does not look beside the user by itself
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # something that the module needs
        raise InputError(
            f"there is no retriever and no module {module!r}: choose one of {', '.join(LOADERS)}, "
            "or name a module that can be imported from here"
        ) from error
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            raise InputError(f"the module {module!r} has no {attributes!r}: name one of its own")
        found = getattr(found, attribute)
    if Retriever in type(found).__mro__:
        return cast(Retriever, found)
    search = getattr(found, "search", found)
    if not callable(search):
        raise InputError(
            f"{path} is {type(found).__name__}: name a function of queries and k, or an object "
            "with such a method called search"
        )
    return FunctionRetriever(search, catalogue, path)


def _settings(
    argument: str, known: Mapping[str, Callable[[str], Any]]
) -> tuple[str, dict[str, Any]]:
    """Return what is before "#", and the settings after it, as in ``#timeout=5&retries=0``."""
    address, _, text = argument.partition("#")
    settings = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name not in known:
            raise InputError(f"there is no setting {name!r}: choose among {', '.join(known)}")
        try:
            settings[name] = known[name](value)
        except ValueError as error:
            raise InputError(
                f"{name}={value} cannot be: give a value of type {known[name].__name__}"
            ) from error
    return address, settings


def _columns(names: str) -> list[str]:
    return names.split(",")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the body {path} cannot be read ({error}): give a file of JSON with {{query}} in it"
        ) from error


REMOTE: dict[str, Callable[[str], Any]] = {"timeout": float, "depth": int, "version": str}
LOADERS: dict[str, Loader] = {
    "bm25": _bm25,
    "fts5": _fts5,
    "tfidf": _tfidf,
    "lsa": _lsa,
    "dense": _dense,
    "faiss": _faiss,
    "rerank": _rerank,
    "http": _http,
    "https": _http,
    "postgres": _postgres,
    "postgresql": _postgres,
    "fusion": _fusion,
}

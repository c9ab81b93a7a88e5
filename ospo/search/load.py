"""Retrievers by name, as they are written on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qsl

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.named import imported
from ospo.search.retriever import Retriever
from owen_core import json_file

if TYPE_CHECKING:
    from ospo.search.dense import Dense

Progress = Callable[[int, int], None]  # products done, of how many


class Over(NamedTuple):
    """What every retriever is loaded with: its products, a place for indexes, who is told."""

    catalogue: Catalogue
    cache_dir: Path | None
    progress: Progress

    def load(self, name: str) -> Retriever:
        """Return the retriever that a name stands for."""
        return load_retriever(name, *self)


Loader = Callable[[str, Over], Retriever]  # of what is after the name's colon


def load_retriever(
    name: str,
    catalogue: Catalogue,
    cache_dir: Path | None = None,
    progress: Progress = lambda done, count: None,
) -> Retriever:
    """Return the retriever that a name stands for, over a catalogue.

    =============================  ===============================================================
    ``bm25``, ``fts5``, ``tfidf``  over all columns; ``bm25:title^2,brand`` over some, with weights
    ``lsa``                        ``lsa:100`` keeps that many dimensions
    ``dense``                      all-MiniLM-L6-v2; ``dense:MODEL_FOLDER`` with any model of
                                   sentence-transformers; ``dense:#fields=title,brand`` over some
                                   columns; ``dense:#onnx`` encodes by ONNX Runtime, and
                                   ``dense:#onnx-int8`` in 8 bits, which is another retriever
    ``faiss``                      as ``dense``, by a flat FAISS index
    ``rerank:FOLDER#bm25``         the best products of any of these, read again by a cross-encoder
    ``http:URL``                   Elasticsearch, OpenSearch or Solr; any engine with
                                   ``http:URL#ids=hits[*].id``, where the URL holds ``{query}`` and
                                   ``{k}``, or ``&body=FILE`` does. More settings there:
                                   ``scores``, ``timeout``, ``retries``, ``depth``, ``version``
    ``postgres:DSN``               ``postgres:DSN#table=products&config=english``; also ``timeout``,
                                   ``depth``, ``version``
    ``fusion:bm25+lsa``            reciprocal rank fusion of any of these
    ``package.module:function``    ``function(queries, k)``, an object with ``search``, or a
                                   subclass of :class:`ospo.search.retriever.Retriever`, which is
                                   made of the catalogue
    =============================  ===============================================================

    Parameters
    ----------
    name : str
    catalogue : Catalogue
    cache_dir : Path, optional
        Where indexes are kept between runs.
    progress : callable
        Called while products are encoded, which may take minutes, with how many are done, and of
        how many.

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
        return LOADERS[kind](argument, Over(catalogue, cache_dir, progress))
    if argument:
        return _function(name, catalogue)
    raise InputError(
        f"there is no retriever {name!r}: choose one of {', '.join(LOADERS)}, "
        "or package.module:function"
    )


def without_secrets(name: str) -> str:
    """Return the name of a retriever without the passwords in it, fit to be written down.

    Without one, PostgreSQL takes that of ``PGPASSWORD`` or of the user's password file.

    Examples
    --------
    >>> without_secrets("fusion:bm25+postgres:host=db user=me password=secret#table=wares")
    'fusion:bm25+postgres:host=db user=me #table=wares'
    >>> without_secrets("https://me:secret@host/_search")
    'https://me@host/_search'
    """
    kind, _, parts = name.partition(":")
    if kind == "fusion":
        return f"{kind}:{'+'.join(map(without_secrets, NEXT.split(parts)))}"
    return SECRET_OF_USER.sub(r"\1", SECRET_VALUE.sub("", name))


def _bm25(fields: str, over: Over) -> Retriever:
    from ospo.search.bm25 import BM25
    from ospo.search.fields import parse_fields

    return BM25(over.catalogue, over.cache_dir, fields=parse_fields(fields))


def _fts5(fields: str, over: Over) -> Retriever:
    from ospo.search.fields import parse_fields
    from ospo.search.fts5 import FTS5

    return FTS5(over.catalogue, over.cache_dir, fields=parse_fields(fields))


def _tfidf(fields: str, over: Over) -> Retriever:
    from ospo.search.fields import parse_fields
    from ospo.search.tfidf import TFIDF

    return TFIDF(over.catalogue, fields=parse_fields(fields))


def _lsa(dimensions: str, over: Over) -> Retriever:
    from ospo.search.lsa import LSA

    if dimensions and not dimensions.isdecimal():
        raise InputError(f"lsa:{dimensions} is no number of dimensions: write for example lsa:100")
    return LSA(over.catalogue, int(dimensions)) if dimensions else LSA(over.catalogue)


def _dense(argument: str, over: Over) -> Dense:
    from ospo.search.dense import Dense
    from ospo.search.encoder import Encoder, minilm_folder

    known = {"fields": _columns, "onnx": nothing, "onnx-int8": nothing}
    name, settings = _settings(argument, known)
    folder = Path(name) if name else minilm_folder()
    onnx, int8 = "onnx" in settings, "onnx-int8" in settings
    if onnx or int8:
        from ospo.search.onnx import OnnxEncoder

        encoder: Encoder = OnnxEncoder(folder, over.cache_dir, int8=int8)
    else:
        encoder = Encoder(folder)
    fields = settings.get("fields")
    return Dense(over.catalogue, encoder, over.cache_dir, fields=fields, progress=over.progress)


def _faiss(argument: str, over: Over) -> Retriever:
    from ospo.search.faiss import FAISS

    return FAISS(_dense(argument, over))


def _rerank(argument: str, over: Over) -> Retriever:
    from ospo.search.cross_encoder import Reranker

    folder, _, name = argument.partition("#")
    if not (folder and name):
        raise InputError(
            f"rerank:{argument} does not say what reads which products: write for example "
            "rerank:MODEL_FOLDER#bm25"
        )
    return Reranker(over.load(name), over.catalogue, Path(folder))


def _http(argument: str, over: Over) -> Retriever:
    from ospo.search.http import HTTP, Shape

    known = {"ids": str, "scores": str, "body": Path, "retries": int} | REMOTE
    url, settings = _settings(argument, known)
    shape = {name: settings.pop(name) for name in ("ids", "scores", "body") if name in settings}
    if shape and "ids" not in shape:
        raise InputError(f"{argument!r} does not say where the answer has the ids: add ids=PATH")
    if "body" in shape:
        shape["body"] = _read_json(shape["body"])
    return HTTP(url, over.catalogue, Shape(**shape) if shape else None, **settings)


def _postgres(argument: str, over: Over) -> Retriever:
    from ospo.search.postgres import Postgres

    dsn, settings = _settings(argument, {"table": str, "config": str} | REMOTE)
    return Postgres(dsn, over.catalogue, **settings)


def _fusion(parts: str, over: Over) -> Retriever:
    from ospo.search.fusion import Fusion

    return Fusion([over.load(part) for part in parts.split("+")])


def _function(path: str, catalogue: Catalogue) -> Retriever:
    from ospo.search.function import FunctionRetriever

    found = imported(path, "retriever", LOADERS)
    if isinstance(found, type) and Retriever in found.__mro__:
        return cast(Retriever, found(catalogue))
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


def nothing(value: str) -> None:
    """Refuse a value where there is none to give."""
    if value:
        raise ValueError


def _read_json(path: Path) -> Any:
    try:
        return json_file.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"the body {path} cannot be read ({error}): give a file of JSON with {{query}} in it"
        ) from error


# Up to the last "@", for a password may have any sign in it: in doubt a port and a path go too.
SECRET_OF_USER = re.compile(r"(://[^:@]*):.*(?=@)", re.DOTALL)
SECRET_NAME = r"[\w-]*(?:password|passwd|pwd|secret|token|api[-_]?key)"
SECRET_VALUE = re.compile(
    rf"(?<=[?&]){SECRET_NAME}=[^&#]*"  # of an address, else of a connection string
    rf"|(?<![^\s:]){SECRET_NAME}\s*=\s*('(\\.?|[^'\\])*('|\Z)|(\\.?|[^\s#\\])*)",
    re.IGNORECASE | re.DOTALL,
)
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
NEXT = re.compile(rf"\+(?=(?:{'|'.join(LOADERS)})\b)")  # in a fusion; a password may have a "+"

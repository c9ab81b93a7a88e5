"""A system: the texts that it searches with for each judged query, from wherever they come."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ospo.data.collection import Collection
from ospo.data.files import opened
from ospo.data.judgments import read_queries
from ospo.data.malformed import Row, sound
from ospo.data.rows import read_rows, table_suffix
from ospo.data.trec import read_topics, split_lines
from ospo.errors import InputError
from ospo.train.settings_file import CONFIG, read_settings
from owen_core import json_file

ORIGINAL = "original"
NAME = re.compile(r"[\w.-]+")  # a part of file names
FORMS = "original, NAME:FILE, NAME:RUN, NAME:RUN#before, NAME:RUN#context or NAME:RUN#rewrite=FILE"
HELD_OUT = "held_out.jsonl"
# What a run keeps of each held-out context, and what it is called here.
UNTRAINED = ("before", "context")
WRITTEN = {"": "after"} | {part: part for part in UNTRAINED}
ID_KEYS = ("query_id", "id", "_id", "qid")
TEXT_KEYS = ("text", "query", "title")
_UNFINISHED = (
    f"{{}} is not a finished run of ospo train (it needs {CONFIG} and {HELD_OUT}): "
    "wait until it is done, or name another folder"
)


@dataclass(frozen=True, slots=True)
class System:
    """What is compared: one way to write the query that is searched.

    Attributes
    ----------
    name : str
    texts : mapping
        Query id to the texts that it searches with. Several, such as what a policy wrote for
        several contexts of one query, are averaged: the query is the unit of every comparison.
    trained_with : str or None
        The name of the retriever that it was trained with; None = it was not trained.
    notes : tuple of str
        What is to be known of its source, a sentence each.
    """

    name: str
    texts: Mapping[str, tuple[str, ...]]
    trained_with: str | None = None
    notes: tuple[str, ...] = ()


def load_system(spec: str, collection: Collection) -> System:
    r"""Return the system that a text names.

    =========================  =====================================================================
    ``original``               the judged queries of the collection themselves
    ``NAME:FILE``              a file of query ids and texts: tab-separated, JSON lines or topics
                               in TREC's form
    ``NAME:RUN``               what a finished run of ``ospo train`` wrote for its held-out contexts
    ``NAME:RUN#before``        what its policy wrote before it was trained
    ``NAME:RUN#context``       the held-out contexts themselves
    ``NAME:RUN#rewrite=FILE``  what its policy writes for the texts of a file, in which a query id
                               may stand several times
    =========================  =====================================================================

    Raises
    ------
    InputError
        The text is none of these, a file is absent or malformed, a query id of a file has two
        texts, or a run is not finished.

    Examples
    --------
    >>> import tempfile
    >>> from ospo.data import load
    >>> path = Path(tempfile.mkdtemp()) / "short.tsv"
    >>> _ = path.write_text("q001\tdesk lamp\nq002\tsofa\n")
    >>> load_system(f"short:{path}", load("shop")).texts
    {'q001': ('desk lamp',), 'q002': ('sofa',)}
    """
    if spec == ORIGINAL:
        return System(ORIGINAL, {q: (collection.queries[q],) for q in collection.answerable})
    name, _, source = spec.partition(":")
    if not (NAME.fullmatch(name) and source):
        raise InputError(f"there are no queries {spec!r}: write {FORMS}, with letters in NAME")
    path, part = _place(source)
    if path.is_dir():
        return _run(name, path, part)
    if part:
        raise InputError(f"{path} is no run, so it has no {part!r}: write {FORMS}")
    notes: list[str] = []
    try:
        queries = read_queries(_rows(path, notes))
    except InputError as error:
        raise InputError(f"the queries {name}: {error}") from error
    return System(name, {query: (text,) for query, text in queries.items()}, None, tuple(notes))


def trained_on(specs: Iterable[str]) -> str | None:
    """Return the data that the first run among the systems was trained on, if there is one."""
    for spec in specs:
        source = spec.partition(":")[2]
        if source and (folder := _place(source)[0]).is_dir():
            return _settings(folder)["data"]
    return None


def _run(name: str, folder: Path, part: str) -> System:
    settings = _settings(folder)
    notes: list[str] = []
    what, _, file = part.partition("=")
    if what == "rewrite" and file:
        from ospo.train.finished import load_run

        rows = list(_rows(Path(file).expanduser(), notes))
        written = load_run(folder).policy.rewrite([text for _, text in rows])
        pairs: Iterable[Row] = zip((query for query, _ in rows), written, strict=True)
    elif part in WRITTEN:
        pairs = read_rows(folder / HELD_OUT, ("query_id", WRITTEN[part]), notes)
    else:
        raise InputError(f"a run has no {part!r}: write {FORMS}")
    texts: dict[str, tuple[str, ...]] = {}
    for query, text in pairs:
        texts[query] = (*texts.get(query, ()), text)
    if part in UNTRAINED:
        return System(name, texts, None, tuple(notes))
    notes.append(f"{name} was trained on {settings['data']} with {settings['retriever']}")
    return System(name, texts, settings["retriever"], tuple(notes))


def _place(source: str) -> tuple[Path, str]:
    """Return the path of a source, and which part of it is meant."""
    path, _, part = source.partition("#")
    return Path(path).expanduser(), part


def _settings(folder: Path) -> dict[str, str]:
    """Return what a finished run was trained on and with."""
    try:
        settings = read_settings(folder, ("data", "retriever"))
    except InputError as error:
        raise InputError(_UNFINISHED.format(folder)) from error
    if not (folder / HELD_OUT).is_file():
        raise InputError(_UNFINISHED.format(folder))
    return {name: str(settings[name]) for name in ("data", "retriever")}


def _rows(path: Path, notes: list[str]) -> Iterator[Row]:
    """Yield query ids and texts; a text may be empty."""
    with opened(path) as file:
        start = next((text for line in file if (text := line.strip())), "")
    if table_suffix(path) in (".jsonl", ".ndjson"):
        columns = _key(path, start, ID_KEYS), _key(path, start, TEXT_KEYS)
        return read_rows(path, columns, notes)
    if start.startswith("<"):
        return read_topics(path, notes)
    lines = sound(
        split_lines(path, "\t", {2: (0, 1)}), notes, source=path.name, columns=("id", "text")
    )
    return (row for row in lines if row[0].lower() not in ID_KEYS)  # perhaps a header


def _key(path: Path, line: str, candidates: Iterable[str]) -> str:
    try:
        known: Any = json_file.parse(line)
    except ValueError as error:
        raise InputError(
            f"{path} does not begin with a line of JSON ({error}): correct it, or its suffix"
        ) from error
    found = next((key for key in candidates if isinstance(known, dict) and key in known), None)
    if found is None:
        raise InputError(
            f"the lines of {path} have none of {', '.join(candidates)}: rename what is meant"
        )
    return found

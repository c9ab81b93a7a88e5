"""TREC's own forms: documents and topics marked up or tab-separated, and qrels of four columns."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from ospo.data.collection import Collection
from ospo.data.files import UTF8, opened
from ospo.data.judgments import collect, parse_grades
from ospo.data.malformed import Malformed, Numbered, Row, sound
from ospo.data.rows import read_rows
from ospo.data.stored import stored
from ospo.errors import InputError
from owen_core import json_file

FIELDS = ("title", "description")
PARTS = ("title", "desc", "narr")
# What JSON lines of documents call their id and their text.
ID_KEYS = ("id", "_id", "docno", "docid", "doc_id")
TEXT_KEYS = ("text", "contents", "body")


def _inside(tag: str) -> re.Pattern[str]:
    """Find what a tag encloses, in one pass: a tag that opens again begins anew."""
    return re.compile(rf"<({tag})>([^<]*(?:<(?!/?\1>)[^<]*)*)</\1>", re.IGNORECASE)


_DOCUMENT, _NUMBER, _TEXT, _TOPIC = map(_inside, ("doc", "docno", "text", "top"))
_TITLE = _inside("title|headline|head|ti")
_TAG = re.compile(r"<[^<>]*>")
_PART = re.compile(r"<(num|title|desc|narr)>([^<]*)", re.IGNORECASE)
_LABEL = re.compile(r"\s*(number|topic|description|narrative)\s*:", re.IGNORECASE)


def load_trec(
    documents: Path,
    *,
    topics: Path,
    qrels: Path,
    part: str = "title",
    grades: str = "",
    encoding: str = UTF8,
) -> Collection:
    """Read documents, topics and judgments in the forms of TREC.

    Parameters
    ----------
    documents
        A file, or a folder of files: marked up (``<DOC>`` with a ``<DOCNO>``), JSON lines (an id,
        a text and perhaps a title), or tab-separated (id, perhaps title, text).
    topics
        Marked up (``<top>`` with a ``<num>``) or tab-separated (id, text).
    qrels
        Topic, iteration, document and grade, between blanks.
    part
        Which part of a marked-up topic is the query: ``title``, ``desc`` or ``narr``.
    grades
        The grade of each label as ``LABEL:GRADE/LABEL:GRADE``; by default a label is itself the
        grade, and negative ones are refused.
    encoding
        Of all files; the TREC disks are in latin-1.

    Returns
    -------
    Collection
        Named after the documents, with the columns title and description (the text) and the
        topics that have a judgment.

    Raises
    ------
    InputError
        If a file is missing, damaged or not of these forms.
    """
    if part not in PARTS:
        raise InputError(f"a topic has no {part!r}: choose one of {', '.join(PARTS)}")
    files = [documents]
    if documents.is_dir():
        files = sorted(path for path in documents.rglob("*") if path.is_file())
    notes: list[str] = []
    catalogue = stored(
        FIELDS,
        lambda left_out: chain.from_iterable(
            read_documents(path, left_out, encoding) for path in files
        ),
        files=files,
        settings=encoding,
        notes=notes,
    )
    texts = read_topics(topics, notes, part=part, encoding=encoding)
    labels = read_trec_qrels(qrels, notes, encoding)
    return collect(documents.resolve().stem, catalogue, texts, labels, parse_grades(grades), notes)


def read_documents(path: Path, notes: list[str], encoding: str = UTF8) -> Iterator[Row]:
    """Yield id, title and text of each document of a file, in any of the three forms."""
    start = _start(path, encoding)
    if start.startswith("{"):
        id_key, text_key = (_key(path, start, keys) for keys in (ID_KEYS, TEXT_KEYS))
        columns = (id_key, "title", text_key)
        return read_rows(path, columns, notes, optional=["title"], encoding=encoding)
    if start.startswith("<"):
        rows, unit = _documents(path, encoding), "document"
    else:
        rows, unit = split_lines(path, "\t", {2: (0, None, 1), 3: (0, 1, 2)}, encoding), "line"
    return sound(rows, notes, source=path.name, columns=("id", *FIELDS), unit=unit)


def read_topics(
    path: Path, notes: list[str], *, part: str = "title", encoding: str = UTF8
) -> Iterator[Row]:
    """Yield id and text of each topic of a file, in either form."""
    if _start(path, encoding).startswith("<"):
        rows, unit = _topics(path, part, encoding), "topic"
    else:
        rows, unit = split_lines(path, "\t", {2: (0, 1)}, encoding), "line"
    return sound(rows, notes, source=path.name, columns=("id", part), filled=2, unit=unit)


def read_trec_qrels(path: Path, notes: list[str], encoding: str = UTF8) -> Iterator[Row]:
    """Yield topic, document and label of each judgment of a file of four columns."""
    rows = split_lines(path, None, {4: (0, 2, 3)}, encoding)
    return sound(rows, notes, source=path.name, columns=("topic", "document", "grade"), filled=3)


def split_lines(
    path: Path,
    separator: str | None,
    places: Mapping[int, Sequence[int | None]],
    encoding: str = UTF8,
) -> Iterator[Numbered | Malformed]:
    r"""Yield fields of each line that is not blank.

    Parameters
    ----------
    path, encoding
        Of a text file.
    separator
        Between fields; None for blanks.
    places
        How many fields a line may have -> which of them to yield, None for one that it lacks.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "corpus.tsv"
    >>> _ = path.write_text("1\tdesk lamp\n2\tLamps\tfloor lamp\n")
    >>> list(split_lines(path, "\t", {2: (0, None, 1), 3: (0, 1, 2)}))
    [(1, ['1', '', 'desk lamp']), (2, ['2', 'Lamps', 'floor lamp'])]
    """
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            fields = line.rstrip("\r\n").split(separator)
            if len(fields) in places:
                yield number, ["" if p is None else fields[p] for p in places[len(fields)]]
            elif line.strip():
                expected = " or ".join(map(str, places))
                yield Malformed(number, f"{len(fields)} fields instead of {expected}")


def _start(path: Path, encoding: str) -> str:
    """The first line that is not blank."""
    with opened(path, encoding) as file:
        return next((text for line in file if (text := line.strip())), "")


def _key(path: Path, line: str, candidates: Sequence[str]) -> str:
    try:
        known = list(json_file.parse(line))
    except ValueError as error:
        raise InputError(f"{path} begins like JSON lines, but with {error}: correct it") from error
    found = next((key for key in candidates if key in known), None)
    if found is None:
        raise InputError(
            f"the documents of {path} have {', '.join(known)}, "
            f"but none of {', '.join(candidates)}: rename what is meant"
        )
    return found


def _documents(path: Path, encoding: str) -> Iterator[Numbered | Malformed]:
    number = 0
    held: list[str] = []
    with opened(path, encoding) as file:
        for line in file:
            held.append(line)
            if "</doc>" in line.lower():
                for _, document in _DOCUMENT.findall("".join(held)):
                    number += 1
                    yield number, _document(document)
                held.clear()
    if "<doc>" in "".join(held).lower():
        yield Malformed(number + 1, "it has no </DOC>")


def _document(marked_up: str) -> list[str]:
    number, title = _NUMBER.search(marked_up), _TITLE.search(marked_up)
    texts = [text for _, text in _TEXT.findall(marked_up)] or [
        _TITLE.sub(" ", _NUMBER.sub(" ", marked_up))
    ]
    return [
        _plain(number[2] if number else ""),
        _plain(title[2] if title else ""),
        _plain(" ".join(texts)),
    ]


def _topics(path: Path, part: str, encoding: str) -> Iterator[Numbered | Malformed]:
    with opened(path, encoding) as file:
        topics = _TOPIC.findall(file.read())
    for number, (_, topic) in enumerate(topics, start=1):
        parts = {
            name.lower(): _plain(_LABEL.sub("", text, count=1))
            for name, text in _PART.findall(topic)
        }
        # Early topics are numbered 051, and their judgments 51.
        yield number, [parts.get("num", "").lstrip("0"), parts.get(part, "")]


def _plain(marked_up: str) -> str:
    """The text between tags, on one line."""
    return " ".join(html.unescape(_TAG.sub(" ", marked_up)).split())

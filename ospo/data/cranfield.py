"""The Cranfield collection (Cleverdon 1967): 1,400 abstracts on aerodynamics and 225 questions.

The folder holds ``cran.all.1400``, ``cran.qry`` and ``cranqrel`` in the form in which the SMART
system kept them and in which they are passed on. Three things in them are not what they seem:

- A question is named in the judgments by its place in ``cran.qry``, not by the number there.
- The codes of the judgments go from 1, a complete answer, to 4, of minimum interest. Here the
  grades are 4 to 1.
- One judgment of each question has the code -1, which the scale does not have. It seems to name
  the paper that the question came from, as several questions share one; it is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ospo.data.collection import Collection
from ospo.data.files import files_in, opened
from ospo.data.judgments import collect
from ospo.data.malformed import Row, sound
from ospo.data.stored import stored
from ospo.data.trec import split_lines

GRADES = {"1": 4, "2": 3, "3": 2, "4": 1}
OFF_SCALE = "-1"


def load_cranfield(folder: Path) -> Collection:
    """Read the Cranfield folder.

    Parameters
    ----------
    folder
        Where the three files lie, each as it is or compressed.

    Returns
    -------
    Collection
        Named "cranfield", with the columns title and description (the abstract, which begins with
        the title).

    Raises
    ------
    InputError
        If a file is missing, damaged or not of the published form.
    """
    documents, questions, judged = files_in(folder, "cran.all.1400", "cran.qry", "cranqrel")
    notes: list[str] = []
    catalogue = stored(
        ("title", "description"),
        partial(_documents, documents),
        files=[documents],
        settings="TW",
        notes=notes,
    )
    texts = _questions(questions, notes)
    codes = sound(
        split_lines(judged, None, {3: (0, 1, 2)}),
        notes,
        source=judged.name,
        columns=("question", "document", "code"),
        filled=3,
    )
    labels = (row for row in codes if row[2] != OFF_SCALE)
    return collect("cranfield", catalogue, texts, labels, GRADES, notes)


def _documents(path: Path, notes: list[str]) -> Iterator[Row]:
    rows = enumerate(_records(path, "TW"), start=1)
    return sound(rows, notes, source=path.name, columns=("I", "T", "W"), unit="record")


def _questions(path: Path, notes: list[str]) -> Iterator[Row]:
    rows = (
        (place, [str(place), text]) for place, (_, text) in enumerate(_records(path, "W"), start=1)
    )
    return sound(rows, notes, source=path.name, columns=("I", "W"), filled=2, unit="record")


def _records(path: Path, fields: str) -> Iterator[list[str]]:
    """The number of each record, and what stands under the given letters."""
    with opened(path) as file:
        _, *pieces = re.split(r"^\.I +(\S+)\s*$", file.read(), flags=re.MULTILINE)
    for number, record in zip(pieces[::2], pieces[1::2], strict=True):
        _, *parts = re.split(r"^\.([A-Z])\s*$", record, flags=re.MULTILINE)
        texts = dict(zip(parts[::2], parts[1::2], strict=True))
        yield [number, *(" ".join(texts.get(letter, "").split()) for letter in fields)]

"""Folders in the form of BEIR (Thakur et al. 2021), in which many retrieval sets are published.

The folder holds ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv``.
"""

from __future__ import annotations

from pathlib import Path

from ospo.data.collection import Collection
from ospo.data.files import files_in
from ospo.data.judgments import collect
from ospo.data.rows import read_rows
from ospo.data.stored import stored

COLUMNS = ("_id", "title", "text")


def load_beir(folder: Path, *, split: str = "test") -> Collection:
    """Read a folder in BEIR's form.

    Parameters
    ----------
    folder
        Where the corpus, the queries and the folder ``qrels`` lie.
    split
        Which file of ``qrels`` holds the judgments: ``train``, ``dev`` or ``test``.

    Returns
    -------
    Collection
        Named after the folder, with the columns title and description (the text) and the queries
        that the split judges.

    Raises
    ------
    InputError
        If a file is missing, damaged or not of the published form.
    """
    corpus, queries, judged = files_in(
        folder, "corpus.jsonl", "queries.jsonl", f"qrels/{split}.tsv"
    )
    notes: list[str] = []
    catalogue = stored(
        ("title", "description"),
        lambda left_out: read_rows(corpus, COLUMNS, left_out, optional=["title"]),
        files=[corpus],
        settings=COLUMNS,
        notes=notes,
    )
    texts = read_rows(queries, ["_id", "text"], notes, filled=2)
    labels = read_rows(judged, ["query-id", "corpus-id", "score"], notes, filled=3)
    return collect(folder.resolve().name, catalogue, texts, labels, None, notes)

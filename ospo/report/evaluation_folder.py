"""All that an evaluation leaves: files for people, for papers, and for other tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ospo.errors import InputError
from ospo.evaluation.evaluation import Evaluation
from ospo.evaluation.tables import to_dict, write_csv
from ospo.evaluation.trec_files import write_trec_files
from ospo.report.evaluation_latex import latex
from ospo.report.evaluation_page import evaluation_page
from ospo.storage import whole
from owen_core import json_file


def check_free(folder: Path) -> None:
    """Refuse a place that already holds something.

    Raises
    ------
    InputError
        It is a file, or a folder that is not empty.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise InputError(f"{folder} already holds something: choose another, or remove it first")


def write_folder(
    evaluation: Evaluation, folder: Path, *, command: str, explain: Callable[[str, str], str]
) -> None:
    """Write ``eval.html``, ``eval.json``, ``table.tex``, ``values.csv`` and TREC's files.

    The folder appears whole or not at all.

    Parameters
    ----------
    evaluation : Evaluation
    folder : Path
        It is made, and may exist if it is empty.
    command, explain
        As in :func:`ospo.report.evaluation_page.evaluation_page`.

    Raises
    ------
    InputError
        The folder holds something, or cannot be written.
    """
    check_free(folder)
    try:
        with whole(folder.resolve()) as draft:
            draft.mkdir()
            page = evaluation_page(evaluation, command=command, explain=explain)
            (draft / "eval.html").write_text(page, encoding="utf-8")
            (draft / "table.tex").write_text(latex(evaluation), encoding="utf-8")
            json_file.write(to_dict(evaluation), draft / "eval.json")
            write_csv(evaluation, draft / "values.csv")
            write_trec_files(evaluation, draft)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error}): choose another place, or make room"
        ) from error

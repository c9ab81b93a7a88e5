"""What an explanation leaves in a folder: a page, a record, and pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ospo.errors import InputError
from ospo.explanation import Explanation
from ospo.report.page import page

STEMS = ("explain", "compare")  # of the files of the first explanation and of the second


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that already holds something, unless it may be overwritten.

    Raises
    ------
    InputError
        It is a file, or a folder that is not empty.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not overwrite:
        raise InputError(
            f"{folder} already holds something: choose another, or replace an explanation there "
            "with --overwrite"
        )


def write_folder(
    explanations: Sequence[Explanation], folder: Path, *, picture: bool = False
) -> list[Path]:
    """Write ``explain.html`` and ``explain.json``, and with ``picture`` PNG and SVG.

    Of two explanations that are compared, the page shows both, and the record and the pictures of
    the second are called ``compare``. No file is there before all are written; what else the
    folder holds stays.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        The folder cannot be written, or is full.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            draft = Path(temporary)
            (draft / "explain.html").write_text(page(explanations), encoding="utf-8")
            for explanation, stem in zip(explanations, STEMS, strict=False):
                explanation.save(draft / f"{stem}.json")
                if picture:
                    _draw(explanation, draft / stem)
            folder.mkdir(exist_ok=True)
            names = sorted(path.name for path in draft.iterdir())
            for name in names:
                os.replace(draft / name, folder / name)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error}): choose another place, or make room"
        ) from error
    return [folder / name for name in names]


def _draw(explanation: Explanation, stem: Path) -> None:
    from ospo.report.figure import picture  # matplotlib takes a second to load

    plot = picture(explanation)
    for kind in (".png", ".svg"):
        plot.save(stem.with_suffix(kind))

"""Files as they come: compressed or not, perhaps absent, cut off or in another encoding."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ospo.errors import InputError

OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
UTF8 = "utf-8-sig"  # skips the mark that some programs put first


@contextmanager
def opened(path: Path, encoding: str = UTF8) -> Iterator[IO[str]]:
    """Open a text file, decompressed by its suffix (``.gz``, ``.bz2`` or ``.xz``).

    Bytes that are not of the encoding come as lone surrogates, so that the row they stand in can
    be named. Line ends come as they are.

    Raises
    ------
    InputError
        There is no such file or encoding, or the file is cut off or damaged.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "note.txt.gz"
    >>> _ = path.write_bytes(gzip.compress("Größe".encode()))
    >>> with opened(path) as file:
    ...     file.read()
    'Größe'
    """
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise InputError(f"{error}: give a known one, such as latin-1") from error
    require(path)
    opener = OPENERS.get(path.suffix, open)
    try:
        with opener(path, "rt", encoding=encoding, errors="surrogateescape", newline="") as file:
            yield file
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} cannot be read whole ({error}): get it again") from error


def require(path: Path) -> None:
    """Refuse a path where there is no file."""
    if not path.is_file():
        raise InputError(f"there is no file {path}: check its name")


def files_in(folder: Path, *names: str) -> list[Path]:
    """Return the paths of files of a folder, each as it is named or compressed.

    Raises
    ------
    InputError
        The folder is none, or lacks some of the files; all that it lacks are named.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "label.csv.gz").touch()
    >>> [path.name for path in files_in(folder, "label.csv")]
    ['label.csv.gz']
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give the one that holds {names[0]}")
    found = {
        name: path
        for name in names
        for suffix in (*OPENERS, "")
        if (path := folder / f"{name}{suffix}").is_file()
    }
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(f"{folder} lacks {', '.join(missing)}: add what is missing")
    return [found[name] for name in names]

"""Files as they come: compressed or not, perhaps absent, cut off or in another encoding."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ospo.errors import InputError

OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
LONGEST = 1 << 23  # bytes of a line; a small compressed file may hold one that fills the memory
UTF8 = "utf-8-sig"  # skips the mark that some programs put first


@contextmanager
def opened(path: Path, encoding: str = UTF8) -> Iterator[IO[str]]:
    """Open a text file, decompressed by its suffix (``.gz``, ``.bz2`` or ``.xz``).

    Bytes that are not of the encoding come as lone surrogates, so that the row they stand in can
    be named. Line ends come as they are.

    Raises
    ------
    InputError
        There is no such file or encoding, or the file is cut off or damaged, or has a line of more
        than 8 MiB.

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
        io.TextIOWrapper(io.BytesIO(), encoding)
    except (LookupError, ValueError) as error:
        raise InputError(f"{error}: give a known one, such as latin-1") from error
    require(path)
    opener = OPENERS.get(path.suffix, open)
    try:
        with (
            opener(path, "rb") as content,
            _Lines(content, path) as lines,
            io.TextIOWrapper(lines, encoding, "surrogateescape", newline="") as file,
        ):
            yield file
    except (OSError, EOFError, UnicodeError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} cannot be read whole ({error}): get it again") from error


class _Lines(io.BufferedReader):
    """Bytes that end a line in time."""

    def __init__(self, content: Any, path: Path) -> None:
        super().__init__(content)
        self._path = path
        self._open = 0  # bytes since the last end of a line

    def read1(self, size: int = -1, /) -> bytes:
        """Return what is there, if its lines can be held in memory."""
        chunk = super().read1(size)
        end = chunk.rfind(b"\n") + 1
        self._open = len(chunk) - end if end else self._open + len(chunk)
        if self._open > LONGEST:
            raise InputError(f"{self._path} has a line of more than {LONGEST:,} bytes: divide it")
        return chunk


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

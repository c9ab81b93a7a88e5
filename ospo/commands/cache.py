"""``ospo cache``: what is kept on disk, and how to be rid of it."""

from __future__ import annotations

import argparse
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ospo.commands import Commands
from ospo.errors import InputError
from ospo.storage import cache_dir
from owen_core import SqliteStore, StoreError
from owen_core.store_file import is_store

# What ospo writes into its cache, by the first part of the name.
KINDS = {
    "bm25": "BM25 indexes",
    "catalogue": "catalogues",
    "dense": "dense embeddings",
    "fts5": "FTS5 indexes",
    "onnx": "ONNX encoders",
    "purchases": "purchase histories",
    "warm-start": "warm-started policies",
}
# A key of what is kept follows, and of a draft that was never finished its own.
NAME = re.compile(rf"\.?({'|'.join(KINDS)})-[-0-9a-f]{{16,}}(\.[a-z]+)?(\.[0-9a-f]{{32}})?")
STORES = "searches and values"  # stores of --cache, and of owen_core's games
OTHERS = "other files"


def add(commands: Commands) -> None:
    """Add the command and what it takes."""
    parser = commands.add_parser(
        "cache",
        help="what is kept on disk, and how to remove it",
        description="Say how much of each kind is kept on disk, or remove what ospo wrote.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("action", choices=["info", "clear"])
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        help="a folder, or a file that --cache keeps (default: OSPO_CACHE, or the user's cache)",
    )


def run(options: argparse.Namespace) -> None:
    """Print what is kept."""
    for line in report(options.path, clear=options.action == "clear"):
        print(line)


def report(path: Path | None, *, clear: bool) -> Iterator[str]:
    """Yield lines that say how much of each kind is kept and, with ``clear``, remove it.

    What ospo did not write is left alone. Stores, be it of what was searched or of coalition
    values, are emptied and stay, since another process may be using them.

    Parameters
    ----------
    path : Path, optional
        A folder, or one store; by default ospo's own cache.
    clear : bool
        Whether to remove things.

    Raises
    ------
    InputError
        There is no such path, or something there cannot be read or removed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp())
    >>> (path / "notes.txt").write_text("mine")
    4
    >>> for line in list(report(path, clear=True))[1:]:
    ...     print(line)
    other files                1           0.0 kB
    """
    folder = cache_dir() if path is None else path
    if path is not None and not path.exists():
        raise InputError(f"there is no {path}; give a folder, or nothing for {cache_dir()}")
    try:
        kinds = _kept(folder)
        yield f"{folder}:{'' if kinds else ' nothing'}"
        for kind, paths in sorted(kinds.items()):
            examine = _stores if kind == STORES else _files
            size, note = examine(paths, remove=clear and kind != OTHERS)
            yield f"{kind:<22}{len(paths):>6,}{size / 1e3:>14,.1f} kB  {note}".rstrip()
    except (OSError, StoreError) as error:
        raise InputError(str(error)) from error


def _kept(path: Path) -> dict[str, list[Path]]:
    """Return what is at a path, by kind; what SQLite keeps beside a store belongs to it."""
    if path.is_file():
        if not is_store(path):
            raise InputError(f"{path} is neither a folder nor a store of searches or values")
        return {STORES: [path]}
    found = defaultdict(list)
    for entry in sorted(path.iterdir()) if path.exists() else ():
        if known := NAME.fullmatch(entry.name):
            found[KINDS[known[1]]].append(entry)
        elif entry.is_file() and is_store(entry):
            found[STORES].append(entry)
        elif Path(re.sub("-(wal|shm)$", "", str(entry))) not in found[STORES]:
            found[OTHERS].append(entry)
    return {kind: paths for kind, paths in found.items() if paths}


def _files(paths: Sequence[Path], *, remove: bool) -> tuple[int, str]:
    """Return the bytes of files and folders, and what was done to them."""
    files = [file for path in paths for file in (path, *path.rglob("*")) if not file.is_dir()]
    size = sum(file.lstat().st_size for file in files)
    for path in paths if remove else ():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return size, "removed" if remove else ""


def _stores(paths: Sequence[Path], *, remove: bool) -> tuple[int, str]:
    """Return the bytes of stores, and what is, or was, in them."""
    found = []
    for path in paths:
        with SqliteStore(path) as store:
            found.append(store.contents())
            if remove:
                store.clear()
    games, entries = sum(each.games for each in found), sum(each.entries for each in found)
    note = f"games {games:,}, values {entries:,}"
    written = [at for each in found for at in (each.oldest, each.newest) if at is not None]
    if written:
        note += f", written {min(written):%Y-%m-%d} to {max(written):%Y-%m-%d}"
    return sum(each.bytes for each in found), f"emptied: {note}" if remove else note

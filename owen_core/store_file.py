"""The SQLite file of a store: opened, checked, shared by threads, and kept out of forks."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

APPLICATION_ID = int.from_bytes(b"owen", "big")  # in the header of the file
VERSION = 1  # of the schema
SCHEMA = (
    "CREATE TABLE games (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, n INTEGER NOT NULL, "
    "created INTEGER NOT NULL, UNIQUE (fingerprint, n))",
    # An id is never used again, so "newer than the last one read" stays true after an eviction.
    "CREATE TABLE batches (id INTEGER PRIMARY KEY AUTOINCREMENT, game INTEGER NOT NULL, "
    "written INTEGER NOT NULL, coalitions BLOB NOT NULL, value BLOB NOT NULL)",
    "CREATE INDEX batches_of_game ON batches (game)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
# Triggers and views would run what a stranger wrote.
FOREIGN = "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND sql NOT IN (?, ?, ?)"
IDENTITY = (
    "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
    "FROM pragma_application_id, pragma_user_version"
)
REMEDIES = {
    sqlite3.SQLITE_NOTADB: "is not a store of coalition values; give another path",
    sqlite3.SQLITE_CORRUPT: "is damaged; delete it, and it is filled again",
    sqlite3.SQLITE_BUSY: "is locked by another process; wait for it, or give a longer timeout",
    sqlite3.SQLITE_READONLY: "is read-only; give a path that you may write",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; give a path in a folder that exists and that you "
    "may write",
    sqlite3.SQLITE_FULL: "cannot grow; make room on the disk, what was stored before is there",
    sqlite3.SQLITE_IOERR: "cannot be read or written; look after the disk and the room on it, "
    "what was stored before is there",
}


class StoreError(RuntimeError):
    """The file of a store cannot be used; the message names the file and the remedy."""


class StoreFile:
    """One SQLite file with the schema of a store.

    Parameters
    ----------
    path : path
        The file; it is made if there is none.
    timeout : float
        Seconds to wait for other processes that write.

    Raises
    ------
    StoreError
        At once, and wherever the file is used: it is no store, of another version, damaged,
        locked or not writable, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> file = StoreFile(tempfile.mkdtemp() + "/values.sqlite", timeout=1)
    >>> with file.connected() as connection:
    ...     connection.execute("SELECT count(*) FROM games").fetchone()
    (0,)
    >>> file.close()
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float) -> None:
        self.path = Path(path).absolute()
        self.timeout = timeout
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._lock = threading.Lock()
        with self.connected():
            _files.add(self)

    @property
    def size(self) -> int:
        """Bytes on the disk, with the log that SQLite keeps beside the file while it is open."""
        log = self.path.with_name(f"{self.path.name}-wal")
        return self.path.stat().st_size + (log.stat().st_size if log.exists() else 0)

    @contextmanager
    def connected(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to one thread at a time."""
        with self._lock:
            if self._closed:
                raise ValueError(f"the store {self.path} is closed; open it again")
            try:
                if self._connection is None:
                    self._connection = self._connect()
                yield self._connection
            except (sqlite3.Error, UnicodeDecodeError) as error:
                remedy = REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
                if remedy is None:
                    raise self.damaged(error) from error
                raise StoreError(f"{self.path} {remedy} (SQLite: {error})") from error

    def damaged(self, why: object) -> StoreError:
        """Return the error that what was read is not what a store holds."""
        return StoreError(f"{self.path} {REMEDIES[sqlite3.SQLITE_CORRUPT]} ({why})")

    def close(self) -> None:
        """Close the file for good."""
        with self._lock:
            self._closed = True
            self._disconnect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, self.timeout, isolation_level=None, check_same_thread=False
        )
        try:
            with writing(connection):
                if connection.execute(IDENTITY).fetchone() == (0, 0, 0):  # nothing there yet
                    for statement in SCHEMA:
                        connection.execute(statement)
                application, version, _ = connection.execute(IDENTITY).fetchone()
                if application != APPLICATION_ID:
                    raise StoreError(
                        f"{self.path} is an SQLite file of something else; give another path"
                    )
                if version != VERSION:
                    raise StoreError(
                        f"{self.path} has version {version} of the schema, and this owen_core "
                        f"writes version {VERSION}; give another path, or delete it"
                    )
                if found := connection.execute(FOREIGN, SCHEMA[:3]).fetchone():
                    raise self.damaged(f"{found[0]!r} in it is not of a store")
                # A read-only file is refused now, not after the first values were paid.
                connection.execute("DELETE FROM games WHERE FALSE")
            connection.execute("PRAGMA journal_mode = WAL")
            # WAL stays whole all the same; waiting for the disk at every put is 10 times slower.
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def is_store(path: Path) -> bool:
    """Return whether a file is a store, or a damaged SQLite file that may be one.

    Examples
    --------
    >>> import tempfile
    >>> note = Path(tempfile.mkdtemp()) / "note.txt"
    >>> _ = note.write_text("a text that is longer than the header of SQLite")
    >>> is_store(note)
    False
    """
    # SQLite opens it: closing any other handle on it would release the locks of this process.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            found = connection.execute("PRAGMA application_id").fetchone()
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_CORRUPT
    return bool(found == (APPLICATION_ID,))


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Wait for the right to write; commit at the end, or after an exception write nothing."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


# SQLite's connections must not be carried across a fork. So none is open and no thread is using
# one while the process forks; each side then opens its own.
_files: weakref.WeakSet[StoreFile] = weakref.WeakSet()
_forking = threading.Lock()
_held: list[StoreFile] = []


def _before_fork() -> None:
    _forking.acquire()
    _held.extend(_files)
    for file in _held:
        file._lock.acquire()
        file._disconnect()


def _after_fork() -> None:
    while _held:
        _held.pop()._lock.release()
    _forking.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)

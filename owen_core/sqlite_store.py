"""A store of coalition values in one file, for several runs and processes."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from owen_core import _core
from owen_core.cache import Statistics
from owen_core.coalition import Packed, unpack, words
from owen_core.game import ValueFunction, ValueFunctionError, Values
from owen_core.store_file import StoreError, StoreFile, writing

MIN_BYTES = 1 << 20
BATCH_BYTES = 1 << 16  # of one row of the table batches, hence of what is evicted at once
SPARE_BYTES = 1 << 15  # what a row takes beside its own bytes, at the most
LOADED_GAMES = 256
USED_BYTES = (
    "SELECT page_size * (page_count - freelist_count) "
    "FROM pragma_page_size, pragma_page_count, pragma_freelist_count"
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What the file of a store holds.

    Attributes
    ----------
    games, entries : int
        Games, and values of all of them together.
    bytes : int
        Size of the file, and of SQLite's log beside it while the file is open.
    oldest, newest : datetime or None
        When the first and the last of the values were written; None where there are none.
    """

    games: int
    entries: int
    bytes: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(slots=True)
class _Loaded:
    """The values of one game that are in memory: those of its batches up to ``last``."""

    table: _core.CoalitionCache
    last: int = 0


class SqliteStore:
    """Coalition values in an SQLite file, so that no run pays for what another one has paid.

    The file is a log of batches. A store reads every batch of a game once and looks it up in
    memory from then on, so a look-up costs what it costs in a :class:`MemoryStore`, and the
    values of the games in use must fit in memory. Threads may share a store, and processes of one
    machine the file (not over a network). What was put survives the death of the process; a power
    failure may take what was put last, but damages nothing.

    Parameters
    ----------
    path : path
        The file; it is made if there is none.
    game : str, optional
        The fingerprint of the game: it must name everything that changes v, such as the model and
        its version, the data and the prompt. By default the value function's ``fingerprint``.
    max_bytes : int, optional
        The size that the file may reach, at least 1 MiB; SQLite's log beside it, a few MB, comes
        on top. What was written first is evicted first, whatever game it is of. A file that is
        larger already does not shrink.
    timeout : float
        Seconds to wait for other processes that write.

    Raises
    ------
    StoreError
        The file is no store, of another version, damaged, locked or not writable, or the disk is
        full; also by ``find`` and ``put``.
    TypeError
        By ``find`` and ``put``: neither ``game`` nor the value function names the game.
    ValueFunctionError
        By ``put``: another value of the same coalition is stored.

    Examples
    --------
    >>> import tempfile, owen_core as oc
    >>> path = tempfile.mkdtemp() + "/values.sqlite"
    >>> def value(coalitions):
    ...     return coalitions.sum(axis=1) ** 2
    >>> with oc.SqliteStore(path, "size squared") as store:
    ...     oc.attribute(value, 6, cache=store).cost.new
    64
    >>> with oc.SqliteStore(path, "size squared") as store:  # the next day, say
    ...     oc.attribute(value, 6, cache=store).cost.new
    0
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        game: str | None = None,
        *,
        max_bytes: int | None = None,
        timeout: float = 30.0,
    ) -> None:
        if max_bytes is not None and max_bytes < MIN_BYTES:
            raise ValueError(f"max_bytes must be at least {MIN_BYTES}, got {max_bytes}")
        self.game = game
        self.max_bytes = max_bytes
        self._file = StoreFile(path, timeout)
        # Guarded by the file's lock; the game that was used last is last.
        self._loaded: dict[tuple[str, int], _Loaded] = {}
        self._hits = self._misses = 0

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the store is of no use afterwards."""
        self._file.close()

    def __len__(self) -> int:
        """The number of values in the file, of all games together."""
        return self.contents().entries

    @property
    def statistics(self) -> Statistics:
        """Entries of the file, and hits and misses since this store was opened."""
        return Statistics(len(self), self._hits, self._misses)

    def contents(self) -> Contents:
        """Return what the file holds."""
        with self._file.connected() as connection:
            (games,) = connection.execute("SELECT count(*) FROM games").fetchone()
            entries, *times = connection.execute(
                "SELECT coalesce(sum(length(value)) / 8, 0), min(written), max(written) "
                "FROM batches"
            ).fetchone()
        try:
            oldest, newest = (at if at is None else datetime.fromtimestamp(at, UTC) for at in times)
        except (TypeError, ValueError, OverflowError, OSError) as error:
            raise self._file.damaged(error) from error
        return Contents(games, entries, self._file.size, oldest, newest)

    def clear(self) -> None:
        """Forget every value; the file stays, and other processes may go on using it."""
        with self._file.connected() as connection:
            with writing(connection):
                connection.execute("DELETE FROM batches")
                connection.execute("DELETE FROM games")
            self._loaded.clear()
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def find(
        self, value: ValueFunction, coalitions: Packed, n: int
    ) -> tuple[Values, NDArray[np.bool_]]:
        """Return ``(m,)`` values and an ``(m,)`` mask of those that are known."""
        fingerprint = self._fingerprint(value)
        with self._file.connected() as connection:
            values, known = self._table(connection, fingerprint, n).find(coalitions)
            hits = int(np.count_nonzero(known))
            self._hits += hits
            self._misses += len(known) - hits
        return values, known

    def put(self, value: ValueFunction, coalitions: Packed, n: int, values: Values) -> None:
        """Write the values of these coalitions: all of them, or after an exception none."""
        fingerprint = self._fingerprint(value)
        step = max(1, BATCH_BYTES // (8 * (words(n) + 1)))
        with self._file.connected() as connection, writing(connection):
            stored, known = self._table(connection, fingerprint, n).find(coalitions)
            changed = np.flatnonzero(known & (stored != values))
            if changed.size:
                k = changed[0]
                members = tuple(map(str, np.flatnonzero(unpack(coalitions[k : k + 1], n))))
                raise ValueFunctionError(
                    f"{self._file.path} holds {stored[k]} for the coalition "
                    f"{{{', '.join(members)}}} of the game {fingerprint!r}, and now it is worth "
                    f"{values[k]}; name in the fingerprint what changed, or give a random game a "
                    "fixed seed",
                    members,
                )
            new, paid = coalitions[~known], values[~known]
            for start in range(0, len(new), step):
                part = slice(start, start + step)
                self._append(connection, fingerprint, n, new[part], paid[part])

    def _fingerprint(self, value: ValueFunction) -> str:
        found = getattr(value, "fingerprint", None) if self.game is None else self.game
        if not isinstance(found, str) or not found:
            raise TypeError(
                f"a SqliteStore cannot tell which game {value!r} is: its fingerprint is {found!r}; "
                "give SqliteStore(path, game), or the function a fingerprint attribute, a string "
                "that names everything that changes the values"
            )
        return found

    def _table(
        self, connection: sqlite3.Connection, fingerprint: str, n: int
    ) -> _core.CoalitionCache:
        """Return the values of a game, with those that were written since the last time."""
        loaded = self._loaded.pop((fingerprint, n), None) or _Loaded(_core.CoalitionCache(n))
        self._loaded[fingerprint, n] = loaded
        if len(self._loaded) > LOADED_GAMES:
            del self._loaded[next(iter(self._loaded))]
        batches = connection.execute(
            "SELECT batches.id, coalitions, value FROM games JOIN batches ON game = games.id "
            "WHERE fingerprint = ? AND n = ? AND batches.id > ? ORDER BY batches.id",
            (fingerprint, n, loaded.last),
        )
        while some := batches.fetchmany(64):
            ids, coalitions, values = zip(*some, strict=True)
            try:
                rows = np.frombuffer(b"".join(coalitions), "<u8").astype(np.uint64, copy=False)
                paid = np.frombuffer(b"".join(values), "<f8").astype(np.float64, copy=False)
                if not np.isfinite(paid).all():
                    raise ValueError("a value is not finite")
                loaded.table.put(rows.reshape(-1, words(n)), paid)
            except (TypeError, ValueError) as error:
                raise self._file.damaged(error) from error
            loaded.last = ids[-1]
        return loaded.table

    def _append(
        self,
        connection: sqlite3.Connection,
        fingerprint: str,
        n: int,
        coalitions: Packed,
        values: Values,
    ) -> None:
        rows, paid = coalitions.astype("<u8").tobytes(), values.astype("<f8").tobytes()
        self._make_room(connection, len(rows) + len(paid) + len(fingerprint.encode()))
        now = int(time.time())
        connection.execute(
            "INSERT OR IGNORE INTO games (fingerprint, n, created) VALUES (?, ?, ?)",
            (fingerprint, n, now),
        )
        connection.execute(
            "INSERT INTO batches (game, written, coalitions, value) "
            "SELECT id, ?, ?, ? FROM games WHERE fingerprint = ? AND n = ?",
            (now, rows, paid, fingerprint, n),
        )

    def _make_room(self, connection: sqlite3.Connection, size: int) -> None:
        """Evict the oldest batches until ``size`` bytes more fit."""
        if self.max_bytes is None:
            return
        room = self.max_bytes - size - SPARE_BYTES
        while connection.execute(USED_BYTES).fetchone()[0] > room:
            oldest = connection.execute("SELECT id, game FROM batches ORDER BY id LIMIT 1")
            batch, game = oldest.fetchone() or (None, None)
            if batch is None:
                raise StoreError(
                    f"{self._file.path} has no room for {size} bytes, the least that this game "
                    f"needs; raise max_bytes={self.max_bytes}"
                )
            connection.execute("DELETE FROM batches WHERE id = ?", (batch,))
            connection.execute(
                "DELETE FROM games WHERE id = ? "
                "AND NOT EXISTS (SELECT * FROM batches WHERE game = games.id)",
                (game,),
            )

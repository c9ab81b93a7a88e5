"""The store on disk: several processes, sudden deaths, caps, and every way a file can be wrong.

Long because each way in which a file can be wrong has its own test.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import owen_core as oc
from owen_core.coalition import words
from owen_core.sqlite_store import LOADED_GAMES
from owen_core.store_file import VERSION

NOBODY = 65534


class Counting:
    """A value function with a fingerprint, that counts what it is asked."""

    fingerprint = "sum of squares"

    def __init__(self):
        self.rows = 0

    def __call__(self, coalitions):
        self.rows += len(coalitions)
        return coalitions.sum(axis=1) ** 2


def value(coalitions):
    """A value function without a fingerprint."""
    raise AssertionError("a store never calls the value function")


def rows(start, stop):
    """Coalitions of 64 players, one for each number."""
    return np.arange(start, stop, dtype=np.uint64)[:, None]


def put(store, start, stop):
    """Store half its number as the value of each coalition."""
    store.put(value, rows(start, stop), 64, np.arange(start, stop) * 0.5)


def known(store, start, stop):
    """Whether each coalition is known; the values of those that are must be right."""
    values, found = store.find(value, rows(start, stop), 64)
    np.testing.assert_array_equal(values[found], (np.arange(start, stop) * 0.5)[found])
    return found


def python(code, *arguments):
    """Run code in another process."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)


def is_whole(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "values.sqlite"


# --- a dictionary on disk -------------------------------------------------------------------------


def test_a_warm_run_in_another_process_calls_the_game_not_once(path):
    game = Counting()
    with oc.SqliteStore(path) as store:
        cold = oc.attribute(game, 8, cache=store)
    assert game.rows == cold.cost.new == 256
    code = (
        "import sys, owen_core as oc\n"
        "def value(coalitions): raise AssertionError('called')\n"
        "value.fingerprint = 'sum of squares'\n"
        "with oc.SqliteStore(sys.argv[1]) as store:\n"
        "    print(oc.attribute(value, 8, cache=store).values.tolist())"
    )
    assert python(code, path).stdout.strip() == str(cold.values.tolist())


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_store_is_a_dictionary_that_survives_being_closed(data):
    n = data.draw(st.sampled_from([3, 64, 65, 130]))
    row = st.lists(st.integers(0, 7), min_size=words(n), max_size=words(n)).map(tuple)
    expected = {"a": {}, "b": {}}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(data.draw(st.integers(1, 3))):
            with oc.SqliteStore(Path(folder) / "values.sqlite") as store:
                for batch in data.draw(
                    st.lists(st.lists(row, min_size=1, unique=True), max_size=4)
                ):
                    value = Counting()
                    value.fingerprint = data.draw(st.sampled_from("ab"))
                    stored = expected[value.fingerprint]
                    coalitions = np.array(batch, dtype=np.uint64)
                    values, found = store.find(value, coalitions, n)
                    assert found.tolist() == [each in stored for each in batch]
                    values[~found] = np.arange(len(stored), len(stored) + (~found).sum())
                    store.put(value, coalitions, n, values)
                    stored |= zip(batch, values.tolist(), strict=True)
                    assert store.find(value, coalitions, n)[0].tolist() == values.tolist()
                assert len(store) == sum(map(len, expected.values()))


def test_the_file_holds_coalitions_as_little_endian_bytes_under_their_game(path):
    with oc.SqliteStore(path, "my game") as store:
        store.put(value, np.array([[1, 2]], dtype=np.uint64), 65, np.array([0.5]))
    with closing(sqlite3.connect(path)) as connection:
        (game,) = connection.execute("SELECT fingerprint, n FROM games").fetchall()
        (batch,) = connection.execute("SELECT coalitions, value FROM batches").fetchall()
    assert game == ("my game", 65)
    assert batch == (b"\1" + bytes(7) + b"\2" + bytes(7), bytes.fromhex("000000000000e03f"))


def test_games_of_other_fingerprints_and_numbers_of_players_never_meet(path):
    with oc.SqliteStore(path, "a") as a, oc.SqliteStore(path, "b") as b:
        put(a, 0, 10)
        assert known(a, 0, 10).all()
        assert not known(b, 0, 10).any()
        assert not a.find(value, rows(0, 10), 63)[1].any()


def test_more_games_than_are_kept_in_memory_are_all_found(path):
    with oc.SqliteStore(path) as store:
        games = [Counting() for _ in range(LOADED_GAMES + 10)]
        for number, game in enumerate(games):
            game.fingerprint = f"game {number}"
            store.put(game, rows(5, 6), 64, np.array([number]))
        for number, game in enumerate(games):
            assert store.find(game, rows(5, 6), 64)[0] == number


def test_statistics_and_contents_say_what_happened(path):
    began = datetime.now(UTC).replace(microsecond=0)
    with oc.SqliteStore(path, "a") as store:
        assert store.contents() == oc.Contents(0, 0, store.contents().bytes, None, None)
        put(store, 0, 30_000)
        known(store, 29_990, 30_020)
        assert store.statistics == oc.Statistics(30_000, 10, 20)
        contents = store.contents()
        assert (contents.games, contents.entries) == (1, 30_000)
        assert contents.bytes >= 30_000 * 16
        assert began <= contents.oldest <= contents.newest <= datetime.now(UTC)
    assert datetime.now(UTC) - began < timedelta(minutes=5)


def test_clearing_leaves_a_small_file_that_others_go_on_using(path):
    with oc.SqliteStore(path, "a") as store, oc.SqliteStore(path, "a") as other:
        put(other, 0, 30_000)
        put(store, 30_000, 30_001)
        assert known(other, 0, 30_001).all()
        store.clear()
        assert not known(store, 0, 30_001).any()
        assert store.contents().games == len(store) == 0
        put(other, 50_000, 50_010)
        assert known(store, 50_000, 50_010).all()
        put(store, 60_000, 60_010)
        assert known(other, 60_000, 60_010).all()
    assert path.stat().st_size < 100_000


def test_a_closed_store_says_so(path):
    with oc.SqliteStore(path, "a") as store:
        pass
    store.close()
    with pytest.raises(ValueError, match=r"values\.sqlite is closed; open it again"):
        put(store, 0, 1)


# --- what a store refuses -------------------------------------------------------------------------


@pytest.mark.parametrize("fingerprint", [None, "", 7])
def test_a_game_that_nobody_named_is_refused(path, fingerprint):
    game = Counting()
    game.fingerprint = fingerprint
    with oc.SqliteStore(path) as store:
        with pytest.raises(TypeError, match=r"its fingerprint is .*; give SqliteStore\(path, game"):
            oc.attribute(game, 3, cache=store)
        with pytest.raises(TypeError, match="cannot tell which game"):
            store.put(value, rows(0, 1), 64, np.ones(1))
    assert game.rows == 0


def test_a_game_that_changed_its_answers_is_refused_and_nothing_is_written(path):
    with oc.SqliteStore(path, "my game") as store, oc.SqliteStore(path, "my game") as other:
        put(store, 0, 10)
        with pytest.raises(oc.ValueFunctionError) as caught:
            other.put(
                value, rows(4, 20), 64, np.where(np.arange(4, 20) == 6, 9, rows(4, 20)[:, 0] / 2)
            )
        assert "holds 3.0 for the coalition {1, 2} of the game 'my game'" in str(caught.value)
        assert "now it is worth 9.0; name in the fingerprint what changed" in str(caught.value)
        assert caught.value.coalition == ("1", "2")
        assert known(other, 0, 20).sum() == len(store) == 10


def test_what_is_put_twice_is_kept_once(path):
    with oc.SqliteStore(path, "a") as store, oc.SqliteStore(path, "a") as other:
        put(store, 0, 10)
        put(other, 5, 15)
        assert len(store) == 15


def test_a_file_that_is_not_sqlite_is_refused_and_left_as_it_is(path):
    path.write_text("my precious notes, longer than a header of SQLite\n" * 100)
    with pytest.raises(oc.StoreError, match=r"values\.sqlite is not a store of coalition values"):
        oc.SqliteStore(path)
    assert path.read_text().startswith("my precious notes")


def test_an_sqlite_file_of_something_else_is_refused_and_left_as_it_is(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE precious (notes)")
    before = path.read_bytes()
    with pytest.raises(oc.StoreError, match="is an SQLite file of something else"):
        oc.SqliteStore(path)
    assert path.read_bytes() == before


def test_another_version_of_the_schema_is_refused(path):
    oc.SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(oc.StoreError, match=f"has version {VERSION + 1} of the schema"):
        oc.SqliteStore(path)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(path, share):
    with oc.SqliteStore(path, "a") as store:
        put(store, 0, 30_000)
    os.truncate(path, int(path.stat().st_size * share))
    with pytest.raises(oc.StoreError, match="is damaged; delete it"):
        oc.SqliteStore(path)


def test_a_store_that_another_process_locks_is_read_but_not_written(path):
    code = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE')\n"
        "print('locked', flush=True)\n"
        "input()"
    )
    with oc.SqliteStore(path, "a", timeout=0.05) as store:
        put(store, 0, 10)
        with subprocess.Popen(
            [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout.readline() == b"locked\n"
            assert known(store, 0, 10).all()
            with pytest.raises(oc.StoreError, match="is locked by another process; wait for it"):
                put(store, 10, 20)
            with pytest.raises(oc.StoreError, match="is locked by another process"):
                oc.SqliteStore(path, timeout=0.05)
            other.communicate(b"\n")
        put(store, 10, 20)
        assert known(store, 0, 20).all()


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "message"),
    [
        (0o777, 0o444, "is read-only; give a path that you may write"),
        (0o555, 0o666, "is read-only|cannot be opened"),
        (0o555, None, "cannot be opened; give a path in a folder that exists"),
    ],
)
def test_a_read_only_file_or_folder_is_refused(folder_mode, file_mode, message):
    with tempfile.TemporaryDirectory() as folder:  # that somebody else can enter
        path = Path(folder) / "values.sqlite"
        if file_mode is not None:
            oc.SqliteStore(path).close()
            path.chmod(file_mode)
        Path(folder).chmod(folder_mode)
        code = (
            "import os, sys, owen_core as oc\n"
            f"os.getuid() or os.setuid({NOBODY})\n"  # nothing is read-only for root
            "try:\n"
            "    oc.SqliteStore(sys.argv[1])\n"
            "except oc.StoreError as error:\n"
            "    print(error)"
        )
        said = python(code, path).stdout
        Path(folder).chmod(0o700)
    assert re.search(message, said)


@pytest.mark.parametrize("name", ["no such folder/values.sqlite", "."])
def test_a_folder_that_does_not_exist_or_is_the_path_is_refused(tmp_path, name):
    with pytest.raises(oc.StoreError, match="cannot be opened; give a path in a folder that exi"):
        oc.SqliteStore(tmp_path / name)


def test_a_disk_that_fills_up_is_reported_and_loses_nothing(path):
    code = (
        "import resource, sys, numpy as np, owen_core as oc\n"
        "store = oc.SqliteStore(sys.argv[1], 'a')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))\n"
        "for start in range(0, 10**9, 1000):\n"
        "    rows = np.arange(start, start + 1000, dtype=np.uint64)[:, None]\n"
        "    try:\n"
        "        store.put(None, rows, 64, rows[:, 0] * 0.5)\n"
        "    except oc.StoreError as error:\n"
        "        print(start, len(store), error)\n"
        "        break"
    )
    stored, entries, said = python(code, path).stdout.split(maxsplit=2)
    assert "cannot be read or written; look after the disk and the room on it" in said
    assert int(stored) == int(entries) >= 10_000
    assert is_whole(path)
    with oc.SqliteStore(path, "a") as store:
        assert known(store, 0, int(stored)).all()
        put(store, int(stored), int(stored) + 1000)


def test_a_file_that_may_not_grow_is_reported_and_loses_nothing(path, monkeypatch):
    connect = sqlite3.connect

    def connect_to_a_small_disk(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 50")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect_to_a_small_disk)
    with oc.SqliteStore(path, "a") as store:
        put(store, 0, 5000)
        with pytest.raises(oc.StoreError, match="cannot grow; make room on the disk"):
            put(store, 5000, 30_000)
        assert known(store, 0, 30_000).sum() == len(store) == 5000


# --- the cap --------------------------------------------------------------------------------------


def test_a_cap_below_a_mebibyte_is_refused(path):
    with pytest.raises(ValueError, match="max_bytes must be at least 1048576, got 1000000"):
        oc.SqliteStore(path, max_bytes=1_000_000)


@pytest.mark.parametrize("size", [1, 1000, 30_000, 200_000])
def test_a_full_store_evicts_what_was_written_first_and_never_exceeds_its_cap(path, size):
    with oc.SqliteStore(path, "old") as old:
        put(old, 0, 100)
    with oc.SqliteStore(path, "a", max_bytes=1 << 20) as store:
        written = 0
        for _ in range(max(3, min(300, 300_000 // size))):
            put(store, written, written + size)
            written += size
            assert path.stat().st_size <= 1 << 20
    with oc.SqliteStore(path, "a") as fresh:
        found = known(fresh, 0, written)
        assert len(fresh) == found.sum() + (100 if size == 1 else 0)
        kept = found.sum()
        assert found[written - kept :].all()  # the newest, without a gap
        assert kept == written if size == 1 else 0 < kept < written
        assert fresh.contents().games == (2 if size == 1 else 1)
        assert fresh.contents().bytes > 900_000 or size == 1


def test_games_and_batches_of_any_size_stay_below_the_cap(path):
    random = np.random.default_rng(0)
    with oc.SqliteStore(path, max_bytes=1 << 20) as store:
        for _ in range(200):
            game = Counting()
            game.fingerprint = "x" * random.integers(1, 3000)
            coalitions = random.integers(0, 1 << 60, (random.integers(1, 3000), 4), np.uint64)
            store.put(game, coalitions, 256, random.random(len(coalitions)))
            assert path.stat().st_size <= 1 << 20


def test_a_store_reads_on_after_others_evicted_everything_it_had_read(path):
    with oc.SqliteStore(path, "a") as reader, oc.SqliteStore(path, "b", max_bytes=1 << 20) as full:
        put(reader, 0, 10)
        assert known(reader, 0, 10).all()
        put(full, 0, 200_000)
        put(reader, 10, 20)
        assert known(reader, 0, 20).all()  # what was read stays in memory
    with oc.SqliteStore(path, "a") as fresh:
        assert known(fresh, 0, 20).tolist() == [False] * 10 + [True] * 10


def test_a_game_too_large_for_the_cap_is_refused(path):
    with (
        oc.SqliteStore(path, "x" * (1 << 20), max_bytes=1 << 20) as store,
        pytest.raises(oc.StoreError, match=r"has no room for .* raise max_bytes=1048576"),
    ):
        put(store, 0, 1)


# --- many at once ---------------------------------------------------------------------------------


def test_threads_share_a_store(path):
    def work(first):
        for start in range(first, 10_000, 1000):
            put(store, start, start + 250)
            assert known(store, start, start + 250).all()

    with oc.SqliteStore(path, "a") as store, ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(0, 1000, 250)))
        assert known(store, 0, 10_000).all()
        assert store.statistics == oc.Statistics(10_000, 20_000, 0)


WRITERS = """
import os, sys, numpy as np, owen_core as oc
def say(word):
    os.write(1, f"{word}\\n".encode())  # whole, or not at all
for line in sys.stdin:
    first, step, last = map(int, line.split())
    writer = os.fork()
    if not writer:
        store = oc.SqliteStore(sys.argv[1], "a")
        say(os.getpid())
        for start in range(first, last, step):
            rows = np.arange(start, start + 100, dtype=np.uint64)[:, None]
            store.put(None, rows, 64, rows[:, 0] * 0.5)
            say(start)
        os._exit(0)
    os.waitpid(writer, 0)
    say("ended")
"""


class Writers:
    """Starts one process after the other that writes batches of 100 and says which it committed."""

    def __init__(self, path):
        command = [sys.executable, "-c", WRITERS, path]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def start(self, first, step, last):
        self.process.stdin.write(f"{first} {step} {last}\n")
        self.process.stdin.flush()

    def read(self):
        return int(self.process.stdout.readline())

    def kill_after(self, batches):
        """Kill the process after this many batches and return all that it committed."""
        process = self.read()
        committed = [self.read() for _ in range(batches)]
        os.kill(process, signal.SIGKILL)
        return committed + self.rest()

    def rest(self):
        """Wait for the end and return what was committed until then."""
        return [int(line) for line in iter(self.process.stdout.readline, "ended\n")]


def test_processes_make_one_file_at_once_and_all_write_it(path):
    with ExitStack() as stack:
        several = [stack.enter_context(Writers(path)) for _ in range(5)]
        for k, writers in enumerate(several):
            writers.start(100 * k, 500, 20_000)
        for writers in several:
            writers.read()
            assert len(writers.rest()) == 40
    assert is_whole(path)
    with oc.SqliteStore(path, "a") as store:
        assert known(store, 0, 20_000).all()
        assert len(store) == 20_000


def test_writers_killed_in_the_middle_lose_nothing_committed_and_damage_nothing(path):
    random = np.random.default_rng(0)
    first = 0
    with Writers(path) as a, Writers(path) as b:
        for _ in range(20):
            a.start(first, 200, 10**9)
            b.start(first + 100, 200, 10**9)
            committed = a.kill_after(random.integers(30)) + b.kill_after(random.integers(30))
            assert is_whole(path)
            with oc.SqliteStore(path, "a") as store:
                for start in committed:
                    assert known(store, start, start + 100).all()
                last = max(committed, default=first) + 1000
                found = known(store, first, last).reshape(-1, 100)
                assert (found.all(axis=1) == found.any(axis=1)).all()  # whole batches, or nothing
            first = last


def test_a_forked_child_and_its_parent_go_on_with_one_store(path):
    code = (
        "import os, sys, threading, numpy as np, owen_core as oc\n"
        "store = oc.SqliteStore(sys.argv[1], 'a')\n"
        "def put(start, stop):\n"
        "    for start in range(start, stop, 100):\n"
        "        rows = np.arange(start, start + 100, dtype=np.uint64)[:, None]\n"
        "        store.put(None, rows, 64, rows[:, 0] * 0.5)\n"
        "put(0, 1000)\n"
        "thread = threading.Thread(target=put, args=(1000, 11_000))\n"
        "thread.start()\n"
        "children = []\n"
        "for first in range(20_000, 100_000, 10_000):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        put(first, first + 2000)\n"
        "        os._exit(0)\n"
        "    children.append(child)\n"
        "thread.join()\n"
        "put(11_000, 12_000)\n"
        "print([os.waitpid(child, 0)[1] for child in children])"
    )
    assert python(code, path).stdout.strip() == str([0] * 8)
    assert is_whole(path)
    with oc.SqliteStore(path, "a") as store:
        assert known(store, 0, 12_000).all()
        for first in range(20_000, 100_000, 10_000):
            assert known(store, first, first + 2000).all()
        assert len(store) == 12_000 + 8 * 2000

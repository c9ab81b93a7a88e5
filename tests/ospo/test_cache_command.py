"""``ospo cache``: it counts what is there, and removes what ospo wrote and nothing else."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import owen_core as oc
from ospo.cli import main
from ospo.commands.cache import KINDS, NAME

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdef0123"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OSPO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fill(path, entries):
    """Make a store with this many values."""
    with oc.SqliteStore(path, f"game of {entries}") as store:
        rows = np.arange(entries, dtype=np.uint64)[:, None]
        store.put(len, rows, 64, np.ones(entries))


def lines(capsys):
    """What was printed, its blanks reduced to one."""
    return [re.sub(" +", " ", line) for line in capsys.readouterr().out.splitlines()]


def test_an_absent_cache_is_empty(folder, capsys):
    for action in ("info", "clear"):
        assert main(["cache", action]) == 0
        assert lines(capsys) == [f"{folder}: nothing"]
    assert not folder.exists()


def test_the_cache_is_counted_by_kind_and_only_what_ospo_wrote_is_removed(folder, capsys):
    folder.mkdir()
    (folder / f"bm25-{KEY}.npz").write_bytes(bytes(1500))
    (folder / f"bm25-{KEY[::-1]}.npz").write_bytes(bytes(500))
    (folder / f".bm25-{KEY}.npz.{'0' * 32}").write_bytes(bytes(2000))  # a draft, left by a crash
    (folder / f"warm-start-1-{KEY[:16]}-300-0").mkdir()
    (folder / f"warm-start-1-{KEY[:16]}-300-0" / "model.safetensors").write_bytes(bytes(7000))
    kept = [f"bm25-{KEY[:4]}.npz", "catalogue-2024.csv", f"mine-{KEY}.npz", f"my-bm25-{KEY}.npz"]
    for name in kept:
        (folder / name).write_bytes(bytes(100))
    fill(folder / "values.sqlite", 3000)
    fill(folder / "more.sqlite", 20)
    with oc.SqliteStore(folder / "more.sqlite"):  # in use, with files beside it
        assert (folder / "more.sqlite-wal").exists()
        files = [*folder.glob("*.sqlite"), *folder.glob("*.sqlite-wal")]
        size = sum(path.stat().st_size for path in files)
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        counted = [
            f"{folder}:",
            "BM25 indexes 3 4.0 kB",
            "other files 4 0.4 kB",
            f"searches and values 2 {size / 1e3:,.1f} kB games 2, values 3,020, "
            f"written {today} to {today}",
            "warm-started policies 1 7.0 kB",
        ]
        assert main(["cache", "info"]) == 0
        assert lines(capsys) == counted
        assert main(["cache", "clear", str(folder)]) == 0
        removed = [line.replace("kB games", "kB emptied: games") for line in counted]
        removed[1] += " removed"
        removed[4] += " removed"
        assert lines(capsys) == removed
    stores = ["more.sqlite", "values.sqlite"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(kept + stores)
    for name in stores:
        with oc.SqliteStore(folder / name) as store:
            assert len(store) == 0


def test_one_store_can_be_named(folder, tmp_path, capsys):
    fill(tmp_path / "values", 30)
    assert main(["cache", "clear", str(tmp_path / "values")]) == 0
    head, line = lines(capsys)
    assert head == f"{tmp_path / 'values'}:"
    assert "emptied: games 1, values 30, written" in line
    assert main(["cache", "info", str(tmp_path / "values")]) == 0
    assert lines(capsys)[1].endswith("kB games 0, values 0")


def test_what_ospo_explain_keeps_is_found(folder, capsys, icecat_dir):
    assert main(["explain", "tripod", "--data", f"icecat:{icecat_dir}"]) == 0
    capsys.readouterr()
    assert main(["cache", "clear"]) == 0
    assert "BM25 indexes 1" in " ".join(lines(capsys))
    assert not list(folder.glob("bm25*"))


def test_every_name_that_ospo_gives_to_what_it_keeps_is_known():
    named = re.compile(r"""cache_dir(?:\(\))? / f"([^"]*)""")
    source = "".join(path.read_text() for path in (ROOT / "ospo").rglob("*.py"))
    names = named.findall(source)
    assert {re.match("[a-z0-9-]*(?=-)", name)[0] for name in names} >= {"bm25", "warm-start"}
    for name in names:
        example = re.sub(r"\{[^}]*\}", KEY, name)
        assert NAME.fullmatch(example), f"add {name} to KINDS in ospo/commands/cache.py"
    assert len(set(KINDS.values())) == len(KINDS)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no"),
        (b"my notes", "is neither a folder nor a store of searches or values"),
    ],
)
def test_a_wrong_path_is_one_sentence_and_exit_code_1(folder, tmp_path, capsys, content, message):
    path = tmp_path / "notes"
    if content is not None:
        path.write_bytes(content)
    for action in ("info", "clear"):
        assert main(["cache", action, str(path)]) == 1
        (said,) = capsys.readouterr().err.splitlines()
        assert said.startswith("ospo: ")
        assert message in said
    assert content is None or path.read_bytes() == content


@pytest.mark.parametrize("action", ["info", "clear"])
def test_a_damaged_store_is_named_and_left_alone(folder, capsys, action):
    folder.mkdir()
    fill(folder / "values.sqlite", 30_000)
    os.truncate(folder / "values.sqlite", 50_000)
    assert main(["cache", action]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"ospo: {folder / 'values.sqlite'} is damaged; delete it")
    assert (folder / "values.sqlite").stat().st_size == 50_000


def test_what_cannot_be_removed_is_named(folder, capsys, monkeypatch):
    folder.mkdir()
    index = folder / f"bm25-{KEY}.npz"
    index.touch()

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert main(["cache", "clear"]) == 1
    assert capsys.readouterr().err == f"ospo: [Errno 13] Permission denied: '{index}'\n"


@pytest.mark.parametrize("arguments", [[], ["burn"], ["info", "a", "b"]])
def test_wrong_use_exits_2(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["cache", *arguments])
    assert stopped.value.code == 2

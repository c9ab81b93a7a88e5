"""Stores of values: look-ups and claims of the tables in memory, reads and writes of the file.

    python benchmarks/core/cache.py

All through the Python binding, in batches, on random coalitions in random order, one thread.
Every time is the minimum over repeats; files are on the disk of the temporary folder.
"""

from __future__ import annotations

import json
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import owen_core as oc
from owen_core import _core
from owen_core.coalition import Packed, words
from owen_core.game import Values

RESULTS = Path(__file__).parents[1] / "results" / "cache.json"

ENTRIES = 2_000_000
IN_CACHE = 1 << 16
STORED = 500_000
BATCH, STORE_BATCH = 4096, 1000
GOALS = {"hits": 30e6, "reads": 200e3, "writes": 100e3}  # a second, 64 players


def best(work: Callable[[], float], repeats: int = 15) -> float:
    """Return the seconds of the fastest of some repeats; the work measures itself."""
    return min(work() for _ in range(repeats))


def clock(work: Callable[[Packed], object], rows: Packed, batch: int) -> float:
    """Return the seconds of some work on all rows, in batches."""
    batches = [rows[start : start + batch] for start in range(0, len(rows), batch)]
    began = time.perf_counter()
    for each in batches:
        work(each)
    return time.perf_counter() - began


def coalitions(count: int, n: int) -> Packed:
    """Return random coalitions of n players, a multiple of 64."""
    return np.random.default_rng(n).integers(0, 1 << 63, (count, words(n)), np.uint64)


def shuffled(rows: Packed) -> Packed:
    """Return the same rows in another order."""
    return np.random.default_rng(0).permutation(rows)


def lookups(n: int) -> dict[str, float]:
    """Return look-ups a second in a table of 2 M values."""
    rows, cache = coalitions(2 * ENTRIES, n), _core.CoalitionCache(n)
    cache.put(rows[:ENTRIES], np.zeros(ENTRIES))
    asked = {"hits": shuffled(rows[:ENTRIES]), "misses": rows[ENTRIES:]}
    return {
        way: ENTRIES / best(lambda some=some: clock(cache.find, some, BATCH))
        for way, some in asked.items()
    }


def dictionary(n: int) -> float:
    """Return hits a second in a Python dictionary of as many values, by the coalition's bytes."""
    rows = coalitions(ENTRIES, n)
    table = {row.tobytes(): 0.0 for row in rows}
    asked = shuffled(rows)
    return ENTRIES / best(
        lambda: clock(lambda some: [table[row.tobytes()] for row in some], asked, BATCH), 1
    )


def claims(n: int, count: int, *, reserve: bool) -> float:
    """Return new coalitions a second that an empty index numbers."""
    rows = coalitions(count, n)

    def work() -> float:
        index = _core.CoalitionIndex(n)
        if reserve:
            index.reserve(count)
        return clock(index.claim, rows, BATCH)

    return count / best(work)


def store(n: int) -> dict[str, float]:
    """Return what a SqliteStore writes and reads a second, and the time of its first look-up."""
    rows, paid = coalitions(STORED, n), np.random.default_rng(1).random(STORE_BATCH)
    asked = shuffled(rows)
    seconds = np.array([write_and_read(rows, paid, asked, n) for _ in range(3)]).min(axis=0)
    return {
        "writes": STORED / seconds[0],
        "reads": STORED / seconds[2],
        "first look-up, ms": seconds[1] * 1e3,
    }


def write_and_read(rows: Packed, paid: Values, asked: Packed, n: int) -> tuple[float, float, float]:
    """Return the seconds of all writes to a new file; after opening it, of one and of all reads."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "values.sqlite"
        with oc.SqliteStore(path, "benchmark") as new:
            write = clock(lambda some: new.put(len, some, n, paid), rows, STORE_BATCH)
        with oc.SqliteStore(path, "benchmark") as opened:
            first = clock(lambda some: opened.find(len, some, n), asked[:1], STORE_BATCH)
            return write, first, clock(lambda some: opened.find(len, some, n), asked, STORE_BATCH)


def main() -> None:
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    print(f"look-ups, millions a second, in {ENTRIES:,} values, batches of {BATCH:,}")
    found["look-ups"] = table = {n: lookups(n) for n in (64, 128, 1024)}
    for n, ways in table.items():
        print(f"  {n:>4} players " + "".join(f"{way:>10} {r / 1e6:.1f}" for way, r in ways.items()))
    print(f"  the goal for hits, 64 players, is {GOALS['hits'] / 1e6:g} at least")
    found["dictionary"] = dictionary(64)
    print(f"  a Python dictionary, 64 players: {found['dictionary'] / 1e6:.1f}")

    print("\nnew coalitions numbered, millions a second")
    found["claims"] = {}
    for count in (IN_CACHE, ENTRIES):
        for reserve in (True, False):
            label = f"{count:,}, {'reserved' if reserve else 'growing'}"
            found["claims"][label] = by_n = {
                n: claims(n, count, reserve=reserve) for n in (64, 128, 1024)
            }
            rates = "".join(f"{n:>8} players {rate / 1e6:.1f}" for n, rate in by_n.items())
            print(f"  {label:<20}{rates}")

    print(f"\nSqliteStore, {STORED:,} values, batches of {STORE_BATCH:,}")
    found["store"] = {n: store(n) for n in (64, 1024)}
    for n, numbers in found["store"].items():
        print(f"  {n:>4} players " + "".join(f"{k:>20} {v:,.0f}" for k, v in numbers.items()))
    print(f"  the goals are {GOALS['reads']:,.0f} reads and {GOALS['writes']:,.0f} writes a second")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

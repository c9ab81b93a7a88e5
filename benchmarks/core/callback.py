"""The cost of a call: what asking for values takes beyond the value function itself.

    python benchmarks/core/callback.py

Game.values asks functions that do nothing about batches of coalitions. The time of calling such a
function alone is taken off; that of the compiled one is whole. Packing and unpacking are compared
with numpy. Every time is the minimum over repeats.
"""

from __future__ import annotations

import json
import platform
import timeit
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np

import owen_core as oc
from owen_core.coalition import pack, unpack

RESULTS = Path(__file__).parents[1] / "results" / "callback.json"

PLAYERS = 64
GOALS = {"packed": 2.0, "bool": 8.0}  # ns per coalition, at ...
GOAL_BATCH = 256


@numba.cfunc(oc.CFUNC_SIGNATURE)
def zeros(coalitions, batch, words, values, context):  # type: ignore[no-untyped-def]
    """Value every coalition at nothing."""
    for k in range(batch):
        values[k] = 0.0


def best(work: Callable[[], object], repeats: int = 100) -> float:
    """Return the nanoseconds of the fastest of some repeats, of about a millisecond each."""
    timer = timeit.Timer(work)
    number = max(1, round(1e-3 / (min(timer.repeat(5, 3)) / 3)))
    return min(timer.repeat(repeats, number)) / number * 1e9


def overhead(batch: int) -> dict[str, float]:
    """Return what a call costs beyond the value function, in ns per coalition, by kind of game."""
    coalitions = np.random.default_rng(0).random((batch, PLAYERS)) < 0.5
    packed, answer = pack(coalitions), np.zeros(batch)

    def nothing(rows: np.ndarray) -> np.ndarray:
        return answer

    alone = best(lambda: nothing(packed))
    games = {
        "packed": (oc.Game(nothing, PLAYERS, packed=True), alone),
        "bool": (oc.Game(nothing, PLAYERS), alone),
        "compiled": (oc.Game.from_address(zeros, PLAYERS), 0.0),
        "compiled, on threads": (oc.Game.from_address(zeros, PLAYERS, threadsafe=True), 0.0),
    }
    return {
        kind: (best(lambda g=game: g.values(packed)) - without) / batch
        for kind, (game, without) in games.items()
    }


def per_bit(rows: int, n: int) -> dict[str, float]:
    """Return the ns per bit of unpacking and packing, here and in numpy."""
    coalitions = np.random.default_rng(0).random((rows, n)) < 0.5
    packed = pack(coalitions)
    octets = packed.view(np.uint8)
    times = {
        "unpack": best(lambda: unpack(packed, n)),
        "numpy.unpackbits": best(
            lambda: np.unpackbits(octets, axis=1, count=n, bitorder="little").view(np.bool_)
        ),
        "pack": best(lambda: pack(coalitions)),
        "numpy.packbits": best(lambda: np.packbits(coalitions, axis=1, bitorder="little")),
    }
    return {way: time / (rows * n) for way, time in times.items()}


def main() -> None:
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    print(f"ns per coalition of {PLAYERS} players, beyond the value function")
    found["overhead"] = table = {batch: overhead(batch) for batch in (1, 32, 256, 4096)}
    print("  batch " + "".join(f"{kind:>22}" for kind in table[1]))
    for batch, kinds in table.items():
        print(f"  {batch:>5} " + "".join(f"{time:>22.2f}" for time in kinds.values()))
    for kind, goal in GOALS.items():
        time = table[GOAL_BATCH][kind]
        print(f"  {kind} at {GOAL_BATCH}: {time:.2f}, the goal is {goal:g} at most")

    found["per bit"] = {}
    for rows, n in ((256, 64), (256, 200), (1 << 16, 20), (1024, 1024)):
        print(f"\nns per bit of {rows} coalitions of {n} players")
        found["per bit"][f"{rows} x {n}"] = ways = per_bit(rows, n)
        for way, time in ways.items():
            print(f"  {way:<18} {time:.3f}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

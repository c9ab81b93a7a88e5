"""Driving estimators: propose, look up, pay for what is new, absorb, until a rule is met."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from owen_core import _core
from owen_core.coalition import Packed
from owen_core.estimators import CHUNK, SAMPLERS, Estimator, seed_of
from owen_core.evaluate import Evaluator
from owen_core.game import Values
from owen_core.stopping import Progress, Stop
from owen_core.structure import Structure

# With fewer evaluations for each player, the lines of a regression have too little to stand on.
LEAST_PER_PLAYER = 12
# A regression solves equations in all players.
MOST_REGRESSED = 2048
# A pilot gives this part of the budget to each candidate, if that is enough to judge by.
PILOT = 20
LEAST_PILOT_PER_PLAYER = 8
PILOT_PER_PLAYER = 32  # where there is no budget
# An estimator that asked for this many times all it knows, and for nothing new, knows all it can.
BARREN = 16


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an estimate was sampled.

    Attributes
    ----------
    estimator : str
        The sampler, one of :data:`SAMPLERS`.
    reason : str
        Why it was chosen.
    seed : int
        The same seed gives the same estimate.
    units : int
        Independent units, such as pairs of orders, that were absorbed.
    degrees_of_freedom : float
        Of the standard errors.
    """

    estimator: str
    reason: str
    seed: int
    units: int
    degrees_of_freedom: float


class Run:
    """Coalitions that were valued, and what drives estimators through them.

    A coalition that two estimators ask for, or one of them twice, is looked up and paid once.

    Parameters
    ----------
    evaluator : Evaluator
        Values coalitions.
    limit : float
        New evaluations that are never exceeded.
    """

    def __init__(self, evaluator: Evaluator, limit: float) -> None:
        self._evaluator, self._limit = evaluator, limit
        self._index = _core.CoalitionIndex(evaluator.game.n)
        self._index.reserve(int(min(limit, 4 * CHUNK)))
        self._values = np.empty(4 * CHUNK)
        self._began = time.perf_counter()

    @property
    def paid(self) -> int:
        """New evaluations so far."""
        return self._evaluator.cost.new

    def drive(
        self, estimator: Estimator, met: Callable[[Progress], bool], part: float = math.inf
    ) -> None:
        """Let an estimator ask until a rule is met, or a unit would exceed the limit.

        Where a cache holds all that it may ask for, no limit is ever reached; it ends when nothing
        new has come for long. No more than ``part`` further coalitions are looked up, whether they
        are known or not.
        """
        most, barren = len(self._index) + part, 0
        while not estimator.exhausted and barren <= BARREN * len(self._index):
            room = min(self._limit - self.paid, most - len(self._index))
            rows, ends = estimator.propose_packed(int(min(room, CHUNK)))
            if len(ends) == 0:
                break
            known = len(self._index)
            ids, units = self._value(rows, ends, most - known)
            barren = 0 if len(self._index) > known else barren + len(ids)
            estimator.absorb(self._values.take(ids))
            if units < len(ends):
                break
            if estimator.at_checkpoint and estimator.units and met(self.progress(estimator)):
                break

    @property
    def ends(self) -> tuple[float, float]:
        """v(empty) and v(N), which every estimator asks first."""
        return float(self._values[0]), float(self._values[1])

    def progress(self, estimator: Estimator) -> Progress:
        """Return how far an estimator has come."""
        return Progress(estimator.estimate, self.paid, time.perf_counter() - self._began)

    def _value(
        self, rows: Packed, ends: NDArray[np.int64], most: float
    ) -> tuple[NDArray[np.int64], int]:
        """Value the units there is room for: return the numbers of their rows, and their count.

        There is room for ``most`` fresh coalitions, as long as the limit allows to pay for them.
        """
        before = len(self._index)
        ids = self._index.claim(rows)
        fresh = self._index.rows(before, len(self._index))
        values, known = self._evaluator.find(fresh)
        units, kept = len(ends), len(fresh)
        room = self._limit - self.paid
        if kept > most or kept - np.count_nonzero(known) > room:
            # A unit needs every coalition up to the newest that it or one before it asked for.
            needed = np.maximum(np.maximum.accumulate(ids)[ends - 1] + 1 - before, 0)
            unpaid = np.concatenate([[0], np.cumsum(~known)])
            units = int(np.searchsorted(unpaid[needed], room, side="right"))
            units = min(units, int(np.searchsorted(needed, most, side="right")))
            kept = int(needed[units - 1]) if units else 0
            self._index.truncate(before + kept)
            ids = ids[: ends[units - 1] if units else 0]
        missing = np.flatnonzero(~known[:kept])
        if missing.size == kept:
            values = self._evaluator.pay(fresh[:kept])
        elif missing.size:
            values[missing] = self._evaluator.pay(fresh[missing])
        if before + kept > len(self._values):
            self._values = np.resize(self._values, 2 * (before + kept))
        self._values[before : before + kept] = values[:kept]
        return ids, units


@dataclass(frozen=True, slots=True)
class Sample:
    """An estimate: ``(n,)`` values and standard errors, None where there is no honest one."""

    values: Values
    std_error: Values | None
    baseline: float
    total: float
    sampling: Sampling


def estimate(
    evaluator: Evaluator,
    sampler: str,
    concept: str,
    structure: Structure | None,
    stop: Stop,
    rng: int | np.random.Generator | None,
) -> Sample:
    """Estimate a concept by sampling; ``sampler="auto"`` chooses one.

    Raises
    ------
    ValueError
        The rule allows for less than one unit of the sampler, or nothing samples this concept.
    """
    names = evaluator.game.names
    seed = seed_of(rng)
    run = Run(evaluator, stop.limit)

    def start(name: str) -> Estimator:
        return Estimator(name, names, concept=concept, structure=structure, rng=seed)

    if sampler == "auto":
        candidates, reason = _candidates(concept, len(names), stop.limit)
        estimator = start(candidates[0])
        if len(candidates) > 1:
            estimator, reason = _pilot([estimator, *map(start, candidates[1:])], run, stop)
    else:
        estimator, reason = start(sampler), "it was asked for"
    run.drive(estimator, stop.met)
    if not estimator.units:
        _, ends = estimator.propose_packed(1)
        what = (
            "v(empty) and v(N) take 2" if not run.paid else f"its first unit takes {ends[0]} more"
        )
        raise ValueError(
            f"the budget of {stop.limit} evaluations is too small for estimator "
            f"{estimator.name!r}: {what}"
        )
    if estimator.paired is False and SAMPLERS[estimator.name].pairs:
        reason += "; pairs were given up, because single ones told more"
    values, std_error, freedom = estimator.estimate()
    return Sample(
        values,
        std_error if np.isfinite(std_error).all() else None,
        *run.ends,
        Sampling(estimator.name, reason, seed, estimator.units, freedom),
    )


def _candidates(concept: str, n: int, limit: float) -> tuple[list[str], str]:
    fitting = [name for name, sampler in SAMPLERS.items() if concept in sampler.concepts]
    if concept != "shapley":
        return fitting[:1], f"it samples {concept}"
    if n > MOST_REGRESSED:
        return ["antithetic"], f"{n} players are too many for a regression"
    if limit < LEAST_PER_PLAYER * n:
        return ["antithetic"], (
            f"{limit} evaluations are fewer than the {LEAST_PER_PLAYER} for each of {n} players "
            "that a regression takes"
        )
    if limit < PILOT * LEAST_PILOT_PER_PLAYER * n:
        return ["stratified"], f"{limit} evaluations of {n} players are enough for a regression"
    return ["stratified", "antithetic"], ""


def _pilot(candidates: Sequence[Estimator], run: Run, stop: Stop) -> tuple[Estimator, str]:
    """Give each candidate a part of the budget; the smallest mean square error goes on."""
    n = candidates[0].n
    part = stop.limit // PILOT if stop.limit < math.inf else PILOT_PER_PLAYER * n
    errors = []
    for candidate in candidates:
        run.drive(candidate, stop.met, part)
        if candidate.units and stop.met(run.progress(candidate)):
            return candidate, "the rule was met in its pilot"
        error = float(np.sqrt(np.mean(candidate.std_error**2)))
        errors.append(math.inf if math.isnan(error) else error)
    best = int(np.argmin(errors))
    others = ", ".join(
        f"{candidate.name} {error:.2g}"
        for k, (candidate, error) in enumerate(zip(candidates, errors, strict=True))
        if k != best
    )
    return candidates[best], (
        f"after a pilot of {int(part)} evaluations its standard errors were {errors[best]:.2g}, "
        f"those of {others}"
    )

"""Estimators: they ask for coalitions, are told their values, and say what players are worth."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from owen_core import _core, json_file
from owen_core.coalition import Coalitions, Packed, unpack
from owen_core.concepts import default_concept
from owen_core.game import Values, player_names
from owen_core.structure import Path, Structure, Tree

FORMAT = 1  # version of the saved form
KEYS = ("format", "estimator", "concept", "names", "tree", "seed", "values")
CHUNK = 1 << 14  # coalitions that are proposed at once, if the caller does not say


@dataclass(frozen=True, slots=True)
class Sampler:
    """A way to draw coalitions.

    Attributes
    ----------
    name, meaning, reference : str
        What it is called, what it draws, and where it comes from.
    concepts : tuple of str
        The solution concepts that it estimates.
    pairs : bool
        Whether it draws antithetic pairs for as long as they are worth it.
    make : callable
        ``make(n, seed, concept, tree)`` gives the compiled estimator.
    """

    name: str
    meaning: str
    reference: str
    concepts: tuple[str, ...]
    make: Callable[[int, int, str, Any], _core.Estimator]
    pairs: bool = False


def _orders(antithetic: bool) -> Callable[[int, int, str, Any], _core.Estimator]:
    return lambda n, seed, concept, tree: _core.PermutationEstimator(n, seed, antithetic, tree)


def _regression(name: str) -> Callable[[int, int, str, Any], _core.Estimator]:
    return lambda n, seed, concept, tree: _core.RegressionEstimator(n, seed, name)


SAMPLERS = {
    sampler.name: sampler
    for sampler in [
        Sampler(
            "stratified",
            "coalitions of every size, a line through as few sizes as the values allow, more "
            "coalitions where the lines fit badly, in pairs with their complements while it helps",
            "this project; see the theory pages",
            ("shapley",),
            _regression("stratified"),
            pairs=True,
        ),
        Sampler(
            "antithetic",
            "random orders and their reverses, until a pair proves worse than two orders",
            "Mitchell, Cooper, Frank & Holmes (2022), Sampling permutations for Shapley value "
            "estimation",
            ("shapley", "owen"),
            _orders(antithetic=True),
            pairs=True,
        ),
        Sampler(
            "permutation",
            "random orders",
            "Castro, Gomez & Tejada (2009), Polynomial calculation of the Shapley value based on "
            "sampling",
            ("shapley", "owen"),
            _orders(antithetic=False),
        ),
        Sampler(
            "cyclic",
            "all rotations of random orders, in both directions",
            "this project, after Mitchell et al. (2022)",
            ("shapley",),
            lambda n, seed, concept, tree: _core.CyclicEstimator(n, seed),
        ),
        Sampler(
            "marginals",
            "coalitions of every size, the mean value with a player less the mean without",
            "Kolpaczki, Bengs, Muschalik & Huellermeier (2024), Approximating the Shapley value "
            "without marginal contributions",
            ("shapley",),
            _regression("marginals"),
        ),
        Sampler(
            "leverage",
            "all sizes alike, without replacement, and one line through all",
            "Musco & Witter (2025), Provably accurate Shapley value estimation via leverage score "
            "sampling",
            ("shapley",),
            _regression("leverage"),
        ),
        Sampler(
            "kernel",
            "sizes as in the Shapley kernel, in pairs, and one line through all",
            "Covert & Lee (2021), Improving KernelSHAP: practical Shapley value estimation via "
            "linear regression",
            ("shapley",),
            _regression("kernel"),
        ),
        Sampler(
            "reuse",
            "coalitions drawn uniformly, each of which serves every player",
            "Wang & Jia (2023), Data Banzhaf: a robust data valuation framework",
            ("banzhaf",),
            lambda n, seed, concept, tree: _core.BanzhafEstimator(n, seed),
        ),
        Sampler(
            "intervals",
            "orders in which the players of a line gather, and the intervals that they form",
            "this project; see the theory pages",
            ("growth", "myerson"),
            lambda n, seed, concept, tree: (
                _core.growing_estimator(n, seed)
                if concept == "growth"
                else _core.MyersonEstimator(n, seed)
            ),
        ),
    ]
}


class Estimator:
    """Estimates a solution concept from sampled coalitions, by asking and being told.

    :func:`attribute` drives an estimator for you. Drive one yourself where values come from
    elsewhere, or to save it half way: the same seed gives the same bits however the coalitions
    were batched, and however often the estimator was saved and loaded.

    Parameters
    ----------
    name : str
        One of :data:`SAMPLERS`.
    players : int or sequence of str
        How many players there are, or their names; at least two.
    concept : str
        ``shapley``, ``owen``, ``banzhaf``, ``growth`` or ``myerson``, as far as the sampler has
        it; ``auto``: what the structure suggests.
    structure : Structure, optional
        Unions for ``owen``, a path for ``growth`` and ``myerson``.
    rng : int or numpy.random.Generator, optional
        The seed, or where to draw one from.

    Raises
    ------
    ValueError
        No such sampler, or it does not estimate this concept.

    Examples
    --------
    >>> import owen_core as oc
    >>> weights = np.arange(40.0)
    >>> estimator = oc.Estimator("antithetic", 40, rng=0)
    >>> while estimator.units < 8:
    ...     coalitions = estimator.propose()
    ...     estimator.absorb(coalitions @ weights)
    >>> estimator.values[:3], bool(estimator.std_error.max() < 1e-9)
    (array([0., 1., 2.]), True)
    """

    def __init__(
        self,
        name: str,
        players: int | Sequence[str],
        *,
        concept: str = "auto",
        structure: Structure | None = None,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        names = player_names(players)
        if concept == "auto":
            concept = "banzhaf" if name == "reuse" else default_concept(structure)
        if not can_sample(concept, structure):
            given = "no structure" if structure is None else f"the structure {structure}"
            raise ValueError(f"nothing here samples the concept {concept!r} with {given}")
        if isinstance(structure, Path) and structure.n != len(names):
            raise ValueError(f"the structure has {structure.n} players, the game {len(names)}")
        tree = structure.resolve(names) if isinstance(structure, Tree) else None
        self._start(name, names, concept, tree, seed_of(rng))

    def _start(self, name: str, names: tuple[str, ...], concept: str, tree: Any, seed: int) -> None:
        if name not in SAMPLERS:
            raise ValueError(f"estimator must be one of {', '.join(SAMPLERS)}, got {name!r}")
        fitting = SAMPLERS[name].concepts
        if concept not in fitting:
            raise ValueError(
                f"estimator {name!r} estimates {' and '.join(fitting)}, not {concept!r}"
            )
        if (concept == "owen") != (tree is not None):
            raise ValueError(f"sampling {concept!r} takes unions if it is 'owen', and only then")
        self.name, self.concept, self.names = name, concept, names
        self._tree, self._seed = tree, seed
        self._core = SAMPLERS[name].make(len(names), seed, concept, tree)
        self._ends: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._told: list[Values] = []

    @property
    def n(self) -> int:
        """The number of players."""
        return len(self.names)

    @property
    def units(self) -> int:
        """How many independent units, such as pairs of orders, were absorbed."""
        return self._core.units

    @property
    def at_checkpoint(self) -> bool:
        """Whether a stopping rule may be asked now."""
        return self._core.at_checkpoint

    @property
    def exhausted(self) -> bool:
        """Whether every coalition that could tell more was absorbed."""
        return self._core.exhausted

    @property
    def paired(self) -> bool | None:
        """Whether it draws antithetic pairs; None for a sampler that has none."""
        return getattr(self._core, "paired", None)

    def propose(self, limit: int = CHUNK) -> Coalitions:
        """Return the coalitions that come next, ``(m, n) bool``.

        They are whole units up to the next checkpoint: about ``limit`` coalitions, and at least
        one unit. The first two are the empty and the grand coalition. What is not absorbed is
        proposed again. None are returned when the estimator is exhausted.
        """
        return unpack(self.propose_packed(limit)[0], self.n)

    def propose_packed(self, limit: int = CHUNK) -> tuple[Packed, NDArray[np.int64]]:
        """Return packed coalitions, ``(m, ceil(n / 64))``, and where each unit of them ends."""
        rows, self._ends = self._core.propose(limit)
        return rows, self._ends

    def absorb(self, values: Values) -> None:
        """Take the values of what was proposed, ``(m,)``, or of the first units of it.

        Raises
        ------
        ValueError
            The values do not end where a unit does.
        """
        values = np.ascontiguousarray(values, dtype=np.float64)
        units = int(np.searchsorted(self._ends, len(values), side="right"))
        if len(values) != (self._ends[units - 1] if units else 0):
            raise ValueError(
                f"got {len(values)} values, and the proposed units end after "
                f"{', '.join(map(str, self._ends[:5]))}{', ...' if len(self._ends) > 5 else ''}"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"values must be finite, got {values[~np.isfinite(values)][0]}")
        self._core.absorb(values, units)
        self._told.append(values.copy())
        self._ends = self._ends[units:] - len(values)

    def estimate(self) -> tuple[Values, Values, float]:
        """Return values and standard errors, ``(n,)`` each, and the errors' degrees of freedom.

        Both are NaN where nothing honest can be said yet.
        """
        return self._core.estimate()

    @property
    def values(self) -> Values:
        """The estimates, ``(n,)``; NaN before the first unit."""
        return self.estimate()[0]

    @property
    def std_error(self) -> Values:
        """Their standard errors, ``(n,)``; NaN where there is no honest one yet."""
        return self.estimate()[1]

    def save(self, path: str | FilePath) -> None:
        """Write the estimator to a JSON file, which appears whole or not at all.

        The file holds the seed and every value that was absorbed; from these, :meth:`load` repeats
        what the estimator did.
        """
        told = np.concatenate([np.empty(0), *self._told])
        data = {
            "format": FORMAT,
            "estimator": self.name,
            "concept": self.concept,
            "names": list(self.names),
            "tree": self._tree,
            "seed": self._seed,
            "values": base64.b64encode(told.astype("<f8").tobytes()).decode(),
        }
        json_file.write(data, FilePath(path))

    @classmethod
    def load(cls, path: str | FilePath) -> Estimator:
        """Read an estimator that :meth:`save` wrote; it goes on as if it had never stopped.

        Raises
        ------
        ValueError
            The file is not whole, of another format, or its parts do not fit together.
        """
        try:
            data = json_file.read(FilePath(path))
            json_file.check_keys(data, "estimators", FORMAT, KEYS)
            seed = data["seed"]
            if not json_file.is_integer(seed):
                json_file.refuse("seed", "a whole number", seed)
            estimator = cls.__new__(cls)
            estimator._start(
                json_file.string(data, "estimator"),
                json_file.strings(data, "names"),
                json_file.string(data, "concept"),
                data["tree"],
                seed_of(seed),
            )
            stored = base64.b64decode(json_file.string(data, "values"), validate=True)
            estimator._repeat(np.frombuffer(stored, dtype="<f8").astype(np.float64))
        except (ValueError, TypeError, RuntimeError) as error:  # the last: a number beyond 32 bits
            raise ValueError(f"{path} holds no estimator: {error}") from error
        return estimator

    def _repeat(self, told: Values) -> None:
        while len(told):
            _, ends = self.propose_packed()
            units = int(np.searchsorted(ends, len(told), side="right"))
            if units == 0:
                raise ValueError(f"{len(told)} values are left over at its end")
            self.absorb(told[: ends[units - 1]])
            told = told[ends[units - 1] :]


def can_sample(concept: str, structure: Structure | None) -> bool:
    """Whether some sampler estimates a concept with this structure."""
    if concept == "owen":
        return isinstance(structure, Tree)
    if concept in ("growth", "myerson"):
        whole_line = isinstance(structure, Path) and structure.max_width == structure.n
        return structure is None or whole_line
    return structure is None and any(concept in sampler.concepts for sampler in SAMPLERS.values())


def seed_of(rng: int | np.random.Generator | None) -> int:
    """Return a seed of 64 bits: the number itself, or one drawn from the generator."""
    if isinstance(rng, int | np.integer):
        if not 0 <= rng < 1 << 64:
            raise ValueError(f"a seed has 64 bits and no sign, got {rng}")
        return int(rng)
    generator = np.random.default_rng() if rng is None else rng
    return int(generator.integers(1 << 63))

"""The result: what sets of players are worth together, and how that was found out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from owen_core import json_file
from owen_core.evaluate import Cost
from owen_core.game import Values
from owen_core.json_file import check_keys, is_integer, is_number, number, refuse, string, strings
from owen_core.rounding import ROUNDING

FORMAT = 1  # version of the saved form
KEYS = ("format", "index", "names", "order", "values", "baseline", "total", "cost")
SHOWN = 10  # interactions that are printed; the others are counted
BRIEF = 3  # of them, in a line

Player = str | int


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """An interaction index of sets of players.

    Attributes
    ----------
    index : str
        The interaction index.
    names : tuple of str
        The players.
    order : int
        The size of the largest sets.
    values : mapping
        The index of each set, by the sorted tuple of its players' positions, in the units of the
        value function. Sets of one player are there too.
    baseline, total : float
        v(empty) and v(N).
    cost : Cost or None
        Evaluations asked, cached and paid; None for a table.

    Raises
    ------
    ValueError
        A set that is not one of ``order`` players at most, in rising order, or a number that is
        not finite.

    Examples
    --------
    >>> import owen_core as oc
    >>> i = oc.interactions(lambda s: s[:, 0] & s[:, 1], ["bread", "butter", "salt"])
    >>> i["butter", "bread"], i["bread", "salt"]
    (1.0, 0.0)
    """

    index: str
    names: tuple[str, ...]
    order: int
    values: Mapping[tuple[int, ...], float]
    baseline: float
    total: float
    cost: Cost | None = None

    def __post_init__(self) -> None:
        for players, strength in self.values.items():
            if not (
                1 <= len(players) <= self.order
                and players[0] >= 0
                and players[-1] < len(self.names)
                and all(a < b for a, b in pairwise(players))
            ):
                raise ValueError(
                    f"values must be of 1 to {self.order} of the {len(self.names)} players, by "
                    f"their positions in rising order, got {players}"
                )
            if not isfinite(strength):
                raise ValueError(f"values must be finite, got {strength} for {players}")
        if not (isfinite(self.baseline) and isfinite(self.total)):
            raise ValueError(
                f"baseline and total must be finite, got {self.baseline} and {self.total}"
            )

    @property
    def summary(self) -> str:
        """One line: the strongest sets of two or more players that are more than rounding."""
        noise = self._noise()
        strongest = [
            f"{' × '.join(players)} {strength:+.3g}"
            for players, strength in self.top(BRIEF)
            if abs(strength) > noise
        ]
        return f"{self.index}: {', '.join(strongest) or 'no interaction'}"

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], float]]:
        """Iterate over ``(names of the players, index)``."""
        for players, strength in self.values.items():
            yield self._named(players), strength

    def __getitem__(self, players: Player | tuple[Player, ...]) -> float:
        """Return the index of a set of players, by names or positions in any order."""
        each = players if isinstance(players, tuple) else (players,)
        wanted = tuple(sorted(position(player, self.names) for player in each))
        if wanted not in self.values:
            raise KeyError(
                f"{self.index} of order {self.order} was not computed for {players!r}; "
                "ask for a set of that many different players, or name the pair in pairs"
            )
        return self.values[wanted]

    def matrix(self) -> Values:
        """Return the index of all pairs as a symmetric ``(n, n)`` array.

        The diagonal holds the index of single players; pairs that were not computed are NaN.
        """
        n = len(self.names)
        matrix = np.full((n, n), np.nan)
        for players, strength in self.values.items():
            if len(players) <= 2:
                matrix[players[0], players[-1]] = matrix[players[-1], players[0]] = strength
        return matrix

    def top(self, k: int = SHOWN) -> list[tuple[tuple[str, ...], float]]:
        """Return the ``k`` sets of two or more players with the largest absolute index."""
        joint = [(players, strength) for players, strength in self if len(players) > 1]
        return sorted(joint, key=lambda item: -abs(item[1]))[:k]

    def __str__(self) -> str:
        single = [item for item in self if len(item[0]) == 1]
        shown = [(" × ".join(players), strength) for players, strength in single + self.top()]
        width = max(len(label) for label, _ in shown)
        noise = self._noise()
        settled = [(label, s if abs(s) > noise else 0.0) for label, s in shown]
        lines = [f"{label:<{width}}  {strength:+z.6g}" for label, strength in settled]
        if len(shown) < len(self):
            lines.append(f"and {len(self) - len(shown)} weaker ones")
        lines.append(
            f"{self.index} of order {self.order}, exact; "
            f"v(N) = {self.total:g}, v(empty) = {self.baseline:g}"
        )
        if self.cost is not None:
            lines[-1] += f"; {self.cost.new} evaluations, {self.cost.cached} cached"
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the interactions as plain data, ready for JSON."""
        return {
            "format": FORMAT,
            "index": self.index,
            "names": list(self.names),
            "order": self.order,
            "values": [[list(players), strength] for players, strength in self.values.items()],
            "baseline": self.baseline,
            "total": self.total,
            "cost": None if self.cost is None else asdict(self.cost),
        }

    @classmethod
    def from_dict(cls, data: Any) -> Interactions:
        """Return the interactions that :meth:`to_dict` described; ValueError if it does not."""
        check_keys(data, "interactions", FORMAT, KEYS)
        return cls(
            string(data, "index"),
            strings(data, "names"),
            _order(data),
            _strengths(data),
            number(data, "baseline"),
            number(data, "total"),
            saved_cost(data),
        )

    def save(self, path: str | Path) -> None:
        """Write the interactions to a JSON file, which appears whole or not at all."""
        json_file.write(self.to_dict(), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Interactions:
        """Read interactions that :meth:`save` wrote.

        Raises
        ------
        ValueError
            The file is not whole, of another format, or its values do not fit together.
        """
        try:
            return cls.from_dict(json_file.read(Path(path)))
        except ValueError as error:
            raise ValueError(f"{path} holds no interactions: {error}") from error

    def _named(self, players: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self.names[player] for player in players)

    def _noise(self) -> float:
        """The size up to which a strength is rounding."""
        return ROUNDING * max(map(abs, self.values.values()), default=0.0)


def position(player: Player, names: tuple[str, ...]) -> int:
    """Return a player's position, by name or position."""
    if isinstance(player, str):
        if player not in names:
            raise KeyError(f"no player is called {player!r}; the players are {names}")
        return names.index(player)
    if not 0 <= player < len(names):
        raise KeyError(f"there is no player number {player}; the players are {names}")
    return int(player)


def saved_cost(data: json_file.Data) -> Cost | None:
    """Return the cost in a saved form."""
    numbers = json_file.record(data, "cost", [field.name for field in fields_of(Cost)])
    return None if numbers is None else Cost(**numbers)


def _order(data: json_file.Data) -> int:
    if not (is_integer(data["order"]) and data["order"] >= 1):
        refuse("order", "a whole number from 1", data["order"])
    return int(data["order"])


def _strengths(data: json_file.Data) -> dict[tuple[int, ...], float]:
    value = data["values"]
    if not (isinstance(value, list) and all(map(_is_strength, value))):
        refuse("values", "a list of pairs: players' positions, and a number", value)
    return {tuple(players): float(strength) for players, strength in value}


def _is_strength(value: Any) -> bool:
    if not (isinstance(value, list) and len(value) == 2):
        return False
    players, strength = value
    return isinstance(players, list) and all(map(is_integer, players)) and is_number(strength)

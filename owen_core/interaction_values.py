"""The result: what sets of players are worth together, and how that was found out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from owen_core import saved
from owen_core.attribution import ROUNDING
from owen_core.evaluate import Cost
from owen_core.game import Values

FORMAT = 1  # version of the saved form
SHOWN = 10  # interactions that are printed; the others are counted

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
        noise = ROUNDING * max(abs(strength) for _, strength in shown)
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
    def from_dict(cls, data: dict[str, Any]) -> Interactions:
        """Return the interactions that :meth:`to_dict` described."""
        if data.get("format") != FORMAT:
            raise ValueError(
                f"this version reads interactions of format {FORMAT}, got {data.get('format')!r}"
            )
        return cls(
            data["index"],
            tuple(data["names"]),
            data["order"],
            {tuple(players): strength for players, strength in data["values"]},
            data["baseline"],
            data["total"],
            None if data["cost"] is None else Cost(**data["cost"]),
        )

    def save(self, path: str | Path) -> None:
        """Write the interactions to a JSON file, which appears whole or not at all."""
        saved.write(self.to_dict(), Path(path))

    @classmethod
    def load(cls, path: str | Path) -> Interactions:
        """Read interactions that :meth:`save` wrote.

        Raises
        ------
        ValueError
            The file is not whole, of another format, or lacks something.
        """
        try:
            return cls.from_dict(saved.read(Path(path)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} holds no interactions: {error}") from error

    def _named(self, players: tuple[int, ...]) -> tuple[str, ...]:
        return tuple(self.names[player] for player in players)


def position(player: Player, names: tuple[str, ...]) -> int:
    """Return a player's position, by name or position."""
    if isinstance(player, str):
        if player not in names:
            raise KeyError(f"no player is called {player!r}; the players are {names}")
        return names.index(player)
    if not 0 <= player < len(names):
        raise KeyError(f"there is no player number {player}; the players are {names}")
    return int(player)

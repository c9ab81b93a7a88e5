"""The result: how much each player contributed, and how that was found out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from owen_core.evaluate import Cost
from owen_core.game import Values

FORMAT = 1  # version of the saved form


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """Credits of the players of a game.

    Attributes
    ----------
    values : ndarray
        Credit of each player, ``(n,)``, in the units of the value function.
    names : tuple of str
        The players.
    baseline, total : float
        v(empty) and v(N).
    concept : str
        The solution concept that the credits follow.
    structure : str or None
        The coalition structure, in words.
    cost : Cost or None
        Evaluations asked, cached and paid; None for a table.

    Examples
    --------
    >>> import owen_core as oc
    >>> a = oc.attribute(lambda s: s @ [3.0, 1.0] + s.all(axis=1), ["bread", "butter"])
    >>> print(a["bread"], a.total)
    3.5 5.0
    """

    values: Values
    names: tuple[str, ...]
    baseline: float
    total: float
    concept: str
    structure: str | None = None
    cost: Cost | None = None

    @property
    def residual(self) -> float:
        """What the credits leave undistributed: ``total - baseline - values.sum()``."""
        return self.total - self.baseline - float(self.values.sum())

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Iterate over ``(name, credit)``."""
        return iter(zip(self.names, self.values.tolist(), strict=True))

    def __getitem__(self, player: str | int) -> float:
        """Return a player's credit, by name or position."""
        if isinstance(player, str):
            if player not in self.names:
                raise KeyError(f"no player is called {player!r}; the players are {self.names}")
            player = self.names.index(player)
        return float(self.values[player])

    def __str__(self) -> str:
        width = max(len(name) for name in (*self.names, "residual"))
        lines = [f"{name:<{width}}  {credit:+.6g}" for name, credit in self]
        lines.append(f"{'sum':<{width}}  {self.values.sum():+.6g}")
        if abs(self.residual) > 1e-9 * max(1.0, abs(self.total - self.baseline)):
            lines.append(f"{'residual':<{width}}  {self.residual:+.6g}")
        lines.append(f"{self.concept}, exact; v(N) = {self.total:g}, v(empty) = {self.baseline:g}")
        if self.cost is not None:
            lines[-1] += f"; {self.cost.new} evaluations, {self.cost.cached} cached"
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the attribution as plain data, ready for JSON."""
        return {
            "format": FORMAT,
            "values": self.values.tolist(),
            "names": list(self.names),
            "baseline": self.baseline,
            "total": self.total,
            "concept": self.concept,
            "structure": self.structure,
            "cost": None if self.cost is None else asdict(self.cost),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Attribution:
        """Return the attribution that :meth:`to_dict` described."""
        if data.get("format") != FORMAT:
            raise ValueError(
                f"this version reads attributions of format {FORMAT}, got {data.get('format')!r}"
            )
        return cls(
            np.array(data["values"], dtype=np.float64),
            tuple(data["names"]),
            data["baseline"],
            data["total"],
            data["concept"],
            data["structure"],
            None if data["cost"] is None else Cost(**data["cost"]),
        )

    def save(self, path: str | FilePath) -> None:
        """Write the attribution to a JSON file."""
        FilePath(path).write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | FilePath) -> Attribution:
        """Read an attribution that :meth:`save` wrote."""
        return cls.from_dict(json.loads(FilePath(path).read_text(encoding="utf-8")))

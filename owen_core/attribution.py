"""The result: how much each player contributed, and how that was found out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from owen_core import interop, json_file, saved
from owen_core.evaluate import Cost
from owen_core.game import Values
from owen_core.interaction_values import Interactions
from owen_core.plots import Plots
from owen_core.plots.table import html_table
from owen_core.quantile import t_quantile
from owen_core.rounding import ROUNDING
from owen_core.sampling import Sampling

if TYPE_CHECKING:
    from shap import Explanation
    from shapiq import InteractionValues


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
        The coalition structure in words, such as ``unions (0, 1) (2)``; None where there is none.
    cost : Cost or None
        Evaluations asked, cached and paid; None for a table.
    std_error : ndarray or None
        Standard error of each credit, ``(n,)``; None when the credits are exact, and where a
        sample was too small to tell.
    interactions : Interactions or None
        What pairs of players are worth together, where :func:`attribute` was asked for it.
    sampling : Sampling or None
        How the credits were sampled; None when they were not.
    noise : float or None
        How far v(N) moved when it was asked a second time; None where it was not.

    Raises
    ------
    ValueError
        The arrays or the interactions do not fit the names, or a number is not finite.

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
    std_error: Values | None = None
    interactions: Interactions | None = None
    sampling: Sampling | None = None
    noise: float | None = None

    def __post_init__(self) -> None:
        for what, numbers in (("values", self.values), ("std_error", self.std_error)):
            if numbers is None:
                continue
            if numbers.shape != (len(self.names),):
                raise ValueError(
                    f"{what} must hold one number for each of the {len(self.names)} players, "
                    f"got shape {numbers.shape}"
                )
            finite = np.isfinite(numbers)
            if not finite.all():
                worst = int(np.argmin(finite))
                raise ValueError(
                    f"{what} must be finite, got {numbers[worst]} for {self.names[worst]!r}"
                )
        if not np.isfinite([self.baseline, self.total]).all():
            raise ValueError(
                f"baseline and total must be finite, got {self.baseline} and {self.total}"
            )
        if self.std_error is not None and (self.std_error < 0).any():
            worst = int(np.argmin(self.std_error))
            raise ValueError(
                f"std_error must not be negative, got {self.std_error[worst]} for "
                f"{self.names[worst]!r}"
            )
        if self.interactions is not None and self.interactions.names != self.names:
            raise ValueError(
                f"interactions must be of the same players, {self.names}, got those of "
                f"{self.interactions.names}"
            )

    @property
    def exact(self) -> bool:
        """Whether the credits are exact, not estimated."""
        return self.std_error is None and self.sampling is None

    def confidence_interval(self, level: float = 0.95) -> Values:
        """Return the lower and the upper end of an interval for each credit, ``(n, 2)``.

        The intervals are Student's, each for its own player. Exact credits are their own ends.

        Raises
        ------
        ValueError
            The level is not between 0 and 1, or the sample was too small to tell the error.

        Examples
        --------
        >>> import owen_core as oc
        >>> a = oc.attribute(lambda s: np.sqrt(s.sum(axis=1)) * s[:, 7], 50, budget=1000, rng=0)
        >>> low, high = a.confidence_interval(0.99)[7]
        >>> print(f"{low:.2f} to {high:.2f}")
        4.77 to 4.84
        """
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, got {level}")
        if self.exact:
            return np.stack([self.values, self.values], axis=1)
        if self.std_error is None:
            raise ValueError("the sample was too small to tell its error; raise the budget")
        if self.sampling is not None:
            freedom = self.sampling.degrees_of_freedom
        else:  # the difference of two answers is one observation of the noise
            freedom = math.inf if self.noise is None else 1.0
        half = t_quantile((1 + level) / 2, freedom) * self.std_error
        return np.stack([self.values - half, self.values + half], axis=1)

    @property
    def residual(self) -> float:
        """What the credits leave undistributed: ``total - baseline - values.sum()``."""
        return self.total - self.baseline - float(self.values.sum())

    @property
    def leaves_residual(self) -> bool:
        """Whether the residual is more than rounding."""
        size = abs(self.total) + abs(self.baseline) + float(np.abs(self.values).sum())
        return abs(self.residual) > ROUNDING * size

    @property
    def summary(self) -> str:
        """One line: the concept, whether it is exact, the values it shares out, and their cost."""
        quality = "exact" if self.exact else "estimated"
        if self.sampling is not None:
            quality += f" ({self.sampling.estimator})"
        line = f"{self.concept}, {quality}; v(N) = {self.total:g}, v(empty) = {self.baseline:g}"
        if self.noise:
            line += f", {self.noise:g} off when asked again"
        if self.cost is not None:
            line += f"; {self.cost.new} evaluations, {self.cost.cached} cached"
        return line

    @property
    def plot(self) -> Plots:
        """Plots: ``a.plot.waterfall()``, ``.bars()``, ``.text()`` and ``.triangle()``."""
        return Plots(self)

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
        lines = [f"{name:<{width}}  {credit:+z.6g}" for name, credit in self]
        if self.std_error is not None:
            lines = [
                f"{line} ± {error:.2g}" for line, error in zip(lines, self.std_error, strict=True)
            ]
        lines.append(f"{'sum':<{width}}  {self.values.sum():+.6g}")
        if self.leaves_residual:
            lines.append(f"{'residual':<{width}}  {self.residual:+.6g}")
        lines.append(self.summary)
        if self.interactions is not None:
            lines.append(self.interactions.summary)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html_table(self)

    def to_rows(self) -> list[dict[str, str | float]]:
        """Return one row per player, for a data frame: ``pandas.DataFrame(a.to_rows())``.

        Returns
        -------
        list of dict
            ``player``; ``credit``; ``std_error``, 0 for exact credits; ``share``, the credit as a
            fraction of v(N) - v(empty), NaN where that is 0.

        Examples
        --------
        >>> import owen_core as oc
        >>> oc.from_table([0, 1, 2, 4], names=["a", "b"]).to_rows()[0]
        {'player': 'a', 'credit': 1.5, 'std_error': 0.0, 'share': 0.375}
        """
        whole = self.total - self.baseline
        errors = [0.0] * len(self) if self.std_error is None else self.std_error.tolist()
        return [
            {
                "player": name,
                "credit": credit,
                "std_error": error,
                "share": credit / whole if whole else float("nan"),
            }
            for (name, credit), error in zip(self, errors, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the attribution as plain data, ready for JSON; see :mod:`owen_core.saved`."""
        return saved.to_dict(self)

    @classmethod
    def from_dict(cls, data: Any) -> Attribution:
        """Return the attribution that :meth:`to_dict` described; ValueError if it does not."""
        return cls(**saved.fields(data))

    def save(self, path: str | FilePath) -> None:
        """Write the attribution to a JSON file, which appears whole or not at all."""
        json_file.write(self.to_dict(), FilePath(path))

    @classmethod
    def load(cls, path: str | FilePath) -> Attribution:
        """Read an attribution that :meth:`save` wrote.

        Raises
        ------
        ValueError
            The file is not whole, of another format, or its numbers do not fit together.
        """
        try:
            return cls.from_dict(json_file.read(FilePath(path)))
        except ValueError as error:
            raise ValueError(f"{path} holds no attribution: {error}") from error

    def to_shap(self) -> Explanation:
        """Return a ``shap.Explanation``; see :func:`owen_core.interop.to_shap`."""
        return interop.to_shap(self)

    def to_shapiq(self) -> InteractionValues:
        """Return ``shapiq.InteractionValues``; see :func:`owen_core.interop.to_shapiq`."""
        return interop.to_shapiq(self)

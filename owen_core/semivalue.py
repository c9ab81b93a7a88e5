"""Semivalues: how much a marginal contribution counts, by the size of the coalition it joins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from owen_core import _core
from owen_core.game import Values


@dataclass(frozen=True, slots=True)
class Semivalue:
    """A weighted mean of marginal contributions, with weights that depend on size alone.

    Attributes
    ----------
    name : str
        What the attribution calls it.
    weights : callable
        ``weights(n)`` gives ``(n,)`` weights: entry s is the weight of each coalition of s of the
        other n - 1 players.
    efficient : bool
        Whether the credits always sum to v(N) - v(empty); only for the Shapley value.

    Examples
    --------
    Each player's gain over nothing, and over everyone else:

    >>> import owen_core as oc
    >>> alone = oc.Semivalue("alone", lambda n: [1.0] + [0.0] * (n - 1))
    >>> last = oc.Semivalue("leave-one-out", lambda n: [0.0] * (n - 1) + [1.0])
    >>> both = lambda coalitions: coalitions.any(axis=1)
    >>> oc.attribute(both, 2, alone).values, oc.attribute(both, 2, last).values
    (array([1., 1.]), array([0., 0.]))
    """

    name: str
    weights: Callable[[int], ArrayLike]
    efficient: bool = False

    def __post_init__(self) -> None:
        if self.name in ("shapley", "banzhaf") and self.weights not in _BUILT_IN:
            raise ValueError(
                f"{self.name!r} is a concept of its own; give the semivalue a new name"
            )

    def checked_weights(self, n: int) -> Values:
        """Return the weights for ``n`` players, which must be ``n`` finite numbers."""
        weights = np.ascontiguousarray(self.weights(n), dtype=np.float64)
        if weights.shape != (n,) or not np.isfinite(weights).all():
            raise ValueError(
                f"the weights of {self.name!r} for {n} players must be {n} finite numbers, one per "
                f"coalition size from 0 to {n - 1}; got {weights}"
            )
        return weights


def _banzhaf_weights(n: int) -> Values:
    return np.full(n, math.ldexp(1.0, 1 - n))


_BUILT_IN = (_core.shapley_weights, _banzhaf_weights)
SHAPLEY = Semivalue("shapley", _core.shapley_weights, efficient=True)
BANZHAF = Semivalue("banzhaf", _banzhaf_weights)


def beta_shapley(alpha: float, beta: float) -> Semivalue:
    """Return the Beta(alpha, beta)-Shapley value (Kwon & Zou 2022).

    A coalition of s players has the weight ``B(s + beta, n - 1 - s + alpha) / B(alpha, beta)``.
    ``alpha = beta = 1`` is the Shapley value; a larger alpha stresses small coalitions.

    Examples
    --------
    >>> import owen_core as oc
    >>> table = [0, 0, 0, 1]
    >>> oc.from_table(table, oc.beta_shapley(1, 1)).values, oc.from_table(table).values
    (array([0.5, 0.5]), array([0.5, 0.5]))
    """
    if not (alpha > 0 and beta > 0 and math.isfinite(alpha) and math.isfinite(beta)):
        raise ValueError(f"alpha and beta must be positive, got {alpha} and {beta}")

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    def weights(n: int) -> list[float]:
        scale = log_beta(alpha, beta)
        return [math.exp(log_beta(s + beta, n - 1 - s + alpha) - scale) for s in range(n)]

    return Semivalue(f"beta-shapley({alpha:g}, {beta:g})", weights, efficient=alpha == beta == 1)

"""Random games for property tests, with values that floats hold exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

SCALE = 64  # values are multiples of 1/64, so sums of a few are exact


def tables(min_players: int = 1, max_players: int = 6) -> st.SearchStrategy[NDArray[np.float64]]:
    """Tables of all 2**n values, bit i of the index = player i."""
    value = st.integers(-640, 640).map(lambda k: k / SCALE)
    return st.integers(min_players, max_players).flatmap(
        lambda n: st.lists(value, min_size=1 << n, max_size=1 << n).map(np.array)
    )


def players_of(table: NDArray[np.float64]) -> int:
    return int(table.size).bit_length() - 1


def as_value(table: NDArray[np.float64]):
    """The table as a value function of (m, n) bool coalitions."""
    powers = 1 << np.arange(players_of(table))
    return lambda coalitions: table[coalitions @ powers]


def as_exact(table: NDArray[np.float64]):
    """The table as an exact function of sets, for the reference."""
    return lambda coalition: Fraction(float(table[sum(1 << i for i in coalition)]))

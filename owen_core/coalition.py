"""Coalitions as rows of booleans, and packed into 64-bit words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from owen_core import _core

Coalitions = NDArray[np.bool_]
Packed = NDArray[np.uint64]


def pack(coalitions: Coalitions) -> Packed:
    """Return ``(m, n) bool`` coalitions as rows of 64-bit words; bit i is player i.

    Examples
    --------
    >>> import numpy as np
    >>> pack(np.array([[True, False, True]]))
    array([[5]], dtype=uint64)
    """
    return _core.pack(np.ascontiguousarray(coalitions))


def unpack(packed: Packed, n: int) -> Coalitions:
    """Return rows of 64-bit words as ``(m, n) bool`` coalitions.

    Examples
    --------
    >>> import numpy as np
    >>> unpack(np.array([[5]], dtype=np.uint64), 3)
    array([[ True, False,  True]])
    """
    return _core.unpack(np.ascontiguousarray(packed), n)


def words(n: int) -> int:
    """Return how many 64-bit words a coalition of ``n`` players takes."""
    return (n + 63) // 64


def as_coalitions(rows: Any, n: int) -> Coalitions:
    """Return rows that are coalitions of ``n`` players, ``(m, n) bool``, contiguous in memory.

    Raises
    ------
    ValueError
        They have another shape or type.
    """
    return _contiguous(rows, np.dtype(np.bool_), n)


def as_packed(rows: Any, n: int) -> Packed:
    """Return rows that are packed coalitions of ``n`` players, contiguous in memory.

    Raises
    ------
    ValueError
        They have another shape than ``(m, ceil(n / 64))``, or another type than ``uint64``.
    """
    if _core.are_packed(rows, n):  # thrice as fast as asking here
        return rows
    return _contiguous(rows, np.dtype(np.uint64), words(n))


def _contiguous(rows: Any, dtype: np.dtype[Any], length: int) -> NDArray[Any]:
    found = np.asarray(rows)
    if found.dtype != dtype or found.ndim != 2 or found.shape[1] != length:
        raise ValueError(
            f"coalitions come as an array (m, {length}) of {dtype}, got {found.shape} of "
            f"{found.dtype}; convert them first"
        )
    return np.ascontiguousarray(found)

"""Coalitions as rows of booleans, and packed into 64-bit words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Coalitions = NDArray[np.bool_]
Packed = NDArray[np.uint64]


def pack(coalitions: Coalitions) -> Packed:
    """Return ``(m, n) bool`` coalitions as rows of 64-bit words; bit i is player i."""
    m, n = coalitions.shape
    packed = np.zeros((m, words(n) * 8), dtype=np.uint8)
    octets = np.packbits(coalitions, axis=1, bitorder="little")
    packed[:, : octets.shape[1]] = octets
    return packed.view("<u8").astype(np.uint64, copy=False)


def unpack(packed: Packed, n: int) -> Coalitions:
    """Return rows of 64-bit words as ``(m, n) bool`` coalitions."""
    octets = np.ascontiguousarray(packed).astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=n, bitorder="little").view(np.bool_)


def words(n: int) -> int:
    """Return how many 64-bit words a coalition of ``n`` players takes."""
    return (n + 63) // 64

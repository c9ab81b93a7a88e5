"""Vectors whose dot products are exact, so that a ranking does not depend on how it is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Products of two entries are multiples of 2**-50, and every partial sum over two unit vectors is
# below 2: it fits the 53 bits of a double. The grid is finer than single precision.
GRID = 2.0**25


def unit_vectors(vectors: ArrayLike) -> NDArray[np.float64]:
    """Return vectors of length 1, ``(m, d)``, on a grid on which their dot products are exact.

    Any order of summation gives the same bits, hence any batch size, BLAS, or number of threads.
    A zero vector stays one.

    Examples
    --------
    >>> unit_vectors([[3, 4], [0, 0]]).round(6)
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.rint(vectors / np.where(lengths > 0, lengths, 1) * GRID) / GRID)

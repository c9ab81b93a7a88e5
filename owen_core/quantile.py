"""Quantiles of Student's t distribution, for confidence intervals."""

from __future__ import annotations

import math
from statistics import NormalDist

LARGE = 1e8  # degrees of freedom that make no difference to the normal distribution


def t_quantile(probability: float, degrees_of_freedom: float) -> float:
    """Return the quantile of Student's t distribution.

    Parameters
    ----------
    probability : float
        Between 0 and 1.
    degrees_of_freedom : float
        At least 1; infinite for the normal distribution.

    Notes
    -----
    Hill (1970), Algorithm 396: Student's t-quantiles. Within 1e-5, relatively, of the truth.

    Examples
    --------
    >>> print(f"{t_quantile(0.975, 10):.3f}")
    2.228
    """
    if probability < 0.5:
        return -t_quantile(1 - probability, degrees_of_freedom)
    n = degrees_of_freedom
    if n > LARGE:
        return NormalDist().inv_cdf(probability)
    tails = 2 * (1 - probability)
    if n == 1:
        return math.tan(math.pi / 2 * (1 - tails))
    if n == 2:
        return math.sqrt(2 / (tails * (2 - tails)) - 2)
    a = 1 / (n - 0.5)
    b = (48 / a) / a
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * tails) ** (2 / n)
    if y > 0.05 + a:
        x = NormalDist().inv_cdf(tails / 2)
        y = x * x
        if n < 5:
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = (
            (1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1
        ) * ((n + 1) / (n + 2)) + 1 / y
    return math.sqrt(n * y)

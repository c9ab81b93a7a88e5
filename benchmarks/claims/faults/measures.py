"""How advantages, updates and credits with a fault differ from those without: sums of a batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

from benchmarks.claims.credit_quality.measures import NOTHING, Parts, within
from ospo.credit import TokenCredit


def of_tokens(right: Tensor, wrong: Tensor, mask: Tensor) -> Parts:
    """Return how advantages with a fault differ from those without.

    Parameters
    ----------
    right, wrong, mask : Tensor
        ``(B, T)``

    Returns
    -------
    dict
        Over completions that have advantages. ``touched``: those in which anything changed;
        ``cosine`` over all tokens; ``within``: correlation inside completions; ``size``: square of
        the ratio of lengths; ``blame``: the sum of what is below 0, as a ratio; ``sign``: tokens
        whose sign changed, mostly to nothing; ``order``: pairs of tokens of a completion, one of
        which has more, that stand otherwise.
    """
    sums: dict[str, list[Any]] = defaultdict(list)
    for a, b, own in zip(right.numpy(), wrong.numpy(), mask.bool().numpy(), strict=True):
        x, y = a[own].round(NOTHING), b[own].round(NOTHING)
        if not x.any():
            continue
        one, other = np.triu_indices(len(x), 1)
        before, after = np.sign(x[one] - x[other]), np.sign(y[one] - y[other])
        sums["touched"].append((not np.allclose(x, y), 1))
        sums["cosine"].append((x @ y, x @ x, y @ y))
        sums["within"].append(within(x, y))
        sums["size"].append((y @ y, x @ x))
        sums["blame"].append((-y[y < 0].sum(), -x[x < 0].sum()))
        sums["sign"].append(((np.sign(x) != np.sign(y))[x != 0].sum(), (x != 0).sum()))
        sums["order"].append(((before != after)[before != 0].sum(), (before != 0).sum()))
    return _added(sums)


def of_updates(right: Tensor, wrong: Tensor) -> Parts:
    """Return the cosine of two updates, and the square of the ratio of their lengths."""
    dot, ours, theirs = (float(a @ b) for a, b in ((right, wrong), (right, right), (wrong, wrong)))
    return {"update": (dot, ours, theirs), "update_size": (theirs, ours)}


def of_credits(
    right: Mapping[int, TokenCredit],
    wrong: Mapping[int, TokenCredit],
    exact: Mapping[int, TokenCredit],
) -> Parts:
    """Return how credits of completions with a fault differ from those without.

    Returns
    -------
    dict
        ``changed``: completions in which anything did; ``corrected``, ``shapley``: correlation of
        the credit inside completions with that without the fault, and with the exact Shapley value;
        ``sum``: what the phrases share, of what there is to share.
    """
    sums: dict[str, list[Any]] = defaultdict(list)
    for row, without in right.items():
        if without.shares is not None:
            x, y, z = (found[row].segments for found in (right, wrong, exact))
            sums["changed"].append((not np.allclose(x, y), 1))
            sums["corrected"].append(within(x, y))
            sums["shapley"].append(within(y, z))
            sums["sum"].append((y.sum(), z.sum()))
    return _added(sums)


def _added(sums: Mapping[str, list[Any]]) -> Parts:
    return {name: tuple(np.sum(its, axis=0, dtype=float).tolist()) for name, its in sums.items()}

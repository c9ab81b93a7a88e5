"""Plans over the coalitions that unions admit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from owen_core import _core
from owen_core.coalition import Coalitions, unpack, words
from owen_core.game import Values
from owen_core.plan import Plan, TooLargeError
from owen_core.structure import Tree

MAX_BYTES = 2 << 30  # of the list of coalitions

# Weights among unions, and among the players of a union.
WEIGHTS = {
    "owen": ("shapley", "shapley"),
    "banzhaf-owen": ("banzhaf", "banzhaf"),
    "symmetric-banzhaf": ("banzhaf", "shapley"),
}


def tree_plan(names: Sequence[str], tree: Tree, concept: str) -> Plan:
    """Return the plan of a value with unions."""
    n = len(names)
    among, within = WEIGHTS[concept]
    if among != within and not tree.flat:
        raise ValueError(f"{concept!r} is defined for unions, not for unions of unions: {tree}")
    if len(tree.parts) == 1:
        among = within  # one union: there is nothing among unions to share
    root = tree.resolve(names)
    try:
        compiled = _core.Tree(root, n)
    except ValueError as error:
        raise TooLargeError(str(error)) from None
    memory = len(compiled) * words(n) * 8
    if memory > MAX_BYTES:
        raise TooLargeError(
            f"the {len(compiled)} coalitions of {n} players in these unions take "
            f"{memory / 2**30:.1f} GiB, and the limit is {MAX_BYTES >> 30}; use smaller unions, or "
            "more levels of them"
        )
    packed = compiled.rows()

    def rows(start: int, stop: int) -> Coalitions:
        return unpack(packed[start:stop], n)

    def combine(values: Values) -> Values:
        return np.asarray(compiled.combine(values, among, within))

    return Plan(n, concept, len(compiled), rows, combine, efficient=concept == "owen")

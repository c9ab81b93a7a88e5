"""Plans over every coalition."""

from __future__ import annotations

import numpy as np

from owen_core import _core
from owen_core.coalition import Coalitions, unpack
from owen_core.game import Values
from owen_core.plan import Plan, TooLargeError
from owen_core.semivalue import Semivalue

MAX_PLAYERS = 26  # a table of 2**26 values is 512 MiB


def table_plan(n: int, semivalue: Semivalue) -> Plan:
    """Return the plan of a semivalue: all 2**n coalitions, bit i of the row number = player i."""
    if n > MAX_PLAYERS:
        raise TooLargeError(
            f"exact {semivalue.name} values of {n} players take 2**{n} evaluations and the limit "
            f"is {MAX_PLAYERS} players; if the players stand in a line, concept='myerson' takes "
            f"{n * (n + 1) // 2 + 1} evaluations"
        )
    weights = semivalue.checked_weights(n)

    def rows(start: int, stop: int) -> Coalitions:
        return unpack(np.arange(start, stop, dtype=np.uint64)[:, None], n)

    def combine(values: Values) -> Values:
        return _core.fold_table(values, weights)

    return Plan(n, semivalue.name, 1 << n, rows, combine, semivalue.efficient)

"""The saved form of an attribution: JSON, versioned, checked when it is read.

====================  ============================================================
key                   value
====================  ============================================================
``format``            1, the version of this form
``values``            credits, a list of n finite numbers
``names``             the players, a list of n strings
``baseline, total``   v(empty) and v(N), finite numbers
``concept``           the solution concept, a string
``structure``         the coalition structure in words, or null
``cost``              null, or ``asked, cached, new, calls`` and ``seconds``
``std_error``         null when exact, or a list of n finite numbers
``interactions``      null, or the saved form of :class:`Interactions`
``sampling``          null, or ``estimator, reason``, ``seed, units`` and
                      ``degrees_of_freedom``
``noise``             null, or a number
====================  ============================================================

Numbers are written with all their digits, so every bit comes back.
"""

from __future__ import annotations

from dataclasses import asdict
from dataclasses import fields as fields_of
from typing import TYPE_CHECKING, Any

import numpy as np

from owen_core.interaction_values import Interactions, saved_cost
from owen_core.json_file import check_keys, is_integer, number, numbers, refuse, string, strings
from owen_core.sampling import Sampling

if TYPE_CHECKING:
    from owen_core.attribution import Attribution

FORMAT = 1
KEYS = (
    "format",
    "values",
    "names",
    "baseline",
    "total",
    "concept",
    "structure",
    "cost",
    "std_error",
    "interactions",
    "sampling",
    "noise",
)


def to_dict(a: Attribution) -> dict[str, Any]:
    """Return an attribution in its saved form."""
    return {
        "format": FORMAT,
        "values": a.values.tolist(),
        "names": list(a.names),
        "baseline": a.baseline,
        "total": a.total,
        "concept": a.concept,
        "structure": a.structure,
        "cost": None if a.cost is None else asdict(a.cost),
        "std_error": None if a.std_error is None else a.std_error.tolist(),
        "interactions": None if a.interactions is None else a.interactions.to_dict(),
        "sampling": None if a.sampling is None else asdict(a.sampling),
        "noise": a.noise,
    }


def fields(data: Any) -> dict[str, Any]:
    """Return the fields of the attribution that a saved form describes.

    Raises
    ------
    ValueError
        Another format, keys missing or unknown, or a value of the wrong kind.
    """
    check_keys(data, "attributions", FORMAT, KEYS)
    joint = data["interactions"]
    return {
        "values": np.array(numbers(data, "values")),
        "names": strings(data, "names"),
        "baseline": number(data, "baseline"),
        "total": number(data, "total"),
        "concept": string(data, "concept"),
        "structure": None if data["structure"] is None else string(data, "structure"),
        "cost": saved_cost(data),
        "std_error": None if data["std_error"] is None else np.array(numbers(data, "std_error")),
        "interactions": None if joint is None else Interactions.from_dict(joint),
        "sampling": None if data["sampling"] is None else _sampling(data["sampling"]),
        "noise": None if data["noise"] is None else number(data, "noise"),
    }


def _sampling(data: Any) -> Sampling:
    keys = [field.name for field in fields_of(Sampling)]
    if not (isinstance(data, dict) and data.keys() == set(keys)):
        refuse("sampling", f"null or {', '.join(keys)}", data)
    for key in ("seed", "units"):
        if not is_integer(data[key]):
            refuse(key, "a whole number", data[key])
    return Sampling(
        string(data, "estimator"),
        string(data, "reason"),
        data["seed"],
        data["units"],
        number(data, "degrees_of_freedom"),
    )

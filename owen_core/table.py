"""Games given by the table of all their values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from owen_core.attribution import Attribution
from owen_core.concepts import CONCEPTS, plan
from owen_core.game import ValueFunctionError, Values, player_names
from owen_core.pairs import with_pairs
from owen_core.semivalue import Semivalue
from owen_core.structure import Structure


def from_table(
    table: ArrayLike,
    concept: str | Semivalue = "auto",
    structure: Structure | None = None,
    *,
    names: Sequence[str] | None = None,
    interactions: bool = False,
) -> Attribution:
    """Attribute a game that is given by the table of all its values.

    Parameters
    ----------
    table : array_like
        ``(2**n,)`` values; bit i of the index says whether player i is in the coalition.
    concept : str or Semivalue
        The solution concept, as for :func:`attribute`.
    structure : Structure, optional
        The coalition structure, as for :func:`attribute`.
    names : sequence of str, optional
        The players' names.
    interactions : bool
        Whether to return pair interactions too, as for :func:`attribute`.

    Raises
    ------
    ValueError
        The length is not a power of two, an entry is not finite, or the names do not fit.

    Examples
    --------
    >>> import owen_core as oc
    >>> oc.from_table([0, 0, 0, 1]).values  # both players are needed
    array([0.5, 0.5])
    >>> oc.from_table([0, 0, 0, 1], interactions=True).interactions[0, 1]
    1.0
    """
    entries, labels = checked_table(table, names)
    wanted = plan(labels, concept=concept, structure=structure)
    tabular = takes_table(concept if isinstance(concept, Semivalue) else wanted.concept)
    read = None
    if interactions:
        wanted, read = with_pairs(wanted, labels, structure, every_coalition=tabular)
    if not tabular:
        entries = entries[wanted.coalitions @ (1 << np.arange(len(labels)))]
    return Attribution(
        wanted.combine(entries),
        labels,
        float(entries[0]),
        float(entries[-1]),
        wanted.concept,
        None if structure is None else str(structure),
        interactions=None if read is None else read(entries, None),
    )


def checked_table(table: ArrayLike, names: Sequence[str] | None) -> tuple[Values, tuple[str, ...]]:
    """Return the values of all coalitions, and the names of the players that they are made of.

    Raises
    ------
    ValueError
        The length is not a power of two, an entry is not finite, or the names do not fit.
    """
    entries = np.ascontiguousarray(table, dtype=np.float64)
    n = entries.size.bit_length() - 1
    if entries.ndim != 1 or n < 1 or entries.size != 1 << n:
        raise ValueError(
            f"a table has 2**n values for n >= 1 players, got an array of shape {entries.shape}"
        )
    labels = player_names(n if names is None else names)
    if len(labels) != n:
        raise ValueError(
            f"a table of {entries.size} values has {n} players, got {len(labels)} names"
        )
    finite = np.isfinite(entries)
    if not finite.all():
        worst = int(np.argmin(finite))
        members = tuple(name for i, name in enumerate(labels) if worst >> i & 1)
        raise ValueFunctionError(
            f"the table holds {entries[worst]} for the coalition {{{', '.join(members)}}}; "
            "every coalition needs a finite value",
            members,
        )
    return entries, labels


def takes_table(concept: str | Semivalue) -> bool:
    """Whether a concept takes the values of all coalitions, and no structure."""
    return isinstance(concept, Semivalue) or (
        concept in CONCEPTS and not CONCEPTS[concept].structures
    )

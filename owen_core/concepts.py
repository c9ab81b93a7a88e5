"""Solution concepts: what each one is, and the plan that computes it exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from owen_core.game import player_names
from owen_core.plan import Plan
from owen_core.plans.interval import ends_plan, window_plan
from owen_core.plans.sparse import graph_plan, neighbourhood_plan
from owen_core.plans.table import table_plan
from owen_core.plans.tree import tree_plan
from owen_core.semivalue import BANZHAF, SHAPLEY, Semivalue
from owen_core.structure import Graph, Neighbourhoods, Path, Structure, Tree, path


@dataclass(frozen=True, slots=True)
class Concept:
    """A solution concept of cooperative game theory.

    Attributes
    ----------
    name, meaning, reference : str
        What it is called, what it says of a player, and where it comes from.
    structures : tuple of type
        The coalition structures that it is defined for; none for concepts of the bare game.
    plan : callable
        ``plan(names, structure)`` lists the coalitions that it needs.
    """

    name: str
    meaning: str
    reference: str
    structures: tuple[type, ...]
    plan: Callable[[Sequence[str], Any], Plan]


def _bare(semivalue: Semivalue) -> Callable[[Sequence[str], Any], Plan]:
    return lambda names, _: table_plan(len(names), semivalue)


def _in_line(
    make: Callable[[Path, str], Plan], concept: str
) -> Callable[[Sequence[str], Path | None], Plan]:
    return lambda names, line: make(line or path(len(names)), concept)


def _in_unions(concept: str) -> Callable[[Sequence[str], Tree], Plan]:
    return lambda names, tree: tree_plan(names, tree, concept)


def _myerson(names: Sequence[str], structure: Path | Graph | None) -> Plan:
    if isinstance(structure, Graph):
        return graph_plan(structure)
    return window_plan(structure or path(len(names)), "myerson")


def _nearby(concept: str) -> Callable[[Sequence[str], Neighbourhoods], Plan]:
    return lambda _, line: neighbourhood_plan(line, concept)


CONCEPTS = {
    concept.name: concept
    for concept in [
        Concept(
            "shapley",
            "mean marginal contribution over all orders of the players",
            "Shapley (1953), A value for n-person games",
            (),
            _bare(SHAPLEY),
        ),
        Concept(
            "banzhaf",
            "mean marginal contribution over all coalitions of the others",
            "Banzhaf (1965), Weighted voting doesn't work",
            (),
            _bare(BANZHAF),
        ),
        Concept(
            "owen",
            "mean marginal contribution over the orders that keep every union together",
            "Owen (1977), Values of games with a priori unions; nested: Winter (1989)",
            (Tree,),
            _in_unions("owen"),
        ),
        Concept(
            "banzhaf-owen",
            "Banzhaf value among unions and inside each",
            "Owen (1982), Modification of the Banzhaf-Coleman index for games with a priori unions",
            (Tree,),
            _in_unions("banzhaf-owen"),
        ),
        Concept(
            "symmetric-banzhaf",
            "Banzhaf value among unions, shared inside each by the Shapley value",
            "Alonso-Meijide & Fiestras-Janeiro (2002), Modification of the Banzhaf value for games "
            "with a coalition structure",
            (Tree,),
            _in_unions("symmetric-banzhaf"),
        ),
        Concept(
            "growth",
            "mean marginal contribution over random orders whose every prefix is an interval",
            "this project; see the theory pages",
            (Path,),
            _in_line(window_plan, "growth"),
        ),
        Concept(
            "myerson",
            "Shapley value of the game in which a coalition is worth the sum of its components",
            "Myerson (1977), Graphs and cooperation in games",
            (Path, Graph),
            _myerson,
        ),
        Concept(
            "average-tree",
            "mean, over all players as root, of what a player adds to those behind it",
            "Herings, van der Laan & Talman (2008), The average tree solution for cycle-free graph "
            "games",
            (Path,),
            _in_line(ends_plan, "average-tree"),
        ),
        Concept(
            "ends",
            "mean marginal contribution in reading order and in reverse",
            "Shapley value restricted to two orders",
            (Path,),
            _in_line(ends_plan, "ends"),
        ),
        Concept(
            "windows",
            "Shapley weights on the marginal contributions between neighbouring intervals",
            "OSPO (arXiv 2601.08403)",
            (Path,),
            _in_line(window_plan, "windows"),
        ),
        Concept(
            "l-shapley",
            "Shapley value of each player in the game of its neighbourhood",
            "Chen, Song, Wainwright & Jordan (2019), L-Shapley and C-Shapley",
            (Neighbourhoods,),
            _nearby("l-shapley"),
        ),
        Concept(
            "c-shapley",
            "marginal contributions to the connected coalitions of each player's neighbourhood",
            "Chen, Song, Wainwright & Jordan (2019), L-Shapley and C-Shapley",
            (Neighbourhoods,),
            _nearby("c-shapley"),
        ),
    ]
}


def default_concept(structure: Structure | None) -> str:
    """Return what ``concept="auto"`` means for a structure."""
    if isinstance(structure, Tree):
        return "owen"
    if isinstance(structure, Neighbourhoods):
        return "l-shapley"
    return "shapley" if structure is None else "myerson"


def plan(
    players: int | Sequence[str],
    *,
    concept: str | Semivalue = "auto",
    structure: Structure | None = None,
) -> Plan:
    """List the distinct coalitions that a concept needs, before any of them is paid for.

    Parameters
    ----------
    players : int or sequence of str
        How many players there are, or their names.
    concept : str or Semivalue
        One of :data:`CONCEPTS`, a semivalue, or ``auto``: Shapley, with unions Owen, on a path or
        graph Myerson, with neighbourhoods L-Shapley.
    structure : Structure, optional
        From :func:`unions`, :func:`nested`, :func:`contiguous`, :func:`path`, :func:`graph` or
        :func:`neighbourhoods`.

    Returns
    -------
    Plan
        The empty coalition is its first row and the grand coalition its last.

    Raises
    ------
    ValueError
        Unknown concept, a structure that does not fit, or too many players for an exact value.

    Examples
    --------
    >>> import owen_core as oc
    >>> len(oc.plan(10)), len(oc.plan(10, structure=oc.path(10)))
    (1024, 56)
    >>> len(oc.plan(24, structure=oc.unions(*(range(k, k + 4) for k in range(0, 24, 4)))))
    2752
    """
    names = player_names(players)
    if concept == "auto":
        concept = default_concept(structure)
    if isinstance(concept, Semivalue):
        if structure is not None:
            raise ValueError(f"the semivalue {concept.name!r} takes no structure, got {structure}")
        return table_plan(len(names), concept)
    if concept not in CONCEPTS:
        raise ValueError(f"concept must be one of {', '.join(CONCEPTS)}, got {concept!r}")
    chosen = CONCEPTS[concept]
    if structure is None and chosen.structures and Path not in chosen.structures:
        needed = " or ".join(kind.__name__.lower() for kind in chosen.structures)
        raise ValueError(f"concept {concept!r} needs a structure ({needed}) of the players")
    if structure is not None:
        if not isinstance(structure, chosen.structures):
            raise ValueError(f"concept {concept!r} is not defined for a structure: {structure}")
        if not isinstance(structure, Tree) and structure.n != len(names):
            raise ValueError(f"the structure has {structure.n} players, the game {len(names)}")
    return chosen.plan(names, structure)

"""Exact credit attribution for any black box: Shapley, Owen, Banzhaf, Myerson and their kin."""

from owen_core import games, plots
from owen_core.attribute import attribute, from_table
from owen_core.attribution import Attribution
from owen_core.cache import MemoryStore
from owen_core.concepts import CONCEPTS, Concept, plan
from owen_core.evaluate import Cost
from owen_core.game import Game, ValueFunctionError
from owen_core.interaction_index import INDICES, InteractionIndex
from owen_core.interaction_values import Interactions
from owen_core.interactions import interactions, interactions_from_table
from owen_core.plan import Plan
from owen_core.semivalue import Semivalue, beta_shapley
from owen_core.structure import (
    Graph,
    Neighbourhoods,
    Path,
    Tree,
    contiguous,
    from_boundaries,
    from_linkage,
    graph,
    neighbourhoods,
    nested,
    path,
    unions,
)
from owen_core.union_interactions import union_interactions

__all__ = [
    "CONCEPTS",
    "INDICES",
    "Attribution",
    "Concept",
    "Cost",
    "Game",
    "Graph",
    "InteractionIndex",
    "Interactions",
    "MemoryStore",
    "Neighbourhoods",
    "Path",
    "Plan",
    "Semivalue",
    "Tree",
    "ValueFunctionError",
    "attribute",
    "beta_shapley",
    "contiguous",
    "from_boundaries",
    "from_linkage",
    "from_table",
    "games",
    "graph",
    "interactions",
    "interactions_from_table",
    "neighbourhoods",
    "nested",
    "path",
    "plan",
    "plots",
    "union_interactions",
    "unions",
]

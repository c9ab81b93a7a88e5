"""Exact credit attribution for any black box: Shapley, Owen, Banzhaf, Myerson and their kin."""

from owen_core import games, plots
from owen_core.asynchronous import attribute_async
from owen_core.attribute import attribute
from owen_core.attribution import Attribution
from owen_core.cache import MemoryStore, Statistics, Store
from owen_core.clusters import DaskExecutor, RayExecutor
from owen_core.compiled import CFUNC_SIGNATURE
from owen_core.concepts import CONCEPTS, Concept, plan
from owen_core.estimators import SAMPLERS, Estimator, Sampler
from owen_core.evaluate import Cost
from owen_core.executor import Cancelled, Executor
from owen_core.game import Game, ValueFunctionError
from owen_core.interaction_index import INDICES, InteractionIndex
from owen_core.interaction_values import Interactions
from owen_core.interactions import interactions, interactions_from_table
from owen_core.plan import Plan, TooLargeError
from owen_core.retry import Retry
from owen_core.sampling import Sampling
from owen_core.semivalue import Semivalue, beta_shapley
from owen_core.sqlite_store import Contents, SqliteStore
from owen_core.stopping import Budget, HalfWidth, Progress, Rank, Seconds, Stop
from owen_core.store_file import StoreError
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
from owen_core.table import from_table
from owen_core.union_interactions import union_interactions

__all__ = [
    "CFUNC_SIGNATURE",
    "CONCEPTS",
    "INDICES",
    "SAMPLERS",
    "Attribution",
    "Budget",
    "Cancelled",
    "Concept",
    "Contents",
    "Cost",
    "DaskExecutor",
    "Estimator",
    "Executor",
    "Game",
    "Graph",
    "HalfWidth",
    "InteractionIndex",
    "Interactions",
    "MemoryStore",
    "Neighbourhoods",
    "Path",
    "Plan",
    "Progress",
    "Rank",
    "RayExecutor",
    "Retry",
    "Sampler",
    "Sampling",
    "Seconds",
    "Semivalue",
    "SqliteStore",
    "Statistics",
    "Stop",
    "Store",
    "StoreError",
    "TooLargeError",
    "Tree",
    "ValueFunctionError",
    "attribute",
    "attribute_async",
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

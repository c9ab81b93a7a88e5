"""Credit attribution for any black box: exact Shapley values and values of games on a line."""

from owen_core.attribute import attribute, from_table
from owen_core.attribution import Attribution
from owen_core.cache import MemoryStore
from owen_core.concepts import CONCEPTS, Concept, plan
from owen_core.evaluate import Cost
from owen_core.game import Game, ValueFunctionError
from owen_core.plan import Plan
from owen_core.structure import Path, path

__all__ = [
    "CONCEPTS",
    "Attribution",
    "Concept",
    "Cost",
    "Game",
    "MemoryStore",
    "Path",
    "Plan",
    "ValueFunctionError",
    "attribute",
    "from_table",
    "path",
    "plan",
]

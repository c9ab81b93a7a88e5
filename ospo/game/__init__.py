"""Games of text: what segments are worth together, and how credit for them is asked and paid."""

from ospo.game.concepts import CONCEPTS, MARGINALS, SAMPLED, plan_of
from ospo.game.retrieval import RetrievalGame, TextValue
from ospo.game.together import Ask, Asker, Shares, asker, attribute_together, exact, value_together

__all__ = [
    "CONCEPTS",
    "MARGINALS",
    "SAMPLED",
    "Ask",
    "Asker",
    "RetrievalGame",
    "Shares",
    "TextValue",
    "asker",
    "attribute_together",
    "exact",
    "plan_of",
    "value_together",
]

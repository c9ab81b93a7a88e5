"""Advantages: sequence advantages spread over tokens by credit. Pure tensor code.

``RULES`` says what each rule is. Those that multiply A by weights keep the mean: over the credited
tokens of a completion the advantages average to A, so the update of the whole completion is as
strong as in GRPO and only its distribution changes. As the weights depend on the sampled
completion, this is not potential-based shaping and may change which policy is best. The linear
rules add credit to A; which of them are unbiased, and when, is said in their functions.
"""

from ospo.advantage.baselines import BASELINES
from ospo.advantage.credits import Credits
from ospo.advantage.linear import PrefixFit, annealed
from ospo.advantage.rules import RULES, Rule
from ospo.advantage.shaping import Shaping
from ospo.advantage.tokens import TokenAdvantages, token_advantages
from ospo.advantage.traces import traced
from ospo.credit import DELIMITER, OUTSIDE, SPECIAL

__all__ = [
    "BASELINES",
    "DELIMITER",
    "OUTSIDE",
    "RULES",
    "SPECIAL",
    "Credits",
    "PrefixFit",
    "Rule",
    "Shaping",
    "TokenAdvantages",
    "annealed",
    "token_advantages",
    "traced",
]

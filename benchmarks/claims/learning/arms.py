"""The arms: what each makes of credit, as settings of OSPOConfig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Linear rules take rewards less the mean of the group's others, never divided by their deviation.
# Shapley credit of many phrases is estimated from 64 values, which is exact up to six phrases.
LINEAR = {"scale_rewards": "none", "baseline": "leave-one-out"}
SHAPLEY = {"credit": "shapley", "credit_budget": 64}
PUBLISHED = {"paper": True, "paper_clip": True, "paper_faults": ["published"]}


@dataclass(frozen=True)
class Arm:
    """One way to train.

    Attributes
    ----------
    meaning : str
    settings : mapping
        Of :class:`ospo.train.OSPOConfig`.
    planted : bool
        Whether credit is of the planted truth in place of the reward.
    """

    meaning: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    planted: bool = False


ARMS = {
    "grpo": Arm("GRPO: no credit", {"rule": "uniform"}),
    "praise": Arm("Myerson credit shapes praise, blame is uniform", {"rule": "praise"}),
    "sign-aware": Arm("Myerson credit shapes praise, reversed blame", {"rule": "sign-aware"}),
    "anchored": Arm(
        "advantage plus centred Shapley plus centred leave-one-out credit",
        {"rule": "anchored", **LINEAR, **SHAPLEY},
    ),
    "additive": Arm(
        "advantage plus Shapley credit, annealed", {"rule": "additive", **LINEAR, **SHAPLEY}
    ),
    "prefix": Arm("advantage less what stood before, fitted", {"rule": "prefix", **LINEAR}),
    "paper-prop": Arm("PROP as published, clipped", {**PUBLISHED, "paper_mode": "prop"}),
    "paper-rank": Arm("RANK as published, clipped", {**PUBLISHED, "paper_mode": "rank"}),
    "corrected-prop": Arm("PROP without its faults", {"paper": True, "paper_mode": "prop"}),
    "corrected-rank": Arm("RANK without its faults", {"paper": True, "paper_mode": "rank"}),
    "placebo": Arm("praise, credits shuffled over phrases", {"rule": "praise", "placebo": True}),
    "oracle": Arm("praise, credits of the planted truth", {"rule": "praise"}, planted=True),
    "pruned": Arm(
        "GRPO on rollouts and the best parts of them", {"rule": "uniform", "prune": True}
    ),
    "pruned-praise": Arm("pruned, Myerson credit shapes praise", {"rule": "praise", "prune": True}),
    "pruned-sign-aware": Arm("pruned, and sign-aware", {"rule": "sign-aware", "prune": True}),
    "pruned-additive": Arm(
        "pruned, and additive", {"rule": "additive", "prune": True, **LINEAR, **SHAPLEY}
    ),
    "grpo-lambda": Arm("GRPO with eligibility traces", {"rule": "uniform", "grpo_lambda": 0.99}),
}

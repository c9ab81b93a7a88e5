"""The arms: what each makes of credit, as settings of OSPOConfig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ospo.advantage.paper import PaperFaults

# Linear rules take rewards less the mean of the group's others, never divided by their deviation.
# Shapley credit of many phrases is estimated from 64 values, which is exact up to six phrases.
LINEAR = {"scale_rewards": "none", "baseline": "leave-one-out"}
SHAPLEY = {"credit": "shapley", "credit_budget": 64}
CORRECTED = {"paper": True, "paper_mode": "prop"}
PUBLISHED = {"paper": True, "paper_clip": True, "paper_faults": ["published"]}
# Faults that only another mode than PROP has.
MODES = {"inverted_rank": "rank", "padded_rank": "rank", "weak_hybrid": "hybrid"}


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
    noise : float
        Standard deviation of what is added to what each text is worth in training.
    segmenter : str
        What cuts completions, as :func:`ospo.text.load.load_segmenter` names it. ``phrases`` cuts
        one phrase alone into its words, ``delimiters`` does not.
    repeats : bool
        Whether the retriever counts a term of the query as often as it is said.
    base : str
        The arm that it is compared with.
    """

    meaning: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    planted: bool = False
    noise: float = 0.0
    segmenter: str = "phrases"
    repeats: bool = False
    base: str = "grpo"


MAIN = {
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
    "corrected-prop": Arm("PROP without its faults", CORRECTED),
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

# Which effect is the credit's, and which the rule's.
RULES = ("praise", "sign-aware", "proportional")
CREDITS = ("myerson", "windows", "growth", "owen", "shapley", "leave-one-out", "solo")
CROSSED = {
    f"{rule}, {credit}": Arm(
        f"{rule} by {credit} credit",
        {"rule": rule, **(SHAPLEY if credit == "shapley" else {"credit": credit})},
    )
    for rule in RULES
    for credit in CREDITS
}
WIDTHS = {
    f"w_max {width}": Arm("PROP without its faults", {**CORRECTED, "max_width": width})
    for width in (1, 2, 4, 8, 12)
}
BUDGETS = {
    f"M {budget}": Arm("praise by Shapley credit", {**SHAPLEY, "credit_budget": budget})
    for budget in (8, 16, 32, 64, 128, 256)
}
FAULTS = {
    "corrected-hybrid": Arm("HYBRID without its faults", {"paper": True, "paper_mode": "hybrid"}),
} | {
    fault.name: Arm(
        "the published form with one fault",
        {"paper": True, "paper_clip": fault.name == "clamped", "paper_faults": [fault.name]}
        | {"paper_mode": MODES.get(fault.name, "prop")},
        base=f"corrected-{MODES.get(fault.name, 'prop')}",
    )
    for fault in fields(PaperFaults)
}
NOISY = {
    f"{name}, noise {noise}": replace(MAIN[name], noise=noise, base=f"grpo, noise {noise}")
    for noise in (0.1, 0.3)
    for name in ("grpo", "praise", "pruned-praise", "corrected-prop")
}
REPEATS = {
    f"{name}, repeats": replace(MAIN[name], repeats=True, base="grpo, repeats")
    for name in ("grpo", "praise", "anchored", "pruned-praise", "corrected-prop", "paper-prop")
}
WHOLE_PHRASES = {
    f"{name}, whole phrases": replace(MAIN[name], segmenter="delimiters")
    for name in ("praise", "sign-aware", "pruned", "pruned-praise", "placebo", "oracle")
}
STUDIES: Mapping[str, Mapping[str, Arm]] = {
    "main": MAIN,
    "crossed": CROSSED,
    "widths": WIDTHS,
    "budgets": BUDGETS,
    "faults": FAULTS,
    "noise": NOISY,
    "repeats": REPEATS,
    "segmenters": WHOLE_PHRASES,
}
ARMS = {name: arm for study in STUDIES.values() for name, arm in study.items()}

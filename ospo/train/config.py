"""What OSPO adds to TRL's GRPO settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from trl import GRPOConfig

from ospo.advantage import RULES
from ospo.errors import InputError
from ospo.game import CONCEPTS

# The trainer computes the credit of segments, not the group's leave-one-out and prefix values.
TRAINABLE = tuple(name for name, rule in RULES.items() if rule.kind == "mean-preserving")


@dataclass
class OSPOConfig(GRPOConfig):
    """Settings of :class:`ospo.train.OSPOTrainer`: TRL's own, and how credit shapes advantages.

    Attributes
    ----------
    rule : str
        How advantages follow credit: a mean-preserving one of :data:`ospo.advantage.RULES`;
        ``uniform`` is plain GRPO.
    credit : str
        The solution concept that credits segments, one of :data:`ospo.game.CONCEPTS`. ``myerson``,
        ``growth`` and ``windows`` take n(n+1)/2 evaluations of n segments, ``shapley`` 2**n.
    """

    rule: str = field(
        default="praise",
        metadata={"help": f"how advantages follow credit: {', '.join(TRAINABLE)}"},
    )
    credit: str = field(
        default="myerson",
        metadata={"help": f"solution concept that credits segments: {', '.join(CONCEPTS)}"},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rule not in TRAINABLE:
            raise InputError(f"rule must be one of {', '.join(TRAINABLE)}, got {self.rule!r}")
        if self.credit not in CONCEPTS:
            raise InputError(f"credit must be one of {', '.join(CONCEPTS)}, got {self.credit!r}")
        if self.use_liger_kernel:
            raise InputError(
                "use_liger_kernel is on, and Liger's fused loss takes one advantage per "
                "completion; switch it off"
            )

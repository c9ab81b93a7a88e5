"""What the section ``algorithm`` of verl's configuration says to OSPO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ospo.advantage import RULES, Shaping
from ospo.errors import InputError
from ospo.game import CONCEPTS, MARGINALS

CREDITS = (*CONCEPTS, *MARGINALS)
# Credit reaches the estimator up to a constant of its row; only these rules do not notice.
USABLE = tuple(name for name, rule in RULES.items() if rule.kind == "mean-preserving")
KNOWN = ("rule", "credit", "mix", "cap", "temperature")


@dataclass(frozen=True, slots=True)
class Settings:
    """How credit shapes advantages, and how it is found.

    Attributes
    ----------
    shaping : Shaping
        One of the rules :data:`USABLE`, and its settings.
    credit : str
        What credits segments, one of :data:`CREDITS`.
    """

    shaping: Shaping
    credit: str

    @property
    def reads_credit(self) -> bool:
        """Whether the advantages of any completion follow credit."""
        return bool(self.shaping.needs_credit(torch.tensor([1.0, -1.0])).any())


def read_settings(algorithm: Mapping[str, Any] | None) -> Settings:
    """Read ``algorithm.ospo``, where any of :data:`KNOWN` may be set.

    Raises
    ------
    InputError
        A key is unknown, a value is wrong, or ``algorithm.use_kl_in_reward`` is on.

    Examples
    --------
    >>> settings = read_settings({"adv_estimator": "ospo", "ospo": {"rule": "rank", "cap": 3.0}})
    >>> settings.shaping.rule, settings.shaping.cap, settings.credit
    ('rank', 3.0, 'myerson')
    """
    algorithm = algorithm or {}
    if algorithm.get("use_kl_in_reward"):
        raise InputError(
            "algorithm.use_kl_in_reward is on, and its penalty would be read as credit: switch it "
            "off and set actor_rollout_ref.actor.use_kl_loss=True"
        )
    given = {"rule": "praise", "credit": "myerson", **(algorithm.get("ospo") or {})}
    for key in given:
        if key not in KNOWN:
            raise InputError(
                f"there is no setting algorithm.ospo.{key}: choose among {', '.join(KNOWN)}"
            )
    for name, choices in (("rule", USABLE), ("credit", CREDITS)):
        if given[name] not in choices:
            raise InputError(
                f"algorithm.ospo.{name} must be one of {', '.join(choices)}, got {given[name]!r}"
            )
    credit = given.pop("credit")
    try:
        return Settings(Shaping(**given), credit)
    except TypeError as error:
        raise InputError(f"algorithm.ospo holds something that is no number: {error}") from error

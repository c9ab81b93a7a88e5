"""What in the metrics of a step should worry a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ospo.game import CONCEPTS, MARGINALS, plan_of

ROUNDING = 1e-6  # of an efficiency gap
FEW_SEGMENTS = 1.5  # per completion: with one, there is nothing to share
MANY_EMPTY = 0.2  # share of completions


def adds_up(settings: Mapping[str, Any]) -> bool:
    """Return whether the credits of a training should add up to the reward.

    Not all concepts are efficient, and estimates and intervals of limited width need not be.

    Parameters
    ----------
    settings : mapping
        Of an :class:`ospo.train.OSPOConfig`, by name.

    Examples
    --------
    >>> from ospo.train.settings import parse
    >>> [adds_up(vars(parse(["--credit", name])[1])) for name in ("myerson", "windows")]
    [True, False]
    """
    credit, limits = settings["credit"], (settings["credit_budget"], settings["max_width"])
    exact = not settings["paper"] and limits == (None, None)
    return exact and (credit in MARGINALS or credit in CONCEPTS) and plan_of(credit, 3).efficient


def alarms(logs: Mapping[str, float], *, efficient: bool = True) -> dict[str, str]:
    """Return the alarms of what a step logged, by metric: a sentence each, with what to do.

    Parameters
    ----------
    logs : mapping
        Metric to value, as TRL logs them; those that are absent raise no alarm.
    efficient : bool
        Whether credits should add up to the reward; see :func:`adds_up`.

    Examples
    --------
    >>> alarms({"credit/segments_mean": 1.2, "reward": 0.4})
    {'credit/segments_mean': '1.2 segments per completion leave nothing to share: look at the \
prompt and the segmenter'}
    """
    segments, gap = logs.get("credit/segments_mean"), logs.get("credit/efficiency_gap", 0.0)
    empty, hit = logs.get("retrieval/empty_frac", 0.0), logs.get("game/cache_hit_rate")
    found = {}
    if efficient and gap > ROUNDING:
        found["credit/efficiency_gap"] = (
            f"credits miss the reward by {gap:.1e}: the reward says different things of one text; "
            "look for a retriever that changes its answers"
        )
    if hit == 0 and logs.get("game/evaluations", 0.0) > 0:
        found["game/cache_hit_rate"] = (
            "no evaluation was saved by what is known: look for a retriever whose key is new for "
            "every text"
        )
    if segments is not None and segments < FEW_SEGMENTS:
        found["credit/segments_mean"] = (
            f"{segments:.1f} segments per completion leave nothing to share: look at the prompt "
            "and the segmenter"
        )
    if empty > MANY_EMPTY:
        found["retrieval/empty_frac"] = (
            f"{empty:.0%} of the completions say nothing to search for: look at the segmenter and "
            "at max_completion_length"
        )
    return found

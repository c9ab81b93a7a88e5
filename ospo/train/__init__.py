"""Training of a query-writing policy with token credit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ospo.train.config import OSPOConfig as OSPOConfig
    from ospo.train.reward import CompletionReward as CompletionReward
    from ospo.train.reward import RetrievalReward as RetrievalReward
    from ospo.train.trl import OSPOTrainer as OSPOTrainer
    from ospo.train.turns import TurnReward as TurnReward

_HOMES = {"OSPOConfig": "config", "OSPOTrainer": "trl"}
_HOMES |= {"CompletionReward": "reward", "RetrievalReward": "reward", "TurnReward": "turns"}

__all__ = ["CompletionReward", "OSPOConfig", "OSPOTrainer", "RetrievalReward", "TurnReward"]


def __getattr__(name: str) -> Any:
    # Lazy: importing TRL takes seconds, and explaining a trained policy does not need it.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

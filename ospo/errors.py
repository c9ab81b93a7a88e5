"""The errors of ospo that a caller can act on."""

from __future__ import annotations


class InputError(ValueError):
    """Something the user gave is wrong; the message is one sentence that names the remedy."""


class RewardError(RuntimeError):
    """A reward model answered with something that is no reward; it is never counted as 0."""

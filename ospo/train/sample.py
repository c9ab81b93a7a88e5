"""One completion with the credit of its segments, to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ospo.credit import OUTSIDE, TokenCredit, Written, credit_together, read
from ospo.reward.reward import Row
from ospo.text.align import AlignmentError
from ospo.train.config import OSPOConfig
from ospo.train.policy.policy import Policy
from ospo.train.reward import TrainingReward


@dataclass(frozen=True, slots=True)
class Sample:
    """What a policy wrote, and what each segment of it earned.

    Attributes
    ----------
    prompt, query : str
        What it read and what it wrote.
    value : float
        The reward.
    credit : tuple of (str, float)
        The segments and their credits; empty where nothing was written.
    """

    prompt: str
    query: str
    value: float
    credit: tuple[tuple[str, float], ...]


class Sampler:
    """Has a policy write for rows of the data set, greedily, and credits what it wrote.

    Parameters
    ----------
    policy : Policy
    rows : sequence of mapping
    reward : TrainingReward
    args : OSPOConfig

    Attributes
    ----------
    asked, searched : int
        What that took of what the reward counts.
    """

    def __init__(
        self, policy: Policy, rows: Sequence[Row], reward: TrainingReward, args: OSPOConfig
    ) -> None:
        self.policy = policy
        self.rows = rows
        self.reward = reward
        self.args = args
        self.asked = self.searched = 0

    def __call__(self, k: int) -> Sample:
        """Return what the policy writes now for the k-th row, beginning again after the last."""
        asked, searched = self.reward.asked, self.reward.searched
        rows = [self.rows[k % len(self.rows)]]
        ids = self.policy.write([rows[0]["prompt"]])
        texts = self.policy.tokenizer.batch_decode(ids, skip_special_tokens=True)
        values = self.reward.values(texts, rows, ids)
        credits = credited(self.policy, ids, rows, self.reward, self.args)
        self.asked += self.reward.asked - asked
        self.searched += self.reward.searched - searched
        return shown(rows[0], texts[0], values[0], credits[0])


def credited(
    policy: Policy,
    completions: Sequence[Sequence[int]],
    rows: Sequence[Row],
    reward: TrainingReward,
    args: OSPOConfig,
) -> list[TokenCredit]:
    """Return the credits of completions, as training would ask for them before its first step."""
    written = [_read(policy, ids, reward, args) for ids in completions]
    seeds = [(args.seed, 0, row) for row in range(len(rows))]
    return credit_together(written, rows, reward.reward, args.askers, seeds=seeds)


def _read(policy: Policy, ids: Sequence[int], reward: TrainingReward, args: OSPOConfig) -> Written:
    try:
        return read(policy.tokenizer, ids, reward.segmenter)
    except AlignmentError:
        if args.on_misaligned == "raise":
            raise
        return Written("", (), np.full(len(ids), OUTSIDE))


def shown(row: Row, text: str, value: float, credit: TokenCredit) -> Sample:
    """Return the sample of a completion."""
    phrases = [segment.phrase for segment in credit.written.segments]
    told = zip(phrases, credit.segments.tolist(), strict=True)
    return Sample(row["prompt"], text.strip(), value, tuple(told))

"""A light training loop: the updates of OSPOTrainer, without what a trainer does besides.

A test (tests/benchmarks/test_learning_loop.py) trains one policy on the same completions with both
and compares the parameters. It is faster because a prompt is read once for its whole group, and
because it draws tokens by inverting their distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from ospo.train.policy.policy import MAX_NEW_TOKENS

MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True)
class Rollouts:
    """What a policy wrote for a batch of prompts.

    Attributes
    ----------
    prompts, prompt_mask : Tensor
        ``(P, S)``, padded on the left.
    completions, mask : Tensor
        ``(P * G, T)``, prompt by prompt, padded on the right; the end of the sequence is in it.
    group : int
        G, completions of each prompt.
    """

    prompts: Tensor
    prompt_mask: Tensor
    completions: Tensor
    mask: Tensor
    group: int

    @property
    def written(self) -> list[list[int]]:
        """The ids of each completion."""
        return [
            row[own].tolist() for row, own in zip(self.completions, self.mask.bool(), strict=True)
        ]

    @classmethod
    def given(
        cls, prompts: Sequence[Sequence[int]], completions: Sequence[Sequence[int]], pad: int
    ) -> Rollouts:
        """Return given completions, prompt by prompt, as if they had been written."""
        ids, mask = _padded(prompts, pad, "left")
        written, present = _padded(completions, pad, "right")
        return cls(ids, mask, written, present, len(completions) // len(prompts))


@torch.no_grad()
def write(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    group: int,
    draws: torch.Generator | None,
) -> Rollouts:
    """Write completions: sampled at temperature 1, or the likeliest token each time."""
    pad, end = model.config.pad_token_id, model.config.eos_token_id
    ids, prompt_mask = _padded(prompts, pad, "left")
    cache = DynamicCache(config=model.config)
    output = model(ids, attention_mask=prompt_mask, past_key_values=cache, logits_to_keep=1)
    cache.batch_repeat_interleave(group)
    read = prompt_mask.repeat_interleave(group, dim=0)
    logits = output.logits[:, -1].repeat_interleave(group, dim=0)
    writing = torch.arange(len(logits))  # the rows that have not ended
    columns, present = [], []
    while True:
        drawn = _draw(logits, writing, len(read), draws)
        columns.append(torch.full((len(read),), pad).index_copy(0, writing, drawn))
        present.append(torch.zeros(len(read), dtype=torch.long).index_fill(0, writing, 1))
        going = (drawn != end).nonzero()[:, 0]
        if len(columns) == MAX_NEW_TOKENS or not len(going):
            break
        if len(going) < len(writing):
            cache.batch_select_indices(going)
            writing, drawn = writing[going], drawn[going]
        read = torch.cat([read, present[-1][:, None]], dim=1)
        mask = read[writing]
        logits = model(drawn[:, None], attention_mask=mask, past_key_values=cache).logits[:, -1]
    return Rollouts(ids, prompt_mask, torch.stack(columns, 1), torch.stack(present, 1), group)


def _draw(logits: Tensor, rows: Tensor, size: int, draws: torch.Generator | None) -> Tensor:
    """Draw a token for each of some rows of a batch; multinomial is far slower on a CPU."""
    if draws is None:
        return logits.argmax(dim=-1)
    # As many numbers as rows in the batch, so that none depends on which others have ended.
    at = torch.rand(size, 1, generator=draws, dtype=torch.float64)[rows]
    mass = logits.double().softmax(dim=-1).cumsum(dim=-1)
    return torch.searchsorted(mass, at * mass[:, -1:], right=True)[:, 0]


def log_probabilities(model: PreTrainedModel, rollouts: Rollouts) -> Tensor:
    """Return the log-probability of each token that was written, ``(N,)``."""
    group = rollouts.group
    cache = DynamicCache(config=model.config)
    prompts = model.model(
        rollouts.prompts, attention_mask=rollouts.prompt_mask, past_key_values=cache
    )
    states = prompts.last_hidden_state[:, -1:].repeat_interleave(group, dim=0)
    cache.batch_repeat_interleave(group)
    read = rollouts.prompt_mask.repeat_interleave(group, dim=0)
    before = rollouts.completions[:, :-1]
    if before.shape[1]:
        read = torch.cat([read, rollouts.mask[:, :-1]], dim=1)
        rest = model.model(before, attention_mask=read, past_key_values=cache)
        states = torch.cat([states, rest.last_hidden_state], dim=1)
    present = rollouts.mask.bool()
    logits = model.lm_head(states[present])  # most of the work, and half of it would be of padding
    return logits.log_softmax(dim=-1).gather(1, rollouts.completions[present][:, None])[:, 0]


class Learner:
    """Updates a policy by policy gradients with token advantages, once for each batch.

    Parameters
    ----------
    model
    rate, epsilon : float
        Of AdamW; the rate is constant.
    """

    def __init__(self, model: PreTrainedModel, rate: float, epsilon: float = 1e-8) -> None:
        self.model = model
        self.optimiser = torch.optim.AdamW(
            model.parameters(), lr=rate, eps=epsilon, weight_decay=0.0
        )

    def update(self, rollouts: Rollouts, advantages: Tensor) -> float:
        """Take one step, and return the norm of the gradient before it was clipped.

        The loss is TRL's ``dapo`` at the first update of a batch: the ratio of probabilities is 1,
        its gradient that of the log-probability, and the sum over tokens is divided by their
        number in the batch.

        Parameters
        ----------
        rollouts : Rollouts
        advantages : Tensor
            ``(P * G, T)``.
        """
        loss = -(log_probabilities(self.model, rollouts) * advantages[rollouts.mask.bool()]).mean()
        self.optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRADIENT_NORM)
        self.optimiser.step()
        return norm.item()


def _padded(rows: Sequence[Sequence[int]], pad: int, side: str) -> tuple[Tensor, Tensor]:
    ids = [torch.tensor(row) for row in rows]
    ones = [torch.ones(len(row), dtype=torch.long) for row in rows]
    return (
        pad_sequence(ids, batch_first=True, padding_value=pad, padding_side=side),
        pad_sequence(ones, batch_first=True, padding_side=side),
    )

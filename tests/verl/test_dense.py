"""Rewards of tokens: they sum to the reward to the last bit, and tell credit and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ospo.advantage import OUTSIDE, Credits, Shaping, token_advantages
from ospo.errors import InputError
from ospo.train.verl.dense import ALMOST_ZERO, credits_of, dense_rewards, sums
from ospo.train.verl.settings import USABLE


@st.composite
def batches(draw, longest=40):
    """What completions are worth and the credit of their tokens, in eighths: ties are common."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    batch = []
    for _ in range(draw(st.integers(1, 5))):
        length = int(rng.integers(1, longest))
        credited = rng.random(length) < rng.random()
        segments = rng.integers(-6, 7, 4) / 8
        credit = np.where(credited, segments[rng.integers(0, 4, length)], 0.0)
        batch.append((float(rng.choice([0, 1, rng.random(), -rng.random()])), credit, credited))
    return batch


def padded(rows):
    return torch.nn.utils.rnn.pad_sequence([*map(torch.as_tensor, rows)], batch_first=True)


def encoded(batch):
    """The batch's dense rewards and its mask."""
    rewards = [dense_rewards(*row) for row in batch]
    return padded(rewards), padded([np.ones(len(row)) for row in rewards])


@given(batches(longest=2000))
def test_the_reward_is_recovered_to_the_last_bit(batch):
    rewards, _ = encoded(batch)
    assert torch.equal(sums(rewards), torch.tensor([reward for reward, _, _ in batch]))


@given(batches())
def test_credit_is_recovered_up_to_a_constant_and_ties_stay_ties(batch):
    read = credits_of(*encoded(batch))
    for row, (_, credit, credited) in enumerate(batch):
        own = credited[:-1]
        if not own.any():  # an even share of the reward, which says nothing
            own, credit = np.ones(len(own), dtype=bool), np.zeros(len(credit))
        found = read.values[row, : len(own)].double().numpy()[own]
        assert read.assigned[row].nonzero()[:, 0].tolist() == own.nonzero()[0].tolist()
        difference = np.subtract.outer(credit[:-1][own], credit[:-1][own])
        error = np.abs(np.subtract.outer(found, found) - difference)
        assert (error <= 1e-6).all()
        assert (error[difference == 0] == 0).all()


@given(batches(), st.sampled_from(USABLE), st.sampled_from([None, 1.5]))
def test_rules_make_of_it_what_they_make_of_the_credit_itself(batch, rule, cap):
    rewards, mask = encoded(batch)
    places = torch.arange(mask.shape[1])
    inner = places < mask.sum(dim=1, keepdim=True) - 1
    credited = padded([credited for _, _, credited in batch]) & inner
    credits = Credits(
        padded([credit for _, credit, _ in batch]), credited, torch.where(credited, places, OUTSIDE)
    )
    advantages = torch.linspace(-1.5, 1.5, len(batch), dtype=torch.float64)
    shaping = Shaping(rule, cap=cap)
    wanted = token_advantages(advantages, credits, mask, shaping)
    found = token_advantages(advantages, credits_of(rewards.double(), mask), mask, shaping)
    assert torch.equal(found.shaped, wanted.shaped)
    assert torch.equal(found.degenerate, wanted.degenerate)
    largest = wanted.values.abs().amax(dim=1, keepdim=True)
    assert ((found.values - wanted.values).abs() <= 1e-6 * largest).all()


def test_credit_of_zero_is_told_from_no_credit():
    credit, credited = np.array([0.5, 0.0, -0.5, 0.0, 0.0]), np.array([1, 1, 1, 0, 0], dtype=bool)
    rewards = dense_rewards(0.0, credit, credited)
    assert rewards[:4].tolist() == [0.5, ALMOST_ZERO, -0.5, 0.0]
    assert rewards.sum() == 0


def test_a_completion_of_one_token_has_its_reward_there():
    rewards = torch.tensor(dense_rewards(0.3, np.array([0.3]), np.array([True])))[None]
    assert rewards.tolist() == [[np.float32(0.3)]]
    assert not credits_of(rewards, torch.ones(1, 1)).assigned.any()


def test_rejected_tokens_hide_neither_the_end_nor_the_credit_before_it():
    credit, credited = np.array([0.5, 0.2, 0, 0]), np.array([1, 1, 1, 0], dtype=bool)
    rewards = torch.tensor(dense_rewards(0.7, credit, credited))[None]
    assert rewards[0, 3] != 0
    credits = credits_of(rewards, torch.tensor([[1, 0, 1, 0]]))
    assert credits.assigned.tolist() == [[True, True, True, False]]


def test_a_reward_on_the_last_token_alone_is_refused():
    rewards = torch.tensor([[0.2, 0.3, 0.0, 0.0], [0.0, 0.0, 0.25, 0.0]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 0]])
    with pytest.raises(InputError, match=r"completion 1 has its reward, 0\.25, on its last token"):
        credits_of(rewards, mask)


@pytest.mark.parametrize(
    ("rewards", "mask", "message"),
    [
        (torch.zeros(2, 3), torch.ones(2, 4), r"\(2, 3\) and a mask of shape \(2, 4\) do not fit"),
        (torch.zeros(3), torch.ones(3), r"\(3,\) and a mask of shape \(3,\) do not fit"),
        (torch.tensor([[0.0, torch.nan]]), torch.ones(1, 2), r"rewards\[0, 1\] is nan"),
    ],
)
def test_rewards_that_are_none_are_refused(rewards, mask, message):
    with pytest.raises(InputError, match=message):
        credits_of(rewards, mask)


@pytest.mark.parametrize(
    ("reward", "credit", "credited", "message"),
    [
        (np.nan, np.zeros(2), np.ones(2, bool), "the reward is nan"),
        (1.0, np.array([np.inf, 0]), np.ones(2, bool), r"the credit \[inf, 0.0\]"),
        (1.0, np.zeros(3), np.ones(2, bool), r"\(3,\) and credited of shape \(2,\) do not fit"),
        (0.0, np.zeros(0), np.ones(0, bool), "of a completion that has at least one"),
    ],
)
def test_credit_that_is_none_is_refused(reward, credit, credited, message):
    with pytest.raises(InputError, match=message):
        dense_rewards(reward, credit, credited)

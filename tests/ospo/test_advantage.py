"""The invariants of every rule, and what sets the rules apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ospo.advantage import FLOOR, RULES, token_advantages


@st.composite
def batches(draw):
    """Random advantages, credits, credited tokens and masks of one batch."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 12))
    advantages = rng.normal(size=rows) * rng.integers(0, 2, size=rows)
    credits = rng.normal(size=(rows, columns)) * draw(st.sampled_from([0.0, 1e-12, 1.0, 1e3]))
    length = rng.integers(0, columns + 1, size=(rows, 1))
    mask = np.arange(columns) < length
    credited = rng.random((rows, columns)) < 0.7
    return (
        torch.tensor(advantages, dtype=torch.float32),
        torch.tensor(credits, dtype=torch.float32),
        torch.tensor(credited),
        torch.tensor(mask.astype(np.int64)),
    )


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches())
def test_the_mean_over_credited_tokens_is_the_sequence_advantage(rule, batch):
    advantages, _, credited, mask = batch
    out = token_advantages(*batch, rule=rule)
    assert torch.isfinite(out).all()
    assert (out[mask == 0] == 0).all()
    here = credited & mask.bool()
    for row in range(len(advantages)):
        if here[row].any():
            mean = out[row][here[row]].double().mean().item()
            assert mean == pytest.approx(advantages[row].item(), rel=1e-6, abs=1e-6)
        others = mask[row].bool() & ~here[row]
        assert (out[row][others] == advantages[row]).all()


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches())
def test_rows_do_not_touch_each_other(rule, batch):
    order = torch.arange(len(batch[0]) - 1, -1, -1)
    together = token_advantages(*batch, rule=rule)
    reordered = token_advantages(*(part[order] for part in batch), rule=rule)
    assert torch.equal(together[order], reordered)


@given(batch=batches())
def test_uniform_is_grpo_to_the_bit(batch):
    advantages, _, _, mask = batch
    out = token_advantages(*batch, rule="uniform")
    assert torch.equal(out, advantages[:, None] * mask.to(torch.float32))


@pytest.mark.parametrize("rule", RULES)
def test_equal_credits_leave_a_completion_uniform(rule):
    a, mask = torch.tensor([0.3, -0.7]), torch.ones(2, 7)
    out = token_advantages(a, torch.full((2, 7), 0.2), mask.bool(), mask, rule=rule)
    assert torch.equal(out, a[:, None].expand(2, 7))


def test_the_rules_differ_in_whom_they_shape():
    a = torch.tensor([1.0, -1.0])
    credits = torch.tensor([[0.4, 0.0, -0.1], [0.4, 0.0, -0.1]])
    mask = torch.ones(2, 3)
    uniform, proportional, praise = (
        token_advantages(a, credits, mask.bool(), mask, rule=rule)
        for rule in ("uniform", "proportional", "praise")
    )
    weights = torch.tensor([1.0, 0.2, 0.0]) + FLOOR
    expected = 3 * weights / weights.sum()
    torch.testing.assert_close(proportional, a[:, None] * expected)
    assert torch.equal(praise[0], proportional[0])
    assert torch.equal(praise[1], uniform[1])
    # PROP blames the best segment of a bad completion most; praise does not.
    assert proportional[1].argmin() == 0


@pytest.mark.parametrize(
    ("rule", "asks"), [("uniform", [0, 0, 0]), ("proportional", [1, 0, 1]), ("praise", [1, 0, 0])]
)
def test_a_rule_asks_credit_only_for_rows_that_it_shapes(rule, asks):
    needed = RULES[rule](torch.tensor([0.5, 0.0, -0.5]))
    assert needed.tolist() == [bool(ask) for ask in asks]

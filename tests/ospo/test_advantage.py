"""Every rule against its definition, the invariants of each, and what sets them apart.

Long because every rule meets the same invariants.
"""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import torch
from advantage_reference import Completion, segment_advantages, water_fill
from hypothesis import given, settings
from hypothesis import strategies as st

from ospo.advantage import (
    BASELINES,
    DELIMITER,
    OUTSIDE,
    RULES,
    SPECIAL,
    Credits,
    PrefixFit,
    Shaping,
    annealed,
    token_advantages,
    traced,
)
from ospo.advantage.weights import FLOOR, capped
from ospo.errors import InputError

MEAN_PRESERVING = [name for name, rule in RULES.items() if rule.kind == "mean-preserving"]
LINEAR = [name for name, rule in RULES.items() if rule.kind == "linear"]
WEIGHTS = {"additive": 0.5, "anchored": 2.0, "prefix": 0.75}


@st.composite
def batches(draw, dtype=torch.float64):
    """Advantages, credits, mask and groups; values are eighths, so ties are common and exact."""
    rows, width = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    tokens = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))

    def eighths(*shape):
        return torch.tensor(rng.integers(-6, 7, shape) / 8, dtype=dtype)

    counts = rng.integers(0, width + 1, (rows, 1))
    credits = Credits(
        values=eighths(rows, width),
        assigned=torch.tensor(np.arange(width) < counts),
        owners=torch.tensor(rng.integers(SPECIAL, width, (rows, tokens))),
        left_out=eighths(rows, width),
        prefixes=eighths(rows, width),
    )
    mask = torch.tensor(np.arange(tokens) < rng.integers(0, tokens + 1, (rows, 1))).long()
    return eighths(rows), credits, mask, torch.tensor(rng.integers(0, 2, rows))


def spread(batch, shaping, **kwargs):
    advantages, credits, mask, groups = batch
    return token_advantages(advantages, credits, mask, shaping, groups=groups, **kwargs)


def shaping(rule, **settings):
    return Shaping(rule, weight=WEIGHTS.get(rule), **settings)


def selected(batch, order):
    """The batch's rows in another order."""
    advantages, credits, mask, groups = batch
    parts = {f.name: getattr(credits, f.name)[order] for f in dataclasses.fields(Credits)}
    return advantages[order], Credits(**parts), mask[order], groups[order]


def carriers(batch, row):
    """Which real tokens of a row belong to a segment that has credit."""
    _, credits, mask, _ = batch
    own = credits.owners[row]
    return mask[row].bool() & (own >= 0) & credits.assigned[row][own.clamp(min=0)]


def completions(batch):
    """The batch as the reference reads it."""
    advantages, credits, mask, groups = batch

    def exact(part, row):
        return [
            Fraction(value) if known else None
            for value, known in zip(part[row].tolist(), credits.assigned[row].tolist(), strict=True)
        ]

    return [
        Completion(
            Fraction(advantages[row].item()),
            exact(credits.values, row),
            exact(credits.left_out, row),
            exact(credits.prefixes, row),
            credits.owners[row][mask[row].bool()].tolist(),
            groups[row].item(),
        )
        for row in range(len(advantages))
    ]


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=60)
@given(
    batch=batches(),
    cap=st.sampled_from([None, 1.125, 1.5, 3.0]),
    mix=st.sampled_from([1.0, 0.25]),
    trace=st.sampled_from([0.0, 0.5, 1.0]),
    temperature=st.sampled_from([0.25, 1.0]),
)
def test_every_rule_is_its_definition(rule, batch, cap, mix, trace, temperature):
    cap = cap if rule in MEAN_PRESERVING else None
    out = spread(batch, shaping(rule, cap=cap, mix=mix, trace=trace, temperature=temperature))
    rows = completions(batch)
    for here, row in enumerate(rows):
        found = segment_advantages(
            rule,
            rows,
            here,
            weight=Fraction(WEIGHTS.get(rule, 0)),
            trace=Fraction(trace),
            temperature=temperature,
            cap=None if cap is None else Fraction(cap),
        )
        assert out.shaped[here].item() == (found is not None)
        own = row.advantage
        expected = [
            float(own if found is None or k not in found else (1 - mix) * own + mix * found[k])
            for k in row.owners
        ]
        assert out.values[here, : len(expected)].tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rule", MEAN_PRESERVING)
@settings(deadline=None, max_examples=60)
@given(batch=batches(torch.float32), cap=st.sampled_from([None, 1.01, 2.0]), mix=st.floats(0, 1))
def test_the_mean_over_credited_tokens_is_the_sequence_advantage(rule, batch, cap, mix):
    out = spread(batch, Shaping(rule, cap=cap, mix=mix)).values
    for row, advantage in enumerate(batch[0].tolist()):
        own = out[row][carriers(batch, row)].double()
        if len(own):
            assert own.mean().item() == pytest.approx(advantage, rel=1e-6, abs=1e-6)
            assert (own * advantage >= 0).all(), "a token's advantage changed its sign"
        if cap is not None and len(own):
            assert own.abs().max().item() <= cap * abs(advantage) * (1 + 1e-6)


@pytest.mark.parametrize("rule", MEAN_PRESERVING)
@pytest.mark.parametrize("cap", [None, 1.5])
def test_the_mean_stays_in_long_completions_of_single_precision(rule, cap):
    generator = torch.Generator().manual_seed(0)
    advantages = torch.randn(32, generator=generator)
    owners = torch.randint(SPECIAL, 12, (32, 1000), generator=generator)
    values = torch.randn(32, 12, generator=generator)
    batch = (advantages, credits_of(values.tolist(), owners), torch.ones(32, 1000), None)
    out = spread(batch, Shaping(rule, cap=cap)).values
    means = torch.stack([out[row][carriers(batch, row)].double().mean() for row in range(32)])
    torch.testing.assert_close(means, advantages.double(), rtol=1e-6, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(batch=batches())
def test_additive_advantages_average_to_the_sequence_advantage_over_segments(batch):
    advantages, credits, *_ = batch
    # One token a segment, so that tokens are segments.
    owners = torch.arange(credits.values.shape[1]).expand(credits.values.shape)
    one_each = dataclasses.replace(credits, owners=owners)
    out = token_advantages(advantages, one_each, torch.ones_like(owners), Shaping("additive"))
    for row, advantage in enumerate(advantages.tolist()):
        own = out.values[row][credits.assigned[row]]
        if len(own):
            assert own.mean().item() == pytest.approx(advantage, abs=1e-12)


@pytest.mark.parametrize("rule", ["anchored", "prefix"])
@settings(deadline=None, max_examples=60)
@given(batch=batches(), trace=st.floats(0, 1))
def test_credit_adds_nothing_to_the_sum_over_a_group(rule, batch, trace):
    advantages, credits, *_ = batch
    owners = torch.arange(credits.values.shape[1]).expand(credits.values.shape)
    whole = dataclasses.replace(credits, owners=owners, assigned=torch.ones_like(owners).bool())
    groups = torch.zeros(len(advantages), dtype=torch.int64)
    out = spread((advantages, whole, torch.ones_like(owners), groups), shaping(rule, trace=trace))
    scale = 1 + WEIGHTS["anchored"] if rule == "anchored" and len(advantages) > 1 else 1
    expected = advantages.sum().item() * owners.shape[1] / scale
    assert out.values.sum().item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=60)
@given(batch=batches(torch.float32))
def test_padding_has_no_advantage_and_everything_is_finite(rule, batch):
    out = spread(batch, shaping(rule)).values
    assert out.dtype == torch.float32
    assert torch.isfinite(out).all()
    assert (out[batch[2] == 0] == 0).all()


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=60)
@given(batch=batches(torch.float32), data=st.data())
def test_the_order_of_rows_does_not_matter(rule, batch, data):
    order = torch.tensor(data.draw(st.permutations(range(len(batch[0])))))
    together = spread(batch, shaping(rule)).values
    reordered = spread(selected(batch, order), shaping(rule)).values
    if rule in MEAN_PRESERVING:
        assert torch.equal(together[order], reordered)
    else:  # a group's mean is summed in another order
        torch.testing.assert_close(together[order], reordered, rtol=1e-6, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(batch=batches(torch.float32))
def test_uniform_is_grpo_to_the_bit(batch):
    advantages, _, mask, _ = batch
    out = spread(batch, Shaping("uniform"))
    assert torch.equal(out.values, advantages[:, None] * mask.to(torch.float32))
    assert not out.shaped.any()
    assert not out.degenerate.any()


@pytest.mark.parametrize("rule", RULES)
@settings(deadline=None, max_examples=60)
@given(batch=batches(torch.float32))
def test_credit_that_was_not_asked_for_is_not_read(rule, batch):
    advantages, credits, mask, groups = batch
    unread = ~shaping(rule).needs_credit(advantages)
    other = dataclasses.replace(
        credits, values=torch.where(unread[:, None], credits.values.flip(1) + 3, credits.values)
    )
    out = spread((advantages, other, mask, groups), shaping(rule)).values
    assert torch.equal(out, spread(batch, shaping(rule)).values)


def table(*rows, dtype=torch.float32):
    return torch.tensor(rows, dtype=dtype)


def credits_of(values, owners=None, assigned=None, **more):
    values = torch.tensor(values)
    owners = torch.arange(values.shape[1]).expand(values.shape) if owners is None else owners
    assigned = torch.ones_like(values).bool() if assigned is None else torch.tensor(assigned)
    return Credits(values, assigned, torch.as_tensor(owners), **more)


@pytest.mark.parametrize("rule", [r for r in MEAN_PRESERVING if r != "uniform"])
@pytest.mark.parametrize(
    "credits",
    [
        credits_of([[0.2, 0.2, 0.2]] * 2),
        credits_of([[0.2, 0.2 + 1e-12, 0.2]] * 2),
        credits_of([[0.9, 0.1, 0.2]] * 2, assigned=[[False] * 3] * 2),
        credits_of([[0.9, 0.1, 0.2]] * 2, assigned=[[True, False, False]] * 2),
        credits_of([[0.9, 0.1, 0.2]] * 2, owners=[[OUTSIDE, DELIMITER, SPECIAL]] * 2),
    ],
    ids=["equal", "equal but for rounding", "none assigned", "one segment", "no tokens"],
)
def test_credit_that_says_nothing_leaves_a_completion_uniform_and_is_counted(rule, credits):
    a, mask = torch.tensor([0.3, -0.7]), torch.ones(2, 3)
    out = token_advantages(a, credits, mask, Shaping(rule))
    assert torch.equal(out.values, a[:, None].expand(2, 3))
    assert not out.shaped.any()
    assert torch.equal(out.degenerate, Shaping(rule).needs_credit(a))
    assert out.degenerate[0]


def test_no_credit_is_not_a_credit_of_zero():
    a, mask = torch.tensor([1.0]), torch.ones(1, 3)
    unknown = credits_of([[0.4, 0.2, torch.nan]], assigned=[[True, True, False]])
    worst = credits_of([[0.4, 0.2, 0.0]])
    out = token_advantages(a, unknown, mask).values
    assert out[0, 2] == 1.0
    assert out[0, :2].tolist() == pytest.approx([2 * 1.001 / 1.002, 2 * 0.001 / 1.002])
    assert token_advantages(a, worst, mask).values[0, 2] < 0.01


def test_the_rules_differ_in_whom_they_praise_and_blame():
    a, mask = torch.tensor([1.0, -1.0]), torch.ones(2, 3)
    credits = credits_of([[0.4, 0.0, -0.1]] * 2)
    uniform, proportional, praise, aware, rank, softmax = (
        token_advantages(a, credits, mask, Shaping(rule)).values
        for rule in ("uniform", "proportional", "praise", "sign-aware", "rank", "softmax")
    )
    up, down = torch.tensor([1.0, 0.2, 0.0]) + FLOOR, torch.tensor([0.0, 0.8, 1.0]) + FLOOR
    torch.testing.assert_close(proportional, a[:, None] * 3 * up / up.sum())
    assert torch.equal(praise, torch.stack([proportional[0], uniform[1]]))
    torch.testing.assert_close(aware, torch.stack([3 * up / up.sum(), -3 * down / down.sum()]))
    # PROP and RANK blame the best segment of a bad completion most; sign-aware rules the worst.
    assert proportional[1].argmin() == rank[1].argmin() == 0
    assert aware[1].argmin() == softmax[1].argmin() == 2
    steps = torch.tensor([1.0, 0.5, 0.0]) + FLOOR
    torch.testing.assert_close(rank[0], 3 * steps / steps.sum())


@pytest.mark.parametrize(
    ("chosen", "asks"),
    [
        (Shaping("uniform"), [0, 0, 0]),
        (Shaping("proportional"), [1, 0, 1]),
        (Shaping("rank"), [1, 0, 1]),
        (Shaping("praise"), [1, 0, 0]),
        (Shaping("sign-aware"), [1, 0, 1]),
        (Shaping("softmax"), [1, 0, 1]),
        (Shaping("additive"), [1, 1, 1]),
        (Shaping("anchored"), [1, 1, 1]),
        (Shaping("prefix", weight=0.5), [1, 1, 1]),
        (Shaping("proportional", mix=0.0), [0, 0, 0]),
        (Shaping("additive", weight=0.0), [0, 0, 0]),
    ],
    ids=lambda part: part.rule if isinstance(part, Shaping) else None,
)
def test_a_rule_says_whose_credit_it_reads_before_any_search(chosen, asks):
    a = torch.tensor([0.5, 0.0, -0.5])
    assert chosen.needs_credit(a).tolist() == [bool(ask) for ask in asks]
    assert not chosen.needs_credit(a, truncated=torch.tensor([True] * 3)).any()
    as_any_other = dataclasses.replace(chosen, truncated=None)
    kept = as_any_other.needs_credit(a, truncated=torch.tensor([True] * 3))
    assert torch.equal(kept, chosen.needs_credit(a))


def test_tokens_of_no_segment_carry_the_share_that_was_chosen():
    owners = torch.tensor([[OUTSIDE, 0, DELIMITER, 1, SPECIAL]] * 2)
    credits = credits_of([[0.6, 0.2]] * 2, owners)
    chosen = Shaping("praise", outside=0.5, delimiter=0.25, special=0.0, truncated=0.125)
    a, mask = torch.tensor([2.0, 2.0]), torch.ones(2, 5)
    out = token_advantages(a, credits, mask, chosen, truncated=torch.tensor([False, True]))
    assert out.values[0, [0, 2, 4]].tolist() == [1.0, 0.5, 0.0]
    assert out.values[0, [1, 3]].sum().item() == pytest.approx(4.0)
    assert out.values[1].tolist() == [0.25] * 5
    assert out.shaped.tolist() == [True, False]
    as_any_other = dataclasses.replace(chosen, truncated=None)
    kept = token_advantages(a, credits, mask, as_any_other, truncated=torch.tensor([False, True]))
    assert torch.equal(kept.values[1], out.values[0])


@settings(deadline=None, max_examples=60)
@given(
    factors=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    cap=st.fractions(1, 4, max_denominator=16),
)
def test_a_cap_scales_the_others_up_until_the_mean_is_back(factors, cap):
    mean_one = [Fraction(f * len(factors), sum(factors)) for f in factors]
    given_factors = torch.tensor([[float(f) for f in mean_one]], dtype=torch.float64)
    found = capped(given_factors, torch.ones_like(given_factors), float(cap))
    expected = [float(f) for f in water_fill(mean_one, cap)] if cap > 1 else [1.0] * len(factors)
    assert found[0].tolist() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_softmax_weights_standard_scores_by_the_temperature(temperature):
    a, credits = torch.tensor([1.0]), credits_of([[0.9, 0.3]])  # standard scores 1 and -1
    chosen = Shaping("softmax", temperature=temperature)
    best, worst = token_advantages(a, credits, torch.ones(1, 2), chosen).values[0].tolist()
    odds = (FLOOR + 1) / (FLOOR + math.exp(-2 / temperature))
    assert best / worst == pytest.approx(odds, rel=1e-5)


def test_annealing_ends_at_plain_advantages():
    a, credits = torch.tensor([0.5]), credits_of([[0.4, 0.0]])
    out = token_advantages(
        a, credits, torch.ones(1, 2), Shaping("additive", weight=annealed(0.5, 9, 9))
    )
    assert out.values.tolist() == [[0.5, 0.5]]


def test_a_group_with_equal_rewards_still_learns_from_anchored_credit_only():
    a, groups, mask = torch.zeros(2), torch.zeros(2, dtype=torch.int64), torch.ones(2, 2)
    credits = credits_of([[0.6, 0.0], [0.2, 0.4]], left_out=table([0.6, 0.0], [0.2, 0.4]))
    out = token_advantages(a, credits, mask, Shaping("anchored"), groups=groups).values
    torch.testing.assert_close(out, table([0.3, -0.3], [-0.1, 0.1]) * 2 / 3)


# An autoregressive policy over two segments with two symbols each, and a game with interaction.
FIRST = torch.tensor([0.3, -0.4], dtype=torch.float64)
SECOND = torch.tensor([[0.5, -0.2], [-0.7, 0.4]], dtype=torch.float64)
ALONE = torch.tensor([[0.1, 0.5], [0.2, 0.3]], dtype=torch.float64)  # v({k}) of each symbol
TOGETHER = torch.tensor([[0.9, 0.2], [0.4, 1.0]], dtype=torch.float64)  # v of both symbols


def expected_update(rule, second, **settings):
    """The exact expectation of a rule's update over all groups of two, and the true gradient."""
    first = FIRST.clone().requires_grad_()
    second = second.clone().requires_grad_()
    outcomes = list(product(range(2), repeat=2))
    logs = [
        torch.stack([first.log_softmax(0)[y], second[y].log_softmax(0)[z]]) for y, z in outcomes
    ]
    chances = [log.sum().exp() for log in logs]
    true = torch.autograd.grad(
        sum(p * TOGETHER[y, z] for p, (y, z) in zip(chances, outcomes, strict=True)),
        (first, second),
        retain_graph=True,
    )
    groups_of_two = list(product(range(4), repeat=2))
    rows = [place for group in groups_of_two for place in group]
    y, z = torch.tensor([outcomes[row] for row in rows]).T
    whole, alone = TOGETHER[y, z], torch.stack([ALONE[0, y], ALONE[1, z]], dim=1)
    left_out = whole[:, None] - alone.flip(1)
    owners = torch.arange(2).expand(len(rows), 2)
    credits = Credits(
        values=left_out if settings.pop("leave_one_out", False) else (alone + left_out) / 2,
        assigned=torch.ones_like(owners).bool(),
        owners=owners,
        left_out=left_out,
        prefixes=torch.stack([alone[:, 0], whole], dim=1),
    )
    others = whole.view(-1, 2).flip(1).flatten()
    out = token_advantages(
        whole - others,
        credits,
        torch.ones_like(owners),
        Shaping(rule, **settings),
        groups=torch.arange(len(groups_of_two)).repeat_interleave(2),
    ).values
    surrogate = sum(
        chances[i].detach() * chances[j].detach() * (out[2 * g + m] * logs[k]).sum() / 2
        for g, (i, j) in enumerate(groups_of_two)
        for m, k in enumerate((i, j))
    )
    update = torch.autograd.grad(surrogate, (first, second))
    return torch.cat([part.flatten() for part in update]), torch.cat(
        [part.flatten() for part in true]
    )


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_prefix_credit_is_unbiased_for_an_autoregressive_policy(weight):
    update, true = expected_update("prefix", SECOND, weight=weight)
    torch.testing.assert_close(update, true, rtol=1e-12, atol=1e-14)


def test_anchored_leave_one_out_is_unbiased_where_segments_are_independent():
    independent = SECOND[:1].expand(2, 2)
    update, true = expected_update("anchored", independent, leave_one_out=True)
    # The one second segment's parameters are in both rows.
    update, true = (torch.cat([g[:2], g[2:4] + g[4:]]) for g in (update, true))
    torch.testing.assert_close(update, true, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("rule", "settings"),
    [("proportional", {}), ("sign-aware", {}), ("praise", {}), ("prefix", {"trace": 0.0})],
)
def test_other_rules_are_biased_in_direction(rule, settings):
    more = {"weight": 1.0} if rule == "prefix" else {}
    update, true = expected_update(rule, SECOND, **settings, **more)
    assert torch.cosine_similarity(update, true, dim=0) < 1 - 1e-4


def test_the_fitted_prefix_weight_is_the_regression_of_earlier_groups():
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(4000, generator=generator, dtype=torch.float64)
    whole = 0.6 * first + torch.randn(4000, generator=generator, dtype=torch.float64)
    groups = torch.arange(500).repeat_interleave(8)
    credits = Credits(
        values=torch.zeros(4000, 2, dtype=torch.float64),
        assigned=torch.ones(4000, 2).bool(),
        owners=torch.arange(2).expand(4000, 2),
        prefixes=torch.stack([first, whole], dim=1),
    )
    grouped = whole.view(-1, 8)
    advantages = ((grouped - grouped.mean(1, keepdim=True)) * 8 / 7).flatten()
    fit = PrefixFit().updated(advantages, credits, groups)
    assert fit.weight == pytest.approx(0.6, abs=0.06)  # four standard errors
    total = torch.zeros(2, dtype=torch.float64)
    parts = []
    for rank in (slice(0, 1600), slice(1600, 4000)):  # each adds its sums; the last sees them all
        its = {
            f.name: getattr(credits, f.name)[rank]
            for f in dataclasses.fields(Credits)
            if getattr(credits, f.name) is not None
        }
        parts.append(
            PrefixFit().updated(advantages[rank], Credits(**its), groups[rank], reduce=total.add_)
        )
    assert parts[1].weight == pytest.approx(fit.weight, rel=1e-12)
    assert parts[0].weight != parts[1].weight
    opposite = fit.updated(-advantages, credits, groups, memory=0.0)
    assert opposite.weight == 0.0


@st.composite
def groups_of_rewards(draw):
    """Rewards, lengths and group labels of a shuffled batch, all numbers exact in binary."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    labels = draw(st.permutations([g for g, size in enumerate(sizes) for _ in range(size)]))
    eighths = st.lists(st.integers(-16, 16), min_size=len(labels), max_size=len(labels))
    rewards = [Fraction(value, 8) for value in draw(eighths)]
    lengths = [abs(value) for value in draw(eighths)]
    return rewards, lengths, labels


@settings(deadline=None, max_examples=60)
@given(batch=groups_of_rewards())
def test_baselines_are_their_definitions(batch):
    rewards, lengths, labels = batch
    members = {g: [k for k, own in enumerate(labels) if own == g] for g in labels}
    means = {g: sum(rewards[k] for k in its) / len(its) for g, its in members.items()}
    a = torch.tensor(
        [float(reward - means[g]) for reward, g in zip(rewards, labels, strict=True)],
        dtype=torch.float64,
    )
    tokens, groups = torch.tensor(lengths), torch.tensor(labels)
    found = {name: of(a, tokens, groups).tolist() for name, of in BASELINES.items()}
    for k, g in enumerate(labels):
        others = [rewards[j] for j in members[g] if j != k]
        left = rewards[k] - sum(others) / len(others) if others else Fraction(0)
        written = sum(lengths[j] for j in members[g])
        weighted = sum(lengths[j] * rewards[j] for j in members[g])
        mean = weighted / written if written else means[g]
        expected = [rewards[k] - means[g], left, rewards[k] - mean]
        assert [found[name][k] for name in ("group", "leave-one-out", "opo")] == pytest.approx(
            [float(value) for value in expected], abs=1e-12
        )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 1), min_size=1, max_size=9), st.sampled_from([0.0, 0.5, 0.9999, 1.0])
)
def test_a_trace_weighs_a_token_by_all_that_remember_it(mask, decay):
    """The double sum of GRPO-lambda, token by token: A * sum_t sum_l decay**l * log pi[t - l]."""
    own = [place for place, here in enumerate(mask) if here]
    weights = [0.0] * len(mask)
    for t in range(len(own)):
        for back in range(t + 1):
            weights[own[t - back]] += decay**back
    mean = sum(weights) / max(len(own), 1)
    expected = [-0.5 * weight / mean if mean else 0.0 for weight in weights]
    found = traced(torch.tensor([-0.5]), torch.tensor([mask]), decay)[0]
    assert found.tolist() == pytest.approx(expected, rel=1e-6, abs=1e-12)
    if decay == 0:
        assert torch.equal(found, -0.5 * torch.tensor(mask))


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_the_table_of_rules_is_complete(rule):
    assert RULES[rule.name] is rule
    assert rule.meaning
    assert rule.reference
    assert set(rule.needs) <= {field.name for field in dataclasses.fields(Credits)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "best"}, "rule must be one of uniform, .*, got 'best'"),
        ({"mix": 1.5}, "mix is 1.5, expected a number from 0 to 1"),
        ({"truncated": -1.0}, "truncated is -1.0"),
        ({"trace": float("nan")}, "trace is nan"),
        ({"temperature": 0.0}, "temperature is 0.0, expected a number above 0"),
        ({"cap": 1.0}, "cap is 1.0, expected a number above 1"),
        ({"rule": "anchored", "cap": 2.0}, "'anchored' is linear .* drop cap"),
        ({"weight": 1.0}, "'praise' multiplies A and takes no weight; use mix"),
        ({"rule": "additive", "weight": -1.0}, "weight is -1.0"),
        ({"rule": "prefix"}, "'prefix' needs a weight; fit one with PrefixFit"),
    ],
)
def test_wrong_settings_are_refused_before_training(settings, message):
    with pytest.raises(InputError, match=message):
        Shaping(**settings)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: credits_of([[0.1, torch.nan]]), r"values\[0, 1\] is nan, .* not assigned"),
        (lambda: credits_of([[0.1]], [[1]]), "token 0 of completion 0 belongs to segment 1"),
        (lambda: credits_of([[0.1]], [[0], [0]]), r"shape \(1, 1\) do not fit .* \(2, 1\)"),
        (lambda: credits_of([[0.1]], left_out=table([0.1, 0.2])), r"left_out has shape \(1, 2\)"),
        (lambda: of_one("anchored"), "'anchored' needs left_out"),
        (lambda: of_one("prefix", prefixes=table([0.1])), "compares completions .* give groups"),
        (
            lambda: of_one("prefix", prefixes=table([0.1]), groups=torch.zeros(3)),
            r"groups has shape \(3,\)",
        ),
        (lambda: of_one("praise", advantage=torch.inf), "advantages are \\[inf\\]"),
    ],
)
def test_wrong_input_is_refused_by_name(call, message):
    with pytest.raises(InputError, match=message):
        call()


def of_one(rule, advantage=1.0, groups=None, **more):
    return token_advantages(
        torch.tensor([advantage]),
        credits_of([[0.1]], **more),
        torch.ones(1, 1),
        shaping(rule),
        groups=groups,
    )

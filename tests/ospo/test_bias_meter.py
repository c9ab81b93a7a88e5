"""The gradient bias meter: its games by hand, its policies by autograd, and its reference cells."""

from __future__ import annotations

import pytest
import torch

from benchmarks.claims.bias.__main__ import wrong
from benchmarks.claims.bias.flow import share_of_improvement
from benchmarks.claims.bias.games import GAMES, outcomes, table
from benchmarks.claims.bias.meters import first
from benchmarks.claims.bias.moments import moments
from benchmarks.claims.bias.policies import Policy
from benchmarks.claims.bias.population import Block, World, expected, groups, sampled
from benchmarks.claims.bias.published import published
from benchmarks.claims.bias.rules import MEASURED, Measured, follows
from benchmarks.claims.bias.sampled import agreement, agreements

FIRST, _ = published()


def rule(name):
    return next(measured for measured in MEASURED if measured.name == name)


@pytest.mark.parametrize(("policy", "game"), FIRST)
def test_the_shipped_rules_meet_every_gate_of_the_first_meter(policy, game):
    assert list(wrong(policy, first(policy, game), FIRST[policy, game])) == []


def test_a_rule_that_is_wrongly_declared_unbiased_fails_its_gate(monkeypatch):
    liar = Measured("liar", follows("proportional"), "always")
    monkeypatch.setattr("benchmarks.claims.bias.__main__.MEASURED", [liar])
    cells = first("U", "pairwise", [liar])
    (failure,) = wrong("U", cells, {})
    assert "liar is declared unbiased" in failure


def test_a_cell_that_is_off_by_more_than_a_thousandth_fails_its_gate():
    cells = first("U", "max")
    cells["paper"]["cos"] += 0.002
    (failure,) = wrong("U", cells, FIRST["U", "max"])
    assert "paper has cos" in failure


@pytest.mark.parametrize("policy", ["U", "T", "AR"])
def test_scores_and_gradient_are_those_of_autograd(policy):
    world = World.of("ndcg", policy, 3)

    def value(parameters):
        return world.policy.probabilities(parameters) @ world.rewards

    assert world.probabilities.sum().item() == pytest.approx(1, abs=1e-12)
    truth = torch.autograd.functional.jacobian(value, world.parameters)
    torch.testing.assert_close(world.gradient, truth, rtol=0, atol=1e-12)


def test_a_segment_depends_on_those_before_it_only_where_it_should():
    own = {name: Policy.named(name, 3) for name in ("T", "AR")}
    chances = {name: p.log_probabilities(p.start)[:, 2] for name, p in own.items()}
    assert (chances["T"] - chances["T"][0]).abs().max() < 1e-12
    assert (chances["AR"] - chances["AR"][0]).abs().max() > 0.1


@pytest.mark.parametrize("game", GAMES)
def test_nobody_is_worth_nothing_and_a_coalition_knows_only_its_own_symbols(game):
    values, written = table(game, 3), outcomes(3)
    assert not values[:, 0].any()
    for coalition in range(8):
        inside = [k for k in range(3) if coalition >> k & 1]
        worth = {}
        for row, symbols in enumerate(written[:, inside].tolist()):
            assert (
                worth.setdefault(tuple(symbols), values[row, coalition]) == values[row, coalition]
            )


def test_the_meter_of_groups_is_the_sum_over_all_ordered_groups():
    world = World.of("pairwise", "T", 2)
    rules = [rule("praise"), rule("anchored"), rule("placebo: sign-aware")]
    count = len(world.probabilities)
    ordered = torch.cartesian_prod(*[torch.arange(count)] * 3)
    weights = world.probabilities[ordered].prod(dim=1)
    every = Block(ordered, weights, sampled(world, ordered))
    once = moments(world, groups(world, 3), rules)
    for found, truth in zip(once, moments(world, [every], rules), strict=True):
        torch.testing.assert_close(found.mean, truth.mean, rtol=0, atol=1e-12)
        assert found.variance == pytest.approx(truth.variance, abs=1e-12)


def test_the_noise_of_shuffled_credit_is_that_of_every_draw():
    world = World.of("max", "U", 2)
    (found,) = moments(world, [expected(world)], [rule("placebo: sign-aware")])
    block = expected(world)
    drawn = rule("placebo: sign-aware").coefficients(block.rows)[:, : len(world.probabilities)]
    updates = torch.einsum("rsk,skp->rsp", drawn, world.scores)
    share = world.probabilities / len(drawn)
    square = (share[:, None] * updates.square()).sum()
    assert found.variance == pytest.approx((square - found.mean.square().sum()).item(), abs=1e-12)


def test_without_a_floor_the_paper_is_stuck_where_one_segment_is_always_least():
    assert share_of_improvement("additive", "U", 2, rule("paper")) < 0.5
    assert share_of_improvement("additive", "U", 2, rule("proportional")) > 0.99


def test_sampled_groups_agree_with_the_meter():
    found = agreements("pairwise", "AR")
    assert max(agreement.errors for agreement in found.values()) <= 4
    assert min(agreement.parameters for agreement in found.values()) == 36


def test_an_expectation_that_is_off_by_ten_errors_is_found():
    updates = torch.randn(100, 5, generator=torch.Generator().manual_seed(0)).double()
    updates[:, 4] = 0
    truth = torch.tensor([0.0, 0, 0, 1, 0]).double()
    found = agreement(updates, truth)
    assert found.parameters == 4
    assert found.errors > 8
    assert agreement(updates, truth * 0).errors < 4

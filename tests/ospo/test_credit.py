"""Credit of completions: whose each token is, what is asked, what is paid, and what is found."""

from __future__ import annotations

import math
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reference import shapley

import owen_core as oc
from ospo.advantage import Credits
from ospo.credit import DELIMITER, OUTSIDE, SPECIAL, TokenCredit, Written, credit_together, read
from ospo.errors import RewardError
from ospo.game import MARGINALS, SAMPLED, asker, plan_of
from ospo.reward.checked import checked
from ospo.reward.reward import Reward
from ospo.text.answer import Answer
from ospo.text.segment import segment, words
from ospo.train.metrics import credit_metrics, in_words
from ospo.train.policy.tokenizer import train_tokenizer
from ospo.train.rows import endings, rewards, stacked, written


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(["red shoes, lamp <answer> </answer>"] * 3, vocab_size=290)


class Letters(Reward):
    """No additive game: the squared number of distinct letters; and every call is kept."""

    def __init__(self):
        self.calls = []

    def value(self, texts, rows):
        self.calls.append(list(texts))
        return np.array([len(set(text) - set(" ,")) ** 2 for text in texts], dtype=float)


def completion(text):
    return Written(text, segment(text), np.array([], dtype=np.int64))


def found(texts, askers, reward=None, **options):
    reward = reward or Letters()
    return credit_together([*map(completion, texts)], [{}] * len(texts), reward, askers, **options)


LONG = "ab, bc, cd, de, ef, fg, gh, ha, xy"  # 512 coalitions


def test_each_token_belongs_to_a_segment_or_is_said_to_be_something_else(tokenizer):
    text = " red shoes, lamp<eos>"
    ids = tokenizer.encode(text)
    assert tokenizer.convert_ids_to_tokens(ids)[-1] == "<eos>"
    seen = read(tokenizer, ids)
    assert [s.phrase for s in seen.segments] == ["red shoes", "lamp"]
    whose = dict(zip(tokenizer.convert_ids_to_tokens(ids), seen.owners.tolist(), strict=True))
    assert (whose["Ġred"], whose["Ġshoes"], whose[","], whose["Ġlamp"]) == (0, 0, DELIMITER, 1)
    assert whose["<eos>"] == SPECIAL


def test_what_is_not_in_the_answer_is_outside(tokenizer):
    text = "lamp <answer>red, lamp</answer> shoes"
    ids = tokenizer.encode(text)
    seen = read(tokenizer, ids, Answer())
    pieces = [tokenizer.decode([token]) for token in ids]
    kinds = {}
    for piece, owner in zip(pieces, seen.owners.tolist(), strict=True):
        kinds.setdefault(owner, []).append(piece)
    assert "".join(kinds[0]).strip() == "red"
    assert "".join(kinds[1]).strip() == "lamp"
    assert "".join(kinds[DELIMITER]) == ","
    assert "shoes" in "".join(kinds[OUTSIDE])
    assert set(kinds) == {0, 1, DELIMITER, OUTSIDE}
    silent = read(tokenizer, tokenizer.encode("lamp<eos>"), Answer())
    assert set(silent.owners.tolist()) == {OUTSIDE, SPECIAL}


def test_all_that_is_exact_is_asked_in_one_call_and_nothing_twice():
    reward = Letters()
    askers = {
        "values": asker("shapley"),
        "left_out": asker("leave-one-out"),
        "prefixes": asker("prefix"),
    }
    texts = ["ab, bc, cd", "", "x, y"]
    first, nothing, last = found(texts, askers, reward)
    assert len(reward.calls) == 1
    assert len(reward.calls[0]) == 2**3 + 2**2  # the others' coalitions are among these
    assert (first.evaluations, nothing.evaluations, last.evaluations) == (8, 0, 4)
    assert nothing.attribution is None
    assert first.left_out.tolist() == [16 - 9, 16 - 16, 16 - 9]
    assert first.prefixes.tolist() == [4, 9, 16]
    assert last.segments.tolist() == [2, 2]


@given(st.lists(st.integers(-8, 8), min_size=8, max_size=8), st.sampled_from(MARGINALS))
def test_marginal_contributions_are_their_definitions(table, concept):
    plan = plan_of(concept, 3)
    values = np.array(table, dtype=float)
    found = plan.combine(values[plan.coalitions @ [1, 2, 4]])
    empty, everyone = values[0], values[7]
    expected = {
        "solo": [values[1 << k] - empty for k in range(3)],
        "leave-one-out": [everyone - values[7 - (1 << k)] for k in range(3)],
        "prefix": [values[1] - empty, values[3] - values[1], everyone - values[3]],
    }[concept]
    assert found.tolist() == expected
    if plan.efficient:
        assert found.sum() == everyone - empty


@pytest.mark.parametrize("concept", MARGINALS)
@pytest.mark.parametrize("n", [1, 2, 7])
def test_marginal_contributions_take_a_few_coalitions(concept, n):
    plan = plan_of(concept, n)
    assert len(plan) <= n + 2
    assert not plan.coalitions[0].any()
    assert plan.coalitions[-1].all()
    game = plan.coalitions.sum(axis=1).astype(float)
    assert plan.combine(game).tolist() == [1.0] * n


@pytest.mark.parametrize("concept", SAMPLED)
def test_an_estimate_keeps_to_its_budget_and_follows_its_seed(concept):
    def estimate(budget, seed):
        (credit,) = found([LONG], {"values": asker(concept, budget=budget)}, seeds=[(seed, 3, 0)])
        assert credit.evaluations <= budget
        return credit

    first, again, other = estimate(40, 7), estimate(40, 7), estimate(40, 8)
    exact = plan_of(concept, 9)
    assert len(exact) > 40
    assert not first.attribution.exact
    assert first.segments.tolist() == again.segments.tolist() != other.segments.tolist()
    whole = estimate(len(exact), 7)
    assert whole.attribution.exact
    (truth,) = found([LONG], {"values": asker(concept)})
    assert whole.segments.tolist() == truth.segments.tolist()


def test_estimates_agree_with_exact_credit_on_average():
    (truth,) = found([LONG], {"values": asker("shapley")})
    texts = [LONG] * 300
    estimates = found(
        texts, {"values": asker("shapley", budget=40)}, seeds=[(0, 0, row) for row in range(300)]
    )
    values = np.array([credit.segments for credit in estimates])
    assert np.allclose(values.sum(axis=1), truth.segments.sum())
    error = values.std(axis=0, ddof=1) / math.sqrt(len(values))
    assert (np.abs(values.mean(axis=0) - truth.segments) <= 4.5 * error + 1e-9).all()
    told = np.mean([credit.attribution.std_error for credit in estimates[:50]], axis=0)
    assert told == pytest.approx(values.std(axis=0), rel=0.5)


def test_estimates_of_a_batch_share_their_calls():
    reward = Letters()
    found([LONG] * 5, {"values": asker("shapley", budget=60)}, reward)
    rounds = len(reward.calls)
    alone = Letters()
    found([LONG], {"values": asker("shapley", budget=60)}, alone)
    assert rounds <= len(alone.calls) + 2
    assert sum(map(len, reward.calls)) > 4 * sum(map(len, alone.calls))


def test_a_budget_too_small_for_two_orders_gives_no_credit_rather_than_zeros():
    (credit,) = found([LONG], {"values": asker("shapley", budget=8)})
    assert credit.attribution is None
    assert not credit.assigned.any()
    assert len(credit.segments) == 9
    assert in_words(credit).startswith("ab ? | bc ?")


def test_more_segments_than_can_be_listed_are_estimated_or_refused():
    many = " ".join(f"w{k}" for k in range(40))
    long = Written(many, words(many), np.array([], dtype=np.int64))
    reward = Letters()
    budget = {"values": asker("shapley", budget=200)}
    (credit,) = credit_together([long], [{}], reward, budget)
    assert not credit.attribution.exact
    with pytest.raises(oc.TooLargeError):
        credit_together([long], [{}], reward, {"values": asker("shapley")})


@pytest.mark.parametrize("concept", ["growth", "myerson", "windows"])
def test_narrow_intervals_are_those_of_the_core(concept):
    ask = asker(concept, max_width=2)
    (credit,) = found(["ab, bc, cd, de"], {"values": ask})

    def value(coalitions):
        texts = [
            ", ".join(p for p, here in zip(["ab", "bc", "cd", "de"], row, strict=True) if here)
            for row in coalitions
        ]
        return Letters().value(texts, texts)

    expected = oc.attribute(value, 4, concept, oc.path(4, max_width=2))
    assert credit.segments.tolist() == expected.values.tolist()


def test_exact_credit_is_the_definition_in_rationals():
    phrases = ["ab", "bc", "cd"]

    def worth(coalition):
        said = {letter for k in coalition for letter in phrases[k]}
        return Fraction(len(said) ** 2)

    (credit,) = found([", ".join(phrases)], {"values": asker("shapley")})
    assert credit.segments.tolist() == pytest.approx([float(v) for v in shapley(3, worth)])


def test_a_placebo_moves_all_credits_of_a_completion_together():
    askers = {
        "values": asker("shapley"),
        "left_out": asker("leave-one-out"),
        "prefixes": asker("prefix"),
    }
    (plain,) = found([LONG], askers, seeds=[(1, 2, 3)])
    (shuffled,) = found([LONG], askers, seeds=[(1, 2, 3)], placebo=True)
    order = np.random.default_rng((1, 2, 3)).permutation(9)
    assert order.tolist() != [*range(9)]
    assert shuffled.segments.tolist() == plain.segments[order].tolist()
    assert shuffled.left_out.tolist() == plain.left_out[order].tolist()
    gains = np.diff(plain.prefixes, prepend=0)
    assert shuffled.prefixes.tolist() == gains[order].cumsum().tolist()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([1.0, math.nan], "Length says nan for row 7, 'b': a finite number was expected"),
        ([None, 1.0], "Length says nan for row 4, 'a'"),
        ([1.0, math.inf], "Length says inf for row 7, 'b'"),
        ([1.0], r"answered 2 texts with an array of shape \(1,\): one number a text"),
        ([[1.0], [2.0]], r"array of shape \(2, 1\)"),
    ],
)
def test_an_answer_that_is_no_number_a_text_is_refused_by_row(answer, message):
    with pytest.raises(RewardError, match=message):
        checked(answer, ["a", "b"], [4, 7], "Length")


def test_a_row_is_a_completion_and_what_of_it_the_model_wrote():
    ids = torch.tensor([[5, 6, 7, 8], [9, 0, 0, 0], [0, 0, 0, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]])
    own = torch.tensor([[1, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]])
    found = written(ids, mask, own)
    assert [row.ids for row in found] == [[5, 6, 7, 8], [9], []]
    assert [row.own.tolist() for row in found] == [[True, False, True, True], [True], []]


@pytest.mark.parametrize(
    ("of_model", "expected"), [(None, {2}), (2, {2}), (5, {2, 5}), ([5, 7], {2, 5, 7})]
)
def test_a_completion_may_end_as_the_tokenizer_or_the_model_says(of_model, expected):
    generation = SimpleNamespace(eos_token_id=of_model)
    assert endings(generation, SimpleNamespace(eos_token_id=2)) == expected


def table_of(parts=("values",)):
    texts = ["ab, bc", "x", ""]
    credits = found(texts, {"values": asker("myerson"), "left_out": asker("leave-one-out")})
    owners = [[0, OUTSIDE, DELIMITER, 1], [0], [SPECIAL]]
    credits = {
        row: TokenCredit(
            Written(text, segment(text), np.array(own)), credit.shares, left_out=credit.left_out
        )
        for row, (text, own, credit) in enumerate(zip(texts, owners, credits, strict=True))
    }
    return credits, stacked(credits, torch.zeros(4, 5), parts)


def test_credits_of_rows_become_tensors_of_segments_and_tokens():
    credits, table = table_of()
    assert isinstance(table, Credits)
    assert table.values.tolist() == [[4.5, 4.5], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert table.assigned.tolist() == [[True, True], [True, False], [False] * 2, [False] * 2]
    assert table.owners[0].tolist() == [0, OUTSIDE, DELIMITER, 1, 0]  # and padding
    assert table.owners[2].tolist() == [SPECIAL, 0, 0, 0, 0]
    assert (table.left_out, table.prefixes) == (None, None)
    assert table_of(("values", "left_out"))[1].left_out.tolist()[0] == [5.0, 5.0]
    assert rewards(credits, torch.zeros(4)).tolist() == [9.0, 1.0, 0.0, 0.0]


def test_metrics_are_of_the_credits_that_were_asked_for():
    texts = ["ab, bc", "x, x, y", ""]
    credits = found(texts, {"values": asker("leave-one-out")})
    log = credit_metrics(credits)
    assert log["segments_mean"] == 5 / 3
    assert log["unassigned_frac"] == 0
    assert log["exact_frac"] == 1
    # leaving out: 9 - 4 twice; x costs nothing while the other says it, y costs 4 - 1
    assert log["concentration"] == (0.5 + 1.0) / 2
    assert log["zero_frac"] == 2 / 5
    assert log["negative_frac"] == 0
    assert log["efficiency_gap"] == 1.0  # 10 against 9; 3 against 4
    assert math.isnan(log["halfwidth_mean"])
    assert all(math.isnan(value) for value in credit_metrics([]).values())

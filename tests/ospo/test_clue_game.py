"""The clue-selection game: the true credit of turns is known, and a policy learns from it."""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import reference
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import clue_game
from examples.clue_game import ANSWERS, BOS, CLUES, EOS, Known, bits, true_credit
from ospo.train.information_gain import information_gains
from ospo.train.rows import Completion
from ospo.train.turns import read_turns

WORDS = clue_game.tokenizer()
BATCH = ("completion_ids", "tool_mask", "completion_mask")
GAMES = st.tuples(st.sampled_from([*ANSWERS]), st.lists(st.sampled_from(CLUES), max_size=5))


@pytest.fixture(autouse=True)
def _experimental(monkeypatch):
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")


def said(asked):
    return "".join(f" {clue} 0," for clue in asked)


@settings(deadline=None)
@given(GAMES)
def test_the_closed_form_is_the_shapley_value_by_its_definition(game):
    department, asked = game

    def v(turns):
        text = said([asked[k] for k in sorted(turns)])
        (worth,) = Known().value([text], [{"department": department}])
        return Fraction(round(worth * 600), 600)  # bits are twelfths, the cost a twentieth

    expected = reference.shapley(len(asked), v)
    assert true_credit(department, asked) == pytest.approx([*map(float, expected)], abs=1e-9)


def played(folder, **changed):
    """One round of games of an untrained policy, as the trainer shapes it."""
    small = {"per_device_train_batch_size": 32, "num_generations": 8, "max_steps": 1}
    made = clue_game.trainer(str(folder), **(small | changed))
    made.model.train()
    names = [name for name in ANSWERS for _ in range(8)]
    inputs = [{"prompt": f"{BOS} {name}", "department": name} for name in names]
    output = made._generate_and_score_completions(inputs)
    asked = []
    for ids, own, mask in zip(*(output[name] for name in BATCH), strict=True):
        tokens = WORDS.convert_ids_to_tokens(ids[(own * mask).bool()].tolist())
        asked.append([token.strip() for token in tokens if token != EOS])
    return SimpleNamespace(trainer=made, output=output, names=names, asked=asked)


def test_turns_have_their_true_credit_in_training(tmp_path):
    made = played(tmp_path, rule="additive", weight=1.0, truncated=None, seed=1)
    games = [*zip(made.names, made.asked, strict=True)]
    values = [sum(true_credit(*game)) for game in games]
    repeated = 0
    for row, (name, asked) in enumerate(games):
        group = values[row // 8 * 8 : row // 8 * 8 + 8]
        credit = np.array(true_credit(name, asked))
        repeated += max(Counter(asked).values(), default=0) > 1
        tokens = made.output["advantages"][row]
        turns = tokens[: 3 * len(asked) : 3].tolist()
        centred = len(credit) * (credit - credit.mean()) if asked else credit
        expected = values[row] - np.mean(group) + centred
        assert turns == pytest.approx(expected.tolist(), abs=1e-5)
        environment = made.output["tool_mask"][row] == 0
        assert (tokens[environment] == 0).all()
    assert repeated > 3  # clues that turns share


class Bayes:
    """A trainer whose policy believes of a product exactly what the clues say."""

    processing_class = WORDS
    accelerator = SimpleNamespace(device="cpu")
    args = SimpleNamespace(per_device_train_batch_size=4)
    model = None

    def _get_per_token_logps_and_entropies(self, model, ids, mask, length, batch_size):
        told = []
        for row, seen in zip(ids[:, :-length], mask[:, :-length], strict=True):
            department, *clues = WORDS.decode(row[seen.bool()], skip_special_tokens=True).split()
            left = [1 if clue in clues else count for clue, count in ANSWERS[department].items()]
            told.append([-np.log(count) for count in left])
        return torch.tensor(told), None


@settings(deadline=None)
@given(GAMES)
def test_the_information_gain_of_a_bayesian_policy_is_known(game):
    department, asked = game
    ids = WORDS.encode(said(asked))
    own = np.tile([True, False, False], len(asked))
    product = "".join(f" {k}" for k in range(3))
    found = information_gains(
        Bayes(),
        [WORDS.encode(f"{BOS} {department}")],
        [Completion(ids, own)],
        [read_turns(WORDS, ids, own)],
        [{"answer": product}],
    )
    # of six bits in three tokens, a clue takes log2 k away: p = 2^(-bits that are left / 3)
    left = [6 - 6 * sum(bits(department, c) for c in {*asked[:k]}) for k in range(len(asked) + 1)]
    expected = np.diff(2.0 ** (-np.array(left) / 3)).tolist()
    gains = found[0].attribution.values.tolist() if found else []
    assert gains == pytest.approx(expected, abs=1e-6)


def test_a_policy_learns_to_ask_for_what_it_needs(tmp_path):
    made = clue_game.trainer(
        str(tmp_path), max_steps=80, per_device_train_batch_size=64, num_generations=16
    )
    made.train()
    rewards = [log["reward"] for log in made.state.log_history if "reward" in log]
    assert np.mean(rewards[:5]) < 0.1
    assert np.mean(rewards[-5:]) > 0.5
    made.model.eval()
    prompts = [f"{BOS} {name}" for name in ANSWERS] * 16
    texts = WORDS.batch_decode(clue_game.play(prompts, made)["completion_ids"])
    telling = [
        bits(prompt.split()[-1], clue) > 0
        for prompt, text in zip(prompts, texts, strict=True)
        for clue in re.findall(r" ?(\w+) \w+,", text)
    ]
    assert np.mean(telling) > 0.7  # 3 clues in 8 tell something

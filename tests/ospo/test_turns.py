"""Turns as players: whose a token is, what is left without a turn, and what is refused.

Long because conversations are followed from text to advantage.
"""

from __future__ import annotations

import json
import math
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_training import model, rows, tokenizer, trainer
from trl import GRPOTrainer
from trl.chat_template_utils import add_response_schema

from ospo.credit import OUTSIDE, SPECIAL, TokenCredit, credit_together
from ospo.errors import InputError
from ospo.game import asker
from ospo.reward.reward import Reward
from ospo.text.render import render
from ospo.train import CompletionReward, OSPOTrainer, TurnReward
from ospo.train.information_gain import contexts, information_gains, shared
from ospo.train.policy.tokenizer import train_tokenizer
from ospo.train.rows import Completion, is_cut
from ospo.train.turns import read_turns, turn_starts


@pytest.fixture(autouse=True)
def _experimental(monkeypatch):
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")


class Words(Reward):
    """How many of the words red, lamp and map a text has, the second time at half."""

    def value(self, texts, rows):
        counts = ([text.count(word) for word in ("red", "lamp", "map")] for text in texts)
        return np.array([sum(min(n, 1) + min(n, 2) for n in own) / 2 for own in counts])


def conversation(*parts):
    """Ids, and which of them the model wrote, of parts that it and its environment say in turn."""
    ids = [tokenizer().encode(text) for text in parts]
    own = np.repeat([k % 2 == 0 for k in range(len(parts))], [*map(len, ids)])
    return Completion([token for part in ids for token in part], own)


UNITS = {"scale_rewards": "none"}  # what linear rules need

TALKS = [
    conversation(" red?", " shoes;", " lamp?", " map;", "<eos>"),
    conversation(" blue?", " lamp;", " map, red?", " red;", " usb<eos>"),
    conversation(" desk?", " hub;"),
    conversation(" lamp lamp<eos>"),
]


def rollout(talks, **extra):
    def play(prompts, trainer):
        played = [talks[k % len(talks)] for k in range(len(prompts))]
        return {
            "prompt_ids": [tokenizer().encode(text) for text in prompts],
            "completion_ids": [[*talk.ids] for talk in played],
            "logprobs": [[0.0] * len(talk.ids) for talk in played],
            "env_mask": [talk.own.astype(int).tolist() for talk in played],
            **extra,
        }

    return play


def played(folder, talks=TALKS, *, extra=None, **changed):
    """What a real trainer makes of given conversations, four to a prompt."""
    usual = {
        "reward_funcs": TurnReward(Words(), tokenizer()),
        "rollout_func": rollout(talks, **(extra or {})),
    }
    made = trainer(OSPOTrainer, folder, **(usual | changed))
    made.model.train()
    inputs = [dict(rows()[0]) for _ in range(12)]
    output = made._generate_and_score_completions(inputs)
    return SimpleNamespace(trainer=made, output=output, inputs=inputs)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*" redé,👍", "<eos>"]), st.booleans()), max_size=12))
def test_turns_tile_a_conversation_and_own_what_the_model_wrote_in_them(parts):
    ids = [tokenizer().encode(text) for text, _ in parts]
    own = np.array([by for part, (_, by) in zip(ids, parts, strict=True) for _ in part], dtype=bool)
    ids = [token for part in ids for token in part]
    seen = read_turns(tokenizer(), ids, own)
    assert seen.text == tokenizer().decode(ids, skip_special_tokens=True)
    whole = "".join(seen.text[turn.start : turn.end] for turn in seen.segments)
    assert whole == (seen.text if seen.segments else "")
    assert all(turn.phrase in seen.text[turn.start : turn.end] for turn in seen.segments)
    assert (seen.owners[~own] == OUTSIDE).all()
    run = -1
    for k, mine in enumerate(own):
        run += bool(mine and (k == 0 or not own[k - 1]))
        if mine:
            assert seen.owners[k] == (run if run < len(seen.segments) else SPECIAL)
    assert run + 1 - len(seen.segments) in (0, 1)


def test_what_is_left_without_a_turn_is_without_the_answer_to_it():
    seen = read_turns(tokenizer(), *TALKS[0])
    assert [turn.phrase for turn in seen.segments] == ["red? shoes;", "lamp? map;"]
    assert render(seen.text, seen.segments, np.array([False, True])) == "lamp? map;"
    assert render(seen.text, seen.segments, np.array([True, True])) == seen.text
    assert seen.owners[-1] == SPECIAL


def test_a_turn_may_end_within_a_character():
    first, second = tokenizer().encode("é")
    seen = read_turns(tokenizer(), [first, second], np.array([True, False]))
    assert [turn.phrase for turn in seen.segments] == ["é"]
    assert seen.owners.tolist() == [0, OUTSIDE]


def test_turns_have_the_credit_of_their_text_and_environments_have_none(tmp_path):
    made = played(tmp_path, rule="additive", credit="shapley", weight=1.0, truncated=None, **UNITS)
    conversations = [read_turns(tokenizer(), *talk) for talk in TALKS]
    values = Words().value([written.text for written in conversations], [{}] * 4)
    advantages = values - values.mean()
    # red and map; lamp, then map and red, of which red is said twice in one turn and its answer
    assert values.tolist() == [3.0, 3.5, 0.0, 1.5]
    shapley = [[1.0, 2.0], [1.0, 2.5, 0.0], [0.0], [1.5]]
    for row, tokens in enumerate(made.output["advantages"]):
        (ids, own), credit = TALKS[row % 4], np.array(shapley[row % 4])
        expected = np.zeros(len(ids))
        expected[own] = advantages[row % 4]
        turn = conversations[row % 4].owners
        spread = len(credit) * (credit - credit.mean())
        expected[turn >= 0] += spread[turn[turn >= 0]]
        assert tokens[: len(ids)].tolist() == pytest.approx(expected.tolist(), abs=1e-5)
        assert (tokens[len(ids) :] == 0).all()
    assert made.trainer._metrics["train"]["credit/efficiency_gap"][0] < 1e-9


def test_uniform_credit_of_turns_is_grpo(tmp_path):
    made = played(tmp_path, rule="uniform")
    for tokens, mask in zip(made.output["advantages"], made.output["tool_mask"], strict=True):
        own = tokens[mask.bool() & (tokens != 0)]
        assert (own == own[0]).all()
        assert (tokens[mask == 0] == 0).all()


def test_a_conversation_that_the_environment_ends_was_not_cut_off():
    end = tokenizer().eos_token_id
    assert [is_cut(talk, {end}) for talk in TALKS] == [False, False, False, False]
    assert is_cut(conversation(" red?", " shoes;", " lamp"), {end})
    assert is_cut(Completion([], np.zeros(0, dtype=bool)), {end})


def test_rows_are_told_what_the_rollout_said_and_the_environment_is(tmp_path):
    told = []

    class Told(Words):
        def value(self, texts, rows):
            told.extend(rows)
            return super().value(texts, rows)

    reward = TurnReward(Told(), tokenizer())
    played(tmp_path, reward_funcs=reward, extra={"hidden": [*range(12)]}, rule="proportional")
    assert {row["hidden"] for row in told} == {*range(12)}
    assert {row["query_id"] for row in told} == {rows()[0]["query_id"]}


@pytest.mark.parametrize("credit", ["shapley", "prefix"])
def test_training_on_conversations_goes_on(tmp_path, credit):
    talks = rollout(TALKS)
    reward = TurnReward(Words(), tokenizer())
    made = trainer(
        OSPOTrainer,
        tmp_path,
        rollout_func=talks,
        reward_funcs=reward,
        credit=credit,
        rule="sign-aware",
        log_completions=True,
    )
    before = {name: weight.clone() for name, weight in made.model.named_parameters()}
    made.train()
    logs = [log for log in made.state.log_history if "loss" in log]
    assert len(logs) == 3
    assert all(math.isfinite(log["loss"]) for log in logs)
    assert json.dumps(logs[0], allow_nan=False)
    after = dict(made.model.named_parameters())
    assert any(not torch.equal(weight, after[name]) for name, weight in before.items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"env_mask": None}, "rollout_func returned no env_mask, which tells turns: return a list"),
        ({"env_mask": [[1]]}, "env_mask has 1 lists for 12 completions"),
        ({"env_mask": [[1, 0]] * 12}, r"env_mask\[0\] is \[1, 0\] for a completion of \d+ ids"),
        (
            {"completion_ids": [[5, 6]] * 12, "env_mask": [[1, 0.5]] * 12},
            r"env_mask\[0\] is \[1, 0\.5\] for a completion of 2 ids",
        ),
        (
            {"completion_ids": [[5]] * 12, "env_mask": [[1]] * 3 + [[0]] * 9},
            r"env_mask\[3\] has no id of the model, so that the rollout has no turn",
        ),
    ],
    ids=["none", "too few", "too short", "no mask", "no turn"],
)
def test_rollouts_whose_turns_cannot_be_told_are_refused(tmp_path, change, message):
    with pytest.raises(InputError, match=message):
        played(tmp_path, extra=change)


def test_a_text_segmenter_is_refused_where_an_environment_speaks(tmp_path):
    text = CompletionReward(Words())
    with pytest.raises(InputError, match=r"4 of the 9 ids .* and CompletionReward cuts a text"):
        played(tmp_path, [TALKS[0], TALKS[3]], reward_funcs=text, rule="proportional")
    played(tmp_path, reward_funcs=text, rule="uniform")  # which reads no credit


def test_an_environment_that_fails_stops_training_with_its_reason(tmp_path):
    def broken(prompts, trainer):
        raise ConnectionError("the shop is closed")

    with pytest.raises(ConnectionError, match="the shop is closed"):
        played(tmp_path, rollout_func=broken)


# Information gain

GAIN = {"credit": "information-gain", "rule": "proportional"}


def test_contexts_end_where_the_environment_has_answered():
    ids, own = TALKS[1]
    starts = turn_starts(own).tolist()
    assert contexts([7], TALKS[1]) == [[7, *ids[:start]] for start in starts]
    assert contexts([7], TALKS[2]) == [[7], [7, *TALKS[2].ids]]
    assert contexts([7], TALKS[3]) == [[7]]


def test_a_turn_gains_what_the_right_answer_is_likelier_after_it():
    written = read_turns(tokenizer(), *TALKS[1])
    found = shared(np.array([0.1, 0.4, 0.3]), written)
    assert found.attribution.values.tolist() == pytest.approx([0.3, -0.1, 0.0])
    assert found.assigned.tolist() == [True, True, False]  # the last turn is the answer itself
    assert (found.attribution.baseline, found.attribution.total) == (0.1, 0.3)


def by_hand(made, prompt, answer):
    """The gains of all conversations, one context at a time, by the plain model."""
    found = []
    for talk in TALKS:
        told = []
        for context in contexts(prompt, talk):
            ids = torch.tensor([[*context, *answer]])
            with torch.no_grad():
                logps = made.model(ids).logits.double().log_softmax(-1)[0, len(context) - 1 : -1]
            told.append(math.exp(logps[range(len(answer)), answer].mean()))
        found.append(np.diff(told))
    return found


def test_gains_are_those_of_the_plain_policy_one_context_at_a_time(tmp_path):
    made = played(tmp_path, rule="uniform").trainer
    prompt, answers = [5, 6, 7], ["red shoes", "map", "usb hub", "lamp"]
    written = [read_turns(tokenizer(), *talk) for talk in TALKS]
    columns = [{"answer": answer} for answer in answers]
    found = information_gains(made, [prompt] * 4, TALKS, written, columns)
    for row, answer in enumerate(answers):
        gains = by_hand(made, prompt, tokenizer().encode(answer))[row]
        own = found[row].attribution.values
        assert own[: len(gains)].tolist() == pytest.approx(gains.tolist(), abs=1e-6)
        assert found[row].assigned.tolist() == [k < len(gains) for k in range(len(own))]
    nothing = read_turns(tokenizer(), *conversation("<eos>"))
    assert information_gains(made, [prompt], [conversation("<eos>")], [nothing], [{}]) == {}


def test_information_gain_is_a_credit_like_any_other(tmp_path):
    chosen = {"rule": "additive", "weight": 1.0, "truncated": None, **UNITS}
    made = played(tmp_path, extra={"answer": [" red lamp"] * 12}, **(GAIN | chosen))
    prompt = made.output["prompt_ids"][0][made.output["prompt_mask"][0].bool()].tolist()
    gains = by_hand(made.trainer, prompt, tokenizer().encode(" red lamp"))
    values = np.array([3.0, 3.5, 0.0, 1.5])
    for row, tokens in enumerate(made.output["advantages"][:4]):
        written = read_turns(tokenizer(), *TALKS[row])
        expected = np.where(TALKS[row].own, values[row] - values.mean(), 0.0)
        mine = gains[row]
        for k, gain in enumerate(mine):
            expected[written.owners == k] += len(mine) * (gain - mine.mean())
        assert tokens[: len(expected)].tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert made.trainer._metrics["train"]["game/evaluations"] == [0.0]


def test_anchored_credit_takes_information_gain_beside_leave_one_out(tmp_path):
    chosen = {"rule": "anchored", "truncated": None, **UNITS}
    made = played(tmp_path, extra={"answer": [" red lamp"] * 12}, **(GAIN | chosen))
    assert made.output["advantages"].isfinite().all()
    assert made.trainer._metrics["train"]["game/evaluations"][0] > 0  # of leave-one-out


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "the reward needs a text in the column 'answer' and found None"),
        ({"answer": [""] * 12}, "the answer of a row is '', which has no token"),
    ],
    ids=["none", "empty"],
)
def test_a_row_without_an_answer_is_refused(tmp_path, columns, message):
    with pytest.raises(InputError, match=message):
        played(tmp_path, **GAIN, extra=columns)


def test_information_gain_is_refused_where_it_cannot_be_had(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="'information-gain', which turns have, and CompletionR"):
        played(tmp_path, **GAIN, reward_funcs=CompletionReward(Words()))
    with pytest.raises(InputError, match="credit_budget is 8, and nothing estimates 'information"):
        played(tmp_path, **GAIN, credit_budget=8)
    real = GRPOTrainer.__init__

    def sharded(self, **arguments):
        real(self, **arguments)
        self.is_fsdp_enabled = True

    monkeypatch.setattr(GRPOTrainer, "__init__", sharded)
    with pytest.raises(InputError, match="train without FSDP and ZeRO-3, or choose another credit"):
        played(tmp_path, **GAIN)


def test_known_credits_take_the_place_of_those_of_the_reward():
    written = [read_turns(tokenizer(), *talk) for talk in TALKS[:2]]
    known = {k: shared(np.linspace(0, 1, 3), its) for k, its in enumerate(written)}
    askers = {"left_out": asker("leave-one-out")}
    found = credit_together(written, [{}] * 2, Words(), askers, known=known)
    assert [credit.shares for credit in found] == [known[0], known[1]]
    assert found[0].left_out.tolist() == [1.0, 2.0]
    assert isinstance(found[0], TokenCredit)


# Environments as TRL runs them


class Shop:
    """An environment whose tool tells a product's colour."""

    def reset(self, **row):
        """Begin a conversation about the product of a row."""
        self.colour = row["colour"]

    def tell(self, clue: str) -> str:
        """Tell a clue.

        Args:
            clue: What is asked for.
        """
        return f"{clue} {self.colour}"


class Told(Reward):
    """Whether the environment's colour is in the text."""

    def value(self, texts, rows):
        colours = [row["environments"].colour for row in rows]
        return np.array([float(c in text) for c, text in zip(colours, texts, strict=True)])


def test_turns_of_an_environment_have_the_credit_of_what_it_answered(tmp_path):
    words = train_tokenizer(["colour red blue"] * 3, vocab_size=300)
    words.add_special_tokens({"additional_special_tokens": ["<|im_start|>"]})
    words.add_special_tokens({"eos_token": "<|im_end|>"})
    template = files("trl").joinpath("chat_templates", "qwen3.jinja")
    words.chat_template = template.read_text("utf-8")
    words = add_response_schema(words)
    policy = model()
    policy.resize_token_embeddings(len(words))
    policy.generation_config.eos_token_id = words.eos_token_id
    prompt = [{"role": "user", "content": "which colour?"}]
    data = [{"prompt": prompt, "colour": colour} for colour in ("red", "blue", "green")] * 6
    made = trainer(
        OSPOTrainer,
        tmp_path,
        model=policy,
        processing_class=words,
        reward_funcs=TurnReward(Told(), words),
        train_dataset=Dataset.from_list(data),
        environment_factory=Shop,
        max_completion_length=300,
        rule="additive",
        credit="shapley",
        weight=1.0,
        truncated=None,
        **UNITS,
    )
    asks = '<tool_call>\n{"name": "tell", "arguments": {"clue": "colour"}}\n</tool_call><|im_end|>'
    answers = iter([[asks, "no idea<|im_end|>"] * 6, ["so it is<|im_end|>"] * 6])
    made._generate_single_turn = lambda *given, **named: (
        [words.encode(text) for text in next(answers)],
        None,
    )
    made.model.train()
    output = made._generate_and_score_completions([dict(row) for row in data[:12]])
    for row, tokens in enumerate(output["advantages"]):
        own = (output["tool_mask"][row] * output["completion_mask"][row]).bool()
        assert (tokens[~own] == 0).all()
        # who asked is worth 1, the mean is a half; all of it is the credit of the turn that asked
        expected = [0.5 + 1.0, 0.5 - 1.0] if row % 2 == 0 else [-0.5]
        assert tokens[own].unique_consecutive().tolist() == pytest.approx(expected)

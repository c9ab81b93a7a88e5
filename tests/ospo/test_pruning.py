"""Pruning: what competes with rollouts, and which of them train."""

from __future__ import annotations

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_training
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_training import reward, rows, tokenizer, trainer
from trl import GRPOTrainer

from ospo.credit import read
from ospo.errors import InputError
from ospo.text.align import AlignmentError
from ospo.train import OSPOTrainer
from ospo.train.pruning import best_intervals, most_varied, prune, without_others

WORDS = ["red", "shoes", "trail shoes", "lamp", "map", "blue road", "usb hub", "desk lamp"]
phrases = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6)
rewards = st.lists(st.integers(0, 5).map(lambda k: k / 5), min_size=4, max_size=9).map(np.array)


def encoded(text):
    return tokenizer().encode(text)


def query(name):
    return {"query_id": name}


@given(rewards, st.integers(1, 4))
def test_no_subset_varies_more(worth, size):
    chosen = most_varied(worth, size)
    assert len(set(chosen.tolist())) == size
    most = max(worth[list(subset)].var() for subset in combinations(range(len(worth)), size))
    assert worth[chosen].var() == pytest.approx(most, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(phrases, st.sampled_from([*tiny_training.QUERIES]))
def test_the_best_interval_is_worth_as_much_as_any(said, wanted):
    written = read(tokenizer(), encoded(", ".join(said) + "<eos>"))
    said = [s.phrase for s in written.segments]  # one phrase alone is cut into words
    judge = reward().judge(wanted)
    worth = {
        (start, stop): judge([", ".join(said[start:stop])])[0]
        for start in range(len(said))
        for stop in range(start + 1, len(said) + 1)
    }
    found = best_intervals({3: written}, {3: query(wanted)}, reward().reward)
    whole = worth[0, len(said)]
    if max(worth.values()) == whole:
        assert found == {}
    else:
        assert worth[found[3]] == max(worth.values())
        assert all(
            len(range(*other)) >= len(range(*found[3]))
            for other, its in worth.items()
            if its == worth[found[3]]
        )


def test_intervals_are_as_short_as_they_must_be():
    written = {0: read(tokenizer(), encoded("usb hub, shoes, lamp, shoes<eos>"))}
    asked = []

    class Noting:
        def value(self, texts, its_rows):
            asked.extend(texts)
            return np.arange(len(texts), dtype=float)

    best_intervals(written, [query("shoes")], Noting(), max_width=2)
    assert max(len(text.split(", ")) for text in asked if text != asked[-1]) == 2


@settings(deadline=None)
@given(st.data(), phrases)
def test_what_is_cut_says_its_interval_and_no_more(data, said):
    said = [*said, "lamp"]  # one phrase alone is cut into words
    start = data.draw(st.integers(0, len(said) - 1))
    stop = data.draw(st.integers(start + 1, len(said)))
    comma = data.draw(st.sampled_from([", ", ",", " , "]))
    ids = encoded(" " + comma.join(said) + "<eos>")
    cut = without_others(ids, read(tokenizer(), ids), (start, stop))
    assert tokenizer().decode(cut[:-1]).strip() == comma.join(said[start:stop])
    assert cut[-1] == tokenizer().eos_token_id


TEXTS = [
    "usb hub, shoes<eos>",
    "map, lamp<eos>",
    "usb hub<eos>",
    "red<eos>",
    "lamp<eos>",
    "desk lamp, map, floor lamp<eos>",
    "lamp<eos>",
    "usb hub, map<eos>",
]
ARGS = SimpleNamespace(num_generations=4, max_width=None, on_misaligned="raise")
ROWS = [query("shoes")] * 4 + [query("lamp")] * 4


def pruned(texts=TEXTS, its_rows=ROWS, **options):
    ids = [encoded(text) for text in texts]
    return prune(ids, its_rows, reward(**options), tokenizer(), ARGS)


def test_the_best_and_the_worst_of_a_group_train_and_the_others_stay_where_they_are():
    found = pruned()
    said = tokenizer().batch_decode(found.ids)
    # For shoes: the part "shoes" replaces one of what is worth nothing or less than it.
    assert found.replaced[:4].sum() == 1
    assert said[int(np.flatnonzero(found.replaced[:4])[0])].strip() == "shoes<eos>"
    unchanged = ~found.replaced
    assert [said[k] for k in np.flatnonzero(unchanged)] == [
        tokenizer().decode(encoded(TEXTS[k])) for k in np.flatnonzero(unchanged)
    ]
    plain = [text.removesuffix("<eos>") for text in TEXTS]
    ids = [encoded(text) for text in TEXTS]
    assert found.rewards.tolist() == reward().values(plain, ROWS, ids)


def test_nothing_changes_where_no_part_is_worth_more():
    texts = ["shoes<eos>", "red<eos>", "lamp<eos>", "usb hub, map<eos>"]
    found = pruned(texts, [query("shoes")] * 4)
    assert not found.replaced.any()
    assert found.ids == [encoded(text) for text in texts]


def test_what_did_not_end_is_not_pruned():
    end = tokenizer().eos_token_id
    texts = ["usb hub, shoes", "lamp<eos>", "map<eos>", "red<eos>"]
    assert not pruned(texts, [query("shoes")] * 4, end=end).replaced.any()
    ended = ["usb hub, shoes<eos>", *texts[1:]]
    assert pruned(ended, [query("shoes")] * 4, end=end).replaced.any()


def test_what_cannot_be_read_is_not_pruned_where_that_is_allowed(monkeypatch):
    def unreadable(*_):
        raise AlignmentError("no")

    made = reward()
    monkeypatch.setattr(made, "read", unreadable)
    ids = [encoded(text) for text in TEXTS]
    with pytest.raises(AlignmentError):
        prune(ids, ROWS, made, tokenizer(), ARGS)
    plain = SimpleNamespace(**vars(ARGS) | {"on_misaligned": "uniform"})
    assert prune(ids, ROWS, made, tokenizer(), plain).ids == ids


def test_the_trainer_trains_on_what_is_left(tmp_path, monkeypatch):
    texts = ["usb hub, shoes<eos>", "map, lamp<eos>", "usb hub<eos>", "red<eos>"] * 3
    ids = [encoded(text) for text in texts]
    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", lambda *_: (ids, None))
    made = trainer(OSPOTrainer, tmp_path, rule="uniform", prune=True)
    made.model.train()
    inputs = [dict(rows()[0]) for _ in texts]
    output = made._generate_and_score_completions(inputs)
    expected = prune(ids, inputs, reward(), tokenizer(), ARGS)
    assert expected.replaced.any()
    masks = output["completion_mask"].bool()
    trained = [
        own[mask].tolist() for own, mask in zip(output["completion_ids"], masks, strict=True)
    ]
    assert trained == expected.ids
    plain = trainer(OSPOTrainer, tmp_path, rule="uniform")
    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", lambda *_: (expected.ids, None))
    plain.model.train()
    same = plain._generate_and_score_completions(inputs)
    assert output["advantages"].tolist() == same["advantages"].tolist()
    log = {name: values[-1] for name, values in made._metrics["train"].items()}
    assert log["prune/replaced"] == expected.replaced.mean()
    assert log["prune/reward_written"] == pytest.approx(expected.rewards.mean())


def test_what_is_evaluated_is_what_was_written(tmp_path, monkeypatch):
    texts = ["usb hub, shoes<eos>", "map, lamp<eos>", "usb hub<eos>", "red<eos>"]
    ids = [encoded(text) for text in texts]
    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", lambda *_: (ids, None))
    made = trainer(OSPOTrainer, tmp_path, rule="uniform", prune=True)
    made.model.eval()
    output = made._generate_and_score_completions([dict(rows()[0]) for _ in texts])
    masks = output["completion_mask"].bool()
    assert [
        own[mask].tolist() for own, mask in zip(output["completion_ids"], masks, strict=True)
    ] == ids


@pytest.mark.parametrize("rule", ["uniform", "praise"])
def test_it_trains(tmp_path, rule):
    made = trainer(OSPOTrainer, tmp_path, rule=rule, prune=True)
    made.train()
    logs = [entry for entry in made.state.log_history if "prune/replaced" in entry]
    assert len(logs) == 3


def test_answers_of_tools_are_not_pruned(tmp_path):
    with pytest.raises(InputError, match="drop prune"):
        trainer(OSPOTrainer, tmp_path, prune=True, rollout_func=lambda prompts, made: {})

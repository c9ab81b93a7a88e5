"""The sentences benchmark: its truth is what it says, and its parts do what the claim needs."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy
from dataclasses import replace
from itertools import islice
from math import exp

import numpy as np
import pytest

from benchmarks.claims.learning.loop import write
from benchmarks.claims.learning.run import Key
from benchmarks.claims.sentences import report, run
from benchmarks.claims.sentences.checks import agreement, counted
from benchmarks.claims.sentences.policy import train as train_policy
from benchmarks.claims.sentences.preferences import DECIDED, Comparison, comparisons
from benchmarks.claims.sentences.reward_model import train as train_reward
from benchmarks.claims.sentences.reward_model import words as words_of_pairs
from benchmarks.claims.sentences.task import WISHES, Task, Wanted
from ospo.reward.bradley_terry import BradleyTerry
from ospo.reward.pair import PairReward
from ospo.text.prose import sentences
from ospo.text.segment import words


@pytest.fixture(scope="module")
def task():
    return Task()


@pytest.fixture(scope="module")
def beginner(task):
    """A policy that has hardly been trained."""
    return train_policy(task, 0, steps=4)


def test_no_kind_of_product_is_in_two_parts(task):
    kinds = [{product.kind for product in part} for part in task.parts]
    assert len(set.union(*kinds)) == sum(map(len, kinds))
    assert min(map(len, kinds)) >= 20


def test_a_page_is_cut_into_the_sentences_that_it_was_made_of(task):
    for request in islice(task.training(0), 300):
        assert [each.phrase for each in sentences(" ".join(request.page))] == [*request.page]
        assert len({*request.page}) == len(request.page)


def test_every_held_out_page_is_asked_every_wish(task):
    requests = task.held_out(2)
    assert [request.wish for request in requests[:3]] == [*WISHES]
    assert requests[0].page == requests[2].page != requests[3].page
    told = {task.wishes.get(each) for request in requests for each in request.page}
    assert told == {*WISHES, None}  # what names a product answers no wish


def test_copies_are_parts_of_the_page_whatever_the_wish(task):
    said = defaultdict(list)
    for request, text in islice(task.copies(0), 3000):
        told = [each.phrase for each in sentences(text)]
        assert [each for each in request.page if each in told] == told
        said[request.wish].append(np.mean([task.wishes.get(each) == "offers" for each in told]))
    shares = [np.mean(said[wish]) for wish in WISHES]
    assert max(shares) - min(shares) < 0.04  # four standard errors


def test_a_wanted_sentence_is_worth_2_once_and_any_other_costs_1(task):
    truth = Wanted(task)
    texts = ["", "Made of oak.", " Made of oak. Colour: red.", "Made of oak. Made of oak."]
    texts += ["Made of oak. Free returns in 30 days.", "Made of", "Made of oak. Made of red oak."]
    worth = truth.value(texts, [{"wish": "details"}] * len(texts))
    assert worth.tolist() == [0.0, 2.0, 4.0, 1.0, 1.0, -1.0, 1.0]
    assert truth.value(texts[1:2], [{"wish": "offers"}]).tolist() == [-1.0]


def test_drafts_are_preferred_as_often_as_bradley_and_terry_say(task):
    won = defaultdict(list)
    for its in islice(comparisons(task, seed=0), 4000):
        rows = [{"wish": its.wish}] * 2
        assert Wanted(task).value(its.drafts, rows).tolist() == [*its.worth]
        won[abs(its.worth[0] - its.worth[1])].append(its.worth[0] > its.worth[1])
    for apart in (1.0, 2.0):
        wins = won[apart]
        chance = 1 / (1 + exp(-DECIDED * apart))
        assert abs(np.mean(wins) - chance) < 4 * (chance * (1 - chance) / len(wins)) ** 0.5


def test_the_truth_agrees_with_readers_as_often_as_its_differences_say(task):
    told = list(islice(comparisons(task, seed=1), 500))
    apart = np.array([abs(its.worth[0] - its.worth[1]) for its in told])
    expected = np.mean(1 / (1 + np.exp(-DECIDED * apart)))
    assert agreement(task, Wanted(task), 500) == pytest.approx(expected, abs=0.08)
    assert 0.6 < expected < 0.95


def test_the_truth_counts_wanted_sentences_and_what_is_added_to_them(task):
    scores = counted(task, Wanted(task), pages=40)
    wanted = 2.0 * np.arange(4)
    nothing, unwanted, again, spoiled = scores.swapaxes(0, 1)
    np.testing.assert_array_equal(nothing, np.tile(wanted, (40, 1)))
    np.testing.assert_array_equal(unwanted, nothing - 1)
    np.testing.assert_array_equal(again, nothing - [0, 1, 1, 1])
    assert (spoiled - nothing == -1).mean() > 0.9  # some ends fit and some cut no sentence off


def test_a_reward_model_learns_what_is_preferred_and_is_loaded_as_any_other(task, tmp_path):
    rng = np.random.default_rng(0)
    colours = ["red", "blue", "green", "black"]

    def told():
        while True:
            other = rng.choice(colours[1:])
            rest = " ".join(f"Comes in {rng.choice(colours[1:])}." for _ in range(rng.integers(3)))
            drafts = (f"Comes in red. {rest}", f"Comes in {other}. {rest}")
            yield Comparison("details", drafts, (1.0, 0.0))

    train_reward(told(), words_of_pairs(task), tmp_path / "reward", steps=40)
    reward = BradleyTerry(tmp_path / "reward", "wish")
    pairs = [next(told()).drafts for _ in range(50)]
    scores = reward.value([text for pair in pairs for text in pair], [{"wish": "details"}] * 100)
    assert (scores[::2] > scores[1::2]).mean() > 0.9
    spaced = reward.value([f" {text}" for text in pairs[0]], [{"wish": "details"}] * 2)
    assert spaced.tolist() == scores[:2].tolist()


def test_an_empty_draft_is_read_alike_in_training_and_in_valuing(task):
    tokenizer = words_of_pairs(task)
    assert tokenizer("offers", "").input_ids == tokenizer([("offers", "")]).input_ids[0]
    full_stop, end = tokenizer("offers", "Made of oak.").input_ids[-2:]
    assert tokenizer.convert_ids_to_tokens([full_stop, end]) == ["Ġ.", "<eos>"]


class Length(PairReward):
    """The characters of a text, whatever the wish."""

    def compute(self, pairs):
        return np.array([float(len(text)) for _, text in pairs])


@pytest.fixture
def trained(task, beginner, monkeypatch):
    """Runs of ten small steps, by arm."""
    monkeypatch.setattr(run, "PROMPTS", 2)
    monkeypatch.setattr(run, "sentences", words)  # a beginner writes no two sentences

    def fresh(*_):
        return replace(beginner, model=deepcopy(beginner.model))

    def ended(model, *rest):
        rollouts = write(model, *rest)  # what is cut off has no credit
        rollouts.completions[:, -1] = model.config.eos_token_id
        return rollouts

    monkeypatch.setattr(run, "warm_policy", fresh)
    monkeypatch.setattr(run, "write", ended)
    monkeypatch.setattr(run, "reward_model", lambda _: Length("wish"))
    monkeypatch.setattr(task, "held_out", lambda part: list(islice(task.training(part), 3)))
    return lambda arm: run.train(Key(arm, 3e-3, 0, 0, steps=10, group=4), task)


def test_a_run_keeps_both_measures_of_what_it_wrote(trained, task):
    record = trained("praise")
    rows = [{"wish": request.wish} for request in task.held_out(2)]
    assert [len(record[part]) for part in ("validation", "test", "worth")] == [2, 2, 2]
    lengths = [len(text) for text in record["written"]]
    assert record["test"][-1] == pytest.approx(np.mean(lengths), abs=1e-4)
    worth = Wanted(task).value(record["written"], rows)
    assert record["worth"][-1] == pytest.approx(worth.mean(), abs=1e-4)
    again = trained("praise")
    del record["seconds"], again["seconds"]
    assert again == record


def test_only_arms_that_credit_by_the_reward_ask_more_of_it(trained):
    asked = {arm: trained(arm)["asked"] for arm in ("grpo", "oracle", "placebo")}
    assert asked["grpo"] == asked["oracle"] < asked["placebo"]


def record(level, validation):
    curves = {"validation": [0.0, validation], "test": [0.0, level], "worth": [0.0, -level]}
    return curves | {
        "ceilings": {"test": 9.0, "worth": 9.0},
        "queries": {"test": [level] * 2, "worth": [-level] * 2},
    }


def test_the_report_takes_the_rate_that_validation_chose(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(report, "TABLES", tmp_path / "tables.md")
    monkeypatch.setattr(report, "FIGURE", tmp_path / "figures" / "curves.png")
    found = {}
    for seed in range(3):
        for rate, level, validation in ((1e-3, 1.0, 2.0), (2e-3, 8.0, 1.0)):
            key = Key("grpo", rate, 0, seed, steps=10)
            found[key] = vars(key) | record(level, validation)
        key = Key("praise", 1e-3, 0, seed, steps=10)
        found[key] = vars(key) | record(2.0, 1.0)
    report.report(found, steps=10)
    told = capsys.readouterr().out
    assert told == report.TABLES.read_text()
    score, worth = told.split("\n\n")[1:4:2]
    # End levels are means over the last evaluations, here of the first and the last.
    assert "| praise | 1e-3 | 3 | +0.500 [+0.500, +0.500] | 1.000 |" in score
    assert "| praise | 1e-3 | 3 | −0.500 [−0.500, −0.500] | -1.000 |" in worth
    assert report.FIGURE.stat().st_size > 10_000

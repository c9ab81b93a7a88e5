"""The light loop of the learning benchmark: its updates are those of OSPOTrainer."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import tiny_training
import torch
from datasets import Dataset

from benchmarks.claims.learning.arms import MAIN
from benchmarks.claims.learning.loop import Learner, Rollouts, log_probabilities, write
from benchmarks.claims.learning.planted import Planted
from benchmarks.claims.learning.run import Shaper
from ospo.train import OSPOTrainer
from ospo.train.policy.tokenizer import prompt
from ospo.train.policy.warm_start import warm_start

QUERIES = [*tiny_training.QUERIES]
ROWS = [
    {"prompt": prompt(f"i need {wanted}, returned my {other}"), "query_id": wanted}
    for wanted in QUERIES
    for other in QUERIES
    if other != wanted
]
EPSILON = 1e-4  # a smaller one makes steps of gradients that are nothing but rounding


@pytest.fixture(scope="module")
def policy():
    """A policy that has learned to copy: what it writes is worth something now and then."""
    model, words = warm_start(tiny_training.collection(), steps=150)
    return SimpleNamespace(model=model, tokenizer=words)


class Noting(OSPOTrainer):
    """Keeps what it was asked and what it wrote."""

    def _generate_and_score_completions(self, inputs):
        output = super()._generate_and_score_completions(inputs)
        masks = output["completion_mask"].bool()
        written = zip(output["completion_ids"], masks, strict=True)
        self.noted.append(
            ([dict(row) for row in inputs], [ids[own].tolist() for ids, own in written])
        )
        return output


@pytest.mark.parametrize("arm", [name for name, arm in MAIN.items() if not arm.planted])
def test_its_updates_are_those_of_the_trainer(arm, policy, tmp_path):
    theirs, ours = copy.deepcopy(policy.model), copy.deepcopy(policy.model)
    trainer = tiny_training.trainer(
        Noting,
        tmp_path,
        model=theirs,
        processing_class=policy.tokenizer,
        train_dataset=Dataset.from_list(ROWS),
        learning_rate=1e-3,
        adam_epsilon=EPSILON,
        lr_scheduler_type="constant",
        **MAIN[arm].settings,
    )
    trainer.noted = []
    trainer.train()
    words, reward = policy.tokenizer, tiny_training.reward()
    shaper = Shaper(trainer.args, policy, reward)
    learner = Learner(ours, trainer.args.learning_rate, EPSILON)
    for rows, ids in trainer.noted:
        prompts = words([row["prompt"] for row in rows[:: trainer.num_generations]])["input_ids"]
        rollouts = Rollouts.given(prompts, ids, words.pad_token_id)
        texts = words.batch_decode(ids, skip_special_tokens=True)
        rewards = torch.tensor(reward.values(texts, rows, ids))
        learner.update(rollouts, shaper(rewards, rollouts, rows))
    pairs = list(
        zip(ours.parameters(), theirs.parameters(), policy.model.parameters(), strict=True)
    )
    assert max((new - old).abs().max() for new, _, old in pairs) > 1e-3
    assert max((new - other).abs().max() for new, other, _ in pairs) < 1e-5


def test_what_it_writes_is_drawn_from_the_policy(policy):
    model, words = policy.model, policy.tokenizer
    prompts = words(["<bos> i need a lamp<sep>"])["input_ids"]
    draws = torch.Generator().manual_seed(0)
    rollouts = write(model, prompts, 4000, draws)
    first = torch.bincount(rollouts.completions[:, 0], minlength=len(words)) / 4000
    with torch.no_grad():
        chance = model(torch.tensor(prompts)).logits[0, -1].softmax(dim=-1)
    assert (first - chance).abs().max() < 4 * 0.5 / 4000**0.5
    again = write(model, prompts, 4000, torch.Generator().manual_seed(0))
    assert torch.equal(again.completions, rollouts.completions)


def test_its_log_probabilities_are_those_of_whole_sequences(policy):
    model, words = policy.model, policy.tokenizer
    prompts = words(["<bos> lamp<sep>", "<bos> i need trail shoes<sep>"])["input_ids"]
    rollouts = write(model, prompts, 3, torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = log_probabilities(model, rollouts).tolist()
        for row, ids in enumerate(rollouts.written):
            whole = torch.tensor([prompts[row // 3] + ids])
            logits = model(whole).logits[0, len(prompts[row // 3]) - 1 : -1].log_softmax(dim=-1)
            expected = logits.gather(1, torch.tensor(ids)[:, None])[:, 0]
            own, found = found[: len(ids)], found[len(ids) :]
            torch.testing.assert_close(torch.tensor(own), expected, atol=1e-5, rtol=1e-5)
    assert not found


def test_the_planted_truth_pays_for_words_of_the_hidden_query_once():
    truth = Planted({"q": "desk lamps"})
    texts = ["lamp", "lamp, lamps", "lamp, shoes", "", "desk lamp"]
    assert truth.value(texts, [{"query_id": "q"}] * 5).tolist() == [1.0, 1.0, 0.5, 0.0, 2.0]

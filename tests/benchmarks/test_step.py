"""The step benchmarks: both trainers do the same work, and a wrong pairing is found."""

from __future__ import annotations

from itertools import count

import pytest
import torch
from datasets import disable_progress_bars

from benchmarks.core.step import Task, WordsFound, compare
from benchmarks.gpu.step import model_of, task_of
from ospo.data import load
from ospo.train import CompletionReward
from ospo.train.policy.tokenizer import completion, prompt, train_tokenizer

disable_progress_bars()


@pytest.fixture(scope="module")
def shop():
    return load("shop")


@pytest.fixture(scope="module")
def tokenizer(shop):
    return train_tokenizer(title.lower() for title in shop.catalogue.fields["title"])


@pytest.fixture
def task(shop, tokenizer):
    model = model_of("tiny", 1, tokenizer)

    def reward():
        return CompletionReward(WordsFound(), end=tokenizer.eos_token_id)

    return task_of(model, tokenizer, shop, reward, device="cpu", prompts_needed=2, rows=16)


def test_the_told_model_writes_clauses_of_its_own_context(tokenizer):
    model = model_of("tiny", 1, tokenizer)
    model.tell(tokenizer, 0)
    contexts = ["looking for a lamp, just bought red shoes", "on a budget"]
    batch = tokenizer([prompt(c) for c in contexts], return_tensors="pt", padding=True)
    ids = model.generate(**batch, max_new_tokens=40, do_sample=True)
    written = ids[:, batch["input_ids"].shape[1] :]
    for context, row in zip(contexts, written, strict=True):
        row = row[row != tokenizer.pad_token_id]
        text = tokenizer.decode(row, skip_special_tokens=True).strip()
        assert set(text.split(", ")) <= set(context.split(", "))
        assert row.tolist() == tokenizer(completion(text)).input_ids


def test_both_trainers_are_timed_on_the_same_completions(task):
    ticks, held = count(), count(100)
    timed = Task(
        task.model,
        task.tokenizer,
        task.prompts,
        task.reward,
        task.flags,
        clock=lambda: float(next(ticks)),
        peak=lambda: next(held),
    )
    before = [parameter.clone() for parameter in task.model.parameters()]
    found = compare(timed, steps=1, blocks=2)
    assert found["grpo"] == found["ospo"] == [1.0, 1.0]
    assert found["overhead"] == {"estimate": 0.0, "low": 0.0, "high": 0.0}
    assert found["memory"] == {"grpo": 105, "ospo": 107}
    for old, new in zip(before, task.model.parameters(), strict=True):
        assert torch.equal(old, new), "the policy learnt"


def test_trainers_that_wrote_different_completions_are_not_compared(task):
    changing = count()

    def other_prompts(_):
        return task.prompts(next(changing))

    unpaired = Task(task.model, task.tokenizer, other_prompts, task.reward, task.flags)
    with pytest.raises(AssertionError, match="cannot be compared"):
        compare(unpaired, steps=1, blocks=1)

"""The policy that begins: it copies sentences of the page, whatever its reader wants."""

from __future__ import annotations

from itertools import islice

import torch
from torch.optim.lr_scheduler import OneCycleLR
from transformers import PreTrainedTokenizerFast

from benchmarks.claims.learning.loop import Learner, Rollouts
from benchmarks.claims.sentences.task import WISHES, Task
from ospo.storage import cache_dir, whole
from ospo.train.policy.model import small_policy
from ospo.train.policy.policy import PLACE, Policy
from ospo.train.policy.tokenizer import completion, prompt, train_tokenizer

VERSION = 3  # raise it when the same seed makes another policy
STEPS, BATCH, RATE = 700, 32, 4e-3


def warm_policy(task: Task, seed: int) -> Policy:
    """Return the policy of a seed, from the cache if it was made before."""
    folder = cache_dir() / f"sentences-{VERSION}-policy-{seed}"
    if not folder.exists():
        with whole(folder) as draft:
            train(task, seed).save(draft)
    return Policy.load(folder)


def words(task: Task) -> PreTrainedTokenizerFast:
    """Train a tokenizer on the descriptions of the shop."""
    return train_tokenizer(
        f"{wish}, {product.description}" for product in task.products for wish in WISHES
    )


def train(task: Task, seed: int, steps: int = STEPS) -> Policy:
    """Train a policy to copy."""
    torch.set_num_threads(1)
    tokenizer = words(task)
    torch.manual_seed(seed)
    model = small_policy(tokenizer)
    learner = Learner(model, RATE)
    learner.optimiser.param_groups[0]["betas"] = (0.9, 0.98)
    schedule = OneCycleLR(learner.optimiser, RATE, steps, pct_start=0.1, cycle_momentum=False)
    pairs = task.copies(seed)
    for _ in range(steps):
        requests, told = zip(*islice(pairs, BATCH), strict=True)
        prompts = tokenizer([request.prompt for request in requests]).input_ids
        targets = tokenizer([completion(text) for text in told]).input_ids
        batch = Rollouts.given(prompts, targets, tokenizer.pad_token_id)
        learner.update(batch, torch.ones(batch.mask.shape))  # the gradient of the likelihood
        schedule.step()
    return Policy(model.eval(), tokenizer, prompt(PLACE))

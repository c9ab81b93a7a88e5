"""The reward model: a small BERT, trained on which of two drafts a reader preferred."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tokenizers.normalizers import Prepend, Sequence, Strip
from torch.nn.functional import logsigmoid
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from benchmarks.claims.sentences.policy import words
from benchmarks.claims.sentences.task import WISHES, Request, Task, Wanted
from ospo.data.draw import between, pick
from ospo.data.shop import Product
from ospo.reward.bradley_terry import BradleyTerry
from ospo.reward.reward import Reward
from ospo.storage import cache_dir, whole

VERSION = 5  # raise it when another model comes out
STEPS, BATCH, RATE = 1500, 32, 2e-3
LONGEST = 4  # sentences of a draft
EDITED = 0.5  # of the second drafts are the first with a sentence more
SPLICED = 0.25  # of the sentences are the beginning of one and the end of another


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a reader wished, and two drafts with what they are worth, the preferred one first."""

    wish: str
    drafts: tuple[str, ...]
    worth: tuple[float, ...]


def comparisons(task: Task, products: list[Product], seed: int) -> Iterator[Comparison]:
    """Yield comparisons of two drafts from one page, without end.

    The first draft is preferred with the probability of Bradley and Terry, 1 / (1 + exp(-d)),
    where d is by how much more it is worth.
    """
    rng = random.Random(seed)
    truth = Wanted(task)
    for request in task.requests(products, seed):
        first = _draft(rng, request, task)
        if rng.random() < EDITED:
            second = first.copy()
            second.insert(between(rng, 0, len(first)), _sentence(rng, request, task))
        else:
            second = _draft(rng, request, task)
        drafts = (" ".join(first), " ".join(second))
        worth = tuple(truth.value(drafts, [{"wish": request.wish}] * 2).tolist())
        order = 1 if rng.random() < 1 / (1 + np.exp(worth[1] - worth[0])) else -1
        yield Comparison(request.wish, drafts[::order], worth[::order])


def _draft(rng: random.Random, request: Request, task: Task) -> list[str]:
    return [_sentence(rng, request, task) for _ in range(between(rng, 0, LONGEST))]


def _sentence(rng: random.Random, request: Request, task: Task) -> str:
    """A sentence of the page, of one sort as often as of another; some are spliced."""
    sort = pick(rng, (*WISHES, None))
    of_it = [each for each in request.page if task.wishes.get(each) == sort]
    told = pick(rng, of_it or request.page)
    if rng.random() < SPLICED:
        own, other = told.split(), pick(rng, request.page).split()
        told = " ".join(own[: between(rng, 1, len(own))] + other[between(rng, 1, 2) :])
    return told


def reward_model(task: Task) -> BradleyTerry:
    """Return the model, from the cache if it was trained before."""
    folder = cache_dir() / f"sentences-{VERSION}-reward"
    if not folder.exists():
        told = comparisons(task, task.parts[0], seed=0)
        with whole(folder) as draft:
            train(told, words(task), draft)
    return BradleyTerry(folder, "wish", batch_size=64)


def agreement(task: Task, reward: Reward, count: int = 2000) -> float:
    """Return how often a reward prefers what the reader of a test page did; a tie counts half."""
    told = list(islice(comparisons(task, task.parts[2], seed=1), count))
    rows = [{"wish": its.wish} for its in told for _ in range(2)]
    scores = reward.value([draft for its in told for draft in its.drafts], rows).reshape(-1, 2)
    return float(((1 + np.sign(scores[:, 0] - scores[:, 1])) / 2).mean())


def train(
    told: Iterable[Comparison],
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    steps: int = STEPS,
) -> None:
    """Train a reward model to find it likely that preferred drafts are preferred, and save it."""
    torch.set_num_threads(1)
    tokenizer = deepcopy(tokenizer)
    tokenizer.padding_side = "right"  # BERT counts positions from the left
    # A completion begins with a space, and what is left without its first sentence does not.
    tokenizer.backend_tokenizer.normalizer = Sequence([Strip(), Prepend(" ")])
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=96,
        max_position_embeddings=96,
        hidden_dropout_prob=0.0,  # no comparison is seen twice
        attention_probs_dropout_prob=0.0,
        pad_token_id=tokenizer.pad_token_id,
        num_labels=1,
    )
    model = BertForSequenceClassification(config)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, steps)
    stream = iter(told)
    model.train()
    for _ in range(steps):
        pairs = [(its.wish, draft) for its in islice(stream, BATCH) for draft in its.drafts]
        scores = model(**tokenizer(pairs, padding=True, return_tensors="pt")).logits.view(-1, 2)
        loss = -logsigmoid(scores[:, 0] - scores[:, 1]).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        decay.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

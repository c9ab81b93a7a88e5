"""The warm start: a policy that copies phrases from a context, useful and useless alike."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerFast

from ospo.data.collection import Collection
from ospo.data.contexts import CLAUSES, warm_start_pairs
from ospo.errors import InputError
from ospo.train.policy.model import CopyDecoderForCausalLM, small_policy
from ospo.train.policy.tokenizer import completion, prompt, train_tokenizer

BATCH = 32
LEARNING_RATE = 4e-3
WARM_UP = 50
IGNORED = -100  # the label that cross_entropy leaves out


def warm_start(
    collection: Collection,
    *,
    steps: int = 600,
    seed: int = 0,
    on_step: Callable[[int, int, float], None] | None = None,
) -> tuple[CopyDecoderForCausalLM, PreTrainedTokenizerFast]:
    """Train a tokenizer and a policy on the titles of a catalogue, without queries or judgments.

    Parameters
    ----------
    collection
        Its titles give the vocabulary and the training pairs.
    steps
        Optimiser steps on batches of 32 pairs; copying needs about 400.
    seed
        Decides the initial weights, the pairs and their order.
    on_step
        Called after each step with its number from 1, the number of steps, and the loss in nats
        per token.

    Returns
    -------
    tuple
        The model, in evaluation mode on the CPU, and its tokenizer.

    Raises
    ------
    InputError
        If ``steps`` is below 1, or no title has a word.
    """
    if steps < 1:
        raise InputError(f"a warm start of {steps} steps trains nothing: give at least 1")
    titles = collection.catalogue.fields["title"]
    # Half of the texts are clauses, so that the words of the cues become single tokens. There may
    # be millions of titles: they are read one by one.
    clauses = chain.from_iterable(repeat(CLAUSES, len(titles) // len(CLAUSES) + 1))
    tokenizer = train_tokenizer(chain((title.lower() for title in titles), clauses))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = small_policy(tokenizer)
    pairs = warm_start_pairs(collection, steps * BATCH, seed=seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _cosine(step, steps))
    model.train()
    for step, (ids, mask, labels) in enumerate(_batches(tokenizer, pairs, seed=seed), start=1):
        logits = model(ids, attention_mask=mask, logits_to_keep=labels.shape[1] + 1).logits
        loss = cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        if on_step is not None:
            on_step(step, steps, loss.item())
    return model.eval(), tokenizer


def _batches(
    tokenizer: PreTrainedTokenizerFast, pairs: Sequence[tuple[str, str]], *, seed: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Batches in random order, each of texts of about one length, padded on the left.

    Yields ids and mask, ``(B, T)``, and labels, ``(B, W)``: the last W ids, without those that
    belong to a prompt.
    """
    prompts = tokenizer([prompt(context) for context, _ in pairs]).input_ids
    targets = tokenizer([completion(phrases) for _, phrases in pairs]).input_ids
    rows = sorted(zip(prompts, targets, strict=True), key=lambda row: len(row[0]) + len(row[1]))
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    rng = random.Random(seed)
    for batch in sorted(batches, key=lambda _: rng.random()):
        ids = _left_padded([source + target for source, target in batch], tokenizer.pad_token_id)
        mask = _left_padded([[1] * (len(source) + len(target)) for source, target in batch], 0)
        yield ids, mask, _left_padded([target for _, target in batch], IGNORED)


def _left_padded(rows: Sequence[list[int]], padding: int) -> Tensor:
    tensors = [torch.tensor(row) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=padding, padding_side="left")


def _cosine(step: int, steps: int) -> float:
    """Share of the learning rate: a short linear rise, then half a cosine to 5 per cent."""
    return min((step + 1) / WARM_UP, 0.05 + 0.95 * (1 + math.cos(math.pi * step / steps)) / 2)

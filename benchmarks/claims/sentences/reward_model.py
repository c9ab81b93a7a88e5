"""The reward model: a small ModernBERT, trained on which of two drafts a reader preferred."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import torch
from tokenizers.normalizers import Prepend, Replace, Sequence, Strip
from tokenizers.processors import TemplateProcessing
from torch.nn.functional import logsigmoid
from torch.optim.lr_scheduler import OneCycleLR
from transformers import (
    ModernBertConfig,
    ModernBertForSequenceClassification,
    PreTrainedTokenizerFast,
)

from benchmarks.claims.sentences.preferences import Comparison, comparisons
from benchmarks.claims.sentences.task import WISHES, Task
from ospo.reward.bradley_terry import BradleyTerry
from ospo.storage import cache_dir, whole
from ospo.train.policy.tokenizer import EOS, SEP, train_tokenizer

VERSION = 6  # raise it when another model comes out
STEPS, BATCH, RATE = 5000, 16, 2e-3
WIDTH = 64


def reward_model(task: Task) -> BradleyTerry:
    """Return the model, from the cache if it was trained before."""
    folder = cache_dir() / f"sentences-{VERSION}-reward"
    if not folder.exists():
        with whole(folder) as draft:
            train(comparisons(task, seed=0), words(task), draft)
    return BradleyTerry(folder, "wish", batch_size=64)


def train(
    told: Iterable[Comparison],
    tokenizer: PreTrainedTokenizerFast,
    folder: Path,
    steps: int = STEPS,
) -> None:
    """Train a reward model to find it likely that preferred drafts are preferred, and save it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=128,
        global_attn_every_n_layers=1,
        classifier_pooling="cls",  # the first token, which is the wish
        initializer_range=WIDTH**-0.5,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        cls_token_id=tokenizer.bos_token_id,
        sep_token_id=tokenizer.sep_token_id,
        num_labels=1,
    )
    model = ModernBertForSequenceClassification(config)
    optimiser = torch.optim.AdamW(model.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.0)
    schedule = OneCycleLR(optimiser, RATE, steps, pct_start=0.03, cycle_momentum=False)
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
        schedule.step()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def words(task: Task) -> PreTrainedTokenizerFast:
    """Return a tokenizer of a wish and a draft in which a full stop is a token of its own."""
    tokenizer = train_tokenizer(
        f"{wish}, {product.description}".replace(".", " .")
        for product in task.products
        for wish in WISHES
    )
    tokenizer.padding_side = "right"  # the first token is pooled
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    # A completion begins with a space, and what is left without its first sentence does not.
    tokenizer.backend_tokenizer.normalizer = Sequence([Replace(".", " ."), Strip(), Prepend(" ")])
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"$A {SEP} {EOS}",  # an empty draft
        pair=f"$A {SEP} $B:1 {EOS}:1",
        special_tokens=[(token, tokenizer.convert_tokens_to_ids(token)) for token in (SEP, EOS)],
    )
    return tokenizer

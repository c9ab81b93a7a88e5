"""Random BERTs of a few words, stored as encoders of texts and as models that score pairs."""

from __future__ import annotations

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import (
    Dense,
    Normalize,
    Pooling,
    Transformer,
)
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizer

WORDS = ["red", "blue", "running", "shoes", "lamp", "desk", "usb", "hub", "alpen"]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
LONGEST = 40  # tokens
SIZES = {
    "vocab_size": len(TOKENS),
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": LONGEST,
}


def save_encoder(folder, *, pooling="mean", dense=False, seed=0, **options):
    """Store an encoder as sentence-transformers does, and return its folder."""
    bert, whole = folder / "bert", folder / "model"
    save_tokenizer(bert)
    torch.manual_seed(seed)
    BertModel(BertConfig(**SIZES)).save_pretrained(bert)
    modules = [Transformer(str(bert), max_seq_length=32), Pooling(32, pooling_mode=pooling)]
    modules += [Dense(32, 16)] if dense else []
    SentenceTransformer(modules=[*modules, Normalize()], device="cpu", **options).save(str(whole))
    return whole


def save_scorer(folder, outputs=1):
    """Store a model that gives a pair of texts some scores, and return its folder."""
    save_tokenizer(folder)
    torch.manual_seed(0)
    # Its weights are so wide that pairs differ.
    config = BertConfig(**SIZES, initializer_range=0.5, num_labels=outputs)
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def save_tokenizer(folder):
    vocabulary = {token: place for place, token in enumerate(TOKENS)}
    BertTokenizer(vocab=vocabulary, model_max_length=LONGEST).save_pretrained(folder)

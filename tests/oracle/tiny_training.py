"""A training so small that tests can afford many: six products, three queries, 20,000 weights."""

from __future__ import annotations

import gc
from functools import cache

import torch
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM, PrinterCallback
from trl import GRPOConfig, GRPOTrainer

from ospo.data.collection import Catalogue, Collection
from ospo.search.bm25 import BM25
from ospo.search.metrics import NDCG
from ospo.train import OSPOConfig, RetrievalReward
from ospo.train.policy.tokenizer import prompt, train_tokenizer

# Every training has the garbage collected, which takes longer than the training itself while the
# modules that were imported count as possible garbage.
gc.collect()
gc.freeze()

TITLES = ("red trail shoes", "blue road shoes", "desk lamp", "floor lamp", "trail map", "usb hub")
QUERIES = {"shoes": {"0": 3, "1": 1}, "lamp": {"2": 3, "3": 2}, "map": {"4": 1}}
SETTINGS = {
    "learning_rate": 1e-2,
    "max_steps": 3,
    "per_device_train_batch_size": 12,
    "gradient_accumulation_steps": 1,
    "num_generations": 4,
    "max_completion_length": 12,
    "use_cpu": True,
    "bf16": False,
    "report_to": "none",
    "save_strategy": "no",
    "logging_steps": 1,
    "disable_tqdm": True,
    "seed": 2,  # all groups differ in reward
}


@cache
def tokenizer():
    return train_tokenizer([*TITLES, *QUERIES, ", , ,"] * 4, vocab_size=300)


def collection():
    ids = tuple(str(k) for k in range(len(TITLES)))
    return Collection("tiny", Catalogue(ids, {"title": TITLES}), {q: q for q in QUERIES}, QUERIES)


def reward(**options):
    shop = collection()
    return RetrievalReward(shop, BM25(shop.catalogue), NDCG(10), **options)


def model():
    """The same weights each time, biased to words of the catalogue, so that rewards differ."""
    words = tokenizer()
    torch.manual_seed(0)
    made = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
        )
    )
    with torch.no_grad():
        made.lm_head.weight[words(" ".join(TITLES) + ", shoes, lamp, ")["input_ids"]] *= 3
    return made


def rows():
    return [{"prompt": prompt(f"i need {query}"), "query_id": query} for query in QUERIES] * 6


def trainer(cls, folder, **settings):
    """A trainer of the same tiny model on the same prompts, whatever the class."""
    config = GRPOConfig if cls is GRPOTrainer else OSPOConfig
    arguments = {
        "model": model(),
        "reward_funcs": reward(),
        "train_dataset": Dataset.from_list(rows()),
        "processing_class": tokenizer(),
    }
    extra = ("peft_config", "eval_dataset", "rollout_func", "callbacks", "environment_factory")
    arguments |= {name: settings.pop(name) for name in (*arguments, *extra) if name in settings}
    args = config(output_dir=str(folder), **(SETTINGS | settings))
    made = cls(args=args, **arguments)
    made.remove_callback(PrinterCallback)
    return made


def completions(made, texts):
    """Have the trainer generate given completions, in the form of TRL's own generation."""
    real = made._generate
    ids = [tokenizer().encode(text) for text in texts]
    plain = [text.removesuffix(tokenizer().eos_token) for text in texts]

    def generate(prompts):
        generated = list(real(prompts))
        generated[1], generated[3] = ids, plain
        return tuple(generated)

    made._generate = generate
    return ids

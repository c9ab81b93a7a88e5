"""Step time and memory of OSPO beside GRPO on a Qwen2.5-shaped model with a dense retriever.

    python -m benchmarks.gpu.step [--shape 0.5b] [--steps 4] [--blocks 4]
    python -m benchmarks.gpu.step --shape tiny --device cpu --steps 1 --blocks 1

The model has the shape of Qwen2.5 and random weights in bfloat16. It runs in full for each token,
but its sampling is told what to choose: some of the context's clauses in another order, for of
noise there would be no segments. Both trainers write the same, in alternating blocks as in
benchmarks/core/step.py. Reward and credit are nDCG@100 with all-MiniLM-L6-v2 on the same device, on
the shop. Times are of the clock, with the device waited for; memory is the most that torch held on
the device during a step.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import (
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from benchmarks.core.step import Task, compare, in_words, quiet
from ospo.data import Collection, load
from ospo.data.contexts import noisy_contexts
from ospo.search.dense import Dense
from ospo.search.encoder import Encoder, minilm_folder
from ospo.search.metrics import NDCG
from ospo.storage import cache_dir
from ospo.train import RetrievalReward
from ospo.train.policy.tokenizer import completion, prompt, train_tokenizer
from ospo.train.reward import TrainingReward

RESULTS = Path(__file__).parents[1] / "results"
# Width, width between, layers, heads, heads of keys, tokens, whether input and output share them.
SHAPES = {
    "0.5b": (896, 4864, 24, 14, 2, 151_936, True),
    "1.5b": (1536, 8960, 28, 12, 2, 151_936, True),
    "7b": (3584, 18_944, 28, 28, 4, 152_064, False),
    "tiny": (64, 128, 2, 4, 2, 2048, True),
}
LONGEST = 64  # tokens of a completion
ROWS = 48  # completions of a step


class Told(LogitsProcessor):
    """Leaves one token to choose, that of the completion's script."""

    def __init__(self, scripts: Sequence[Sequence[int]], read: int) -> None:
        self.scripts = scripts
        self.read = read

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return the scores with all others out."""
        place = input_ids.shape[1] - self.read
        wanted = [script[min(place, len(script) - 1)] for script in self.scripts]
        column = torch.tensor(wanted, device=scores.device)[:, None]
        return torch.full_like(scores, -torch.inf).scatter(1, column, 0.0)


class ToldQwen(Qwen2ForCausalLM):
    """A model that writes some clauses of its context, as slowly as if they were its own."""

    def tell(self, tokenizer: PreTrainedTokenizerFast, seed: int) -> None:
        """Begin to draw clauses from a seed."""
        self.tokenizer, self.draw = tokenizer, random.Random(seed)

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        """Generate as usual, but for what is chosen."""
        ids = kwargs["input_ids"]
        scripts = [self._script(context) for context in self.tokenizer.batch_decode(ids, True)]
        told = LogitsProcessorList([Told(scripts, ids.shape[1])])
        return super().generate(*args, logits_processor=told, **kwargs)

    def _script(self, context: str) -> list[int]:
        clauses = context.strip().split(", ")
        drawn = self.draw.sample(clauses, self.draw.randint(1, len(clauses)))
        return self.tokenizer(completion(", ".join(drawn))).input_ids


def model_of(shape: str, layers: int | None, tokenizer: PreTrainedTokenizerFast) -> ToldQwen:
    """Return a random model of a shape, with as many layers as are given."""
    width, between, deep, heads, keys, tokens, tied = SHAPES[shape]
    config = Qwen2Config(
        hidden_size=width,
        intermediate_size=between,
        num_hidden_layers=layers or deep,
        num_attention_heads=heads,
        num_key_value_heads=keys,
        vocab_size=tokens,
        tie_word_embeddings=tied,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(0)
    return ToldQwen(config).to(torch.bfloat16)


def task_of(
    model: ToldQwen,
    tokenizer: PreTrainedTokenizerFast,
    collection: Collection,
    reward: Callable[[], TrainingReward],
    *,
    device: str,
    prompts_needed: int,
    rows: int = ROWS,
) -> Task:
    """Return what both trainers do: steps of some rows, on contexts of the collection."""
    training, _ = collection.split(seed=0)

    def prompts(seed: int) -> Dataset:
        model.tell(tokenizer, seed)
        per_query = -(-prompts_needed // len(training))
        contexts = noisy_contexts(collection, training, per_query=per_query, seed=seed)
        return Dataset.from_list(
            [
                {
                    "prompt": prompt(context.text),
                    "query_id": context.query_id,
                    "reference": collection.queries[context.query_id],
                }
                for context in contexts
            ]
        )

    flags = ["--max_completion_length", str(LONGEST)]
    flags += ["--per_device_train_batch_size", str(rows), "--gradient_accumulation_steps", "1"]
    if device == "cpu":
        return Task(model, tokenizer, prompts, reward, flags)
    flags += ["--use_cpu", "False", "--bf16", "True"]
    return Task(model, tokenizer, prompts, reward, flags, waited, most_memory)


def waited() -> float:
    """Return the clock's seconds when the device has done all that it was asked."""
    torch.cuda.synchronize()
    return time.perf_counter()


def most_memory() -> int:
    """Return the most bytes that were held since the last call."""
    most = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return most


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--shape", choices=SHAPES, default="0.5b")
    options.add_argument("--layers", type=int, help="instead of the shape's own")
    options.add_argument("--device", default="cuda", help="cuda, or cpu to try the script")
    options.add_argument("--steps", type=int, default=4, help="in a block")
    options.add_argument("--blocks", type=int, default=4)
    options.add_argument("--rows", type=int, default=ROWS, help="completions of a step")
    options.add_argument("--out", type=Path, help="by default gpu_step_SHAPE.json in the results")
    chosen = options.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        sys.exit("no CUDA device is here: run this where there is one, or with --device cpu")
    quiet()
    collection = load("shop")
    tokenizer = train_tokenizer(title.lower() for title in collection.catalogue.fields["title"])
    encoder = Encoder(minilm_folder(), device=chosen.device)

    def reward() -> RetrievalReward:
        retriever = Dense(collection.catalogue, encoder, cache_dir())
        return RetrievalReward(collection, retriever, NDCG(100), end=tokenizer.eos_token_id)

    task = task_of(
        model_of(chosen.shape, chosen.layers, tokenizer),
        tokenizer,
        collection,
        reward,
        device=chosen.device,
        prompts_needed=chosen.steps * chosen.rows // 8,
        rows=chosen.rows,
    )
    found = compare(task, chosen.steps, chosen.blocks)
    own = chosen.device == "cpu"
    name = (platform.processor() or platform.machine()) if own else torch.cuda.get_device_name()
    print(f"Qwen2.5 {chosen.shape} on {name}, seconds a step: {in_words(found)}")
    if "memory" in found:
        most = {which: f"{peak / 2**30:.2f} GiB" for which, peak in found["memory"].items()}
        print(f"  most memory: GRPO {most['grpo']}, OSPO {most['ospo']}")
    record = {"device": name, "shape": chosen.shape, "layers": chosen.layers, **found}
    out = chosen.out or RESULTS / f"gpu_step_{chosen.shape}.json"
    out.write_text(json.dumps({**record, "rows": chosen.rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

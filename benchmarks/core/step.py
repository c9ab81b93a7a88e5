"""What credit adds to a training step: OSPO beside GRPO on the small policy, paired in one run.

    python benchmarks/core/step.py [--steps 8] [--blocks 6]

Blocks of steps alternate between TRL's own GRPOTrainer and OSPOTrainer. The learning rate is 0 and
a block has one seed for both, so both write the same completions, which is checked; each has a
reward and a retriever of its own, whose searches all its blocks share. The reward is a count of
words, to see what the rest of OSPO takes, then nDCG@100 on the shop with BM25 and with
all-MiniLM-L6-v2, in torch's double precision and by ONNX Runtime. As the policy does not learn to
write shorter and alike, later steps find less of what was searched before than they would in a
training. Times are of the processor, of whole steps. The interval is a paired bootstrap over steps.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from transformers.utils.logging import disable_progress_bar
from trl import GRPOTrainer

from ospo.data import load
from ospo.reward.reward import Reward, Row, text_of
from ospo.search.load import load_retriever
from ospo.search.metrics import NDCG
from ospo.storage import cache_dir
from ospo.train import CompletionReward, OSPOTrainer, RetrievalReward
from ospo.train.policy.start import warm_policy
from ospo.train.prompts import contexts, rows
from ospo.train.reward import TrainingReward
from ospo.train.settings import parse

RESULTS = Path(__file__).parents[1] / "results" / "step.json"
GOALS = {"no retriever": 0.03, "bm25": 0.10, "dense": 0.25, "dense:#onnx": 0.25}
WARM_START_STEPS = 600
DRAWS = 10_000
TRAINERS = {"grpo": GRPOTrainer, "ospo": OSPOTrainer}


@dataclass(frozen=True)
class Task:
    """What both trainers do in a block.

    Attributes
    ----------
    model, tokenizer
        The policy. It does not learn.
    prompts : callable
        The data set of a block, by its seed.
    reward : callable
        Makes a trainer's reward.
    flags : sequence of str
        As of ``ospo train``.
    clock : callable
        Seconds.
    peak : callable, optional
        The most bytes that were held since the last call.
    """

    model: Any
    tokenizer: Any
    prompts: Callable[[int], Dataset]
    reward: Callable[[], TrainingReward]
    flags: Sequence[str] = ()
    clock: Callable[[], float] = time.process_time
    peak: Callable[[], int] | None = None


class Stopwatch(TrainerCallback):
    """The seconds of each step, its mean reward, and the most memory."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.seconds: list[float] = []
        self.rewards: list[float] = []
        self.most = 0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Start."""
        if self.task.peak is not None:
            self.task.peak()
        self._began = self.task.clock()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Stop."""
        self.seconds.append(self.task.clock() - self._began)
        if self.task.peak is not None:
            self.most = max(self.most, self.task.peak())

    def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
        """Note the reward."""
        if "reward" in logs:
            self.rewards.append(logs["reward"])


def compare(task: Task, steps: int, blocks: int) -> dict[str, Any]:
    """Return the seconds of the steps of both, in pairs, and how much more OSPO's take."""
    rewards = {which: task.reward() for which in TRAINERS}
    watches: dict[str, list[Stopwatch]] = {which: [] for which in TRAINERS}
    for seed in range(blocks):
        for which in [*TRAINERS][:: 1 if seed % 2 else -1]:
            watches[which].append(_block(which, task, rewards[which], steps, seed))
        if watches["grpo"][seed].rewards != watches["ospo"][seed].rewards:
            raise AssertionError("the trainers wrote different completions and cannot be compared")
    seconds = {which: np.concatenate([w.seconds for w in own]) for which, own in watches.items()}
    grpo, ospo = seconds["grpo"], seconds["ospo"]
    drawn = np.random.default_rng(0).integers(len(grpo), size=(DRAWS, len(grpo)))
    low, high = np.quantile(ospo[drawn].sum(axis=1) / grpo[drawn].sum(axis=1) - 1, [0.025, 0.975])
    found: dict[str, Any] = {which: own.tolist() for which, own in seconds.items()}
    found["overhead"] = {"estimate": ospo.sum() / grpo.sum() - 1, "low": low, "high": high}
    found["searched"] = {which: reward.searched for which, reward in rewards.items()}
    if task.peak is not None:
        found["memory"] = {which: max(w.most for w in own) for which, own in watches.items()}
    return found


def _block(which: str, task: Task, reward: TrainingReward, steps: int, seed: int) -> Stopwatch:
    watch = Stopwatch(task)
    same = ["--max_steps", str(steps), "--seed", str(seed), "--learning_rate", "0"]
    with tempfile.TemporaryDirectory() as folder:
        _, args = parse([*same, *task.flags, "--output_dir", folder])
        running = TRAINERS[which](
            model=task.model,
            processing_class=task.tokenizer,
            reward_funcs=reward,
            args=args,
            train_dataset=task.prompts(seed),
            callbacks=[watch],
        )
        running.remove_callback(PrinterCallback)
        running.train()
    return watch


def in_words(found: dict[str, Any]) -> str:
    """Say what was found, in a line."""
    more = found["overhead"]
    return (
        f"GRPO {np.mean(found['grpo']):.3f}  OSPO {np.mean(found['ospo']):.3f}  "
        f"{more['estimate']:+6.1%} [{more['low']:+.1%}, {more['high']:+.1%}]"
    )


def quiet() -> None:
    """Leave out what TRL and transformers say beside."""
    disable_progress_bar()
    warnings.simplefilter("ignore", FutureWarning)


class WordsFound(Reward):
    """The share of the wanted query's words that a text has."""

    def value(self, texts: Sequence[str], rows: Sequence[Row]) -> np.ndarray:
        """Return the share for each text."""
        wanted = [set(text_of(row, "reference").split()) for row in rows]
        said = [set(text.replace(",", " ").split()) for text in texts]
        return np.array([len(a & b) / len(a) for a, b in zip(wanted, said, strict=True)])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=8, help="in a block")
    options.add_argument("--blocks", type=int, default=6)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    quiet()
    collection = load("shop")
    training, _ = collection.split(seed=0)
    policy = warm_policy(collection, WARM_START_STEPS, 0)
    end = policy.tokenizer.eos_token_id

    def prompts(seed: int) -> Dataset:
        per_query = -(-6 * chosen.steps // len(training))
        seen = contexts(collection, training, "noisy", per_query=per_query, seed=seed)
        return Dataset.from_list(rows(collection, seen, policy))

    def making(name: str) -> Callable[[], TrainingReward]:
        if name == "no retriever":
            return lambda: CompletionReward(WordsFound(), end=end)

        def searching() -> TrainingReward:  # with a retriever of its own, which may keep vectors
            retriever = load_retriever(name, collection.catalogue, cache_dir())
            return RetrievalReward(collection, retriever, NDCG(100), end=end)

        return searching

    record: dict[str, Any] = {"processor": platform.processor() or platform.machine()}
    print(f"the shop, {chosen.blocks} blocks of {chosen.steps} steps: processor seconds a step")
    for name, goal in GOALS.items():
        task = Task(policy.model, policy.tokenizer, prompts, making(name))
        record[name] = found = compare(task, chosen.steps, chosen.blocks)
        print(f"  {name:<12} {in_words(found)}, the goal is at most {goal:.0%}", flush=True)
    RESULTS.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()

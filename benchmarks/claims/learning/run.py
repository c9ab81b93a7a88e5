"""One run of one arm, from an initial policy to a record."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch import Tensor

from benchmarks.claims.learning.arms import ARMS
from benchmarks.claims.learning.loop import Learner, Rollouts, write
from benchmarks.claims.learning.noise import Noisy
from benchmarks.claims.learning.planted import Planted
from benchmarks.claims.learning.task import Task
from ospo.data.contexts import Context
from ospo.text.load import load_segmenter
from ospo.text.segment import segment
from ospo.train.config import OSPOConfig
from ospo.train.policy.policy import Policy
from ospo.train.pruning import prune
from ospo.train.reward import CompletionReward, RetrievalReward, TrainingReward
from ospo.train.trl import OSPOTrainer

PROMPTS = 6  # a batch
EVERY = 10  # steps between evaluations
DIGITS = 5


@dataclass(frozen=True)
class Key:
    """What makes a run the run that it is.

    Attributes
    ----------
    arm : str
    rate : float
    policy, seed : int
        Seeds of the initial policy, and of all that training draws: prompts, tokens and credit.
    steps, group : int
    """

    arm: str
    rate: float
    policy: int
    seed: int
    steps: int = 120
    group: int = 8


class Shaper:
    """OSPOTrainer's own way from rewards to token advantages, batch by batch.

    Parameters
    ----------
    args : OSPOConfig
    policy : Policy
    reward : TrainingReward
        What credit is of.
    """

    def __init__(self, args: OSPOConfig, policy: Policy, reward: TrainingReward) -> None:
        self.trainer = OSPOTrainer(
            model=policy.model,
            processing_class=policy.tokenizer,
            reward_funcs=reward,
            args=args,
            train_dataset=Dataset.from_list([{"prompt": ""}]),  # it is given every batch
        )
        self.trainer.state.max_steps = args.max_steps
        self.args = args

    def __call__(self, rewards: Tensor, rollouts: Rollouts, rows: list[dict[str, Any]]) -> Tensor:
        """Return token advantages for the rewards of a batch, ``(B,)``."""
        groups = rewards.view(-1, self.args.num_generations)
        advantages = groups - groups.mean(dim=1, keepdim=True)
        if self.args.scale_rewards == "group":
            advantages = advantages / (groups.std(dim=1, keepdim=True) + 1e-4)
        output = {
            "completion_ids": rollouts.completions,
            "completion_mask": rollouts.mask,
            "advantages": advantages.flatten(),
        }
        spread, _ = self.trainer._token_advantages(rows, output)
        self.trainer.state.global_step += 1
        return spread if spread.ndim == 2 else spread[:, None].expand_as(rollouts.mask)


def settings(key: Key) -> OSPOConfig:
    """Return what the trainer is told of a run."""
    return OSPOConfig(
        output_dir="unused",
        per_device_train_batch_size=PROMPTS * key.group,
        gradient_accumulation_steps=1,
        num_generations=key.group,
        max_steps=key.steps,
        seed=key.seed,
        use_cpu=True,
        bf16=False,
        report_to="none",
        **ARMS[key.arm].settings,
    )


def tenths(tracked: Mapping[str, Sequence[float]]) -> dict[str, list[float]]:
    """Return what was tracked step by step as ten means each."""
    return {
        name: [round(float(np.mean(part)), 4) for part in np.array_split(values, 10)]
        for name, values in tracked.items()
    }


def train(key: Key, task: Task) -> dict[str, Any]:
    """Train, and return what is kept of it.

    ``validation`` and ``test`` are the metric at every evaluation, a mean over queries; ``queries``
    that of each test query at the end; ``rewrites`` what was written for its contexts then.
    """
    torch.set_num_threads(1)
    began = time.process_time()
    arm = ARMS[key.arm]
    policy = task.policy(key.policy)
    tokenizer = policy.tokenizer
    end = tokenizer.eos_token_id
    segmenter = load_segmenter(arm.segmenter)
    retriever = task.counting_retriever if arm.repeats else task.retriever
    judged = RetrievalReward(task.collection, retriever, task.metric, end=end, segmenter=segmenter)
    reward: TrainingReward = judged
    if arm.noise:
        noisy = Noisy(judged.reward, arm.noise, key.seed)
        reward = CompletionReward(noisy, end=end, segmenter=segmenter)
    args = settings(key)
    credited = reward
    if arm.planted:
        credited = CompletionReward(Planted(task.collection.queries), end=end, segmenter=segmenter)
    shaper = Shaper(args, policy, credited)
    learner = Learner(policy.model, key.rate)
    contexts = task.training(key.steps * PROMPTS, key.seed)
    draws = torch.Generator().manual_seed(key.seed)
    looked = {"validation": [], "test": []}
    tracked = {"reward": [], "zero": [], "phrases": [], "repeated": [], "norm": []}

    def look() -> None:
        for part, values in looked.items():
            values.append(round(float(np.mean(_values(policy, task, part, judged)[0])), DIGITS))

    look()
    for step in range(key.steps):
        batch = contexts[step * PROMPTS : (step + 1) * PROMPTS]
        prompts = tokenizer([policy.prompt(context.text) for context in batch]).input_ids
        rollouts = write(policy.model, prompts, key.group, draws)
        rows = [{"query_id": context.query_id} for context in batch for _ in range(key.group)]
        texts = tokenizer.batch_decode(rollouts.written, skip_special_tokens=True)
        rewards = np.array(reward.values(texts, rows, rollouts.written))
        phrases = [[s.phrase for s in segment(text)] for text in texts]
        count = sum(map(len, phrases))
        tracked["reward"].append(rewards.mean())
        tracked["zero"].append((rewards == 0).mean())
        tracked["phrases"].append(count / len(texts))
        tracked["repeated"].append(1 - sum(len(set(own)) for own in phrases) / max(count, 1))
        if args.prune:
            kept = prune(rollouts.written, rows, reward, tokenizer, args)
            rollouts = Rollouts.given(prompts, kept.ids, tokenizer.pad_token_id)
            texts = tokenizer.batch_decode(kept.ids, skip_special_tokens=True)
            rewards = np.array(reward.values(texts, rows, kept.ids))
        tracked["norm"].append(
            learner.update(rollouts, shaper(torch.tensor(rewards).float(), rollouts, rows))
        )
        if (step + 1) % EVERY == 0:
            look()
    queries, rewrites = _values(policy, task, "test", judged)
    return {
        **looked,
        "queries": [round(float(value), DIGITS) for value in queries],
        "rewrites": rewrites,
        **tenths(tracked),
        "asked": reward.asked,
        "searched": reward.searched,
        "seconds": round(time.process_time() - began, 1),
    }


def _values(
    policy: Policy, task: Task, part: str, reward: RetrievalReward
) -> tuple[np.ndarray, list[str]]:
    """Return the metric of each query, a mean over its contexts, and what was written greedily."""
    contexts: list[Context] = getattr(task, part)
    prompts = policy.tokenizer([policy.prompt(context.text) for context in contexts]).input_ids
    ids = write(policy.model, prompts, 1, None).written
    texts = policy.tokenizer.batch_decode(ids, skip_special_tokens=True)
    by_query: dict[str, list[str]] = {}
    for context, text in zip(contexts, texts, strict=True):
        by_query.setdefault(context.query_id, []).append(text)
    values = [reward.judge(query)(its).mean() for query, its in by_query.items()]
    return np.array(values), texts

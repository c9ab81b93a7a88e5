"""One run of one arm, from an initial policy to a record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch

from benchmarks.claims.learning.arms import ARMS
from benchmarks.claims.learning.loop import Learner, Rollouts, write
from benchmarks.claims.learning.run import DIGITS, EVERY, PROMPTS, Key, Shaper, settings, tenths
from benchmarks.claims.sentences.policy import warm_policy
from benchmarks.claims.sentences.reward_model import reward_model
from benchmarks.claims.sentences.task import Request, Task, Wanted
from ospo.reward.reward import Values
from ospo.text.prose import sentences
from ospo.train.policy.policy import Policy
from ospo.train.pruning import prune
from ospo.train.reward import CompletionReward


def train(key: Key, task: Task) -> dict[str, Any]:
    """Train, and return what is kept of it.

    ``validation`` and ``test`` are the mean score of the reward model at every evaluation, of what
    is written greedily; ``worth`` is what the texts of ``test`` are really worth. ``written`` are
    the last of those, ``queries`` what each of them is worth, and ``ceilings`` what all wanted
    sentences of each page would be.
    """
    torch.set_num_threads(1)
    began = time.process_time()
    arm = ARMS[key.arm]
    policy = warm_policy(task, key.policy)
    reward, truth = reward_model(task), Wanted(task)
    args = settings(key)
    scored = CompletionReward(reward, segmenter=sentences)
    credited = CompletionReward(truth, segmenter=sentences) if arm.planted else scored
    shaper = Shaper(args, policy, credited)
    learner = Learner(policy.model, key.rate)
    requests = task.training(key.seed)
    draws = torch.Generator().manual_seed(key.seed)
    looked: dict[str, list[float]] = {"validation": [], "test": [], "worth": []}
    tracked: dict[str, list[float]] = {"reward": [], "sentences": [], "repeated": [], "norm": []}
    held_out = {"validation": task.held_out(1), "test": task.held_out(2)}

    def look() -> tuple[list[str], list[dict[str, str]]]:
        for part, asked in held_out.items():
            texts, rows = _texts(policy, _rollouts(policy, asked, 1, None)), _rows(asked, 1)
            looked[part].append(_mean(reward.value(texts, rows)))
        looked["worth"].append(_mean(truth.value(texts, rows)))
        return texts, rows

    written, asked = look()
    for step in range(key.steps):
        batch = list(islice(requests, PROMPTS))
        rows = _rows(batch, key.group)
        rollouts = _rollouts(policy, batch, key.group, draws)
        texts = _texts(policy, rollouts)
        rewards = reward.value(texts, rows)
        told = [[each.phrase for each in sentences(text)] for text in texts]
        count = sum(map(len, told))
        tracked["reward"].append(rewards.mean())
        tracked["sentences"].append(count / len(texts))
        tracked["repeated"].append(1 - sum(len({*own}) for own in told) / max(count, 1))
        if args.prune:
            kept = prune(rollouts.written, rows, scored, policy.tokenizer, args)
            rollouts = Rollouts.given(
                _prompts(policy, batch), kept.ids, policy.tokenizer.pad_token_id
            )
            rewards = reward.value(_texts(policy, rollouts), rows)
        shaped = shaper(torch.tensor(rewards).float(), rollouts, rows)
        tracked["norm"].append(learner.update(rollouts, shaped))
        if (step + 1) % EVERY == 0:
            written, asked = look()
    best = [" ".join(task.wanted(request)) for request in held_out["test"]]
    return {
        **looked,
        "ceilings": {
            "test": _mean(reward.value(best, asked)),
            "worth": _mean(truth.value(best, asked)),
        },
        "queries": {
            "test": reward.value(written, asked).round(DIGITS).tolist(),
            "worth": truth.value(written, asked).tolist(),
        },
        "written": written,
        **tenths(tracked),
        "asked": reward.asked,
        "computed": reward.searched,
        "seconds": round(time.process_time() - began, 1),
    }


def _prompts(policy: Policy, requests: Sequence[Request]) -> list[list[int]]:
    ids: list[list[int]] = policy.tokenizer([request.prompt for request in requests]).input_ids
    return ids


def _rollouts(
    policy: Policy, requests: Sequence[Request], group: int, draws: torch.Generator | None
) -> Rollouts:
    return write(policy.model, _prompts(policy, requests), group, draws)


def _texts(policy: Policy, rollouts: Rollouts) -> list[str]:
    texts: list[str] = policy.tokenizer.batch_decode(rollouts.written, skip_special_tokens=True)
    return texts


def _rows(requests: Sequence[Request], group: int) -> list[dict[str, str]]:
    return [{"wish": request.wish} for request in requests for _ in range(group)]


def _mean(values: Values) -> float:
    return round(float(values.mean()), DIGITS)

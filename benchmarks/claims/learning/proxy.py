r"""A fast proxy of the benchmark: a policy of one weight per kind of clause, in place of a model.

    python -m benchmarks.claims.learning.proxy [--store]

A context of the generated shop mentions products in clauses ("looking for ...", "returned my ...").
The policy mentions each product or not, by the logistic function of its clause's weight, and at
first mentions nearly all. Credit and advantages are those of OSPOTrainer, rewards those of BM25. A
run takes a second, so that tests can compare what is learned with what is stored: a broken rule
learns something else. Which rule is best for a language model it does not tell.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.claims.learning.arms import MAIN
from benchmarks.claims.learning.loop import Rollouts
from benchmarks.claims.learning.planted import Planted
from benchmarks.claims.learning.run import Shaper
from ospo.data import load
from ospo.data.collection import Collection
from ospo.data.contexts import CLAUSES, Context, noisy_contexts
from ospo.search.bm25 import BM25
from ospo.search.metrics import parse_metric
from ospo.train.config import OSPOConfig
from ospo.train.policy.policy import PLACE, Policy
from ospo.train.policy.tokenizer import train_tokenizer
from ospo.train.pruning import prune
from ospo.train.reward import CompletionReward, RetrievalReward

STORED = Path(__file__).parents[2] / "results" / "learning_proxy.json"
STEPS, PROMPTS, GROUP, RATE = 30, 8, 8, 0.3
SEEDS = range(4)
BEGIN = 2.0  # the weight of every clause: 88 % of what is mentioned is written
PATTERNS = [re.compile(re.escape(clause).replace(r"\{\}", "(.+)")) for clause in CLAUSES]


@dataclass(frozen=True)
class Mentions:
    """What a context mentions: phrases, and the kind of the clause that each is in."""

    query_id: str
    phrases: tuple[str, ...]
    kinds: tuple[int, ...]

    @classmethod
    def of(cls, context: Context) -> Mentions:
        """Take a context apart again."""
        phrases, kinds = [], []
        for clause in context.text.split(", "):
            kind, match = next(
                (kind, match)
                for kind, pattern in enumerate(PATTERNS)
                if (match := pattern.fullmatch(clause))
            )
            phrases.append(match.group(1) if match.groups() else clause)
            kinds.append(kind)
        return cls(context.query_id, tuple(phrases), tuple(kinds))


class Shop:
    """The generated shop, a part of its queries to train with and a part to look at."""

    def __init__(self) -> None:
        self.collection: Collection = load("shop")
        self.retriever = BM25(self.collection.catalogue)
        self.tokenizer = train_tokenizer([*self.collection.queries.values()] * 2, vocab_size=400)
        config = LlamaConfig(  # a trainer has a model; this one is never asked anything
            vocab_size=len(self.tokenizer),
            hidden_size=4,
            intermediate_size=4,
            num_hidden_layers=1,
            num_attention_heads=1,
        )
        self.policy = Policy(LlamaForCausalLM(config), self.tokenizer, PLACE)
        training, held_out = self.collection.split((0.3,), seed=0)
        self.training = training
        self.held_out = [
            Mentions.of(c) for c in noisy_contexts(self.collection, held_out, per_query=1, seed=1)
        ]

    def reward(self) -> RetrievalReward:
        """Return the reward: nDCG@100."""
        metric = parse_metric("nDCG@100")
        end = self.tokenizer.eos_token_id
        return RetrievalReward(self.collection, self.retriever, metric, end=end)

    def ids(self, phrases: Sequence[str]) -> list[int]:
        """Return the ids that write phrases."""
        return self.tokenizer.encode(" " + ", ".join(phrases) + self.tokenizer.eos_token)


def train(shop: Shop, arm: str, seed: int) -> list[float]:
    """Train, and return the metric on held-out queries before, and after every step."""
    settings = MAIN[arm]
    reward = shop.reward()
    args = OSPOConfig(
        output_dir="unused",
        per_device_train_batch_size=PROMPTS * GROUP,
        gradient_accumulation_steps=1,
        num_generations=GROUP,
        max_steps=STEPS,
        seed=seed,
        use_cpu=True,
        bf16=False,
        report_to="none",
        **settings.settings,
    )
    end = shop.tokenizer.eos_token_id
    truth = CompletionReward(Planted(shop.collection.queries), end=end)
    shaper = Shaper(args, shop.policy, truth if settings.planted else reward)
    weights = torch.full((len(CLAUSES),), BEGIN, requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=RATE)
    contexts = noisy_contexts(shop.collection, shop.training, per_query=STEPS, seed=seed)
    order = np.random.default_rng(seed).permutation(len(contexts))
    draws = torch.Generator().manual_seed(seed)
    curve = [_held_out(shop, reward, weights)]
    for step in range(STEPS):
        batch = map(contexts.__getitem__, order[step * PROMPTS : (step + 1) * PROMPTS])
        said = [own for own in map(Mentions.of, batch) for _ in range(GROUP)]
        rows = [{"query_id": own.query_id} for own in said]
        written = [_drawn(own, weights, draws) for own in said]
        ids = [*map(shop.ids, written)]
        if args.prune:
            ids = prune(ids, rows, reward, shop.tokenizer, args).ids
            written = [shop.tokenizer.decode(own[:-1]).strip().split(", ") for own in ids]
        values = torch.tensor(reward.values([", ".join(own) for own in written], rows, ids))
        advantages = shaper(values, Rollouts.given([[0]] * PROMPTS, ids, 0), rows)
        optimiser.zero_grad()
        _loss(shop, weights, said, written, advantages).backward()
        optimiser.step()
        curve.append(_held_out(shop, reward, weights))
    return curve


def _drawn(own: Mentions, weights: Tensor, draws: torch.Generator) -> list[str]:
    chance = weights.detach()[[*own.kinds]].sigmoid()
    chosen = torch.rand(len(own.kinds), generator=draws) < chance
    return [phrase for phrase, here in zip(own.phrases, chosen, strict=True) if here]


def _loss(
    shop: Shop,
    weights: Tensor,
    said: Sequence[Mentions],
    written: Sequence[Sequence[str]],
    advantages: Tensor,
) -> Tensor:
    """Return the loss of the policy gradient, a mean over rollouts.

    A phrase has the mean advantage of its tokens. One that was left out has no token; it has the
    advantage of the end of the sequence.
    """
    loss = torch.zeros(())
    for own, phrases, row in zip(said, written, advantages, strict=True):
        its = {}
        start = 0
        for phrase in phrases:
            stop = start + len(shop.tokenizer.encode(" " + phrase))
            its[phrase] = row[start:stop].mean()
            start = stop + 1  # a comma, or the end
        end = row[max(start - 1, 0)]
        for phrase, kind in zip(own.phrases, own.kinds, strict=True):
            sign = 1 if phrase in its else -1
            loss = loss - its.get(phrase, end) * logsigmoid(sign * weights[kind])
    return loss / len(said)


def _held_out(shop: Shop, reward: RetrievalReward, weights: Tensor) -> float:
    """Return the mean metric of the likeliest rewrites of the contexts held out."""
    likely = weights.detach() > 0
    worth = [
        reward.judge(own.query_id)(
            [", ".join(p for p, kind in zip(own.phrases, own.kinds, strict=True) if likely[kind])]
        )[0]
        for own in shop.held_out
    ]
    return float(np.mean(worth))


def areas(arms: Sequence[str]) -> dict[str, list[float]]:
    """Return the mean of each arm's curve, by seed."""
    shop = Shop()
    return {
        arm: [round(float(np.mean(train(shop, arm, seed))), 5) for seed in SEEDS] for arm in arms
    }


def main() -> None:
    """Print the mean held-out metric over the run, and store it if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--arms", nargs="+", choices=MAIN, default=[*MAIN])
    options = parser.parse_args()
    found = areas(options.arms)
    base = np.array(found.get("grpo", [0.0] * len(SEEDS)))
    for arm, own in found.items():
        apart = np.array(own) - base
        error = apart.std(ddof=1) / len(own) ** 0.5
        print(f"{arm:<18} {np.mean(own):.4f}   {apart.mean():+.4f} ± {error:.4f}")
    if options.store:
        STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

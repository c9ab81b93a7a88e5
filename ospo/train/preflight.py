"""What a step will be like and cost, known before the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch

from ospo.credit import TokenCredit
from ospo.data.collection import Collection
from ospo.errors import InputError
from ospo.reward.reward import Row
from ospo.train.config import OSPOConfig
from ospo.train.memory import Memory, memory
from ospo.train.policy.policy import Policy
from ospo.train.pruning import prune
from ospo.train.reward import TrainingReward
from ospo.train.sample import Sample, credited, shown
from ospo.train.weight import CreditWeight

LEAST_JUDGED = 0.5  # share of the queries that must have a relevant product


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found before training.

    Attributes
    ----------
    collection : str
        Its counts, in words.
    judged : float
        Share of its queries that have a relevant product.
    training, held_out : int
        Queries to train on, and to evaluate on.
    completions : int
        Completions of the sampled batch: those of one round of generation in this process.
    segments : float
        Their median number of segments.
    ended : float
        Share of them that ended by themselves.
    reward : float
        Their mean reward.
    evaluations, searches : int
        Texts that their rewards and credits valued, and searches made for them, or texts otherwise
        paid for.
    memory : Memory
    sample : Sample
        The one with most segments among those that found something.
    """

    collection: str
    judged: float
    training: int
    held_out: int
    completions: int
    segments: float
    ended: float
    reward: float
    evaluations: int
    searches: int
    memory: Memory
    sample: Sample


def check_judged(collection: Collection) -> float:
    """Return the share of the queries that have a relevant product.

    Raises
    ------
    InputError
        It is below one half.
    """
    share = len(collection.answerable) / len(collection.queries)
    if share < LEAST_JUDGED:
        raise InputError(
            f"only {len(collection.answerable):,} of the {len(collection.queries):,} queries of "
            f"{collection.name} have a relevant product, expected at least {LEAST_JUDGED:.0%}: "
            "give the judgments that belong to these queries, or leave the other queries out"
        )
    return share


def preflight(
    collection: Collection,
    queries: tuple[int, int],
    rows: Sequence[Row],
    policy: Policy,
    reward: TrainingReward,
    args: OSPOConfig,
) -> Preflight:
    """Draw one batch of completions, and value and credit it as training does.

    Parameters
    ----------
    collection : Collection
    queries : (int, int)
        How many are for training and how many are held out.
    rows : sequence of mapping
        The first rows of the data set, one for each group of completions.
    policy : Policy
    reward : TrainingReward
    args : OSPOConfig

    Raises
    ------
    InputError
        Training cannot work: most queries are not judged, or the tokenizer's text cannot be
        divided among its ids.
    """
    judged = check_judged(collection)
    groups = [row for row in rows for _ in range(args.num_generations)]
    prompts = [row["prompt"] for row in groups]
    completions = policy.write(prompts, temperature=args.temperature, seed=args.seed)
    texts = policy.tokenizer.batch_decode(completions, skip_special_tokens=True)
    asked, searched = reward.asked, reward.searched
    values = reward.values(texts, groups, completions)
    end = policy.tokenizer.eos_token_id
    of_written = {
        "segments": median(len(reward.segmenter(text)) for text in texts),
        "ended": sum(ids[-1:] == [end] for ids in completions) / len(completions),
        "reward": sum(values) / len(values),
    }
    if args.prune:
        completions = prune(completions, groups, reward, policy.tokenizer, args).ids
        texts = policy.tokenizer.batch_decode(completions, skip_special_tokens=True)
        values = reward.values(texts, groups, completions)
    asks = _asks(values, completions, reward, args)
    credits = _credits(asks, policy, completions, groups, reward, args)
    asked, searched = reward.asked - asked, reward.searched - searched
    if not credits:  # the rule reads none, or every group is worth the same
        credits = _credits([0], policy, completions, groups, reward, args)
    best = max(credits, key=lambda row: (values[row] > 0, len(credits[row].segments), -row))
    return Preflight(
        collection=str(collection),
        judged=judged,
        training=queries[0],
        held_out=queries[1],
        completions=len(completions),
        **of_written,
        evaluations=asked,
        searches=searched,
        memory=memory(policy.model, args),
        sample=shown(groups[best], texts[best], values[best], credits[best]),
    )


def _asks(
    values: Sequence[float],
    completions: Sequence[Sequence[int]],
    reward: TrainingReward,
    args: OSPOConfig,
) -> list[int]:
    """Return the completions whose credit the first step would read."""
    rewards = torch.tensor(values).view(-1, args.num_generations)
    advantages = (rewards - rewards.mean(dim=1, keepdim=True)).flatten()
    finished = torch.tensor([reward.finished(ids) for ids in completions])
    weight = CreditWeight(args)
    reads = weight.reads(weight.shaping(0, max(args.max_steps, 1)), advantages, ~finished)
    asks = (advantages != 0) if args.paper else reads
    return (asks & finished).nonzero()[:, 0].tolist() if args.grpo_lambda is None else []


def _credits(
    asks: Sequence[int],
    policy: Policy,
    completions: Sequence[Sequence[int]],
    rows: Sequence[Row],
    reward: TrainingReward,
    args: OSPOConfig,
) -> dict[int, TokenCredit]:
    its = [completions[row] for row in asks], [rows[row] for row in asks]
    return dict(zip(asks, credited(policy, *its, reward, args), strict=True))

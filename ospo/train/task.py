"""What a policy is trained on: data, what searches it, prompts, and the policy itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datasets import Dataset

from ospo.data import load
from ospo.data.collection import Collection
from ospo.data.contexts import Context
from ospo.reward.load import load_reward
from ospo.search.load import load_retriever
from ospo.search.metrics import parse_metric
from ospo.search.retriever import Retriever
from ospo.search.stored import Stored
from ospo.storage import cache_dir
from ospo.text.load import load_segmenter
from ospo.train.config import OSPOConfig
from ospo.train.directory import CACHE
from ospo.train.policy.policy import Policy
from ospo.train.policy.start import is_warm, named_tokenizer, warm_policy
from ospo.train.prompts import TEMPLATE, contexts, read_template, rows
from ospo.train.reward import CompletionReward, RetrievalReward, TrainingReward
from ospo.train.settings import RunArguments
from ospo.train.view import View

HELD_OUT_CONTEXTS = 3  # per held-out query
HELD_OUT_SEED = 0  # the split and the held-out contexts do not depend on the run's seed
SHORT_WARM_START = 200  # steps, of a dry run: enough to copy, and soon done


@dataclass(frozen=True, slots=True)
class Task:
    """What a policy is trained on.

    Attributes
    ----------
    collection : Collection
    queries : (int, int)
        How many are trained on, and how many are held out.
    prompts : Dataset
        To train on.
    contexts : list of Context
        Of the queries held out.
    rows : list of dict
        The same as rows of a data set.
    reward : TrainingReward
    policy : Policy
        Its model is one, or the name of one that the trainer loads.
    fingerprints : mapping
        Of what decides the rewards; None for a retriever that cannot say what would change its
        rankings.
    """

    collection: Collection
    queries: tuple[int, int]
    prompts: Dataset
    contexts: list[Context]
    rows: list[dict[str, str]]
    reward: TrainingReward
    policy: Policy
    fingerprints: Mapping[str, str | None]


def load_task(run: RunArguments, args: OSPOConfig, view: View) -> Task:
    """Load what a run names.

    Raises
    ------
    InputError
        Something that it names is not there, or does not fit.
    """
    metric = parse_metric(run.metric)
    template = None if run.prompt_template is None else read_template(Path(run.prompt_template))
    collection = load(run.data)
    retriever = load_retriever(run.retriever, collection.catalogue, cache_dir(), view.indexing)
    # One that nobody wrote is new for every object.
    fingerprint = retriever.fingerprint if "fingerprint" in vars(retriever) else None
    segmenter = load_segmenter(run.segmenter, collection.catalogue.fields)
    training, held_out = collection.split(seed=HELD_OUT_SEED)
    policy = _policy(run, args, collection, template, view)
    reward: TrainingReward
    cuts: dict[str, Any] = {"end": policy.tokenizer.eos_token_id, "segmenter": segmenter}
    if run.reward == "retrieval":
        reward = RetrievalReward(collection, _remembering(retriever, run, args), metric, **cuts)
    else:
        other = load_reward(run.reward, collection, retriever, metric)
        reward = CompletionReward(other, **cuts)
    # Noisy contexts are never the same twice.
    wanted = args.max_steps * args.generation_batch_size // args.num_generations
    seen = contexts(
        collection,
        training,
        run.contexts,
        per_query=-(-max(wanted, 1) // len(training)),
        seed=args.seed + 1,
    )
    unseen = contexts(
        collection, held_out, run.contexts, per_query=HELD_OUT_CONTEXTS, seed=HELD_OUT_SEED
    )
    return Task(
        collection=collection,
        queries=(len(training), len(held_out)),
        prompts=Dataset.from_list(rows(collection, seen, policy)),
        contexts=unseen,
        rows=rows(collection, unseen, policy),
        reward=reward,
        policy=policy,
        fingerprints={"collection": collection.fingerprint, "retriever": fingerprint},
    )


def _remembering(retriever: Retriever, run: RunArguments, args: OSPOConfig) -> Retriever:
    if run.cache is not None:
        return Stored(retriever, Path(run.cache))
    if run.dry_run:
        return retriever
    folder = Path(args.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    return Stored(retriever, folder / CACHE)


def _policy(
    run: RunArguments, args: OSPOConfig, collection: Collection, template: str | None, view: View
) -> Policy:
    name, longest = run.model_name_or_path, args.max_completion_length
    if name is not None:
        tokenizer = named_tokenizer(
            name, revision=run.model_revision, trust_remote_code=args.trust_remote_code
        )
        return Policy(name, tokenizer, template or TEMPLATE, longest)
    steps = run.warm_start_steps
    if run.dry_run and not is_warm(collection, steps, args.seed):
        steps = min(steps, SHORT_WARM_START)
        view.notice(f"a dry run warm-starts the policy with {steps} steps only")
    policy = warm_policy(collection, steps, args.seed, view.warming, template)
    return replace(policy, longest=longest)

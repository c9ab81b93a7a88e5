"""One training run: warm start, training with token credit, and the held-out comparison."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from transformers.utils.logging import disable_progress_bar
from trl import TrlParser

from ospo.data import LOADERS, load
from ospo.data.collection import Collection
from ospo.data.contexts import noisy_contexts
from ospo.errors import InputError
from ospo.search.load import load_retriever
from ospo.search.metrics import parse_metric
from ospo.search.stored import Stored
from ospo.storage import cache_dir, whole
from ospo.text.load import load_segmenter
from ospo.text.segment import segment
from ospo.train.config import OSPOConfig
from ospo.train.held_out import HeldOut, compare
from ospo.train.policy.policy import MAX_NEW_TOKENS, Policy
from ospo.train.policy.tokenizer import prompt
from ospo.train.policy.warm_start import warm_start
from ospo.train.reward import RetrievalReward
from ospo.train.trl import OSPOTrainer

HELD_OUT_CONTEXTS = 3  # per held-out query
HELD_OUT_SEED = 0  # the split and the held-out contexts do not depend on the run's seed
WARM_START_VERSION = 1  # raise it when the same settings warm-start another policy
READABLE_SEGMENTS = 8
Progress = Callable[[str, int, int, str], None]  # stage, steps done, steps in all, a note

# What suits the small policy on a CPU; every one of them is a flag.
DEFAULTS: dict[str, Any] = {
    "output_dir": "runs/latest",
    "learning_rate": 4e-4,
    "max_steps": 120,
    "lr_scheduler_type": "constant",
    "per_device_train_batch_size": 8,  # six small batches are faster than one of 48
    "gradient_accumulation_steps": 6,
    "num_generations": 8,
    "max_completion_length": MAX_NEW_TOKENS,
    "use_cpu": True,
    "bf16": False,
    "gradient_checkpointing": False,
    "logging_steps": 1,
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
    "log_level": "error",
}


@dataclass
class RunArguments:
    """What to train on.

    Attributes
    ----------
    data : str
        A collection, as :func:`ospo.data.load` names it.
    retriever : str
        What searches it, as :func:`ospo.search.load.load_retriever` names it.
    cache : str or None
        File that keeps the ranks of what was searched for other runs.
    metric : str
        The reward: an ir-measures name.
    segmenter : str
        What cuts completions into players, as :func:`ospo.text.load.load_segmenter` names it.
    warm_start_steps : int
        Supervised steps before training.
    overwrite : bool
        Whether a run in the output directory may be replaced.
    """

    data: str = field(default="shop", metadata={"help": "one of " + "; ".join(LOADERS.values())})
    retriever: str = field(
        default="bm25", metadata={"help": "what searches it, such as bm25:title^2,brand or a URL"}
    )
    cache: str | None = field(
        default=None, metadata={"help": "file that keeps what was searched for other runs"}
    )
    metric: str = field(default="nDCG@100", metadata={"help": "the reward, an ir-measures name"})
    segmenter: str = field(
        default="phrases", metadata={"help": "what cuts completions into players, such as words"}
    )
    warm_start_steps: int = field(default=600, metadata={"help": "supervised steps before RL"})
    overwrite: bool = field(
        default=False, metadata={"help": "replace a run that is in the output directory"}
    )


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of a run.

    Attributes
    ----------
    folder : Path
        The run directory: ``config.yaml``, ``metrics.jsonl``, ``held_out.jsonl`` and ``model``.
    metric, rule : str
        The reward and the advantage rule.
    steps : int
        Training steps.
    held_out : list of HeldOut
    asked, searched : int
        Texts that the reward and the credit valued in training, and the searches made for them.
    """

    folder: Path
    metric: str
    rule: str
    steps: int
    held_out: list[HeldOut]
    asked: int
    searched: int


def parse(arguments: Sequence[str]) -> tuple[RunArguments, OSPOConfig]:
    """Read flags and ``--config FILE.yaml``; every flag of TRL's GRPO works.

    Raises
    ------
    InputError
        A key is unknown, or a value does not fit.
    """
    parser = TrlParser((RunArguments, OSPOConfig), prog="ospo train")
    parser.set_defaults(**DEFAULTS)
    try:
        run, args = parser.parse_args_and_config(list(arguments))
    except InputError:
        raise
    except (ValueError, OSError) as error:
        raise InputError(f"the training configuration is wrong: {error}") from error
    return run, args


def train(run: RunArguments, args: OSPOConfig, *, progress: Progress) -> Result:
    """Train the small policy on a collection and compare it with itself on held-out contexts."""
    folder = Path(args.output_dir)
    if folder.exists() and any(folder.iterdir()) and not run.overwrite:
        raise InputError(
            f"the output directory {folder} already holds something; choose another --output_dir, "
            "or replace it with --overwrite"
        )
    disable_progress_bar()  # transformers' own, which would break ours
    metric = parse_metric(run.metric)
    collection = load(run.data)
    retriever = load_retriever(run.retriever, collection.catalogue, cache_dir())
    if run.cache is not None:
        retriever = Stored(retriever, Path(run.cache))
    segmenter = load_segmenter(run.segmenter, collection.catalogue.fields)
    training, held_out = collection.split(seed=HELD_OUT_SEED)
    contexts = noisy_contexts(collection, held_out, per_query=HELD_OUT_CONTEXTS, seed=HELD_OUT_SEED)
    policy = warm_policy(collection, run.warm_start_steps, args.seed, progress)
    before = policy.rewrite([context.text for context in contexts])

    folder.mkdir(parents=True, exist_ok=True)
    for old in ("metrics.jsonl", "held_out.jsonl"):
        (folder / old).unlink(missing_ok=True)
    settings = {**asdict(run), **args.to_dict()}
    (folder / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    reward = RetrievalReward(
        collection,
        retriever,
        metric,
        end=policy.tokenizer.eos_token_id,
        segmenter=segmenter,
    )
    trainer = OSPOTrainer(
        model=policy.model,
        processing_class=policy.tokenizer,
        reward_funcs=reward,
        args=args,
        train_dataset=prompts(collection, training, args),
        callbacks=[Recorder(folder / "metrics.jsonl", progress)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    asked, searched = reward.asked, reward.searched

    records = compare(contexts, before, policy, reward)
    with whole(folder / "model") as draft:
        policy.save(draft)
    with whole(folder / "held_out.jsonl") as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(record)) + "\n" for record in records)
    return Result(
        folder, run.metric, args.rule, trainer.state.global_step, records, asked, searched
    )


def prompts(collection: Collection, queries: Sequence[str], args: OSPOConfig) -> Dataset:
    """Return enough training prompts for the run, never the same context twice."""
    wanted = args.max_steps * args.generation_batch_size // args.num_generations
    per_query = -(-max(wanted, 1) // len(queries))
    contexts = noisy_contexts(collection, queries, per_query=per_query, seed=args.seed + 1)
    rows = [{"prompt": prompt(c.text), "query_id": c.query_id} for c in contexts]
    return Dataset.from_list(rows)


def warm_policy(collection: Collection, steps: int, seed: int, progress: Progress) -> Policy:
    """Return the warm-started policy, from the cache if the same one was made before."""
    catalogue = collection.catalogue.fingerprint[:16]
    folder = cache_dir() / f"warm-start-{WARM_START_VERSION}-{catalogue}-{steps}-{seed}"
    if not folder.exists():
        model, tokenizer = warm_start(
            collection,
            steps=steps,
            seed=seed,
            on_step=lambda step, total, loss: progress(
                "warm start", step, total, f"loss {loss:.2f}"
            ),
        )
        with whole(folder) as draft:
            Policy(model, tokenizer).save(draft)
    return Policy.load(folder)


class Recorder(TrainerCallback):
    """Writes what TRL logs to ``metrics.jsonl``, line by line, and reports progress."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self.path = path
        self.progress = progress

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Append one line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, **logs}) + "\n")
        if "reward" in logs:
            note = f"reward {logs['reward']:.3f}"
            self.progress("training", state.global_step, state.max_steps, note)


class FinishedRun(NamedTuple):
    """What a finished run left.

    Attributes
    ----------
    policy : Policy
    data, retriever : str
        The collection that it was trained on, and what searched it.
    contexts : dict
        Held-out contexts with their query ids. Those for which the policy wrote most segments, up
        to a readable number, and found something come first.
    """

    policy: Policy
    data: str
    retriever: str
    contexts: dict[str, str]


def load_run(folder: Path) -> FinishedRun:
    """Read what a finished run left in its directory."""
    config, held_out = folder / "config.yaml", folder / "held_out.jsonl"
    if not config.is_file() or not held_out.is_file():
        raise InputError(
            f"{folder} is not a finished run of ospo train (it needs config.yaml and "
            "held_out.jsonl); give the directory that --output_dir named"
        )
    disable_progress_bar()
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    lines = held_out.read_text(encoding="utf-8").splitlines()

    def interest(record: dict[str, Any]) -> tuple[bool, int]:
        written = len(segment(record["after"]))
        return written > READABLE_SEGMENTS or not record["value_after"], -written

    records = sorted(map(json.loads, lines), key=interest)
    contexts = {record["context"]: record["query_id"] for record in records}
    return FinishedRun(
        Policy.load(folder / "model"), settings["data"], settings["retriever"], contexts
    )

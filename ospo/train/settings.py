"""What a run is told: flags and YAML, TRL's own beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml
from trl import ModelConfig, TrlParser

from ospo.data import LOADERS
from ospo.errors import InputError
from ospo.reward.load import NAMES
from ospo.train.config import OSPOConfig
from ospo.train.policy.policy import MAX_NEW_TOKENS
from ospo.train.prompts import CONTEXTS

# Of every run; each of them is a flag.
DEFAULTS: dict[str, Any] = {
    "output_dir": "runs/latest",
    "logging_steps": 1,
    "report_to": "none",
    "disable_tqdm": True,
    "log_level": "error",
}
# What suits the small policy on a CPU. A policy that is named has TRL's own defaults.
SMALL_POLICY: dict[str, Any] = {
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
    "save_strategy": "no",  # a run takes a minute, and one that fails or is interrupted is saved
}


@dataclass
class RunArguments(ModelConfig):
    """What to train, on what. The policy's settings, such as ``use_peft``, are TRL's ModelConfig.

    Attributes
    ----------
    model_name_or_path : str or None
        A causal language model with its tokenizer: a folder, or a name on the Hugging Face Hub. By
        default the small policy, warm-started on the catalogue's titles.
    data : str
        A collection, as :func:`ospo.data.load` names it.
    contexts : str
        What a prompt shows, one of :data:`ospo.train.prompts.CONTEXTS`: ``noisy`` hides a judged
        query among clauses about other products, ``queries`` shows it as it is.
    prompt_template : str or None
        File with the text of a prompt, which has ``{context}`` in it.
    retriever : str
        What searches it, as :func:`ospo.search.load.load_retriever` names it.
    cache : str or None
        File that keeps the ranks of what was searched, also for other runs; by default one in the
        output directory.
    reward : str
        What completions are worth, as :func:`ospo.reward.load.load_reward` names it.
    metric : str
        An ir-measures name: what the reward ``retrieval`` says of a completion.
    segmenter : str
        What cuts completions into players, as :func:`ospo.text.load.load_segmenter` names it.
    warm_start_steps : int
        Supervised steps of the small policy before training.
    overwrite : bool
        Whether a run in the output directory may be replaced.
    resume : bool
        Whether to go on from the last checkpoint in the output directory.
    dry_run : bool
        Whether to stop before the first step, when it is known what a step will cost.
    """

    data: str = field(default="shop", metadata={"help": "one of " + "; ".join(LOADERS.values())})
    contexts: str = field(
        default="noisy", metadata={"help": "what a prompt shows", "choices": [*CONTEXTS]}
    )
    prompt_template: str | None = field(
        default=None, metadata={"help": "file with the text of a prompt, with {context} in it"}
    )
    retriever: str = field(
        default="bm25", metadata={"help": "what searches it, such as bm25:title^2,brand or a URL"}
    )
    cache: str | None = field(
        default=None, metadata={"help": "file that keeps what was searched, also for other runs"}
    )
    reward: str = field(
        default="retrieval", metadata={"help": f"what completions are worth: {', '.join(NAMES)}"}
    )
    metric: str = field(
        default="nDCG@100", metadata={"help": "of the reward retrieval, an ir-measures name"}
    )
    segmenter: str = field(
        default="phrases", metadata={"help": "what cuts completions into players, such as words"}
    )
    warm_start_steps: int = field(default=600, metadata={"help": "supervised steps before RL"})
    overwrite: bool = field(
        default=False, metadata={"help": "replace a run that is in the output directory"}
    )
    resume: bool = field(
        default=False, metadata={"help": "go on from the last checkpoint in the output directory"}
    )
    dry_run: bool = field(
        default=False, metadata={"help": "stop before the first step and say what it will cost"}
    )


def parse(arguments: Sequence[str]) -> tuple[RunArguments, OSPOConfig]:
    """Read flags and ``--config FILE.yaml``; every flag of TRL's GRPO works.

    Raises
    ------
    InputError
        The file is damaged, a key is unknown, or a value does not fit.

    Examples
    --------
    >>> run, args = parse(["--max_steps", "5", "--rule", "rank"])
    >>> run.data, args.max_steps, args.rule, args.num_generations
    ('shop', 5, 'rank', 8)
    """
    try:
        run, args = make_parser(arguments).parse_args_and_config(list(arguments))
    except InputError:
        raise
    except (ValueError, OSError) as error:
        raise InputError(f"the training configuration is wrong: {error}") from error
    return run, args


def make_parser(arguments: Sequence[str]) -> TrlParser:
    """Return the parser of ``ospo train``, with the defaults that suit the policy of a run."""
    parser = TrlParser(
        (RunArguments, OSPOConfig),
        prog="ospo train",
        allow_abbrev=False,
        epilog="ospo train --report RUN [--baseline RUN] trains nothing: it writes the report of a "
        "run, also while that goes on, with another run beside it.",
    )
    parser.set_defaults(**DEFAULTS, **({} if _names_policy(arguments) else SMALL_POLICY))
    return parser


def _names_policy(arguments: Sequence[str]) -> bool:
    """Return whether a policy is named. Nothing else is read: TRL's settings set up a device."""
    parser = TrlParser(ModelConfig, prog="ospo train", add_help=False, allow_abbrev=False)
    try:
        found = parser.parse_args_and_config(list(arguments), return_remaining_strings=True)
    except (OSError, UnicodeError, TypeError, IndexError, RecursionError, yaml.YAMLError) as error:
        file = dict(pairwise(arguments)).get("--config", "")
        raise InputError(
            f"--config {file!r} is no file of flags in YAML ({' '.join(str(error).split())}): give "
            "one with lines such as max_steps: 200"
        ) from error
    return found[0].model_name_or_path is not None

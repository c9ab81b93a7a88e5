"""One training run: what is trained on, training with token credit, the held-out comparison."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from transformers.integrations import is_deepspeed_zero3_enabled
from transformers.utils.logging import disable_progress_bar
from trl import get_peft_config, get_quantization_config

from ospo.errors import InputError
from ospo.search.load import without_secrets
from ospo.train.belongs import belongs
from ospo.train.checkpoints import Checkpoints, check_belongs
from ospo.train.config import OSPOConfig
from ospo.train.directory import entered, save_policy, write_held_out, write_settings
from ospo.train.held_out import HeldOut, compare
from ospo.train.interrupt import Interrupt
from ospo.train.model_card import write_model_card
from ospo.train.preflight import preflight
from ospo.train.recorder import Recorder
from ospo.train.sample import Sampler
from ospo.train.settings import RunArguments
from ospo.train.task import Task, load_task
from ospo.train.trl import OSPOTrainer
from ospo.train.view import View


@dataclass(frozen=True, slots=True)
class Result:
    """What came out of a run.

    Attributes
    ----------
    folder : Path
        The run directory: ``config.yaml``, ``metrics.jsonl``, ``held_out.jsonl``, ``README.md``,
        ``cache.sqlite`` and ``model``.
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


def train(run: RunArguments, args: OSPOConfig, *, view: View | None = None) -> Result | None:
    """Train a policy on a collection and compare it with itself on held-out contexts.

    Returns
    -------
    Result or None
        None after a dry run, in every process but the main one, and where the weights are in
        shards, so that no process can write queries on its own.

    Raises
    ------
    InputError
        What the run names is not there or does not fit, or a checkpoint cannot be written.
    KeyboardInterrupt
        A person interrupted it; the last step was finished and saved.
    """
    view = view or View()
    folder = Path(args.output_dir)
    checkpoint = entered(folder, run, args)
    disable_progress_bar()  # transformers' own, which would break ours
    with args.main_process_first(local=True):
        task = load_task(run, args, view)
    settings = {**asdict(run), "retriever": without_secrets(run.retriever), **args.to_dict()}
    owner = belongs(settings | {"processes": args.world_size}, task.fingerprints)
    if checkpoint is not None:
        check_belongs(checkpoint, owner)
        view.notice(f"going on from {checkpoint}")
    checkpoints, interrupt = Checkpoints(owner, view.notice), Interrupt(view.notice)
    trainer = _trainer(task, run, args, [checkpoints, interrupt])
    main = trainer.is_world_process_zero()
    writes = main and not _in_shards(trainer)  # whether it can generate without the others
    policy = replace(task.policy, model=trainer.model)
    if writes and checkpoint is None:
        its = task.collection, task.queries, _first(task, args)
        view.begins(preflight(*its, policy, task.reward, args))
    if run.dry_run:
        with suppress(OSError):  # the trainer makes the folder; a run may be there
            folder.rmdir()
        return None
    before = policy.rewrite([context.text for context in task.contexts]) if writes else []
    if main:
        write_settings(folder, settings)
    sampler = Sampler(policy, task.rows, task.reward, args)
    shown = sampler if writes and view.samples else None
    trainer.add_callback(Recorder(folder / "metrics.jsonl", view, shown))
    asked, searched = task.reward.asked, task.reward.searched
    with interrupt.heard(), checkpoints.kept(trainer):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        if interrupt.asked:
            view.notice(f"step {trainer.state.global_step} is saved; go on with --resume")
            raise KeyboardInterrupt
        save_policy(policy, trainer, folder)
    asked = task.reward.asked - asked - sampler.asked
    searched = task.reward.searched - searched - sampler.searched
    trainer.end()
    if main and not writes:
        view.notice("the model is in shards: it is saved, and not compared on held-out contexts")
    if not writes:
        return None
    after = policy.rewrite([context.text for context in task.contexts])
    records = compare(task.contexts, task.rows, before, after, task.reward)
    name = run.metric if run.reward == "retrieval" else run.reward
    steps = trainer.state.global_step
    result = Result(folder, name, args.rule, steps, records, asked, searched)
    write_model_card(result, run, args, str(task.collection))
    write_held_out(folder, records)
    return result


def _first(task: Task, args: OSPOConfig) -> list[dict[str, str]]:
    """Return as many prompts as one round of generation in one process takes, at least one."""
    completions = args.per_device_train_batch_size * args.steps_per_generation
    return [task.prompts[k] for k in range(max(completions // args.num_generations, 1))]


def _in_shards(trainer: OSPOTrainer) -> bool:
    """Return whether every process has a part of the weights only, by FSDP or ZeRO-3."""
    return bool(trainer.is_fsdp_enabled or is_deepspeed_zero3_enabled())


def _trainer(
    task: Task, run: RunArguments, args: OSPOConfig, callbacks: list[TrainerCallback]
) -> OSPOTrainer:
    loading = {
        "revision": run.model_revision,
        "attn_implementation": run.attn_implementation,
        "dtype": run.dtype,
    }
    if run.model_name_or_path is not None:
        args.model_init_kwargs = loading | (args.model_init_kwargs or {})
    try:
        trainer = OSPOTrainer(
            model=task.policy.model,
            processing_class=task.policy.tokenizer,
            reward_funcs=task.reward,
            args=args,
            train_dataset=task.prompts,
            eval_dataset=None if args.eval_strategy == "no" else Dataset.from_list(task.rows),
            callbacks=callbacks,
            peft_config=get_peft_config(run),
            quantization_config=get_quantization_config(run),
        )
    except ImportError as error:
        raise InputError(f"the settings need what is not installed: {error}") from error
    except OSError as error:
        raise InputError(
            f"the policy {run.model_name_or_path!r} cannot be loaded "
            f"({str(error).splitlines()[0]}): give the folder of a causal language model, or its "
            "name on the Hugging Face Hub"
        ) from error
    trainer.remove_callback(PrinterCallback)
    return trainer

"""The directory of a run: how it is entered, and what is written into it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from ospo.errors import InputError
from ospo.storage import whole
from ospo.train.checkpoints import MARK, last_checkpoint
from ospo.train.config import OSPOConfig
from ospo.train.held_out import HeldOut
from ospo.train.interrupt import round_steps
from ospo.train.policy.policy import Policy
from ospo.train.settings import RunArguments

CACHE = "cache.sqlite"
FILES = (
    *("config.yaml", "metrics.jsonl", "held_out.jsonl", "report.html"),
    *(CACHE, f"{CACHE}-wal", f"{CACHE}-shm"),
)


def entered(folder: Path, run: RunArguments, args: OSPOConfig) -> Path | None:
    """Return the checkpoint to resume from; without --resume, make the run directory ready.

    Raises
    ------
    InputError
        It holds something, or with --resume nothing to resume from; or checkpoints would be saved
        where they cannot be resumed exactly.
    """
    rounds = round_steps(args)
    if args.save_strategy == "steps" and args.save_steps >= 1 and args.save_steps % rounds:
        raise InputError(
            f"save_steps is {args.save_steps:g}, and completions are used up after every {rounds} "
            f"steps only, where a checkpoint can be resumed exactly: choose a multiple of {rounds}"
        )
    if run.resume:
        checkpoint = last_checkpoint(folder)
        if checkpoint is None:
            raise InputError(
                f"{folder} has no whole checkpoint to resume from: train without --resume"
            )
        return checkpoint
    if run.dry_run or args.process_index > 0:
        return None
    if folder.exists() and any(folder.iterdir()):
        if not run.overwrite:
            raise InputError(
                f"the output directory {folder} already holds something; choose another "
                "--output_dir, go on with --resume, or replace it with --overwrite"
            )
        for name in FILES:
            (folder / name).unlink(missing_ok=True)
        for mark in folder.glob(f"checkpoint-*/{MARK}"):
            shutil.rmtree(mark.parent)
        for table in folder.glob("completions/completions_*.parquet"):
            table.unlink()
    return None


def write_settings(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write ``config.yaml``, as ``--config`` reads it."""
    # TRL wants one of two that follow from each other, and hides tokens behind their names.
    kept = {
        name: value
        for name, value in settings.items()
        if name not in ("generation_batch_size", "resume", "overwrite", "dry_run")
        and not name.endswith("_token")
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(kept), encoding="utf-8")


def write_held_out(folder: Path, records: Sequence[HeldOut]) -> None:
    """Write ``held_out.jsonl``, with which a run is finished."""
    with whole(folder / "held_out.jsonl") as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(record)) + "\n" for record in records)


def save_policy(policy: Policy, trainer: Any, folder: Path) -> None:
    """Save the trained policy: every process has a part in it when the model is in shards."""
    draft = folder / ".model"
    trainer.save_model(str(draft))
    if trainer.is_world_process_zero():
        (draft / "training_args.bin").unlink(missing_ok=True)
        policy.describe(draft)
        if (folder / "model").exists():
            shutil.rmtree(folder / "model")
        draft.rename(folder / "model")

"""Which of a run's settings decide what it trains."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

# Settings that may change when training resumes: they say where things go and what is shown.
FREE = (
    *("output_dir", "run_name", "cache", "overwrite", "resume", "dry_run", "report_to"),
    *("disable_tqdm", "resume_from_checkpoint", "push_to_hub", "num_completions_to_print"),
)
FREE_PREFIXES = ("log_", "logging_", "save_", "hub_", "dataloader_", "ddp_", "vllm_server_")


def belongs(settings: Mapping[str, Any], fingerprints: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a checkpoint belongs to: settings that decide a training, and fingerprints.

    Examples
    --------
    >>> belongs({"rule": "rank", "logging_steps": 1, "cache": None}, {"retriever": "5f2c"})
    {'rule': 'rank', 'retriever fingerprint': '5f2c'}
    """
    kept = {
        name: value
        for name, value in settings.items()
        if name not in FREE and not name.startswith(FREE_PREFIXES)
    }
    told = {f"{name} fingerprint": value for name, value in fingerprints.items()}
    found: dict[str, Any] = json.loads(json.dumps(kept | told, default=str))
    return found

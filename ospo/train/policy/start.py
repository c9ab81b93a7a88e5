"""The policy that a training begins with: the small one, warm-started, or one that is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer

from ospo.data.collection import Collection
from ospo.errors import InputError
from ospo.storage import cache_dir, whole
from ospo.train.policy.policy import PLACE, Policy
from ospo.train.policy.tokenizer import prompt
from ospo.train.policy.warm_start import warm_start

VERSION = 3  # raise it when the same settings warm-start another policy


def warm_policy(
    collection: Collection,
    steps: int,
    seed: int,
    on_step: Callable[[int, int, float], None] | None = None,
    template: str | None = None,
) -> Policy:
    """Return the warm-started policy, from the cache if the same one was made before.

    Parameters
    ----------
    collection, steps, seed, on_step
        As in :func:`ospo.train.policy.warm_start.warm_start`.
    template : str, optional
        The text of a prompt, by default that of the warm start.
    """
    folder = _kept(collection, steps, seed)
    if not folder.exists():
        model, tokenizer = warm_start(collection, steps=steps, seed=seed, on_step=on_step)
        with whole(folder) as draft:
            Policy(model, tokenizer, prompt(PLACE)).save(draft)
    policy = Policy.load(folder)
    return policy if template is None else replace(policy, template=template)


def is_warm(collection: Collection, steps: int, seed: int) -> bool:
    """Return whether the warm-started policy is in the cache."""
    return _kept(collection, steps, seed).exists()


def _kept(collection: Collection, steps: int, seed: int) -> Path:
    catalogue = collection.catalogue.fingerprint[:16]
    return cache_dir() / f"warm-start-{VERSION}-{catalogue}-{steps}-{seed}"


def named_tokenizer(name: str, **settings: Any) -> Any:
    """Return the tokenizer of a causal language model: of a folder, or on the Hugging Face Hub.

    Raises
    ------
    InputError
        Nothing goes by that name, or it has no tokenizer.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, padding_side="left", **settings)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the policy {name!r} has no tokenizer that can be read "
            f"({str(error).splitlines()[0]}): give the folder of a causal language model, or its "
            "name on the Hugging Face Hub"
        ) from error
    if tokenizer.eos_token_id is None:
        raise InputError(
            f"the tokenizer of {name!r} has no end-of-sequence token, so no completion could end: "
            "give a model that has one"
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer

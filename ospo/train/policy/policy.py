"""A policy: a language model that writes search phrases for a context, and its tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import ospo.train.policy.model  # registers the architecture with transformers  # noqa: F401
from ospo.errors import InputError
from ospo.train.policy.tokenizer import prompt

MAX_NEW_TOKENS = 32
BATCH = 64


@dataclass(frozen=True, slots=True)
class Policy:
    """A trained query writer.

    Attributes
    ----------
    model, tokenizer
        In Hugging Face's form.
    """

    model: Any
    tokenizer: Any

    def rewrite(self, contexts: Sequence[str]) -> list[str]:
        """Return the query that the policy writes for each context, decoding greedily.

        A phrase that it repeats is kept once: to a retriever, the second time says nothing new.
        """
        written = []
        self.model.eval()
        for start in range(0, len(contexts), BATCH):
            prompts = [prompt(context) for context in contexts[start : start + BATCH]]
            batch = self.tokenizer(prompts, return_tensors="pt", padding=True)
            with torch.no_grad():
                ids = self.model.generate(**batch, do_sample=False, max_new_tokens=MAX_NEW_TOKENS)
            completions = ids[:, batch["input_ids"].shape[1] :]
            written += self.tokenizer.batch_decode(completions, skip_special_tokens=True)
        return [_without_repetition(text) for text in written]

    def save(self, folder: Path) -> None:
        """Write model and tokenizer to a folder, as transformers reads them."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)

    @classmethod
    def load(cls, folder: Path) -> Policy:
        """Read a policy that :meth:`save` wrote."""
        for name in ("config.json", "model.safetensors", "tokenizer.json"):
            if not (folder / name).is_file():
                raise InputError(
                    f"{folder} has no {name}, so it is not a policy; give the directory of a "
                    "finished ospo train run"
                )
        return cls(
            AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
        )


def _without_repetition(text: str) -> str:
    phrases = (phrase.strip() for phrase in text.split(","))
    return ", ".join(dict.fromkeys(phrase for phrase in phrases if phrase))

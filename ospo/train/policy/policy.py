"""A policy: a language model that writes search phrases for a context, and its tokenizer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import ospo.train.policy.model  # registers the architecture with transformers  # noqa: F401
from ospo.errors import InputError

MAX_NEW_TOKENS = 32
BATCH = 64
PLACE = "{context}"  # in a template, where the context belongs
DESCRIPTION = "policy.json"


@dataclass(frozen=True, slots=True)
class Policy:
    """A query writer.

    Attributes
    ----------
    model, tokenizer
        In Hugging Face's form; the tokenizer pads on the left.
    template : str
        The text of a prompt, with ``{context}`` in it. A tokenizer with a chat template wraps it
        as what a user says.
    longest : int
        The most tokens that it writes.
    """

    model: Any
    tokenizer: Any
    template: str
    longest: int = MAX_NEW_TOKENS

    def prompt(self, context: str) -> str:
        """Return what the policy reads for a context; its completion follows."""
        text = self.template.replace(PLACE, context)
        if self.tokenizer.chat_template is None:
            return text
        said = [{"role": "user", "content": text}]
        chat: str = self.tokenizer.apply_chat_template(
            said, add_generation_prompt=True, tokenize=False
        )
        first = self.tokenizer("").input_ids  # what the tokenizer will put before it by itself
        return chat.removeprefix(self.tokenizer.decode(first)) if first else chat

    def rewrite(self, contexts: Sequence[str]) -> list[str]:
        """Return the query that the policy writes for each context, decoding greedily.

        A phrase that it repeats is kept once: to a retriever, the second time says nothing new.
        """
        ids = self.write([self.prompt(context) for context in contexts])
        return [
            _without_repetition(text)
            for text in self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        ]

    def write(
        self, prompts: Sequence[str], *, temperature: float | None = None, seed: int = 0
    ) -> list[list[int]]:
        """Return the ids that the policy writes after each prompt, padding left out.

        Parameters
        ----------
        prompts : sequence of str
        temperature : float, optional
            Of the draws; by default the policy decodes greedily.
        seed : int
            Decides the draws. No generator outside is used or changed.
        """
        settings: dict[str, Any] = {"do_sample": temperature is not None}
        # A model has defaults of its own for sampling, which greedy decoding would warn about.
        settings |= {"temperature": temperature, "top_p": None, "top_k": None}
        settings["max_new_tokens"] = self.longest
        ids: list[list[int]] = []
        training = self.model.training
        self.model.eval()
        device = self.model.device
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.no_grad():
            torch.manual_seed(seed)
            for start in range(0, len(prompts), BATCH):
                texts = list(prompts[start : start + BATCH])
                batch = self.tokenizer(texts, return_tensors="pt", padding=True).to(device)
                found = self.model.generate(**batch, **settings)
                ids += map(self._ended, found[:, batch["input_ids"].shape[1] :].tolist())
        self.model.train(training)
        return ids

    def _ended(self, ids: list[int]) -> list[int]:
        """Leave out what stands after the end of the sequence."""
        end = self.tokenizer.eos_token_id
        return ids[: ids.index(end) + 1] if end in ids else ids

    def save(self, folder: Path) -> None:
        """Write model and tokenizer to a folder, as transformers reads them."""
        self.model.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        self.describe(folder)

    def describe(self, folder: Path) -> None:
        """Write what is neither model nor tokenizer beside them."""
        description = {"template": self.template, "longest": self.longest}
        (folder / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Policy:
        """Read a policy that :meth:`save` wrote: a whole model, or an adapter of one."""
        adapter = (folder / "adapter_config.json").is_file()
        model_config = "adapter_config.json" if adapter else "config.json"
        # Without its files, transformers makes up a tokenizer that knows nothing.
        for name in (model_config, "tokenizer_config.json", DESCRIPTION):
            if not (folder / name).is_file():
                raise InputError(
                    f"{folder} has no {name}, so it is not a policy; give the directory of a "
                    "finished ospo train run"
                )
        try:
            model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True)
            tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        except (OSError, ValueError) as error:
            raise InputError(
                f"the policy in {folder} cannot be read ({str(error).splitlines()[0]}); give the "
                "directory of a finished ospo train run"
            ) from error
        return cls(model, tokenizer, **json.loads((folder / DESCRIPTION).read_text("utf-8")))


def _without_repetition(text: str) -> str:
    phrases = (phrase.strip() for phrase in text.split(","))
    return ", ".join(dict.fromkeys(phrase for phrase in phrases if phrase))

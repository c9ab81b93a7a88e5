"""Bradley-Terry reward models: the score that a model trained on preferences gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ospo.errors import InputError
from ospo.reward.pair import PairReward
from ospo.reward.reward import Values

GRID = 2.0**-20


class BradleyTerry(PairReward):
    """The score of (prompt, completion) by a Hugging Face sequence-classification model.

    Such models are trained so that the logistic function of the difference of two scores is the
    probability that people prefer the one completion to the other (Bradley and Terry 1952). Only
    differences mean anything: the empty completion is not worth 0 but what the model says.

    Prompt and completion are put together by the tokenizer's chat template, or as a pair of
    texts if it has none. Scores are rounded to multiples of ``2**-20``, which in double precision
    removes what the size and padding of a batch change.

    Parameters
    ----------
    folder : Path
        A model with one label, and its tokenizer. None is downloaded.
    column : str
        The column of the data set that holds the prompt, as text.
    batch_size : int
        Pairs that go through the model at once.
    device : str
    dtype : torch.dtype
        Precision of the model. Below double precision, the last digits of a score depend on the
        texts that go through the model with it.

    Raises
    ------
    InputError
        It is no such model, or a prompt and completion are longer than what it reads.

    Examples
    --------
    With the folder of any such model::

        reward = BradleyTerry(Path("reward-model"))
        reward.value(["Yes.", "Yes. Goodbye."], [{"prompt": "May I?"}] * 2)
    """

    def __init__(
        self,
        folder: Path,
        column: str = "prompt",
        *,
        batch_size: int = 16,
        device: str = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__(column)
        self.tokenizer, self.model = _load(folder)
        self.model.to(device, dtype).eval()
        self.batch_size = batch_size
        self.max_tokens = min(
            self.tokenizer.model_max_length,
            getattr(self.model.config, "max_position_embeddings", math.inf),
        )

    def compute(self, pairs: Sequence[tuple[str, str]]) -> Values:
        """Return the model's score of each pair (prompt, completion)."""
        encoded = [self._encode(*pair) for pair in pairs]
        values = np.empty(len(pairs))
        by_length = sorted(range(len(pairs)), key=lambda k: len(encoded[k]["input_ids"]))
        for start in range(0, len(pairs), self.batch_size):
            places = by_length[start : start + self.batch_size]
            batch = self.tokenizer.pad([encoded[k] for k in places], return_tensors="pt")
            with torch.inference_mode():
                logits = self.model(**batch.to(self.model.device)).logits
            values[places] = logits[:, 0].double().cpu().numpy()
        return np.round(values / GRID) * GRID

    def _encode(self, prompt: str, text: str) -> Any:
        if self.tokenizer.chat_template is None:
            encoded = self.tokenizer(prompt, text)
        else:
            roles = {"user": prompt, "assistant": text}
            messages = [{"role": role, "content": content} for role, content in roles.items()]
            encoded = self.tokenizer.apply_chat_template(messages, return_dict=True)
        if len(encoded["input_ids"]) > self.max_tokens:
            raise InputError(
                f"a prompt and its completion have {len(encoded['input_ids'])} tokens, and the "
                f"reward model reads {self.max_tokens}: shorten the prompt {prompt[:60]!r} or "
                "lower max_completion_length"
            )
        return encoded


def _load(folder: Path) -> tuple[Any, Any]:
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{folder} cannot be loaded as a reward model ({reason}): give the folder of a "
            "sequence-classification model with its tokenizer"
        ) from error
    if model.config.num_labels != 1 or report["missing_keys"]:
        raise InputError(
            f"{folder} is no trained reward model: it has {model.config.num_labels} labels, and "
            f"{len(report['missing_keys'])} of its weights are missing; give one that was trained "
            "with one label"
        )
    tokenizer.padding_side = "right"  # on the left it would shift the positions that BERT counts
    if tokenizer.pad_token_id is None:
        raise InputError(
            f"the tokenizer of {folder} has no padding token: set the one of its training"
        )
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    return tokenizer, model

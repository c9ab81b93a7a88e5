"""How much memory a training takes, as far as arithmetic can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ospo.train.config import OSPOConfig

ADAM = 2  # states per trained parameter
FLOAT = 4  # bytes; optimizers keep their states, and the loss its logits, in single precision


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes on each device, without activations, which depend on the engine.

    Attributes
    ----------
    weights, gradients, optimizer : int
        Of the model, and of the part of it that is trained.
    logits : int
        Of one micro-batch of completions at full length.
    """

    weights: int
    gradients: int
    optimizer: int
    logits: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.weights + self.gradients + self.optimizer + self.logits


def memory(model: Any, args: OSPOConfig) -> Memory:
    """Return what a model takes with Adam on one device that holds all of it.

    Sharding (ZeRO, FSDP) divides the first three; optimizers with smaller states take less.

    Examples
    --------
    >>> import torch
    >>> from transformers import LlamaConfig, LlamaForCausalLM
    >>> from ospo.train.settings import parse
    >>> _, args = parse(["--max_completion_length", "10", "--per_device_train_batch_size", "8"])
    >>> config = LlamaConfig(vocab_size=50, hidden_size=8, intermediate_size=8,
    ...                      num_hidden_layers=1, num_attention_heads=1)
    >>> memory(LlamaForCausalLM(config), args)
    Memory(weights=5088, gradients=5088, optimizer=10176, logits=16000)
    """
    parameters = list(model.parameters())
    trained = [weight for weight in parameters if weight.requires_grad]
    count = sum(weight.numel() for weight in trained)
    rows = args.per_device_train_batch_size * (args.max_completion_length or 1)
    return Memory(
        sum(weight.numel() * weight.element_size() for weight in parameters),
        sum(weight.numel() * weight.element_size() for weight in trained),
        ADAM * FLOAT * count,
        rows * model.get_output_embeddings().weight.shape[0] * FLOAT,
    )

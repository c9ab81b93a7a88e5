"""The policy: a small decoder that can point at the context and copy from it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaModel,
    PreTrainedTokenizerFast,
)
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutputWithPast

__all__ = ["CopyDecoderConfig", "CopyDecoderForCausalLM", "CopyDecoderModel", "small_policy"]


class CopyDecoderConfig(LlamaConfig):
    """Shape of a :class:`CopyDecoderForCausalLM`: the fields of ``LlamaConfig`` and one more.

    Attributes
    ----------
    num_hidden_layers : int
        Counts the copy attention as the last layer, so that a cache made for the config has room
        for it.
    copy_strength : float
        What is copied is multiplied by this before it is added to the state.
    """

    model_type = "copy-decoder"
    copy_strength: float = 24.0


class CopyAttention(nn.Module):
    r"""Attention whose values are the embeddings of the tokens read so far.

    The state :math:`h_t`, from which the token after :math:`t` is predicted, is compared with each
    earlier state :math:`h_s`, from which the token :math:`x_{s+1}` was to be predicted. Where they
    are alike, that token is a good continuation here too:

    .. math::
        c_t = \sum_{s<t} a_{ts} E_{x_{s+1}}, \qquad
        a_{ts} = \frac{e^{q_t \cdot k_s}}{1 + \sum_{r<t} e^{q_t \cdot k_r}}

    The 1 in the denominator lets a state copy nothing. The embeddings :math:`E` are also the rows
    of the output layer, so adding :math:`c_t` to the state raises the logits of the copied tokens.

    The usual pointer mixes the attention with the distribution over the vocabulary. That is no
    linear output layer, and TRL computes log-probabilities from the last state and the output
    layer's weight alone: it would train another distribution than the one that generates.
    """

    def __init__(self, config: CopyDecoderConfig) -> None:
        super().__init__()
        self.layer = config.num_hidden_layers - 1
        self.query = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.key = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(
        self, hidden: Tensor, embedded: Tensor, *, mask: Tensor | None, cache: Cache | None
    ) -> Tensor:
        """Return what each position copies, ``(B, T, d)``.

        Parameters
        ----------
        hidden, embedded
            States and input embeddings of the T newest tokens, ``(B, T, d)``.
        mask
            1 for tokens, 0 for padding, over all N tokens read so far, ``(B, N)``.
        cache
            Holds the keys and embeddings of the tokens read before.
        """
        query, key = self.query(hidden), self.key(hidden)
        if cache is not None:
            past = cache.update(key[:, None], embedded[:, None], self.layer)
            key, embedded = (states[:, 0] for states in past)
        new, read = query.shape[1], key.shape[1]
        earlier = torch.ones(new, read, dtype=torch.bool, device=hidden.device).tril(read - new - 1)
        visible = earlier if mask is None else earlier & mask[:, None].bool()
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        scores = scores.masked_fill(~visible, -torch.inf)[..., :-1]
        nothing = scores.new_zeros(*scores.shape[:-1], 1)
        weights = torch.cat([nothing, scores], dim=-1).softmax(dim=-1)[..., 1:]
        return weights @ embedded[:, 1:]


class CopyDecoderModel(LlamaModel):
    """A Llama backbone that ends in a :class:`CopyAttention`."""

    config_class = CopyDecoderConfig

    def __init__(self, config: CopyDecoderConfig) -> None:
        super().__init__(config)
        del self.layers[-1]  # the pointer takes its place, in the cache too
        self.pointer = CopyAttention(config)
        self.pointer_norm = nn.RMSNorm(config.hidden_size, eps=config.rms_norm_eps)
        self.post_init()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, **kwargs: Any
    ) -> BaseModelOutputWithPast:
        """Run the backbone and add to each state what it copies.

        Parameters
        ----------
        input_ids
            Token ids, ``(B, T)``.
        attention_mask
            1 for tokens, 0 for padding, ``(B, N)``, with the cached tokens.
        **kwargs
            As for ``LlamaModel``.
        """
        output = super().forward(input_ids, attention_mask, **kwargs)
        hidden, embedded = output.last_hidden_state, self.embed_tokens(input_ids)
        copied = self.pointer(hidden, embedded, mask=attention_mask, cache=output.past_key_values)
        output.last_hidden_state = self.pointer_norm(hidden + self.config.copy_strength * copied)
        return output


class CopyDecoderForCausalLM(LlamaForCausalLM):
    """A causal language model that copies from its context; ``AutoModelForCausalLM`` loads it."""

    config_class = CopyDecoderConfig

    def __init__(self, config: CopyDecoderConfig) -> None:
        super().__init__(config)
        self.model = CopyDecoderModel(config)
        self.post_init()


def small_policy(tokenizer: PreTrainedTokenizerFast) -> CopyDecoderForCausalLM:
    """Return an untrained policy of about 0.4 million parameters, drawn from torch's generator.

    Examples
    --------
    >>> from ospo.train.policy.tokenizer import train_tokenizer
    >>> policy = small_policy(train_tokenizer(["desk lamp, led"], vocab_size=280))
    >>> policy(torch.tensor([[1, 7, 3]])).logits.shape
    torch.Size([1, 3, 270])
    """
    width = 96
    config = CopyDecoderConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=192,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=512,
        initializer_range=width**-0.5,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CopyDecoderForCausalLM(config)


AutoConfig.register(CopyDecoderConfig.model_type, CopyDecoderConfig)
AutoModelForCausalLM.register(CopyDecoderConfig, CopyDecoderForCausalLM)

"""The policy's tokenizer: byte-level BPE in which a word is the same token wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

PAD, BOS, EOS, SEP = "<pad>", "<bos>", "<eos>", "<sep>"

# Copying needs a word to be the same tokens in the context and in the completion. So a space
# belongs to the word after it, every text begins with one, and a comma stands alone.
_PIECES = Regex(r" ?[^\s,]+|,|\s")


def train_tokenizer(texts: Iterable[str], vocab_size: int = 2048) -> PreTrainedTokenizerFast:
    """Learn a vocabulary of bytes, frequent word pieces and whole words.

    Every text can be encoded and is decoded exactly, so a query with words that the catalogue
    lacks can be copied. A vocabulary of whole words and single bytes warm-starts as well, but it
    spells out rare words: sequences are longer, and on the shop 9 per cent of the sampled
    completions do not end within 32 tokens, against 1 per cent here.

    Parameters
    ----------
    texts
        Lower-case texts of the kind the policy will read.
    vocab_size
        Greatest number of tokens; 256 bytes and 4 special tokens are always among them.

    Returns
    -------
    PreTrainedTokenizerFast
        Pads on the left; adds no special token by itself, :func:`prompt` writes them.

    Examples
    --------
    >>> tokenizer = train_tokenizer(["gaming laptop, gaming mouse"] * 3, vocab_size=300)
    >>> tokenizer.tokenize(" laptop, gaming ssd")
    ['Ġlaptop', ',', 'Ġgaming', 'Ġ', 's', 's', 'd']
    """
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_PIECES, behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, BOS, EOS, SEP],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator((f" {text}" for text in texts), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        sep_token=SEP,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def prompt(text: str) -> str:
    """Return what the policy reads for a context; the completion follows the separator.

    Examples
    --------
    >>> prompt("looking for a desk lamp")
    '<bos> looking for a desk lamp<sep>'
    """
    return f"{BOS} {text}{SEP}"


def completion(phrases: str) -> str:
    """Return what the policy should write for comma-separated phrases.

    Examples
    --------
    >>> completion("desk lamp, led")
    ' desk lamp, led<eos>'
    """
    return f" {phrases}{EOS}"

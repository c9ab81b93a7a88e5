"""Tokenizers of every family, built here, and who writes which character, by definition.

Each family has an oracle: the rules of its decoder applied to the spellings of the ids, one
character at a time, keeping the ids behind every character.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE, Unigram, WordPiece
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from ospo.train.policy.tokenizer import train_tokenizer

TEXTS = [
    "gaming laptop, 16gb ram; red leather sofa",
    "I don't know: it's what we've got, isn't it?  Yes !",
    "Küche, naïve café crème — 3,5 € pro Stück",
    "赤い靴 レディース 24cm, 防水ジャケット",
    "שולחן עץ אלון, كرسي مكتب أسود",
    "👩‍👩‍👧 family set 🎧🎧 e\u0301tui, ½ price\n\tnew",
    "def f(x):\n    return x ** 2  # squared",
]
WORDS = sorted({word for text in TEXTS for word in text.split()})
LETTERS = sorted({*"".join(WORDS)})
SPECIAL = ["<unk>", "<pad>", "<eos>"]
ONE_BY_ONE = ["BPE with an end of word"]  # what an id writes depends on the one before it
ADDED = ["<tool>", "crème brûlée", " spaced "]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
TIKTOKEN_SPLIT = Regex(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# What is one character, or one malformed one: the rows of table 3-7 of the Unicode Standard, each
# as far as it goes.
UTF8 = re.compile(
    rb"[\xC2-\xDF][\x80-\xBF]?"
    rb"|(?:\xE0[\xA0-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]|\xED[\x80-\x9F])[\x80-\xBF]?"
    rb"|(?:\xF0[\x90-\xBF]|[\xF1-\xF3][\x80-\xBF]|\xF4[\x80-\x8F])[\x80-\xBF]{,2}"
    rb"|.",
    re.DOTALL,
)

Written = list[tuple[str, frozenset[int]]]  # characters, and the places of the ids behind them
Spelled = list[tuple[int, str]]  # the places of ids that are not special, and their spellings


@dataclass(frozen=True)
class Family:
    """A tokenizer, and the rules of its decoder."""

    tokenizer: PreTrainedTokenizerFast
    rules: Callable[[Spelled], Written]

    @cached_property
    def special(self) -> frozenset[int]:
        """The ids that are left out of a text."""
        added = self.tokenizer.added_tokens_decoder
        return frozenset(token for token in added if added[token].special)

    def written(self, ids: list[int]) -> Written:
        """Return every character of the decoded text, and the places of the ids behind it."""
        spellings = self.tokenizer.convert_ids_to_tokens(ids)
        return self.rules(
            [
                (place, spelling)
                for place, (token, spelling) in enumerate(zip(ids, spellings, strict=True))
                if token not in self.special and spelling is not None
            ]
        )

    def row(self, draw: random.Random) -> list[int]:
        """Return ids as a sampler may give them: of a text, of no text, or of broken characters."""
        kind, size = draw.random(), draw.randrange(25)
        if kind < 0.3:
            text = draw.choice(TEXTS)
            start = draw.randrange(len(text))
            ids = self.tokenizer.encode(text[start : start + size], add_special_tokens=False)
            return [draw.randrange(len(self.tokenizer)) if draw.random() < 0.1 else i for i in ids]
        known = len(self.tokenizer) + 3  # a model may have more outputs than there are tokens
        few = [draw.randrange(known) for _ in range(4)] if kind < 0.6 else range(known)
        return draw.choices(few, k=size)


def families() -> dict[str, Family]:
    """Build a tokenizer of each family."""
    return {
        "byte-level BPE": Family(_byte_level(pre_tokenizers.ByteLevel()), byte_level),
        "tiktoken": Family(
            _byte_level(
                pre_tokenizers.Sequence(
                    [
                        pre_tokenizers.Split(TIKTOKEN_SPLIT, behavior="isolated"),
                        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                    ]
                )
            ),
            byte_level,
        ),
        "the small policy's": Family(train_tokenizer(TEXTS, vocab_size=320), byte_level),
        "SentencePiece BPE, Llama": Family(
            _sentencepiece_bpe(strip=True), lambda said: drop_first_space(byte_fallback(said))
        ),
        "SentencePiece BPE, Gemma": Family(_sentencepiece_bpe(strip=False), byte_fallback),
        "SentencePiece Unigram": Family(_unigram(fallback=False), metaspace),
        "SentencePiece Unigram with bytes": Family(
            _unigram(fallback=True), lambda said: drop_first_space(byte_fallback(said))
        ),
        "WordPiece": Family(_wordpiece(clean=False), wordpiece),
        "WordPiece, cleaned up": Family(
            _wordpiece(clean=True), lambda said: clean_up(wordpiece(said))
        ),
        "BPE with an end of word": Family(_end_of_word(), end_of_word),
    }


def byte_level(said: Spelled) -> Written:
    """Spellings are bytes; bytes are decoded together."""
    byte_of = {character: byte for byte, character in bytes_to_unicode().items()}
    stream = []
    for place, spelling in said:
        known = all(character in byte_of for character in spelling)
        piece = bytes(byte_of[c] for c in spelling) if known else spelling.encode()
        stream += [(place, byte) for byte in piece]
    return utf8(stream)


def utf8(stream: list[tuple[int, int]]) -> Written:
    """A character is of all whose bytes it is; so is the sign for a malformed one."""
    places, joined = [place for place, _ in stream], bytes(byte for _, byte in stream)
    return [
        (found[0].decode(errors="replace"), frozenset(places[found.start() : found.end()]))
        for found in UTF8.finditer(joined)
    ]


def byte_fallback(said: Spelled) -> Written:
    """A run of byte tokens is decoded if all of it is UTF-8; else each byte is malformed."""
    written: Written = []
    for is_bytes, run in groupby(said, lambda one: one[1] in BYTES):
        if not is_bytes:
            written += characters((p, s.replace("▁", " ")) for p, s in run)
            continue
        stream = [(place, int(spelling[3:5], 16)) for place, spelling in run]
        try:
            bytes(byte for _, byte in stream).decode()
        except UnicodeDecodeError:
            written += [("\ufffd", frozenset([place])) for place, _ in stream]
        else:
            written += utf8(stream)
    return written


def metaspace(said: Spelled) -> Written:
    """A mark is a space, but none in the first token."""
    return characters(
        (place, spelling.replace("▁", " " if later else ""))
        for later, (place, spelling) in enumerate(said)
    )


def wordpiece(said: Spelled) -> Written:
    """A token without the sign of continuation begins with a space, but not the first."""
    return characters(
        (place, spelling if not later else re.sub("^##|^", continued, spelling))
        for later, (place, spelling) in enumerate(said)
    )


def continued(sign: re.Match[str]) -> str:
    return "" if sign[0] else " "


def end_of_word(said: Spelled) -> Written:
    """A token begins with a space if the token before it ends a word."""
    ends = [False, *(spelling.endswith("</w>") for _, spelling in said)]
    return characters(
        (place, " " * after + spelling.removesuffix("</w>"))
        for after, (place, spelling) in zip(ends, said, strict=False)
    )


def characters(said: Iterable[tuple[int, str]]) -> Written:
    return [(character, frozenset([place])) for place, text in said for character in text]


def drop_first_space(written: Written) -> Written:
    return written[1:] if written and written[0][0] == " " else written


def clean_up(written: Written) -> Written:
    """Spaces before punctuation and English contractions go, one rule after another."""
    for rule in (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're"):
        text = "".join(character for character, _ in written)
        gone = {
            found.start() + place
            for found in re.finditer(re.escape(rule), text)
            for place, character in enumerate(rule)
            if character == " "
        }
        written = [one for place, one in enumerate(written) if place not in gone]
    return written


def _byte_level(splitter: pre_tokenizers.PreTokenizer) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer = splitter
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = BpeTrainer(
        vocab_size=420, initial_alphabet=alphabet, special_tokens=SPECIAL, show_progress=False
    )
    bpe.train_from_iterator(TEXTS * 3, trainer)
    return _wrapped(bpe)


def _sentencepiece_bpe(*, strip: bool) -> PreTrainedTokenizerFast:
    bpe = Tokenizer(BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    bpe.normalizer = normalizers.Replace(" ", "▁")
    bpe.decoder = _fallback_decoder(strip=strip)
    trainer = BpeTrainer(vocab_size=420, special_tokens=[*SPECIAL, *BYTES], show_progress=False)
    bpe.train_from_iterator(TEXTS[:4] * 3, trainer)  # what else is written needs the bytes
    learnt = json.loads(bpe.to_str())  # the trainer takes bytes as special tokens only
    learnt["added_tokens"] = learnt["added_tokens"][: len(SPECIAL)]
    return _wrapped(Tokenizer.from_str(json.dumps(learnt)))


def _unigram(*, fallback: bool) -> PreTrainedTokenizerFast:
    pieces = [
        *SPECIAL,
        "▁",
        *LETTERS,
        *(f"▁{word}" for word in WORDS),
        *(BYTES if fallback else []),
    ]
    unigram = Tokenizer(Unigram([(piece, -1.0) for piece in pieces], 0, byte_fallback=fallback))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.decoder = _fallback_decoder(strip=True) if fallback else decoders.Metaspace()
    return _wrapped(unigram)


def _fallback_decoder(*, strip: bool) -> decoders.Decoder:
    chain = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*chain, decoders.Strip(" ", 1, 0)] if strip else chain)


def _wordpiece(*, clean: bool) -> PreTrainedTokenizerFast:
    vocabulary = [*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS), *WORDS]
    pieces = Tokenizer(WordPiece(_numbered(vocabulary), unk_token="<unk>"))
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.decoder = decoders.WordPiece(cleanup=False)
    return _wrapped(pieces, clean=clean)


def _end_of_word() -> PreTrainedTokenizerFast:
    ends = (f"{piece}</w>" for piece in [*LETTERS, *WORDS])
    vocabulary = _numbered([*SPECIAL, *LETTERS, *ends])
    bpe = Tokenizer(BPE(vocabulary, [], unk_token="<unk>", end_of_word_suffix="</w>"))
    bpe.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    bpe.decoder = decoders.BPEDecoder(suffix="</w>")
    return _wrapped(bpe)


def _numbered(pieces: Iterable[str]) -> dict[str, int]:
    return {piece: token for token, piece in enumerate(dict.fromkeys(pieces))}


def _wrapped(trained: Tokenizer, *, clean: bool = False) -> PreTrainedTokenizerFast:
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=trained,
        unk_token="<unk>",
        pad_token="<pad>",
        eos_token="<eos>",
        clean_up_tokenization_spaces=clean,
    )
    wrapped.add_tokens(ADDED)
    return wrapped

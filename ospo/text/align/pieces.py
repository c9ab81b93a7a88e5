"""Pieces: the bytes that each id of a vocabulary writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from ospo.text.align.decoder import Decoder

REPLACEMENT = "\ufffd"
_ONE_BYTE = re.compile(r"<0x([0-9A-F]{2})>")  # how SentencePiece spells the token of a byte


def _byte_level_alphabet() -> dict[str, int]:
    """Return the byte of each character that byte-level BPE spells it with.

    Printable bytes of Latin-1 stand for themselves, the others for characters from U+0100 on, as
    in the encoder published with GPT-2 (Radford et al., 2019).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = sorted(set(range(0x100)) - set(printable))
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + place): byte for place, byte in enumerate(others)
    }


_ALPHABET = _byte_level_alphabet()


class Piece(NamedTuple):
    """What an id writes, in UTF-8: as the first id of a text, and after others."""

    first: bytes
    later: bytes


class Pieces(dict[int, Piece]):
    """What each id of a vocabulary writes; filled as ids are asked for.

    Special tokens, and ids that the vocabulary lacks, write nothing.

    Parameters
    ----------
    tokenizer : Decoder

    Attributes
    ----------
    is_byte
        Says whether the vocabulary has an id for one byte, as SentencePiece has.

    Examples
    --------
    >>> from tokenizers import Tokenizer, decoders, models
    >>> from transformers import PreTrainedTokenizerFast
    >>> words = Tokenizer(models.WordPiece({"sun": 0, "##glass": 1}, unk_token="sun"))
    >>> words.decoder = decoders.WordPiece()
    >>> pieces = Pieces(PreTrainedTokenizerFast(tokenizer_object=words))
    >>> pieces[0]
    Piece(first=b'sun', later=b' sun')
    >>> pieces[1]
    Piece(first=b'##glass', later=b'glass')
    >>> pieces[2]
    Piece(first=b'', later=b'')
    """

    def __init__(self, tokenizer: Decoder) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.is_byte = cache(self._is_byte)

    def __missing__(self, token: int) -> Piece:
        once = self.tokenizer.decode([token], skip_special_tokens=True)
        twice = self.tokenizer.decode([token, token], skip_special_tokens=True)
        later = twice[len(once) :]
        if REPLACEMENT in later:
            hidden = self._hidden(token, later)
            piece = Piece(hidden, hidden)
        else:
            piece = Piece(once.encode(), later.encode())
        self[token] = piece
        return piece

    def _hidden(self, token: int, written: str) -> bytes:
        """Return the bytes that replacement characters hide, from the spelling of the id."""
        spelling = self.tokenizer.convert_ids_to_tokens(token)
        if found := _ONE_BYTE.fullmatch(spelling):
            return bytes.fromhex(found[1])
        if all(character in _ALPHABET for character in spelling):
            return bytes(_ALPHABET[character] for character in spelling)
        return written.encode()

    def joined(self, ids: Sequence[int]) -> list[bytes]:
        """Return what each id writes in a text of these ids."""
        written = [self[token].later for token in ids]
        first = next((place for place, piece in enumerate(written) if piece), None)
        if first is not None:
            written[first] = self[ids[first]].first
        return written

    def _is_byte(self, token: int) -> bool:
        return (
            len(self[token].later) == 1
            and _ONE_BYTE.fullmatch(self.tokenizer.convert_ids_to_tokens(token)) is not None
        )

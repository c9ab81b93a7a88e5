"""Files that ospo keeps: where they live, and how they appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_dir() -> Path:
    """Return where indexes and warm starts are kept: ``OSPO_CACHE``, or the user's cache."""
    if "OSPO_CACHE" in os.environ:
        return Path(os.environ["OSPO_CACHE"])
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ospo"


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; what was written there appears at ``path`` at the end.

    Works for a file or a directory. After an exception nothing is left behind, and what stood at
    ``path`` before still does.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "deep" / "note.txt"
    >>> with whole(target) as draft:
    ...     _ = draft.write_text("done")
    >>> target.read_text()
    'done'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield draft
        if draft.is_dir() and path.exists():
            shutil.rmtree(path)
        os.replace(draft, path)
    except BaseException:
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=True)
        raise

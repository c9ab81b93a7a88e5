"""``config.yaml`` of a run, read again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ospo.errors import InputError
from owen_core.optional import needs

CONFIG = "config.yaml"


def read_settings(folder: Path, needed: Iterable[str]) -> dict[str, Any]:
    """Return the settings with which a run was trained.

    Parameters
    ----------
    folder : Path
        Its directory.
    needed : iterable of str
        What they must say.

    Raises
    ------
    InputError
        The folder is not that of a run, or its settings are damaged. YAML's aliases are refused:
        a few lines of them may stand for more than fits in memory, and no run writes any.
    """
    with needs("train", "a run"):
        import yaml
    try:
        text = (folder / CONFIG).read_text(encoding="utf-8")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise ValueError("it has aliases")
        settings = yaml.safe_load(text)
        missing = [name for name in needed if name not in settings]
    except (OSError, ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise InputError(
            f"{folder} is not a run of ospo train, which has its settings in {CONFIG}: give "
            "the directory that --output_dir named"
        ) from error
    if missing or not isinstance(settings, dict):
        raise InputError(
            f"{folder / CONFIG} does not say {', '.join(missing)}, as that of a run of "
            "ospo train does: give the directory that --output_dir named"
        )
    return settings

"""What a finished run left, read again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from transformers.utils.logging import disable_progress_bar

from ospo.errors import InputError
from ospo.text.segment import segment
from ospo.train.held_out import HeldOut, read_held_out
from ospo.train.policy.policy import Policy
from ospo.train.settings_file import CONFIG, read_settings

READABLE_SEGMENTS = 8


class FinishedRun(NamedTuple):
    """What a finished run left.

    Attributes
    ----------
    policy : Policy
    data, retriever : str
        The collection that it was trained on, and what searched it.
    contexts : dict
        Held-out contexts with their query ids. Those for which the policy wrote most segments, up
        to a readable number, and found something come first.
    """

    policy: Policy
    data: str
    retriever: str
    contexts: dict[str, str]


def load_run(folder: Path) -> FinishedRun:
    """Read what a finished run left in its directory.

    Raises
    ------
    InputError
        It is not the directory of a finished run.
    """
    config, held_out = folder / CONFIG, folder / "held_out.jsonl"
    if not config.is_file() or not held_out.is_file():
        raise InputError(
            f"{folder} is not a finished run of ospo train (it needs config.yaml and "
            "held_out.jsonl); give the directory that --output_dir named"
        )
    disable_progress_bar()
    settings = read_settings(folder, ("data", "retriever"))

    def interest(record: HeldOut) -> tuple[bool, int]:
        written = len(segment(record.after))
        return written > READABLE_SEGMENTS or not record.value_after, -written

    records = sorted(read_held_out(held_out), key=interest)
    contexts = {record.context: record.query_id for record in records}
    return FinishedRun(
        Policy.load(folder / "model"), settings["data"], settings["retriever"], contexts
    )

"""The model card of a run: what was trained, on what, how, and what came of it."""

from __future__ import annotations

from dataclasses import fields
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import ModelCard, ModelCardData
from trl import GRPOConfig

from ospo.search.load import without_secrets
from ospo.storage import whole
from ospo.train.config import OSPOConfig
from ospo.train.held_out import gain
from ospo.train.settings import RunArguments

if TYPE_CHECKING:
    from ospo.train.run import Result

PACKAGES = ("owen-core", "trl", "transformers", "torch")


def write_model_card(result: Result, run: RunArguments, args: OSPOConfig, collection: str) -> None:
    """Write ``README.md`` into the directory of a finished run.

    Parameters
    ----------
    result : Result
    run, args
        The run's settings.
    collection : str
        Its counts, in words.
    """
    base = run.model_name_or_path
    card = ModelCard.from_template(
        ModelCardData(
            library_name="transformers",
            # A folder on one machine is no name that a hub knows.
            base_model=None if base is None or Path(base).exists() else base,
            tags=["ospo", "grpo", "query-rewriting"],
        ),
        template_str=files("ospo.train").joinpath("model_card.md").read_text("utf-8"),
        result=result,
        gain=gain(result.held_out),
        queries=len({record.query_id for record in result.held_out}),
        base=base or "the small policy, warm-started on the titles of the catalogue",
        collection=collection,
        data=run.data,
        retriever=without_secrets(run.retriever),
        segmenter=run.segmenter,
        credit=_credit(args),
        versions={name: version(name) for name in PACKAGES},
    )
    with whole(result.folder / "README.md") as draft:
        draft.write_text(str(card), encoding="utf-8")


def _credit(args: OSPOConfig) -> dict[str, Any]:
    """Return the settings of credit that are not the default, and the two that always count."""
    own = set(OSPOConfig.__dataclass_fields__) - set(GRPOConfig.__dataclass_fields__)
    plain = {field.name: field.default for field in fields(OSPOConfig) if field.name in own}
    told = {name: getattr(args, name) for name in plain}
    return {
        name: value
        for name, value in told.items()
        if name in ("rule", "credit") or (value != plain[name] and value != [])
    }

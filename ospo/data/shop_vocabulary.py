"""The words of the generated shop, read from ``shop.toml``, where their meaning is told."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of product: its name in titles, what shoppers also call it, and its traits."""

    name: str
    asked: tuple[str, ...]
    near: tuple[str, ...]
    about: tuple[str, ...]
    series: tuple[str, ...]
    traits: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Department:
    """Kinds that share brands and a manner of writing titles and descriptions."""

    name: str
    brands: tuple[str, ...]
    title: tuple[str, ...]
    closing: tuple[str, ...]
    kinds: tuple[Kind, ...]


def _tuples(table: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(words) for name, words in table.items()}


def _department(table: Mapping[str, Any]) -> Department:
    kinds = tuple(
        Kind(
            name=kind["name"],
            asked=tuple(kind["asked"]),
            near=tuple(kind.get("near", ())),
            about=tuple(kind["about"]),
            series=tuple(kind.get("series", table["series"])),
            traits=_tuples(kind["traits"]),
        )
        for kind in table["kinds"]
    )
    return Department(
        name=table["name"],
        brands=tuple(table["brands"]),
        title=tuple(table["title"]),
        closing=tuple(table["closing"]),
        kinds=kinds,
    )


_TABLES = tomllib.loads(files("ospo.data").joinpath("shop.toml").read_text(encoding="utf-8"))

TRAIT_ORDER: tuple[str, ...] = tuple(_TABLES["trait_order"])
TRAILING: tuple[str, ...] = tuple(_TABLES["trailing"])
SENTENCES = _tuples(_TABLES["sentences"])
SHOPPERS_SAY = _tuples(_TABLES["shoppers_say"])
DEPARTMENTS = tuple(_department(table) for table in _TABLES["departments"])

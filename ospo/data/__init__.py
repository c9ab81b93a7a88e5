"""Collections to search in: the generated shop, and loaders for published sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ospo.data.collection import Catalogue, Collection
from ospo.data.icecat import load_icecat
from ospo.data.shop import load_shop
from ospo.errors import InputError

__all__ = ["Catalogue", "Collection", "load"]

LOADERS: dict[str, Callable[[str], Collection]] = {
    "shop": lambda _: load_shop(),
    "icecat:DIR": lambda folder: load_icecat(Path(folder).expanduser()),
}


def load(spec: str) -> Collection:
    """The collection that ``spec`` names.

    Parameters
    ----------
    spec
        ``"shop"`` for the generated shop, or ``"icecat:DIR"`` for the Icecat/Chorus files in DIR.

    Raises
    ------
    InputError
        If nothing goes by that name, or the files of the collection are wrong.

    Examples
    --------
    >>> len(load("shop").queries)
    200
    """
    name, _, folder = spec.partition(":")
    loader = LOADERS.get(f"{name}:DIR" if folder else spec)
    if loader is None:
        raise InputError(f'there is no collection "{spec}": choose one of {", ".join(LOADERS)}')
    return loader(folder)

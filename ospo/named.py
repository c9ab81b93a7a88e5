"""Things by name: those that ospo brings, and those of one's own as ``package.module:name``."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from ospo.errors import InputError


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_HasName)


class Named(dict[str, T]):
    """What goes by a name; ``package.module:name`` is imported when it is asked for.

    Parameters
    ----------
    kind : type
        What an object of one's own must be.
    known : iterable
        What ospo brings; each has its ``name``.

    Examples
    --------
    >>> from pathlib import PurePath
    >>> paths = Named(PurePath, [PurePath("there/here")])
    >>> list(paths), "there" in paths
    (['here'], False)
    >>> paths["math:pi"]
    Traceback (most recent call last):
        ...
    ospo.errors.InputError: math:pi is float: name an object of PurePath
    """

    def __init__(self, kind: type[T], known: Iterable[T]) -> None:
        super().__init__({thing.name: thing for thing in known})
        self.kind = kind

    def __contains__(self, name: object) -> bool:
        """Whether something goes by a name; one of one's own must be there."""
        known = super().__contains__(name)
        return known or (isinstance(name, str) and ":" in name and self[name] is not None)

    def __missing__(self, name: str) -> T:
        if ":" not in name:
            raise KeyError(name)
        found = imported(name, self.kind.__name__.lower(), self)
        if not isinstance(found, self.kind):
            raise InputError(
                f"{name} is {type(found).__name__}: name an object of {self.kind.__name__}"
            )
        self[name] = found
        return found


def imported(path: str, what: str, known: Iterable[str]) -> Any:
    """Return what ``package.module:name`` says, also of a file in the working directory.

    Parameters
    ----------
    path : str
    what, known : str, iterable of str
        What is looked for, and what else it could have been, for the message.

    Raises
    ------
    InputError
        There is no such module, or it has no such name.

    Examples
    --------
    >>> imported("math:pi", "number", ["zero"])
    3.141592653589793
    """
    module, _, attributes = path.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())  # a command does not look beside the user by itself
    try:
        found: Any = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # something that the module needs
        raise InputError(
            f"there is no {what} and no module {module!r}: choose one of {', '.join(known)}, "
            "or name a module that can be imported from here"
        ) from error
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            raise InputError(f"the module {module!r} has no {attributes!r}: name one of its own")
        found = getattr(found, attribute)
    return found

"""Packages that only some features need, and what to install when one is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(extra: str, what: str) -> Iterator[None]:
    """Say which extra to install when an import inside fails.

    Examples
    --------
    >>> with needs("interop", "this example"):
    ...     import a_package_that_nobody_has
    Traceback (most recent call last):
        ...
    ModuleNotFoundError: this example needs a_package_that_nobody_has; pip install \
"owen-core[interop]"
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'{what} needs {error.name}; pip install "owen-core[{extra}]"', name=error.name
        ) from error

"""Progress of an evaluation: told to a function, or drawn as a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from owen_core.optional import needs

Report = Callable[[int, int], None]


@contextmanager
def reporting(progress: Report | bool | None) -> Iterator[Report | None]:
    """Give the function that is told ``(done, all)``; True draws a bar on standard error.

    Examples
    --------
    >>> with reporting(lambda done, of: print(done, "of", of)) as report:
    ...     report(3, 8)
    3 of 8
    """
    if not isinstance(progress, bool):
        yield progress
    elif not progress:
        yield None
    else:
        with needs("explain", "progress=True"):
            from rich.console import Console
            from rich.progress import MofNCompleteColumn, Progress
        columns = (*Progress.get_default_columns(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("coalitions", total=None)
            yield lambda done, of: bar.update(task, completed=done, total=of)

"""A worklist on disk: its settings, a row for each query as it finishes, and their pages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from ospo.errors import InputError
from ospo.record import from_plain
from ospo.storage import whole
from ospo.worklist.row import Row, Summary
from owen_core import json_file
from owen_core.executor import IN_FLIGHT, Executor, InPlace, run
from owen_core.retry import Retry

FORMAT = 1  # of the rows
SETTINGS, ROWS, PAGES = "settings.json", "worklist.jsonl", "pages"
BATCH = 8  # queries that a worker gets at a time

Settings = Mapping[str, str | int | None]
# Explains a query of an id and a text: the summary, and the page. An InputError is its reason.
Solve = Callable[[str, str], tuple[Summary, str]]
# Returns that function, ready to use; called in the worker. An InputError ends the run.
Prepare = Callable[[], Solve]
Progress = Callable[[int, int], None]  # queries done, of how many
Keyed = tuple[str, str, str]  # key, id and text of a query


class Worklist:
    """A folder of explained queries that grows row by row.

    ``worklist.jsonl`` has a row for each query in the order in which they finished, and ``pages``
    has their pages. A run that ended half-way is gone on by the same call: the rows that are there
    are not computed again.

    Parameters
    ----------
    folder : Path
        It is made if there is none.
    settings : mapping
        Everything that a row depends on besides its query.

    Raises
    ------
    InputError
        The folder holds something else, or a worklist with other settings; or it cannot be
        written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "queries"
    >>> worklist = Worklist(folder, {"metric": "RR"})
    >>> def solve(query, text):
    ...     raise InputError("no product is relevant")
    >>> worklist.work({"q1": "sofa"}, prepare=lambda: solve)
    >>> worklist.done({"q1": "sofa", "q2": "lamp"})[0].failed
    'no product is relevant'
    >>> Worklist(folder, {"metric": "AP"})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ospo.errors.InputError: ... holds a worklist of other settings (metric is 'RR', not 'AP'): ...
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self._settings = {"format": FORMAT, **settings}
        self._rows = folder / ROWS
        with self._writing():
            self._open()

    def _open(self) -> None:
        known = self.folder / SETTINGS
        held = self.folder.is_file() or (self.folder.exists() and any(self.folder.iterdir()))
        if held and not known.exists():
            raise InputError(f"{self.folder} holds something that is no worklist: choose another")
        if held and self._mend():
            self._check(known)
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            json_file.write(self._settings, known)
        (self.folder / PAGES).mkdir(exist_ok=True)
        self._rows.touch()

    def _mend(self) -> bool:
        """Cut off the half row that a run which was killed may have left; say if any row stays."""
        with self._rows.open("a+b") as file:
            file.seek(0)
            end = file.read().rfind(b"\n") + 1
            file.truncate(end)
        return end > 0

    def _check(self, known: Path) -> None:
        try:
            found = json_file.read(known)
            json_file.check_keys(found, "worklists", FORMAT, found)
        except ValueError as error:
            raise InputError(f"{known} is damaged ({error}): remove {self.folder}") from error
        names = dict.fromkeys([*self._settings, *found])
        different = [
            f"{name} is {found.get(name)!r}, not {self._settings.get(name)!r}"
            for name in names
            if found.get(name) != self._settings.get(name)
        ]
        if different:
            raise InputError(
                f"{self.folder} holds a worklist of other settings ({'; '.join(different)}): "
                "choose another folder, or give the same settings to go on"
            )

    def work(
        self,
        queries: Mapping[str, str],
        prepare: Prepare,
        *,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Explain the queries that have no row yet, and keep each as it finishes.

        Parameters
        ----------
        queries : mapping
            Id to text.
        prepare : callable
            Is called in the workers for the function that explains a query, so it must be such
            that they can get it.
        executor : Executor, optional
            Runs batches of eight queries; without it, one query after the other is explained here.
        progress : callable, optional
            Is told how many queries are done, and of how many.

        Raises
        ------
        InputError
            The folder cannot be written, or ``prepare`` refuses.
        """
        known = {row.key for row in self._read()}
        keyed = [(self._key(query, text), query, text) for query, text in queries.items()]
        missing = [query for query in keyed if query[0] not in known]
        done = len(keyed) - len(missing)

        def keep(_: Sequence[Keyed], solved: Sequence[tuple[Row, str | None]]) -> None:
            nonlocal done
            with self._writing(), self._rows.open("a", encoding="utf-8") as file:
                for row, page in solved:
                    if page is not None:  # before the row, which says that it is there
                        path = self.folder / PAGES / f"{row.key}.html"
                        path.write_text(page, encoding="utf-8")
                    file.write(json.dumps(asdict(row)) + "\n")
            done += len(solved)

        def report() -> None:
            if progress is not None:
                progress(done, len(keyed))

        report()
        size, in_flight = (1, 1) if executor is None else (BATCH, IN_FLIGHT)
        run(
            (missing[start : start + size] for start in range(0, len(missing), size)),
            partial((executor or InPlace()).submit, _solve, prepare),
            keep,
            report,
            in_flight=in_flight,
            retry=Retry(times=0),
            cancel=None,
        )

    def done(self, queries: Mapping[str, str]) -> list[Row]:
        """Return the rows of those queries that have one, in their order."""
        rows = {row.key: row for row in self._read()}
        keys = (self._key(query, text) for query, text in queries.items())
        return [rows[key] for key in keys if key in rows]

    def write(self, name: str, text: str) -> Path:
        """Write a file of the folder, whole or not at all, and return where it is."""
        path = self.folder / name
        with self._writing(), whole(path) as draft:
            draft.write_text(text, encoding="utf-8")
        return path

    def _key(self, query: str, text: str) -> str:
        content = json.dumps([self._settings, query, text])
        return hashlib.sha256(content.encode()).hexdigest()[:20]

    def _read(self) -> Iterator[Row]:
        with self._rows.open("rb") as file:  # a line that is not UTF-8 is named like any other
            for number, line in enumerate(file, start=1):
                try:
                    yield from_plain(Row, json_file.parse(line))
                except ValueError as error:
                    raise InputError(
                        f"line {number} of {self._rows} is no row ({error}): delete that line, and "
                        "its query is explained again"
                    ) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(
                f"{self.folder} cannot be written ({error}): make room or choose another place; "
                "the same command goes on from here"
            ) from error


def _solve(prepare: Prepare, batch: Sequence[Keyed]) -> list[tuple[Row, str | None]]:
    """Return the row and the page of each query."""
    solve = prepare()
    solved = list[tuple[Row, str | None]]()
    for key, query, text in batch:
        try:
            summary, page = solve(query, text)
        except InputError as error:
            solved.append((Row(key, query, text, str(error), None), None))
        else:
            solved.append((Row(key, query, text, None, summary), page))
    return solved

"""``ospo explain --queries``: many queries explained, and which of them to look at first."""

from __future__ import annotations

import argparse
import json
import shlex
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, TaskID, TimeRemainingColumn
from rich.progress import Progress as Bar

from ospo.commands.explainer import PASSWORD, Explainer, command
from ospo.data import Collection, load
from ospo.errors import InputError
from ospo.evaluation import load_system
from ospo.game import CONCEPTS
from ospo.report.page import page
from ospo.report.terminal_worklist import print_worklist
from ospo.report.worklist import worklist_page
from ospo.search.metrics import parse_metric
from ospo.worklist import Kinds, Summary, Worklist, open_executor, summarize
from ospo.worklist.folder import Progress, Settings, Solve

ALL = "all"  # the queries of the collection
ONE_QUERY = ("query", "model", "intent", "target", "compare", "order", "picture", "overwrite")
_own, _loading = threading.local(), threading.Lock()


def run(options: argparse.Namespace) -> None:
    """Explain the queries of a file, or go on with that; print which to look at first."""
    _check(options)
    options.data = options.data or "shop"
    options.retriever = options.retriever or "bm25"
    options.metric = str(parse_metric(options.metric or "nDCG@10"))
    collection = _collection(options.data)
    queries, notes = _queries(options.queries, collection)
    prepare = Workshop(options)
    settings = _settings(options, collection)
    worklist = Worklist(options.out, settings)
    prepare()  # refuses here what would be refused in every worker, and builds the index once
    with open_executor(options.executor, options.workers) as executor, _progress() as progress:
        worklist.work(queries, prepare, executor=executor, progress=progress)
    rows = worklist.done(queries)
    text = worklist_page(rows, settings, command=_command(options), notes=notes)
    index = worklist.write("index.html", text)
    if options.format == "json":
        for row in rows:
            print(json.dumps(asdict(row)))
    else:
        print_worklist(rows, options.metric, Console(), wrote=index)


def _check(options: argparse.Namespace) -> None:
    for name in ONE_QUERY:
        if getattr(options, name):
            flag = "a query" if name == "query" else f"--{name}"
            raise InputError(
                f"{flag} is of one query, and --queries of many: leave one of them out"
            )
    if options.out is None:
        raise InputError("--queries explains into a folder: say with --out where it goes")
    if options.concept not in CONCEPTS:
        raise InputError(f"concept must be one of {', '.join(CONCEPTS)}, got {options.concept!r}")


@lru_cache(maxsize=1)
def _load(data: str) -> Collection:
    return load(data)


def _collection(data: str) -> Collection:
    """Return the collection, which the threads of a process share."""
    with _loading:
        return _load(data)


def _queries(source: str, collection: Collection) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Return id -> text, and what was left out, a sentence each."""
    if source == ALL:
        return collection.queries, ()
    if not Path(source).is_file():
        raise InputError(
            f"there is no file {source}: give one with an id, a tab and a query on each line, or "
            f"{ALL} for the queries of the data"
        )
    system = load_system(f"queries:{source}", collection)
    return {query: text for query, (text,) in system.texts.items()}, system.notes


def _settings(options: argparse.Namespace, collection: Collection) -> Settings:
    """Return everything that changes an explanation."""
    return {
        "data": options.data,
        "content": collection.fingerprint[:16],
        "retriever": PASSWORD.sub("", options.retriever),
        "segmenter": options.segmenter,
        "metric": options.metric,
        "concept": options.concept,
        "budget": options.budget,
        "seed": options.seed,
        "version": version("owen-core"),
    }


@dataclass(frozen=True)
class Workshop:
    """What a worker is sent, and makes its tools from: it loads the data itself, and once.

    Retrievers may hold connections and files, so each thread has its own.
    """

    options: argparse.Namespace

    def __call__(self) -> Solve:
        """Return the function that explains a query."""
        if getattr(_own, "workshop", None) != self:
            _own.solve = _Solver(self.options, _collection(self.options.data))
            _own.workshop = self
        solve: Solve = _own.solve
        return solve


class _Solver:
    """Explains a query of an id and a text, and makes its page."""

    def __init__(self, options: argparse.Namespace, collection: Collection) -> None:
        self._options = options
        self._collection = collection
        self._explain = Explainer(options, collection, options.retriever)
        self._kind = Kinds(collection.catalogue, self._explain.retriever)
        self._ids = {text.lower(): query for query, text in collection.queries.items()}

    def __call__(self, query_id: str, text: str) -> tuple[Summary, str]:
        collection = self._collection
        known = query_id if query_id in collection.queries else self._ids.get(text.lower())
        if known is None:
            raise InputError(
                f"{collection.name} judges no query of this id or text, so nothing says what it "
                "should find"
            )
        intent = collection.queries[known]
        options = argparse.Namespace(**vars(self._options))
        options.intent = None if intent == text else intent
        explanation = self._explain(
            text, collection.qrels.get(known, {}), command=command(options, text), intent=intent
        )
        return summarize(explanation, self._kind), page([explanation])


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show a bar with the time left, if there is a terminal."""
    console = Console(stderr=True)
    columns = (*Bar.get_default_columns()[:3], MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: list[TaskID] = []

        def progress(done: int, total: int) -> None:
            if not tasks:  # what was there before says nothing about the speed
                tasks.append(bar.add_task("queries", total=total, completed=done))
            bar.update(tasks[0], completed=done)

        yield progress


def _command(options: argparse.Namespace) -> str:
    """Return the command that makes the same worklist."""
    files = shlex.join(["--out", str(options.out)])
    return f"{command(options, f'--queries={options.queries}')} {files}"

"""``ospo eval``: query writers compared, with several retrievers and by several metrics."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ospo.commands import Commands
from ospo.errors import InputError

if TYPE_CHECKING:
    from ospo.evaluation.evaluation import Progress

LABELLED = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)


def add(commands: Commands) -> None:
    """Add the command and what it takes."""
    parser = commands.add_parser(
        "eval",
        help="compare models and query files, with paired tests",
        description="Compare ways to write a query: the judged queries themselves, files of "
        "rewritten ones, and runs of ospo train. The last one against the first is the main "
        "contrast.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--queries",
        nargs="+",
        default=["original"],
        metavar="SYSTEM",
        help="original (the judged queries), NAME:FILE (ids and texts: .tsv, .jsonl or topics), "
        "NAME:RUN (what a run wrote for its held-out contexts), NAME:RUN#before, NAME:RUN#context "
        "or NAME:RUN#rewrite=FILE (its policy on the texts of a file)",
    )
    parser.add_argument(
        "--retrievers",
        nargs="+",
        default=["bm25"],
        metavar="NAME",
        help="as in ospo explain; LABEL=NAME to call one LABEL (default: bm25)",
    )
    parser.add_argument(
        "--data", help="as in ospo explain (default: what the first run was trained on, or shop)"
    )
    parser.add_argument(
        "--metrics",
        nargs="+",
        default=["nDCG@10", "R@100", "RR"],
        metavar="NAME",
        help="ir-measures names, that of the main contrast first (default: nDCG@10 R@100 RR)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the tests and intervals (default: 0)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write TREC runs and qrels, values.csv, table.tex, eval.json and eval.html there",
    )
    parser.add_argument("--format", default="text", choices=["text", "json"])


def run(options: argparse.Namespace) -> None:
    """Compare, print, and write what was asked for."""
    from rich.console import Console

    from ospo.data import load
    from ospo.evaluation import evaluate, load_system
    from ospo.evaluation.queries import common_queries
    from ospo.evaluation.system import trained_on
    from ospo.evaluation.tables import to_dict
    from ospo.evaluation.trec_files import check_ids
    from ospo.report.evaluation import print_evaluation
    from ospo.report.evaluation_folder import check_free, write_folder
    from ospo.search.load import load_retriever, without_secrets
    from ospo.search.metrics import parse_metric
    from ospo.storage import cache_dir

    if options.seed < 0:
        raise InputError(f"the seed is {options.seed}: give 0 or more")
    metrics = [parse_metric(name) for name in options.metrics]
    names = labelled(options.retrievers)
    labels = {without_secrets(name): label for label, name in names.items()}
    options.data = options.data or trained_on(options.queries) or "shop"
    collection = load(options.data)
    if options.out is not None:
        check_free(options.out)
        check_ids(collection)
    systems = [
        replace(system, trained_with=labels.get(system.trained_with or "", system.trained_with))
        for system in (load_system(spec, collection) for spec in options.queries)
    ]
    common_queries(systems, collection, metrics)  # what it refuses needs no index to be built
    with _progress() as progress:
        retrievers = {
            label: load_retriever(
                name, collection.catalogue, cache_dir(), partial(progress, f"index of {label}")
            )
            for label, name in names.items()
        }
        evaluation = evaluate(
            systems, retrievers, collection, metrics, seed=options.seed, progress=progress
        )
    if options.out is not None:
        public = {label: without_secrets(name) for label, name in names.items()}
        write_folder(
            evaluation,
            options.out,
            command=_command(options, public),
            explain=partial(_explain, options, next(iter(public.values())), collection.queries),
        )
    if options.format == "json":
        print(json.dumps(to_dict(evaluation), ensure_ascii=False))
        return
    console = Console()
    print_evaluation(evaluation, console)
    if options.out is not None:
        console.print(f"wrote {options.out}", markup=False, highlight=False)


def labelled(names: Iterable[str]) -> dict[str, str]:
    """Return what each retriever is called, and its name."""
    from ospo.evaluation.trec_files import file_name
    from ospo.search.load import without_secrets

    found: dict[str, str] = {}
    for name in names:
        labelled = LABELLED.fullmatch(name)
        label, name = labelled.groups() if labelled else (without_secrets(name), name)
        if file_name(label) in map(file_name, found):
            raise InputError(
                f"there is another retriever called {label!r}, if only in file names: give one of "
                "them a name, as in LABEL=NAME"
            )
        found[label] = name
    return found


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show one bar for each retriever, if there is a terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    console = Console(stderr=True)
    with Bars(console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(retriever: str, done: int, total: int) -> None:
            if retriever not in tasks:
                tasks[retriever] = bars.add_task(escape(retriever), total=total)
            bars.update(tasks[retriever], completed=done)

        yield progress


def _command(options: argparse.Namespace, names: Mapping[str, str]) -> str:
    """Return the command that makes the same comparison."""
    lists = {
        "--queries": options.queries,
        "--retrievers": [
            name if label == name else f"{label}={name}" for label, name in names.items()
        ],
        "--metrics": options.metrics,
    }
    words = [word for flag, values in lists.items() for word in (flag, *values)]
    words += ["--data", options.data, "--seed", str(options.seed), "--out", str(options.out)]
    return shlex.join(["ospo", "eval", *words])


def _explain(
    options: argparse.Namespace, name: str, wanted: Mapping[str, str], query: str, text: str
) -> str:
    """Return the command that explains what a text retrieves, for what a query wants."""
    words = ["--data", options.data, "--retriever", name, "--metric", options.metrics[0]]
    if text != wanted[query]:
        words.append(f"--intent={wanted[query]}")
    return shlex.join(["ospo", "explain", *words, "--", text])

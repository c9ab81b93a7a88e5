"""``ospo explain``: which phrases of a query drive its retrieval."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ospo.commands import Commands
from ospo.errors import InputError

if TYPE_CHECKING:
    from ospo.data import Collection
    from ospo.explanation import Explanation
    from ospo.train.finished import FinishedRun

DEMO_QUERY = "patio bench with storage"


def add(commands: Commands) -> None:
    """Add the command and what it takes."""
    parser = commands.add_parser(
        "explain",
        help="which phrases of a query drive retrieval",
        description="Explain which phrases of a query drive its retrieval metric. The credit of a "
        "phrase is its fair share of the metric; 'without it' is the metric of the query when "
        "just that phrase is deleted. Where the two disagree, phrases interact.",
        epilog="Begin with: ospo explain --demo",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "query",
        nargs="?",
        help="the query; with --model, the context it is written from (default: one held out)",
    )
    parser.add_argument(
        "--queries",
        metavar="FILE",
        help="explain many queries into a folder, or go on with that: an id of the data, a tab and "
        "a query on each line (also .jsonl or topics), or all for the queries of the data",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--demo", action="store_true", help="explain in the built-in shop")
    source.add_argument(
        "--data",
        help="shop, icecat:DIR, esci:DIR, wands:DIR, hm:DIR, cranfield:DIR, beir:DIR, hf:DIR, "
        "trec:FILE,... or table:FILE,...; a wrong one is answered with all options (default: "
        "shop, or what --model was trained on)",
    )
    parser.add_argument(
        "--retriever",
        metavar="NAME",
        help="bm25, fts5, tfidf, lsa, dense, faiss, rerank:FOLDER#bm25, fusion:bm25+lsa, http:URL, "
        "postgres:DSN or package.module:function (default: bm25, or what --model was trained "
        "with)",
    )
    parser.add_argument(
        "--segmenter",
        default="phrases",
        metavar="NAME",
        help="phrases, delimiters, words, lines, sentences, fields, turns, npmi, spacy:PIPELINE "
        "or answer (%(default)s)",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="FILE",
        help="keep what was searched in this file and search nothing twice; an engine outside "
        "needs #version=...",
    )
    parser.add_argument("--model", type=Path, help="run directory of ospo train")
    wanted = parser.add_mutually_exclusive_group()
    wanted.add_argument(
        "--intent",
        help="judged query that says what is relevant (default: the query, or what it contains)",
    )
    wanted.add_argument(
        "--target", metavar="PRODUCT", help="id of the product to find, in place of judgments"
    )
    parser.add_argument(
        "--metric",
        help="ir-measures name, or score for that of --target (default: nDCG@10, with --target "
        "score)",
    )
    parser.add_argument(
        "--concept",
        default="shapley",
        help="solution concept: shapley, banzhaf, owen, growth, myerson, ... (%(default)s)",
    )
    parser.add_argument(
        "--budget",
        type=int,
        metavar="N",
        help="the most coalitions to value for the credits; with fewer than they take, they are "
        "sampled (default: exact up to 65,536, else 2,048)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the sample (%(default)s)")
    against = parser.add_mutually_exclusive_group()
    against.add_argument(
        "--compare",
        metavar="NAME",
        help="explain with this retriever as well, or with --model by this run as well",
    )
    against.add_argument(
        "--original",
        action="store_true",
        help="with --model: compare with the context itself as the query",
    )
    against.add_argument(
        "--order",
        action="store_true",
        help="instead of credits: what the query is worth in other orders of its phrases",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write explain.html and explain.json there; with --queries index.html, "
        "worklist.jsonl and a page for each query",
    )
    parser.add_argument(
        "--picture", action="store_true", help="with --out: explain.png and explain.svg as well"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="with --out: replace an explanation there"
    )
    parser.add_argument(
        "--executor",
        metavar="NAME",
        help="with --queries: threads, processes, dask:ADDRESS or ray (default: one query after "
        "the other)",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="of --executor (default: as many as processors)"
    )
    parser.add_argument(
        "--format",
        default="text",
        choices=["text", "json"],
        help="text, or one JSON record a line (%(default)s)",
    )


def run(options: argparse.Namespace) -> None:
    """Explain one query, compare two explanations, or explain many; print and write that."""
    _check_numbers(options)
    if options.queries is not None:
        from ospo.commands.worklist import run as run_worklist

        run_worklist(options)
        return
    from rich.console import Console

    from ospo.report.terminal import print_explanation
    from ospo.report.terminal_comparison import print_comparison

    _check(options)
    if options.order:
        _run_order(options)
        return
    if options.out is not None:
        from ospo.report.explanation_folder import check_free, write_folder

        check_free(options.out, overwrite=options.overwrite)
    explanations = _explanations(options)
    wrote = []
    if options.out is not None:
        wrote = write_folder(explanations, options.out, picture=options.picture)
    if options.format == "json":
        for explanation in explanations:
            print(json.dumps(explanation.to_dict()))
    elif len(explanations) == 1:
        print_explanation(explanations[0], Console(), wrote=wrote)
    else:
        print_comparison((explanations[0], explanations[1]), Console(), wrote=wrote)


def _run_order(options: argparse.Namespace) -> None:
    from rich.console import Console

    from ospo.commands.explainer import Explainer
    from ospo.data import load
    from ospo.report.terminal_order import print_orders

    collection = load(options.data or "shop")
    judgments, _ = _wanted(options, collection, {}, options.query)
    explainer = Explainer(options, collection, options.retriever or "bm25")
    found = explainer.orders(options.query, judgments)
    if options.format == "json":
        print(json.dumps(asdict(found)))
    else:
        print_orders(found, Console())


def _check(options: argparse.Namespace) -> None:
    """Refuse what does not go together, before anything is read."""
    if options.demo and options.query is None:
        options.query = DEMO_QUERY
    if options.model is None and not (options.query or "").strip():
        raise InputError(
            'there is no query; write one, for example: ospo explain "desk lamp", or begin with '
            "ospo explain --demo"
        )
    try:
        (options.query or "").encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the query {options.query!r} is no text in UTF-8; write it so") from error
    if options.original and options.model is None:
        raise InputError("--original compares what a model wrote: name its run with --model")
    if options.order and (options.model is not None or options.out is not None):
        raise InputError("--order prints the orders of one query: leave --model and --out out")
    if options.executor is not None or options.workers is not None:
        raise InputError("--executor and --workers share out many queries: name them by --queries")
    if options.out is None and (options.picture or options.overwrite):
        flag = "--picture" if options.picture else "--overwrite"
        raise InputError(f"{flag} is about files: say with --out where they go")


def _check_numbers(options: argparse.Namespace) -> None:
    if options.seed < 0:
        raise InputError(f"the seed is {options.seed}: give 0 or more")
    if options.budget is not None and options.budget < 1:
        raise InputError(f"the budget is {options.budget}: give at least 1 coalition")


def _explanations(options: argparse.Namespace) -> list[Explanation]:
    from ospo.commands.explainer import Explainer, command
    from ospo.data import load

    trained = _run(options.model)
    context = None if trained is None else options.query or next(iter(trained.contexts), None)
    data = options.data or (trained.data if trained else "shop")
    name = options.retriever or (trained.retriever if trained else "bm25")
    collection = load(data)
    text, held_out = context or options.query, trained.contexts if trained else {}
    if not text:
        raise InputError(f"the run {options.model} has no held-out context; give one as the query")
    judgments, intent = _wanted(options, collection, held_out, text)
    return [
        Explainer(options, collection, engine)(
            query, judgments, command=command(options, text), intent=intent, context=context
        )
        for query, engine in _sides(options, trained, text, name)
    ]


def _run(folder: Path | None) -> FinishedRun | None:
    if folder is None:
        return None
    from ospo.train.finished import load_run

    return load_run(folder)


def _sides(
    options: argparse.Namespace, trained: FinishedRun | None, text: str, engine: str
) -> list[tuple[str, str]]:
    """Return the query to explain and the retriever, and those to compare with."""
    query = text if trained is None else trained.policy.rewrite([text])[0]
    if trained is not None and not query.strip():
        raise InputError(f"the model wrote no query for {text!r}: give another context")
    if options.original:
        return [(query, engine), (text, engine)]
    if options.compare is None:
        return [(query, engine)]
    other = _run(Path(options.compare)) if _is_run(options) else None
    if other is None:
        return [(query, engine), (query, options.compare)]
    return [(query, engine), (other.policy.rewrite([text])[0], engine)]


def _is_run(options: argparse.Namespace) -> bool:
    return options.model is not None and Path(options.compare).is_dir()


def _wanted(
    options: argparse.Namespace, collection: Collection, held_out: Mapping[str, str], text: str
) -> tuple[Mapping[str, int], str]:
    """Return the judgments that say what should be found, and the same in words."""
    if options.target is not None:
        row = collection.catalogue.position.get(options.target)
        if row is None:
            raise InputError(
                f"there is no product {options.target!r} in {collection.name}; give the id of one"
            )
        return {options.target: 1}, collection.catalogue.fields["title"][row]
    if options.intent is None and text in held_out:
        query = held_out[text]
    else:
        query = collection.judged(options.intent or text)
    return collection.qrels[query], collection.queries[query]

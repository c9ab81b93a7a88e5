"""The ``ospo`` command: parses, calls, and sets the exit code."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ospo.errors import InputError, RewardError
from ospo.search.retriever import RetrieverError

if TYPE_CHECKING:
    from ospo.data import Collection

EXTRAS = {"explain": "explain", "train": "train"}  # command -> the extra that it needs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 wrong input, with one sentence on standard error; 2 wrong use, or a missing extra;
    3 a search engine or reward model failed.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "train":
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        if options.command == "explain":
            _explain(options)
        elif options.command == "cache":
            _cache(options)
        else:
            _train(rest)
    except InputError as error:
        print(f"ospo: {error}", file=sys.stderr)
        return 1
    except (RetrieverError, RewardError) as error:
        print(f"ospo: {error}", file=sys.stderr)
        return 3
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("ospo", "owen_core"):
            raise
        print(f"ospo: {_missing(error, options)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ospo: interrupted", file=sys.stderr)
        return 130
    return 0


def _missing(error: ModuleNotFoundError, options: argparse.Namespace) -> str:
    if "owen-core[" in str(error):  # it says itself what to install
        return str(error)
    extra = EXTRAS["train" if getattr(options, "model", None) else options.command]
    return (
        f"{options.command} needs {error.name}, which is not installed; "
        f'run: pip install "owen-core[{extra}]"'
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ospo", description="Token credit for the training of generative search."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    explain = commands.add_parser(
        "explain",
        help="which phrases of a query drive retrieval",
        description="Explain which phrases of a query drive its retrieval metric. The credit of a "
        "phrase is its fair share of the metric; 'without it' is the metric of the query when "
        "just that phrase is deleted. Where the two disagree, phrases interact.",
    )
    explain.add_argument(
        "query",
        nargs="?",
        help="the query; with --model, the context it is written from (default: one held out)",
    )
    explain.add_argument(
        "--data",
        help="shop, icecat:DIR, esci:DIR, wands:DIR, hm:DIR, cranfield:DIR, beir:DIR, hf:DIR, "
        "trec:FILE,... or table:FILE,...; a wrong one is answered with all options (default: "
        "shop, or what --model was trained on)",
    )
    explain.add_argument(
        "--retriever",
        metavar="NAME",
        help="bm25, fts5, tfidf, lsa, dense, faiss, rerank:FOLDER#bm25, fusion:bm25+lsa, http:URL, "
        "postgres:DSN or package.module:function (default: bm25, or what --model was trained "
        "with)",
    )
    explain.add_argument(
        "--segmenter",
        default="phrases",
        metavar="NAME",
        help="phrases, delimiters, words, lines, sentences, fields, turns, npmi, spacy:PIPELINE "
        "or answer (%(default)s)",
    )
    explain.add_argument(
        "--cache",
        type=Path,
        metavar="FILE",
        help="keep what was searched in this file and search nothing twice; an engine outside "
        "needs #version=...",
    )
    explain.add_argument("--model", type=Path, help="run directory of ospo train")
    wanted = explain.add_mutually_exclusive_group()
    wanted.add_argument(
        "--intent",
        help="judged query that says what is relevant (default: the query, or what it contains)",
    )
    wanted.add_argument(
        "--target", metavar="PRODUCT", help="id of the product to find, in place of judgments"
    )
    explain.add_argument(
        "--metric",
        help="ir-measures name, or score for that of --target (default: nDCG@10, with --target "
        "score)",
    )
    explain.add_argument(
        "--concept",
        default="shapley",
        help="solution concept: shapley, banzhaf, owen, growth, myerson, ... (%(default)s)",
    )
    explain.add_argument("--format", default="text", choices=["text", "json"])
    commands.add_parser(
        "train",
        add_help=False,
        help="train a query-writing policy (ospo train --help)",
    )
    cache = commands.add_parser(
        "cache",
        help="what is kept on disk, and how to remove it",
        description="Say how much of each kind is kept on disk, or remove what ospo wrote.",
    )
    cache.add_argument("action", choices=["info", "clear"])
    cache.add_argument(
        "path",
        nargs="?",
        type=Path,
        help="a folder, or a store of coalition values (default: OSPO_CACHE, or the user's cache)",
    )
    return parser


def _explain(options: argparse.Namespace) -> None:
    from rich.console import Console

    from ospo.data import load
    from ospo.explain import SCORE, explain
    from ospo.report.terminal import print_explanation
    from ospo.search.load import load_retriever
    from ospo.search.stored import Stored
    from ospo.storage import cache_dir
    from ospo.text.load import load_segmenter

    query, data, name = options.query, options.data or "shop", options.retriever or "bm25"
    context, held_out = None, dict[str, str]()
    if options.model is not None:
        from ospo.train.run import load_run

        run = load_run(options.model)
        data, name = options.data or run.data, options.retriever or run.retriever
        held_out = run.contexts
        context = query or next(iter(held_out))
        query = run.policy.rewrite([context])[0]
    elif not (query or "").strip():
        raise InputError('there is no query; write one, for example: ospo explain "desk lamp"')
    collection = load(data)
    judgments, intent = _wanted(options, collection, held_out, context or query)
    catalogue = collection.catalogue
    retriever = load_retriever(name, catalogue, cache_dir())
    searched = f"{type(retriever).__name__} over {len(catalogue):,} products of {collection.name}"
    if options.cache is not None:
        retriever = Stored(retriever, options.cache)
    explanation = explain(
        query,
        retriever,
        judgments,
        metric=options.metric or ("nDCG@10" if options.target is None else SCORE),
        concept=options.concept,
        segmenter=load_segmenter(options.segmenter, catalogue.fields),
    )
    if options.format == "json":
        print(json.dumps(explanation.to_dict(), ensure_ascii=False))
        return
    titles, shown = catalogue.fields["title"], [row.product_id for row in explanation.ranks]
    print_explanation(
        explanation,
        Console(),
        titles={product: titles[catalogue.position[product]] for product in shown},
        retriever=searched,
        context=context,
        intent=intent,
    )


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


def _cache(options: argparse.Namespace) -> None:
    from ospo.cache_command import report

    for line in report(options.path, clear=options.action == "clear"):
        print(line)


def _train(arguments: Sequence[str]) -> None:
    # TRL and transformers warn about each other's settings; the user can do nothing about it.
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    from rich.console import Console

    from ospo.report.training import live_progress, print_training
    from ospo.train.run import parse, train

    run, args = parse(arguments)
    console = Console()
    with live_progress(console) as progress:
        result = train(run, args, progress=progress)
    print_training(result, console)


if __name__ == "__main__":
    sys.exit(main())

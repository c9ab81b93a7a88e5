"""The ``ospo`` command: parses, calls, and sets the exit code."""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from ospo.errors import InputError

EXTRAS = {"explain": "explain", "train": "train"}  # command -> the extra that it needs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done; 1 failed, with one sentence on standard error; 2 wrong use, or a missing extra.
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
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("ospo", "owen_core"):
            raise
        extra = EXTRAS["train" if getattr(options, "model", None) else options.command]
        print(
            f"ospo: {options.command} needs {error.name}, which is not installed; "
            f'run: pip install "owen-core[{extra}]"',
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("ospo: interrupted", file=sys.stderr)
        return 130
    return 0


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
        "--data", help="shop, or icecat:DIR (default: shop, or what --model was trained on)"
    )
    explain.add_argument("--model", type=Path, help="run directory of ospo train")
    explain.add_argument(
        "--intent",
        help="judged query that says what is relevant (default: the query, or what it contains)",
    )
    explain.add_argument("--metric", default="nDCG@10", help="ir-measures name (%(default)s)")
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
    from ospo.explain import explain
    from ospo.report.terminal import print_explanation
    from ospo.search.bm25 import BM25
    from ospo.storage import cache_dir

    query, data, context = options.query, options.data, None
    held_out: dict[str, str] = {}
    if options.model is not None:
        from ospo.train.run import load_run

        policy, trained_on, held_out = load_run(options.model)
        data = data or trained_on
        context = query or next(iter(held_out))
        query = policy.rewrite([context])[0]
    elif not (query or "").strip():
        raise InputError('there is no query; write one, for example: ospo explain "desk lamp"')
    collection = load(data or "shop")
    catalogue = collection.catalogue
    if options.intent is None and context in held_out:
        intent = held_out[context]
    else:
        intent = collection.judged(options.intent or context or query)
    explanation = explain(
        query,
        BM25(catalogue, cache_dir()),
        collection.qrels[intent],
        metric=options.metric,
        concept=options.concept,
    )
    if options.format == "json":
        print(json.dumps(explanation.to_dict(), ensure_ascii=False))
        return
    print_explanation(
        explanation,
        Console(),
        titles=dict(zip(catalogue.ids, catalogue.fields["title"], strict=True)),
        retriever=f"BM25 over {len(catalogue):,} products of {collection.name}",
        context=context,
        intent=collection.queries[intent],
    )


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

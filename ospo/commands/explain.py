"""``ospo explain``: which phrases of a query drive its retrieval."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ospo.commands import Commands
from ospo.errors import InputError

if TYPE_CHECKING:
    from ospo.data import Collection


def add(commands: Commands) -> None:
    """Add the command and what it takes."""
    parser = commands.add_parser(
        "explain",
        help="which phrases of a query drive retrieval",
        description="Explain which phrases of a query drive its retrieval metric. The credit of a "
        "phrase is its fair share of the metric; 'without it' is the metric of the query when "
        "just that phrase is deleted. Where the two disagree, phrases interact.",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "query",
        nargs="?",
        help="the query; with --model, the context it is written from (default: one held out)",
    )
    parser.add_argument(
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
    parser.add_argument("--format", default="text", choices=["text", "json"])


def run(options: argparse.Namespace) -> None:
    """Explain one query in the terminal, or as JSON."""
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

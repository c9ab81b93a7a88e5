"""One text explained, as the options of ``ospo explain`` say."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace

from ospo.data import Collection
from ospo.explain import SCORE, explain
from ospo.explanation import Explanation
from ospo.order import Orders, orders
from ospo.search.load import load_retriever
from ospo.search.stored import Stored
from ospo.storage import cache_dir
from ospo.text.load import load_segmenter

# The user and password of an address, and a password among PostgreSQL's settings.
PASSWORD = re.compile(r"(?<=//)[^/@\s]*@|(?<=[?&#:\s])password=[^&#\s]*")
# What tells how an explanation is computed, as it is written on the command line.
SETTINGS = (
    "data",
    "retriever",
    "segmenter",
    "cache",
    "model",
    "intent",
    "target",
    "metric",
    "concept",
    "budget",
    "seed",
    "compare",
    "original",
)


class Explainer:
    """Explains texts with one retriever of a collection.

    Parameters
    ----------
    options : argparse.Namespace
        Of the command.
    collection : Collection
    engine : str
        The name of the retriever.
    """

    def __init__(self, options: argparse.Namespace, collection: Collection, engine: str) -> None:
        retriever = load_retriever(engine, collection.catalogue, cache_dir())
        self.retriever = retriever if options.cache is None else Stored(retriever, options.cache)
        self._segmenter = load_segmenter(options.segmenter, collection.catalogue.fields)
        self._options = options
        self._collection = collection
        self._engine = engine

    def __call__(
        self,
        query: str,
        judgments: Mapping[str, int],
        *,
        command: str,
        intent: str,
        context: str | None = None,
    ) -> Explanation:
        """Return the explanation of a query that should find what the judgments name.

        Parameters
        ----------
        query : str
        judgments : mapping
        command : str
            What computes the same.
        intent : str
            The judgments in words.
        context : str, optional
            What the query was written from.
        """
        options = self._options
        explanation = explain(
            query,
            self.retriever,
            judgments,
            metric=options.metric or ("nDCG@10" if options.target is None else SCORE),
            concept=options.concept,
            segmenter=self._segmenter,
            budget=options.budget,
            rng=options.seed,
        )
        method = replace(
            explanation.method,
            retriever=_named(explanation.method.retriever, self._engine),
            collection=self._collection.name,
            segmenter=options.segmenter,
            command=command,
        )
        wish = None if intent == query else intent
        return replace(explanation, method=method, context=context, intent=wish)

    def orders(self, query: str, judgments: Mapping[str, int]) -> Orders:
        """Return what a query is worth in other orders of its phrases."""
        return orders(
            query,
            self.retriever,
            judgments,
            metric=self._options.metric or "nDCG@10",
            segmenter=self._segmenter,
            rng=self._options.seed,
        )


def command(options: argparse.Namespace, text: str) -> str:
    """Return the command that computes the same, without passwords."""
    words = ["ospo", "explain", text]
    for name in SETTINGS:
        value = getattr(options, name)
        if value is True:
            words.append(f"--{name}")
        elif value not in (None, False):
            words += [f"--{name}", PASSWORD.sub("", str(value))]
    return shlex.join(words)


def _named(described: str, engine: str) -> str:
    """Return what to call a retriever: as on the command line, or where the engine outside is."""
    return described if " at " in described else PASSWORD.sub("", engine)

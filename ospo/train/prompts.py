"""Prompts: what a policy reads, and which judged query its completion should serve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ospo.data.collection import Collection
from ospo.data.contexts import Context, noisy_contexts
from ospo.errors import InputError
from ospo.train.policy.policy import PLACE, Policy

CONTEXTS = ("noisy", "queries")
TEMPLATE = f"""\
What follows is what a shopper said, asked for or bought. Write the search query that finds the \
products this shopper wants now: a few search phrases, separated by commas, and nothing else.

{PLACE}"""


def read_template(path: Path) -> str:
    """Return the text of a prompt.

    Raises
    ------
    InputError
        The file cannot be read, or has no place for the context.
    """
    try:
        template = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the prompt template {path} cannot be read ({error}): give a text file"
        ) from error
    if PLACE not in template:
        raise InputError(
            f"the prompt template {path} has no {PLACE}, so every prompt would be the same: write "
            f"{PLACE} where the context belongs"
        )
    return template


def contexts(
    collection: Collection, queries: Sequence[str], kind: str, *, per_query: int, seed: int
) -> list[Context]:
    """Return the contexts of queries: noisy ones, or the queries as they are, once each.

    Examples
    --------
    >>> from ospo.data import load
    >>> shop = load("shop")
    >>> [context] = contexts(shop, shop.answerable[:1], "queries", per_query=3, seed=0)
    >>> context.text == shop.queries[context.query_id]
    True
    """
    if kind == "queries":
        return [Context(collection.queries[query], query) for query in queries]
    return noisy_contexts(collection, queries, per_query=per_query, seed=seed)


def rows(
    collection: Collection, contexts: Sequence[Context], policy: Policy
) -> list[dict[str, str]]:
    """Return contexts as rows of a data set.

    Each has the ``prompt``, the ``query_id`` whose judgments its completions are for, and that
    query's text as the ``reference``.
    """
    return [
        {
            "prompt": policy.prompt(context.text),
            "query_id": context.query_id,
            "reference": collection.queries[context.query_id],
        }
        for context in contexts
    ]

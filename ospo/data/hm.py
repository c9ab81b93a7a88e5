"""H&M's purchases (Kaggle, H&M Personalized Fashion Recommendations 2022) as queries.

The folder holds the published ``articles.csv`` and ``transactions_train.csv``. They have no queries
and no judgments: here a query is what a customer bought, article by article, and its one relevant
product is the article that the customer bought next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import partial
from heapq import heappush, heappushpop
from pathlib import Path

from ospo.data.collection import Collection, listed
from ospo.data.files import files_in
from ospo.data.malformed import Row
from ospo.data.rows import read_rows
from ospo.data.stored import content_key, stored
from ospo.errors import InputError
from ospo.storage import cache_dir, whole

ARTICLE = (
    "article_id",
    "prod_name",
    "colour_group_name",
    "product_type_name",
    "index_name",
    "detail_desc",
)
PURCHASE = ("customer_id", "article_id", "t_dat")
Purchases = dict[str, list[tuple[str, str]]]  # customer -> date and article of each purchase


def load_hm(folder: Path, *, customers: int = 1000, history: int = 10, seed: int = 0) -> Collection:
    """Read H&M's articles, and what some customers bought.

    Parameters
    ----------
    folder
        Where the two published files lie.
    customers
        How many customers are drawn. Those who bought fewer than two different articles give no
        query.
    history
        The most articles of a query, the latest ones; bought again, an article counts once.
    seed
        Another seed draws other customers.

    Returns
    -------
    Collection
        Named "hm", with the columns title (as in "Strap top (Black Vest top)"), department and
        description. Queries go by the id of the customer; their articles are separated by ";".
        The last new article of a customer has grade 1.

    Raises
    ------
    InputError
        If a number is below 1, or a file is missing, damaged or not of the published form.
    """
    if customers < 1 or history < 1:
        raise InputError(
            f"{customers} customers with a history of {history} make no query: "
            "give at least 1 of both"
        )
    articles, transactions = files_in(folder, "articles.csv", "transactions_train.csv")
    notes: list[str] = []
    catalogue = stored(
        ("title", "department", "description"),
        partial(_articles, articles),
        files=[articles],
        settings=ARTICLE,
        notes=notes,
    )
    bought = _histories(transactions, customers, seed, notes)
    long_enough = {customer: new for customer, new in bought.items() if len(new) > 1}
    if len(long_enough) < len(bought):
        notes.append(
            f"left out {len(bought) - len(long_enough)} of {len(bought)} customers who bought "
            "fewer than two different articles"
        )
    unknown = {a: None for new in long_enough.values() for a in new if a not in catalogue.position}
    if unknown:
        raise InputError(
            f"{transactions} names {len(unknown)} articles that {articles} lacks "
            f"({listed(unknown)}): get both files of the same version"
        )
    titles = catalogue.fields["title"]
    queries = {
        customer: "; ".join(titles[catalogue.position[a]] for a in new[-history - 1 : -1])
        for customer, new in long_enough.items()
    }
    qrels = {customer: {new[-1]: 1} for customer, new in long_enough.items()}
    return Collection("hm", catalogue, queries, qrels, tuple(notes))


def _articles(path: Path, notes: list[str]) -> Iterator[Row]:
    for article, name, colour, kind, department, text in read_rows(path, ARTICLE, notes):
        yield article, f"{name} ({colour} {kind})", department, text


def _histories(path: Path, customers: int, seed: int, notes: list[str]) -> dict[str, list[str]]:
    """The different articles of each customer drawn, in the order of purchase.

    They are kept: there are thirty million transactions.
    """
    kept = cache_dir() / f"purchases-{content_key([path], (PURCHASE, customers, seed))}.json"
    if not kept.exists():
        left_out: list[str] = []
        purchases = _drawn(read_rows(path, PURCHASE, left_out, filled=3), customers, seed)
        # Sorting is stable: purchases of one day stay in the order of the file.
        histories = {
            customer: list(dict.fromkeys(a for _, a in sorted(bought, key=lambda b: b[0])))
            for customer, bought in purchases.items()
        }
        with whole(kept) as draft:
            draft.write_text(json.dumps([histories, left_out]), encoding="utf-8")
    found: tuple[dict[str, list[str]], list[str]] = json.loads(kept.read_text(encoding="utf-8"))
    histories, left_out = found
    notes += left_out
    return histories


def _drawn(purchases: Iterable[Row], customers: int, seed: int) -> Purchases:
    """The purchases of the customers with the lowest hashes, in one pass.

    Nothing of a customer is missed: who is put out by a lower hash cannot come back.
    """
    drawn: Purchases = {}
    highest: list[tuple[int, str]] = []  # a heap of negative hashes
    for customer, article, date in purchases:
        if customer not in drawn:
            draw = hashlib.blake2b(f"{seed} {customer}".encode(), digest_size=8).digest()
            entry = (-int.from_bytes(draw), customer)
            if len(highest) < customers:
                heappush(highest, entry)
            else:
                out = heappushpop(highest, entry)
                if out == entry:
                    continue
                del drawn[out[1]]
            drawn[customer] = []
        drawn[customer].append((date, article))
    return drawn

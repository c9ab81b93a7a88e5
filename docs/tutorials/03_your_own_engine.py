"""
Your own engine
===============

An engine is a class with one method: it takes queries and returns ranked products. Here
it is written around SQLite's full-text index. Around a vector store or a search service
it looks alike.
"""

import sqlite3

from ospo.data import load
from ospo.explain import explain
from ospo.report.figure import picture
from ospo.search.retriever import Hit, Retriever


class Titles(Retriever):
    """Full-text search in titles."""

    def __init__(self, catalogue, join=" AND "):
        self.catalogue, self.join = catalogue, join
        self.index = sqlite3.connect(":memory:")
        self.index.execute(
            "create virtual table titles using fts5(id unindexed, title)"
        )
        rows = zip(catalogue.ids, catalogue.fields["title"], strict=True)
        self.index.executemany("insert into titles values (?, ?)", rows)

    def search(self, queries, k):
        return [self.find(query, k) for query in queries]

    def find(self, query, k):
        words = self.join.join(f'"{word}"' for word in query.replace('"', " ").split())
        if not words:
            return []
        found = self.index.execute(
            "select id, -rank from titles where titles match ? order by rank limit ?",
            (words, k),
        )
        return [Hit(product, score) for product, score in found]


# %%
# That is all. Explanations, comparisons and rewards for training work with it.

shop = load("shop")
query, wanted = "patio bench with storage", shop.qrels["q002"]
strict = explain(query, Titles(shop.catalogue), wanted)
picture(strict)

# %%
# The whole query is worth nothing, and *patio* is to blame: it takes more than half a
# point away. What the engine returned for each part of the query tells why.

for part in strict.variants:
    print(f"{part.value:.3f}  {part.query or '(nothing)'}")

# %%
# SQLite was asked for titles with *every* word, and no title of this shop says *patio*:
# its benches are garden benches. The remedy is to ask for any of the words.

lenient = explain(query, Titles(shop.catalogue, join=" OR "), wanted)
picture(lenient)

# %%
# Named on the command line as ``ospo explain --retriever package.module:function``, a
# function ``(queries, k)`` that returns such lists will do as well.

"""
Why one product ranks low
=========================

A shopper types *water resistant gray mittens for kids*. The shop sells just that, and
shows it in place 255. Which words are to blame?

The shop is generated, so there is nothing to download: 1,989 products, 200 queries, and
judgments that follow from a rule. The engine is BM25.
"""

from ospo.data import load
from ospo.explain import explain
from ospo.report.figure import picture
from ospo.search.bm25 import BM25

shop = load("shop")
engine = BM25(shop.catalogue)
query, product = "water resistant gray mittens for kids", "s0179"

row = shop.catalogue.position[product]
for name, column in shop.catalogue.fields.items():
    print(f"{name:12} {column[row]}")
print(f"{'rank':12} {engine.ranks([query], [product])[0, 0]}")

# %%
# What finds the product
# ----------------------
# With the product as the only judgment and ``score`` as the metric, a phrase's credit
# is what it adds to the product's score.

of_one_product = explain(query, engine, {product: 3}, metric="score")
picture(of_one_product)

# %%
# Only *kids* finds it. The shop writes *waterproof* for *water resistant*, *grey* for
# *gray* and *gloves* for *mittens*. And the words that miss this product find others:

titles = shop.catalogue.fields["title"]
for place, hit in enumerate(engine.search([query], 4)[0], start=1):
    print(
        f"{place:5}  {hit.score:.2f}  {titles[shop.catalogue.position[hit.product_id]]}"
    )

# %%
# In the shop's words
# -------------------
# One exchange at a time, and where the product then stands:

texts = [
    query,
    "water resistant gray gloves for kids",
    "water resistant grey gloves for kids",
    "waterproof grey gloves for kids",
]
for text, rank in zip(texts, engine.ranks(texts, [product])[:, 0], strict=True):
    print(f"{rank:5}  {text}")

# %%
# The whole list
# --------------
# One product is an anecdote. This is the better query judged by everything that it
# should find, on the page that ``ospo explain`` writes. Phrases can be switched off:
# each combination was really searched.

explain("waterproof grey gloves for kids", engine, shop.qrels["q056"])

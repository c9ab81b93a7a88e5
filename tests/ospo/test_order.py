"""Orders of a query: which there are, what each is worth, and what an engine sees of them."""

from __future__ import annotations

import io
import json
from functools import partial
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from ospo.cli import main
from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.order import orders
from ospo.report.terminal_order import print_orders
from ospo.search.bm25 import BM25
from ospo.search.lsa import LSA
from ospo.search.retriever import Hit, Retriever
from ospo.search.tfidf import TFIDF

TITLES = ("red trail shoe", "blue shoe rack", "trail map", "red rack of maps")
SHOP = Catalogue(("1", "2", "3", "4"), {"title": TITLES})


class FirstWord(Retriever):
    """Finds the products whose title holds the first word of the query."""

    def search(self, queries, k):
        firsts = [query.replace(",", " ").split()[0] for query in queries]
        return [
            [Hit(i, 1.0) for i, title in zip(SHOP.ids, TITLES, strict=True) if word in title][:k]
            for word in firsts
        ]


@pytest.mark.parametrize("kind", [BM25, TFIDF, partial(LSA, dimensions=3)])
def test_a_bag_of_words_sees_no_order_and_is_searched_once(kind):
    found = orders("trail, red shoe, rack", kind(SHOP), {"1": 1})
    assert found.searched == 1
    assert len(set(found.values)) == 1
    assert found.complete


def test_every_order_is_worth_what_its_text_retrieves():
    found = orders("  trail, red shoe; map!", FirstWord(), {"4": 1}, metric="RR")
    phrases = ["trail", "red shoe", "map!"]
    assert found.texts == tuple(f"  {a}, {b}; {c}" for a, b, c in permutations(phrases))
    expected = {"trail": 0.0, "red": 1 / 2, "map!": 0.0}
    assert found.values == tuple(
        expected[text.replace(",", " ").split()[0]] for text in found.texts
    )
    assert found.searched == 6


@given(st.lists(st.sampled_from(["red", "trail", "shoe", "map"]), min_size=1, max_size=5))
def test_the_query_stands_first_and_no_order_twice(words):
    found = orders(" ".join(words), FirstWord(), {"1": 1})
    assert found.texts[0] == " ".join(words)
    assert sorted(found.texts) == sorted({" ".join(order) for order in permutations(words)})


def test_too_many_orders_are_drawn_and_one_seed_draws_the_same():
    query = "red trail shoe map rack blue of"

    def drawn(seed):
        return orders(query, FirstWord(), {"1": 1}, most=50, rng=seed)

    assert drawn(1) == drawn(1)
    assert drawn(1).texts != drawn(2).texts
    assert drawn(1).texts[0] == query
    assert not drawn(1).complete
    assert 40 < len(drawn(1).texts) <= 50
    assert {tuple(sorted(text.split())) for text in drawn(1).texts} == {
        tuple(sorted(query.split()))
    }


def test_a_query_without_words_is_refused():
    with pytest.raises(InputError, match="has no words"):
        orders(" , ", FirstWord(), {"1": 1})


def shown(found):
    file = io.StringIO()
    print_orders(found, Console(file=file, width=80))
    return file.getvalue()


def test_the_terminal_says_whether_order_matters():
    text = shown(orders("trail, red shoe, map", FirstWord(), {"4": 1}, metric="RR"))
    best, *_, worst = [line.split() for line in text.splitlines() if "trail" in line][1:]
    assert best[:3] == ["0.500", "+0.500", "red"]
    assert worst[:2] == ["0.000", "0.000"]
    assert "does not matter: it sees none" in shown(orders("red shoe", BM25(SHOP), {"1": 1}))
    same = orders("red shoe", FirstWord(), {"2": 1}, metric="R@4")
    assert "does not matter" not in shown(same)
    assert "each is worth the same" in shown(orders("red shoe", FirstWord(), {"1": 1}, metric="RR"))


def test_the_command_prints_orders_and_json(own_cache, capsys):
    assert main(["explain", "--demo", "--order"]) == 0
    assert "the order does not matter: it sees none" in capsys.readouterr().out
    assert main(["explain", "--demo", "--order", "--format", "json", "--metric", "RR"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["metric"], len(record["texts"]), record["searched"]) == ("RR", 24, 1)


@pytest.mark.parametrize("flags", [["--out", "x"], ["--model", "x"]])
def test_orders_are_of_one_query_in_the_terminal(flags, capsys):
    assert main(["explain", "sofa", "--order", *flags]) == 1
    assert "--order prints the orders of one query" in capsys.readouterr().err

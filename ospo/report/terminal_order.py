"""Terminal view of the orders of a query: whether another one would be better."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from ospo.order import Orders
from ospo.report.printable import direction_mark, printable, show
from ospo.report.terminal import NOISE, dim_table, indented, labelled, sign_colour, signed

SHOWN_ORDERS = 5  # at either end


def print_orders(orders: Orders, console: Console) -> None:
    """Print the value of the query, and the best and the worst of its orders."""
    query, value = orders.texts[0], orders.values[0]
    drawn = "all of them" if orders.complete else "drawn at random"
    rows = [
        ("query", query),
        ("value", f"{orders.metric} {value:.3f}"),
        (
            "orders",
            f"{len(orders.texts):,}, {drawn}; the retriever tells {orders.searched:,} apart",
        ),
    ]
    if max(orders.values) - min(orders.values) < NOISE:
        same = "it sees none" if orders.searched <= 1 else "each is worth the same"
        show(console, labelled([*rows, ("answer", f"the order does not matter: {same}")]))
        return
    table = dim_table(2)
    table.add_column(orders.metric, justify="right")
    table.add_column("change", justify="right")
    table.add_column("order")
    ranked = sorted(range(len(orders.values)), key=lambda k: -orders.values[k])
    best, worst = ranked[:SHOWN_ORDERS], ranked[SHOWN_ORDERS:][-SHOWN_ORDERS:]
    for k in (*best, *worst):
        change = orders.values[k] - value
        table.add_row(
            f"{orders.values[k]:.3f}",
            Text(signed(change), style=sign_colour(change)),
            Text(printable(orders.texts[k]) + direction_mark(orders.texts[k])),
        )
    show(console, labelled(rows), Text(), indented(table, "the best orders, and the worst"))

"""Terminal views. Sign and number are always printed; colour only repeats them."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ospo.explain import Explanation

BAR_CELLS = 16
SHOWN_PRODUCTS = 10
MIN_TITLE_CELLS, MAX_TITLE_CELLS, RANK_CELLS, PHRASE_CELLS = 24, 44, 6, 11
POSITIVE, NEGATIVE = "red", "blue"  # the pair that users of shap and shapiq read on sight
_EIGHTHS = " ▏▎▍▌▋▊▉"


def print_explanation(
    explanation: Explanation,
    console: Console,
    *,
    titles: Mapping[str, str],
    retriever: str,
    intent: str,
    context: str | None = None,
) -> None:
    """Print an explanation.

    Parameters
    ----------
    explanation : Explanation
    console : rich.console.Console
    titles : mapping
        Product id to title.
    retriever : str
        What was searched, in words.
    intent : str
        The judged query that says what is relevant.
    context : str, optional
        The text from which a policy wrote the query.
    """
    head = [("context", context)] if context is not None else []
    head.append(("query", " · ".join(explanation.segments)))
    if intent != explanation.query:
        head.append(("wanted", intent))
    head.append(
        (
            "value",
            f"{explanation.metric} {explanation.total:.3f}   "
            f"empty query {explanation.baseline:.3f}   {retriever}",
        )
    )
    if explanation.total == 0:
        head.append(("", _why_zero(explanation)))
    cost = explanation.cost
    parts: list[RenderableType] = [
        _labelled(head),
        "",
        _credits(explanation),
        "",
        _ranks(explanation, titles, console.width),
        "",
        _labelled(
            [
                (
                    "cost",
                    f"{cost.asked} evaluations asked: {cost.searched} searches made, "
                    f"{cost.saved} saved; {cost.seconds:.2f} s",
                )
            ]
        ),
    ]
    console.print(Group(*parts))


def _why_zero(explanation: Explanation) -> str:
    best = min((row.rank for row in explanation.ranks if row.rank), default=0)
    if not best:
        return "it retrieves no relevant product at all"
    return f"its best relevant product stands at rank {best}; a deeper metric would see it"


def _labelled(rows: list[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for label, text in rows:
        table.add_row(Text(label, style="dim"), Text(text))
    return table


def _credits(explanation: Explanation) -> RenderableType:
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    table.add_column("phrase")
    table.add_column("credit", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("without it", justify="right", no_wrap=True)
    table.add_column(explanation.metric, justify="right", no_wrap=True)
    largest = max(map(abs, explanation.credit)) or 1.0
    rows = zip(explanation.segments, explanation.credit, explanation.without, strict=True)
    for phrase, credit, without in sorted(rows, key=lambda row: -row[1]):
        colour = _colour(credit)
        table.add_row(
            Text(phrase),
            Text(signed(credit), style=colour),
            Text(bar(credit / largest), style=colour),
            f"{without:.3f}",
            signed(without - explanation.total),
        )
    total = sum(explanation.credit)
    residual = explanation.total - explanation.baseline - total
    efficient = abs(residual) < 1e-9
    table.add_row(
        Text("sum", style="dim"),
        signed(total),
        "= value − empty" if efficient else f"leaves {signed(residual)}",
        Text(f"{explanation.concept}, exact", style="dim"),
    )
    return Padding(table, (0, 0, 0, 2))


def _ranks(explanation: Explanation, titles: Mapping[str, str], width: int) -> RenderableType:
    """Show the best relevant products against the phrases that fit, the weightiest first."""
    cells = [max(4, min(len(phrase) + 1, PHRASE_CELLS)) for phrase in explanation.segments]
    by_weight = sorted(range(len(cells)), key=lambda k: -abs(explanation.credit[k]))
    room = width - 2 - 2 * RANK_CELLS
    shown = {by_weight[0]}
    for k in by_weight[1:]:
        if room - sum(cells[j] + 1 for j in (*shown, k)) >= MIN_TITLE_CELLS:
            shown.add(k)
    title_cells = min(MAX_TITLE_CELLS, room - sum(cells[k] + 1 for k in shown))
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("relevant product", width=title_cells, no_wrap=True)
    table.add_column("grade", justify="right", width=RANK_CELLS - 1, no_wrap=True)
    table.add_column("rank", justify="right", width=RANK_CELLS - 1, no_wrap=True)
    for k in sorted(shown):
        label = Text(f"−{explanation.segments[k]}", overflow="ellipsis")
        table.add_column(label, justify="right", width=cells[k], no_wrap=True)
    for row in explanation.ranks[:SHOWN_PRODUCTS]:
        moved = [_move(row.rank, row.without[k]) for k in sorted(shown)]
        table.add_row(Text(titles[row.product_id]), str(row.grade), _rank(row.rank), *moved)
    notes = ["rank for the query, and without each phrase; — not retrieved"]
    for what, hidden in [
        ("relevant product", len(explanation.ranks) - SHOWN_PRODUCTS),
        ("phrase", len(cells) - len(shown)),
    ]:
        if hidden > 0:
            notes.append(f"not shown: {hidden} {what}{'s' * (hidden > 1)}")
    return Padding(Group(table, *(Text(note, style="dim") for note in notes)), (0, 0, 0, 2))


def bar(share: float) -> str:
    """Return a bar of up to :data:`BAR_CELLS` cells: solid for credit, shaded for blame.

    Examples
    --------
    >>> bar(0.5), bar(0.1), bar(-0.2)
    ('████████', '█▋', '▒▒▒')
    """
    if share < 0:
        return "▒" * round(-share * BAR_CELLS)
    full, part = divmod(round(share * BAR_CELLS * 8), 8)
    return "█" * full + (_EIGHTHS[part] if part else "")


def signed(number: float) -> str:
    """Return a number with its sign, a real minus, and three decimals.

    Examples
    --------
    >>> signed(-0.25), signed(0.0)
    ('−0.250', '0.000')
    """
    text = f"{number:+.3f}"
    return "0.000" if text[1:] == "0.000" else text.replace("-", "−")


def _colour(credit: float) -> str:
    return POSITIVE if credit > 0 else NEGATIVE if credit < 0 else ""


def _rank(rank: int) -> str:
    return str(rank) if rank else "—"


def _move(before: int, after: int) -> Text:
    """Show the rank without a phrase, marked where the product fell or rose."""
    worse, better = (after or 10**9) > (before or 10**9), (after or 10**9) < (before or 10**9)
    arrow = " ↓" if worse else " ↑" if better else "  "
    return Text(_rank(after) + arrow, style=POSITIVE if worse else NEGATIVE if better else "")

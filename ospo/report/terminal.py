"""Terminal view of an explanation. Sign and number are always printed; colour repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ospo.explanation import Explanation
from ospo.report.printable import direction_mark, printable, show

LABEL_CELLS = 7
BAR_CELLS, NARROW_BAR_CELLS, NARROW = 16, 8, 72
SHOWN_PHRASES, SHOWN_PRODUCTS, SHOWN_PAIRS = 12, 10, 3
MIN_TITLE_CELLS, MAX_TITLE_CELLS, RANK_CELLS, PHRASE_CELLS = 24, 44, 6, 11
NOISE = 1e-9  # of sums of metrics
POSITIVE, NEGATIVE = "red", "blue"  # the pair that users of shap and shapiq read on sight
_EIGHTHS = " ▏▎▍▌▋▊▉"


def print_explanation(
    explanation: Explanation, console: Console, *, wrote: Sequence[Path] = ()
) -> None:
    """Print an explanation, and which files it was written to."""
    parts: list[RenderableType] = [labelled(_head(explanation)), ""]
    parts += [credit_table(explanation, console.width), ""]
    parts += [_ranks(explanation, console.width), ""]
    if pairs := _strongest(explanation):
        parts += [pairs, ""]
    show(console, *parts, labelled(_tail(explanation, wrote)))


def _head(explanation: Explanation) -> list[tuple[str, str]]:
    rows = [("query", " · ".join(explanation.segments))]
    if explanation.context is not None:
        rows.insert(0, ("context", explanation.context))
    if explanation.intent not in (None, explanation.query):
        rows.append(("wanted", explanation.intent or ""))
    rows.append(
        (
            "value",
            f"{explanation.metric} {explanation.total:.3f}   "
            f"empty query {explanation.baseline:.3f}   {searched(explanation)}",
        )
    )
    if explanation.total == 0:
        rows.append(("", _why_zero(explanation)))
    return rows


def searched(explanation: Explanation) -> str:
    """Return what was searched, in words."""
    method = explanation.method
    catalogue = f" over {method.products:,} products" if method.products else ""
    return method.retriever + catalogue + (f" of {method.collection}" if method.collection else "")


def _tail(explanation: Explanation, wrote: Sequence[Path]) -> list[tuple[str, str]]:
    cost = explanation.cost
    rows = [("try", advice(explanation))]
    if explanation.method.stopped is not None:
        rows.append(("stopped", explanation.method.stopped))
    rows.append(
        (
            "cost",
            f"{cost.asked:,} query texts asked: {cost.searched:,} searched, "
            f"{cost.saved:,} saved; {cost.seconds:.2f} s",
        )
    )
    if wrote:
        rows.append(("wrote", listed(wrote)))
    return rows


def _why_zero(explanation: Explanation) -> str:
    if not explanation.variants[0].ranking:
        return "it retrieves nothing at all; use words of the products"
    best = explanation.best_rank
    if not best:
        return "it retrieves no relevant product at all"
    return f"its best relevant product stands at rank {best}; a deeper metric would see it"


def advice(explanation: Explanation) -> str:
    """Return the one suggestion: the phrase to drop, and what that changes."""
    best = explanation.best_drop
    if best is None:
        return f"no single drop raises {explanation.metric}"
    phrase, variant = explanation.segments[best], explanation.without[best]
    moved = [
        f"{count} relevant product{'s' * (count > 1)} {move}{'s' * (count == 1)}"
        for count, move in [
            (explanation.risen(variant), "rise"),
            (explanation.fallen(variant), "fall"),
        ]
        if count
    ]
    gain = f"{explanation.metric} {explanation.total:.3f} → {variant.value:.3f}"
    return f'drop "{phrase}"{direction_mark(phrase)}: {", ".join([gain, *moved])}'


def listed(files: Sequence[Path]) -> str:
    """Return files of one folder in words."""
    return f"{', '.join(file.name for file in files)} in {files[0].parent}"


def labelled(rows: Sequence[tuple[str, str]]) -> Table:
    """Return rows of a dim label and a text."""
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=LABEL_CELLS)
    for label, text in rows:
        table.add_row(Text(label, style="dim"), Text(printable(text)))
    return table


def credit_table(explanation: Explanation, width: int) -> RenderableType:
    """Return the phrases by falling credit; of many, those of the largest credits."""
    e, n = explanation, len(explanation.segments)
    cells = BAR_CELLS if width >= NARROW else NARROW_BAR_CELLS
    shown = e.strongest[:SHOWN_PHRASES]
    largest = max(map(abs, e.credit)) or 1.0
    table = dim_table(2)
    table.add_column("phrase", min_width=8)
    table.add_column("credit", justify="right", no_wrap=True)
    if e.interval is not None:
        table.add_column("95 %", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("without it", justify="right", no_wrap=True)
    table.add_column("change", justify="right", no_wrap=True)
    for k in sorted(shown, key=lambda k: -e.credit[k]):
        credit, without = e.credit[k], e.without[k].value
        colour, low, high = sign_colour(credit), *(e.interval[k] if e.interval else (1.0, 1.0))
        row: list[RenderableType] = [
            Text(printable(e.segments[k])),
            Text(direction_mark(e.segments[k]) + signed(credit), style=colour),
            *([f"± {(high - low) / 2:.3f}"] if e.interval else []),
            Text(bar(credit / largest, cells), style=colour),
            f"{without:.3f}",
            signed(without - e.total),
        ]
        table.add_row(*row, style="dim" if low <= 0 <= high else "")
    if n > len(shown):
        rest = sum(e.credit[k] for k in range(n) if k not in shown)
        table.add_row(Text(f"{n - len(shown)} more", style="dim"), signed(rest))
    table.add_row(Text("sum", style="dim"), signed(sum(e.credit)))
    shared = f"{signed(e.residual)} is left" if e.residual else "they sum to value − empty"
    how = "exact" if e.interval is None else "sampled"
    return indented(table, f"credits: {e.method.concept}, {how}; {shared}")


def _ranks(explanation: Explanation, width: int) -> RenderableType:
    """Show the best relevant products against the phrases that fit, the weightiest first."""
    e = explanation
    cells = [
        max(
            min(cell_len(phrase) + 1, PHRASE_CELLS),
            max(len(place(rank)) + 2 for rank in variant.ranks[:SHOWN_PRODUCTS]),
        )
        for phrase, variant in zip(e.segments, e.without, strict=True)
    ]
    room = width - 2 - 2 * RANK_CELLS
    shown = {e.strongest[0]}
    for k in e.strongest[1:]:
        if room - sum(cells[j] + 1 for j in (*shown, k)) >= MIN_TITLE_CELLS:
            shown.add(k)
    title_cells = min(MAX_TITLE_CELLS, room - sum(cells[k] + 1 for k in shown))
    table = dim_table(1)
    table.add_column("relevant product", width=title_cells, no_wrap=True)
    table.add_column("grade", justify="right", width=RANK_CELLS - 1, no_wrap=True)
    table.add_column("rank", justify="right", width=RANK_CELLS - 1, no_wrap=True)
    for k in sorted(shown):
        label = Text(f"−{printable(e.segments[k])}", overflow="ellipsis")
        table.add_column(label, justify="right", width=cells[k], no_wrap=True)
    for j, product in enumerate(e.relevant[:SHOWN_PRODUCTS]):
        known, rank = e.products[product], e.variants[0].ranks[j]
        moved = [_move(rank, e.without[k].ranks[j]) for k in sorted(shown)]
        grade = f"{direction_mark(known.title)}{known.grade}"
        table.add_row(Text(printable(known.title)), grade, place(rank), *moved)
    notes = ["rank for the query, and without each phrase; — not retrieved"]
    for what, hidden in [
        ("relevant product", len(e.relevant) - SHOWN_PRODUCTS),
        ("phrase", len(cells) - len(shown)),
    ]:
        if hidden > 0:
            notes.append(f"not shown: {hidden} {what}{'s' * (hidden > 1)}")
    return indented(table, *notes)


def _strongest(explanation: Explanation) -> RenderableType | None:
    """Return the pairs of phrases that interact most; None where no pair does."""
    pairs = [pair for pair in explanation.interactions if abs(pair.value) > NOISE]
    if not pairs:
        return None
    table = dim_table(2)
    table.add_column("interaction")
    table.add_column("", no_wrap=True, justify="right")
    table.add_column("", no_wrap=True)
    for pair in sorted(pairs, key=lambda pair: -abs(pair.value))[:SHOWN_PAIRS]:
        names = [explanation.segments[k] for k in (pair.first, pair.second)]
        table.add_row(
            Text(" × ".join(printable(name) + direction_mark(name) for name in names)),
            Text(signed(pair.value), style=sign_colour(pair.value)),
            "worth more together" if pair.value > 0 else "worth less together",
        )
    return indented(table)


def dim_table(gap: int) -> Table:
    """Return a table without lines, with dim headings and so many cells between columns."""
    return Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="dim")


def indented(table: Table, *notes: str) -> RenderableType:
    """Return a table with dim notes below it."""
    return Padding(Group(table, *(Text(note, style="dim") for note in notes)), (0, 0, 0, 2))


def bar(share: float, cells: int) -> str:
    """Return a bar of up to so many cells: solid for credit, shaded for blame.

    Examples
    --------
    >>> bar(0.5, 16), bar(0.1, 16), bar(-0.2, 16)
    ('████████', '█▋', '▒▒▒')
    """
    if share < 0:
        return "▒" * round(-share * cells)
    full, part = divmod(round(share * cells * 8), 8)
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


def place(rank: int) -> str:
    """Return a rank, or a dash for a product that is not retrieved."""
    return str(rank) if rank else "—"


def sign_colour(number: float) -> str:
    """Return the colour of a number by its sign; none for 0."""
    return POSITIVE if number > 0 else NEGATIVE if number < 0 else ""


def _move(before: int, after: int) -> Text:
    """Show the rank without a phrase, marked where the product fell or rose."""
    worse, better = (after or 10**9) > (before or 10**9), (after or 10**9) < (before or 10**9)
    arrow = " ↓" if worse else " ↑" if better else "  "
    return Text(place(after) + arrow, style=POSITIVE if worse else NEGATIVE if better else "")

"""An evaluation in the terminal: the table, the main contrast, and who lost and won most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ospo.evaluation.difference import LEVEL
from ospo.evaluation.evaluation import Evaluation
from ospo.evaluation.queries import LETTERS
from ospo.paired import Tally
from ospo.report.printable import direction_mark, printable, show
from ospo.report.terminal import sign_colour, signed
from ospo.search.metrics import Metric

SUPERSCRIPTS = str.maketrans(LETTERS, "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
EXTREMES = 3  # queries shown at each end
VALUE_CELLS = len("0.000")
GAP = "  "


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """Print an evaluation."""
    collection = evaluation.collection
    parts: list[RenderableType] = [
        Text(
            f"{printable(collection.name)}: {len(evaluation.queries):,} queries, "
            f"{len(collection.catalogue):,} products\n",
            style="dim",
        ),
        *_table(evaluation, console.width),
        "",
    ]
    if evaluation.main:
        parts += [*_main(evaluation), "", _extremes(evaluation), ""]
    notes = (*legend(evaluation), *map(printable, evaluation.notes))
    show(console, *parts, *(Text(note, style="dim") for note in notes))


def short(metric: Metric) -> str:
    """Return a metric's name, with a prime for condensed lists as is usual for nDCG′.

    Examples
    --------
    >>> from ospo.search.metrics import parse_metric
    >>> short(parse_metric("nDCG(judged_only=True)@10")), short(parse_metric("P(rel=2)@5"))
    ('nDCG′@10', 'P(rel=2)@5')
    """
    if not metric.judged_only:
        return str(metric)
    return str(replace(metric, judged_only=False)).replace(metric.name, f"{metric.name}′", 1)


def heading(evaluation: Evaluation, retriever: str) -> str:
    """Return a retriever's name, marked if some systems were trained, but none with it."""
    return retriever + " (never trained on)" * evaluation.held_out(retriever)


def legend(evaluation: Evaluation) -> Iterator[str]:
    """Yield what the signs of the table mean, a sentence each."""
    if any(metric.judged_only for metric in evaluation.metrics):
        yield "′ condensed lists: products that nobody judged are taken out first"
    if evaluation.differences:
        yield (
            f"ᵃ better than a, p < {LEVEL:g}: paired randomization test over "
            f"{len(evaluation.queries):,} queries, adjusted for the pairs (Holm)"
        )


def probability(p: float) -> str:
    """Return a p-value to three decimals.

    Examples
    --------
    >>> probability(0.0123), probability(0.00002)
    ('p = 0.012', 'p < 0.001')
    """
    return f"p = {p:.3f}" if p >= 0.0005 else "p < 0.001"


def tallied(queries: Tally) -> str:
    """Return how many queries were won, tied and lost.

    Examples
    --------
    >>> tallied(Tally(won=1204, tied=7, lost=30))
    'won 1,204 · tied 7 · lost 30'
    """
    return f"won {queries.won:,} · tied {queries.tied:,} · lost {queries.lost:,}"


def _table(evaluation: Evaluation, width: int) -> Iterator[Text]:
    """Yield the lines of the table, with as many retrievers beside each other as fit."""
    named = zip(LETTERS, evaluation.systems, strict=False)
    names = _aligned([Text(), Text(), *(Text(f"{a}  {each.name}") for a, each in named)])
    rows = [[names]]
    for r in range(len(evaluation.retrievers)):
        block = _block(evaluation, r)
        taken = sum(each[0].cell_len + len(GAP) for each in rows[-1])
        if len(rows[-1]) > 1 and taken + block[0].cell_len > width:
            rows.append([names])
        rows[-1].append(block)
    for number, blocks in enumerate(rows):
        if number:
            yield Text()
        for cells in zip(*blocks, strict=True):
            line = _cut(GAP).join(cells)
            line.rstrip()
            yield line


def _block(evaluation: Evaluation, r: int) -> list[Text]:
    """Return the columns of one retriever: its name, the metrics, and a line for each system."""
    title = Text(printable(heading(evaluation, evaluation.retrievers[r])))
    labels = Text(style="dim")
    lines = [Text() for _ in evaluation.systems]
    for m, metric in enumerate(evaluation.metrics):
        means = [evaluation.mean(s, r, m) for s in range(len(lines))]
        room = max(len(mean.beaten) for mean in means)
        width = max(len(short(metric)), VALUE_CELLS)
        gap = GAP if m else ""
        labels.append(f"{gap}{short(metric):>{width}}{'':{room}}")
        for line, mean in zip(lines, means, strict=True):
            line.append(gap).append(f"{mean.value:>{width}.3f}", style="bold" if mean.best else "")
            line.append(f"{mean.beaten.translate(SUPERSCRIPTS):<{room}}")
    return _aligned([title, labels, *lines])


def _aligned(lines: list[Text]) -> list[Text]:
    """Return lines with blanks at their ends, so that all are equally wide."""
    width = max(line.cell_len for line in lines)
    for line in lines:
        line.pad_right(width - line.cell_len)
    return lines


def _main(evaluation: Evaluation) -> Iterator[RenderableType]:
    last, first = LETTERS[len(evaluation.systems) - 1], LETTERS[0]
    yield Text(f"{last} − {first}  {short(evaluation.metrics[0])}, with its 95 % interval")
    table = Table.grid(padding=(0, 2))
    table.add_column()
    for _ in range(4):
        table.add_column(no_wrap=True)
    for d in evaluation.main:
        table.add_row(
            _cut(printable(d.retriever)),
            _difference(d.mean),
            Text(f"[{signed(d.low)}, {signed(d.high)}]"),
            probability(d.p_holm),
            tallied(d.queries),
        )
    yield _indented(table)


def _extremes(evaluation: Evaluation) -> RenderableType:
    """Return the queries that the main contrast lost and won most with the first retriever."""
    rising = evaluation.worst_first
    table = Table.grid(padding=(0, 2))
    for justify in ("left", "right", "left"):
        table.add_column(no_wrap=True, justify=justify)
    for label, sign, places in [("lost most", -1, rising), ("won most", 1, rising[::-1])]:
        for q in places[:EXTREMES]:
            query, difference = evaluation.queries[q], float(evaluation.contrast[0, q])
            if difference * sign > 0:
                first, last = (printable(evaluation.systems[k].texts[query][0]) for k in (0, -1))
                table.add_row(
                    Text(label, style="dim"),
                    _difference(difference),
                    Text(printable(query), style="dim"),
                    _cut(first + direction_mark(first)),
                    _cut(f"→ {last}"),
                )
                label = ""
    return _indented(table)


def _cut(text: str) -> Text:
    return Text(text, no_wrap=True, overflow="ellipsis")


def _difference(difference: float) -> Text:
    return Text(signed(difference), style=sign_colour(difference))


def _indented(table: Table) -> RenderableType:
    return Padding(table, (0, 0, 0, 2), expand=False)

"""The table of an evaluation for a paper, in LaTeX with booktabs."""

from __future__ import annotations

from ospo.evaluation.difference import LEVEL
from ospo.evaluation.evaluation import Evaluation, Mean
from ospo.evaluation.queries import LETTERS
from ospo.report.evaluation import heading, short

_SPECIAL = {char: f"\\{char}" for char in "&%$#_{}"}
_SPECIAL |= {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "′": "$'$",
}
ESCAPES = str.maketrans(_SPECIAL)


def latex(evaluation: Evaluation) -> str:
    r"""Return a table environment, for a document that loads the package booktabs.

    The best mean of a column is bold; raised letters name the systems that one is significantly
    better than.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.evaluation import System, evaluate
    >>> from ospo.search.bm25 import BM25
    >>> from ospo.search.metrics import parse_metric
    >>> shop = load("shop")
    >>> plain = System("plain", {q: (shop.queries[q],) for q in shop.answerable[:9]})
    >>> found = evaluate([plain], {"bm25": BM25(shop.catalogue)}, shop, [parse_metric("RR")])
    >>> print(latex(found).splitlines()[9])
        a & plain & $0.891$ \\
    """
    metrics = len(evaluation.metrics)
    names = [_escaped(heading(evaluation, retriever)) for retriever in evaluation.retrievers]
    spans = [f"\\multicolumn{{{metrics}}}{{c}}{{{name}}}" for name in names]
    rules = [
        f"\\cmidrule(lr){{{3 + r * metrics}-{2 + (r + 1) * metrics}}}" for r in range(len(names))
    ]
    labels = [_escaped(short(metric)) for metric in evaluation.metrics] * len(names)
    body = []
    for s, system in enumerate(evaluation.systems):
        cells = [_cell(evaluation.mean(s, r, m)) for r in range(len(names)) for m in range(metrics)]
        body.append(_row([LETTERS[s], _escaped(system.name), *cells]))
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{_caption(evaluation)}}}",
            f"  \\begin{{tabular}}{{ll{'l' * metrics * len(names)}}}",
            r"    \toprule",
            _row(["", "", *spans]),
            f"    {' '.join(rules)}",
            _row(["", "", *labels]),
            r"    \midrule",
            *body,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _cell(mean: Mean) -> str:
    value = f"\\mathbf{{{mean.value:.3f}}}" if mean.best else f"{mean.value:.3f}"
    return f"${value}^{{{mean.beaten}}}$" if mean.beaten else f"${value}$"


def _row(cells: list[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _caption(evaluation: Evaluation) -> str:
    count = len(evaluation.queries)
    text = f"Means over {count} queries of {_escaped(evaluation.collection.name)}."
    if evaluation.differences:
        text += (
            f" Raised letters: significantly better than those systems ($p < {LEVEL:g}$, paired "
            "randomization test, Holm correction over the pairs of systems)."
        )
    if any(metric.judged_only for metric in evaluation.metrics):
        text += " Primes: condensed lists, from which products without a judgment are taken out."
    return text


def _escaped(text: str) -> str:
    return text.translate(ESCAPES)

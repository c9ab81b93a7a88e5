"""Part one: which credit tells junk from what is wanted, and what dropping the junk is worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from benchmarks.claims.credit_quality.cases import Case, coalitions, planted
from benchmarks.claims.credit_quality.credits import Credit, Crediting, Floats, Game
from benchmarks.claims.credit_quality.measures import Parts, auc, figures, of_case
from ospo.data.collection import Collection
from ospo.search.judge import Judge
from ospo.search.metrics import Metric

KINDS = ("whole", "words", "shuffled")
QUERIES, DRAWS = 100, 3
SHOWN = 3  # losing cases that are kept of each sort

Tell: TypeAlias = Callable[[str], None]
Judging: TypeAlias = Callable[[str], Judge]


def measure(
    collection: Collection,
    judge: Judging,
    metrics: Mapping[str, Metric],
    credits: Mapping[str, Crediting],
    tell: Tell,
) -> dict[str, dict[str, Any]]:
    """Return by metric and kind of case the figures of each credit, and the worst cases.

    Parameters
    ----------
    judge : callable
        Gives the judge of a query; its metric is one of judged products only, so that it ranks all.
    credits : mapping
        With ``shapley`` and ``leave-one-out`` among them.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in metrics}
    for kind in KINDS:
        seen = {name: Seen() for name in metrics}
        for draw in range(DRAWS):
            for number, case in enumerate(planted(collection, kind, QUERIES, draw)):
                for name, table in case.values(judge(case.query), metrics).items():
                    seen[name].add(case, table, credits, (draw, number))
            tell(f"{kind}, {number + 1} cases, draw {draw + 1} of {DRAWS}")
        for name in metrics:
            found[name][kind] = seen[name].figures()
    return found


@dataclass
class Seen:
    """What the cases of a kind say by one metric."""

    alone: list[tuple[str, Parts]] = field(default_factory=list)
    credits: dict[str, list[tuple[str, Parts]]] = field(default_factory=lambda: defaultdict(list))
    cases: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        case: Case,
        table: Floats,
        credits: Mapping[str, Crediting],
        seed: tuple[int, ...],
    ) -> None:
        """Add a case, given what every coalition of it is worth."""
        game = Game(case.phrases, table)
        own = {name: credit(game, seed) for name, credit in credits.items()}
        shapley, left_out = own["shapley"], own["leave-one-out"]
        assert shapley is not None
        assert left_out is not None
        for name, credit in (own | references(case, table, shapley, seed)).items():
            parts = of_case(case.real, credit, shapley.values, left_out.values, table)
            self.credits[name].append((case.query, parts))
        self.alone.append((case.query, worth_alone(case, table)))
        self.cases.append(described(case, table, shapley.values))

    def figures(self) -> dict[str, Any]:
        """Return the figures of every credit, and the worst cases."""
        return {
            "cases": len(self.cases),
            "queries": len({case["query"] for case in self.cases}),
            "alone": figures(self.alone),
            "credits": {name: figures(cases) for name, cases in self.credits.items()},
            "worst_auc": sorted(self.cases, key=lambda case: case["auc"])[:SHOWN],
            "worst_drop": sorted(self.cases, key=lambda case: -case["missed"])[:SHOWN],
        }


def references(
    case: Case, table: Floats, shapley: Credit, seed: tuple[int, ...]
) -> dict[str, Credit]:
    """Return what no credit reaches, and what one reaches by chance."""
    best = coalitions(len(case.real))[int(table.argmax())]
    shuffled = np.random.default_rng(seed).permutation(shapley.values)
    return {
        "planted truth": Credit(np.where(case.real, 1.0, -1.0), 0),
        "best subset": Credit(np.where(best, 1.0, -1.0), len(table)),
        "placebo": Credit(shuffled, shapley.evaluations),
    }


def worth_alone(case: Case, table: Floats) -> Parts:
    """Return what a real phrase and a junk phrase are worth as the whole query."""
    alone = table[1 << np.arange(len(case.real))]
    return {
        "real": (float(alone[case.real].sum()), float(case.real.sum())),
        "junk": (float(alone[~case.real].sum()), float((~case.real).sum())),
    }


def described(case: Case, table: Floats, shapley: Floats) -> dict[str, Any]:
    """Return a case as it is shown: its phrases with their exact Shapley values.

    ``missed`` is what the best subset of its phrases is worth above what is left of it.
    """
    gain = of_case(case.real, Credit(shapley, 0), shapley, shapley, table)["gain"][0]
    return {
        "query": case.query,
        "auc": auc(case.real, shapley),
        "gain": gain,
        "missed": float(table.max() - table[-1]) - gain,
        "value": float(table[-1]),
        "phrases": [
            {"phrase": phrase, "real": bool(real), "credit": float(credit)}
            for phrase, real, credit in zip(case.phrases, case.real, shapley, strict=True)
        ],
    }

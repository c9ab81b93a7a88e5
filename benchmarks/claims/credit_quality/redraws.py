"""Part two: how much of a credit is chance, by budget, width, and which coalitions it asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import owen_core as oc
from benchmarks.claims.credit_quality.cases import planted
from benchmarks.claims.credit_quality.credits import Crediting, Embed, Game, of_width, redrawn
from benchmarks.claims.credit_quality.measures import Parts, figures, of_draws
from benchmarks.claims.credit_quality.planted import Judging, Tell
from ospo.data.collection import Collection
from ospo.search.metrics import Metric

BUDGETS = (8, 16, 32, 64, 96, 128, 256)
WIDTHS = (1, 2, 4, 8, 12)
WIDTHS_AT = (32, 96)  # budgets
DRAWS = 16


def measure(
    collection: Collection,
    judge: Judging,
    metrics: Mapping[str, Metric],
    embed: Embed,
    queries: int,
    tell: Tell,
) -> dict[str, dict[str, Any]]:
    """Return by metric the figures of each credit at every budget, and at every width."""
    settings: dict[str, dict[str, Crediting]] = {
        f"M={budget}": redrawn(embed, budget) for budget in BUDGETS
    } | {
        f"M={budget}, w={width}": of_width(width, budget)
        for budget in WIDTHS_AT
        for width in WIDTHS
    }
    parts: dict[str, dict[str, dict[str, list[tuple[str, Parts]]]]] = {
        name: {setting: defaultdict(list) for setting in settings} for name in metrics
    }
    for number, case in enumerate(planted(collection, "long", queries)):
        for name, table in case.values(judge(case.query), metrics).items():
            shapley = oc.from_table(table, "shapley").values
            game = Game(case.phrases, table)
            for setting, credits in settings.items():
                for credit, ask in credits.items():
                    draws = [ask(game, (draw, number)) for draw in range(DRAWS)]
                    of = of_draws(case.real, draws, shapley)
                    parts[name][setting][credit].append((case.query, of))
        tell(f"redraws of {case.text}")
    return {
        name: {
            "cases": number + 1,
            "settings": {
                setting: {credit: figures(cases) for credit, cases in own.items()}
                for setting, own in by_setting.items()
            },
        }
        for name, by_setting in parts.items()
    }

"""Credits: every way to share a text's value that is compared, played on a table of values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

import owen_core as oc
from ospo.advantage.paper import PaperFaults, window_asker
from ospo.game import CONCEPTS, MARGINALS, SAMPLED, Asker, asker, exact
from ospo.game.together import Ask
from owen_core.structure import Tree

Floats: TypeAlias = NDArray[np.float64]
Embed: TypeAlias = Callable[[Sequence[str]], Floats]

# The paper's estimator; of its faults, those that are the credit's own.
PUBLISHED = PaperFaults(shuffled_truncation=True, partial_weights=True)
WIDTH, BUDGET = 8, 96  # what the paper recommends
NARROW = 2
SMALL = (12, 16, 24)  # coalitions; the exact Shapley value of five phrases takes 32


@dataclass(frozen=True)
class Game:
    """Phrases, and what every coalition of them is worth, ``(2**n,)``."""

    phrases: tuple[str, ...]
    table: Floats


class Credit(NamedTuple):
    """The credit of each phrase, ``(n,)``, and how many coalitions were valued for it."""

    values: Floats
    evaluations: int


# None where the budget was too small to say anything.
Crediting: TypeAlias = Callable[[Game, Sequence[int]], Credit | None]


def played(ask: Asker) -> Crediting:
    """Return the credit that an asker finds, by answering from the table what it asks."""

    def credit(game: Game, seed: Sequence[int]) -> Credit | None:
        return _play(ask(game.phrases, seed), game.table)

    return credit


def _play(ask: Ask, table: Floats) -> Credit | None:
    seen: set[int] = set()
    answer: Floats | None = None
    while True:
        try:
            coalitions = next(ask) if answer is None else ask.send(answer)
        except StopIteration as end:
            if end.value is None:
                return None
            return Credit(
                np.where(end.value.assigned, end.value.attribution.values, 0.0), len(seen)
            )
        places = coalitions @ (1 << np.arange(coalitions.shape[1]))
        seen.update(places.tolist())
        answer = table[places]


def in_tree(tree: Callable[[Game, Sequence[int]], Tree], budget: int | None = None) -> Crediting:
    """Return the Owen value with the unions of a tree, estimated where it takes more."""

    def credit(game: Game, seed: Sequence[int]) -> Credit | None:
        n, structure = len(game.phrases), tree(game, seed)
        fits = budget is None or len(oc.plan(n, structure=structure)) <= budget
        limit = None if fits else budget
        if limit is not None and limit < 2 * n:  # an order and its reverse
            return None
        found = oc.attribute(
            lambda coalitions: game.table[coalitions @ (1 << np.arange(n))],
            n,
            "owen",
            structure,
            estimator="exact" if fits else SAMPLED["owen"],
            budget=limit,
            rng=np.random.default_rng(seed),
        )
        assert found.cost is not None
        return Credit(found.values, found.cost.new)

    return credit


def semantic(embed: Embed) -> Callable[[Game, Sequence[int]], Tree]:
    """Return what gathers phrases by meaning: average linkage of the cosines of their vectors."""
    return lambda game, _: oc.from_linkage(linkage(embed(game.phrases), "average", "cosine"))


def haphazard(game: Game, seed: Sequence[int]) -> Tree:
    """Return a balanced tree of the phrases in random order: unions that mean nothing."""
    order = np.random.default_rng([*seed, 1]).permutation(len(game.phrases)).tolist()

    def placed(part: Any) -> Any:
        return order[part] if isinstance(part, int) else tuple(map(placed, part))

    return oc.nested(placed(oc.contiguous(len(order)).parts))


def random_subsets(budget: int) -> Asker:
    """Return the published estimator with random coalitions in the place of windows."""

    def ask(names: tuple[str, ...], seed: Sequence[int]) -> Ask:
        n = len(names)
        if budget < 3:
            return None
        codes = (
            np.random.default_rng(seed)
            .permutation(np.arange(1, (1 << n) - 1))[: budget - 2]
            .tolist()
        )
        family = [0, *codes, (1 << n) - 1]
        place = {code: k for k, code in enumerate(family)}
        weights = np.zeros((n, len(family)))
        for code, player in ((c, p) for c in family for p in range(n) if c >> p & 1):
            rest = code & ~(1 << player)
            if rest in place:
                weight = 1 / (n * comb(n - 1, rest.bit_count()))
                weights[player, [place[code], place[rest]]] += weight, -weight
        coalitions = (np.array(family)[:, None] >> np.arange(n) & 1).astype(np.bool_)
        plan = oc.Plan(
            n,
            "random subsets",
            len(family),
            lambda start, stop: coalitions[start:stop],
            lambda values: weights @ (values - values[0]),
            efficient=False,
        )
        return (yield from exact(plan, names))

    return ask


def compared(embed: Embed) -> dict[str, Crediting]:
    """Return every credit of part one: all concepts exactly, and at small budgets."""
    askers = {concept: asker(concept) for concept in (*CONCEPTS, *MARGINALS)}
    askers |= {
        f"{concept}, width {NARROW}": asker(concept, max_width=NARROW)
        for concept in ("growth", "myerson", "windows")
    }
    askers |= {f"{c}, {budget}": asker(c, budget=budget) for c in SAMPLED for budget in SMALL}
    askers["windows, corrected"] = window_asker(WIDTH, BUDGET)
    trees = {"owen, semantic": in_tree(semantic(embed)), "owen, random": in_tree(haphazard)}
    return {name: played(ask) for name, ask in askers.items()} | trees


def redrawn(embed: Embed, budget: int) -> dict[str, Crediting]:
    """Return the credits of part two at a budget: contiguous coalitions, any, and unions."""
    askers = {
        "windows, published": window_asker(WIDTH, budget, PUBLISHED),
        "windows, corrected": window_asker(WIDTH, budget),
        "random subsets": random_subsets(budget),
        **{concept: asker(concept, budget=budget) for concept in SAMPLED},
    }
    trees = {
        "owen, semantic": in_tree(semantic(embed), budget),
        "owen, random": in_tree(haphazard, budget),
    }
    return {name: played(ask) for name, ask in askers.items()} | trees


def of_width(width: int, budget: int) -> dict[str, Crediting]:
    """Return the credits of part two by windows of up to some width.

    Growth and Myerson are not estimated then, and take what they take.
    """
    askers = {
        "windows, published": window_asker(width, budget, PUBLISHED),
        "windows, corrected": window_asker(width, budget),
        "growth": asker("growth", max_width=width),
        "myerson": asker("myerson", max_width=width),
    }
    return {name: played(ask) for name, ask in askers.items()}

"""Many games at once: what the texts of a batch ask, answered in one call a round."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

import owen_core as oc
from ospo.game.concepts import SAMPLED, plan_of, structure_of
from ospo.text.render import render
from ospo.text.segment import Segment
from owen_core.coalition import unpack
from owen_core.structure import Structure

Coalitions: TypeAlias = NDArray[np.bool_]
Values: TypeAlias = NDArray[np.float64]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Shares:
    """What an attribution gives to each segment.

    Attributes
    ----------
    attribution : Attribution
    assigned : ndarray
        ``(n,) bool``: segments that have credit. No credit is not a credit of 0.
    """

    attribution: oc.Attribution
    assigned: NDArray[np.bool_]


# A game being played: it yields coalitions, ``(m, n) bool``, is sent their values, ``(m,)``, and
# returns what it found; None where its budget was too small to find anything.
Ask: TypeAlias = Generator[Coalitions, Values, Shares | None]
# Starts a game of segments with these names; what it draws follows from the seed.
Asker: TypeAlias = Callable[[tuple[str, ...], Sequence[int]], Ask]


def asker(concept: str, *, max_width: int | None = None, budget: int | None = None) -> Asker:
    """Return what asks for a credit.

    Parameters
    ----------
    concept : str
        One of :data:`ospo.game.CONCEPTS` or :data:`ospo.game.MARGINALS`.
    max_width : int, optional
        The most segments of an interval, for ``growth``, ``myerson`` and ``windows``.
    budget : int, optional
        The most coalitions of a text. A concept that takes more is estimated from as many, if it
        is one of :data:`ospo.game.SAMPLED`. It takes about twice as many as there are segments;
        with fewer, there is no credit.
    """

    def ask(names: tuple[str, ...], seed: Sequence[int]) -> Ask:
        structure = structure_of(concept, len(names), max_width)
        try:
            plan = plan_of(concept, len(names), max_width)
        except oc.TooLargeError:
            if budget is None:
                raise
        else:
            if budget is None or len(plan) <= budget:
                return (yield from exact(plan, names, structure))
        return (yield from _sampled(concept, names, structure, budget, seed))

    return ask


def exact(
    plan: oc.Plan,
    names: tuple[str, ...],
    structure: Structure | None = None,
    assigned: NDArray[np.bool_] | None = None,
) -> Ask:
    """Ask for the coalitions of a plan, and combine their values."""
    values = yield plan.coalitions
    attribution = oc.Attribution(
        plan.combine(values),
        names,
        float(values[0]),
        float(values[-1]),
        plan.concept,
        None if structure is None else str(structure),
    )
    return Shares(attribution, np.ones(plan.n, dtype=np.bool_) if assigned is None else assigned)


def _sampled(
    concept: str,
    names: tuple[str, ...],
    structure: Structure | None,
    budget: int,
    seed: Sequence[int],
) -> Ask:
    """Ask for what an estimator proposes, unit by unit, while the budget lasts."""
    drawn = int(np.random.default_rng(seed).integers(1 << 63))
    estimator = oc.Estimator(
        SAMPLED[concept], names, concept=concept, structure=structure, rng=drawn
    )
    asked: set[bytes] = set()
    told: list[Values] = []
    while not estimator.exhausted:
        rows, ends = estimator.propose_packed(budget)
        keys = [row.tobytes() for row in rows]
        affordable = [end for end in ends.tolist() if len(asked.union(keys[:end])) <= budget]
        if not affordable:
            break
        told.append((yield unpack(rows[: affordable[-1]], len(names))))
        asked.update(keys[: affordable[-1]])
        estimator.absorb(told[-1])
    values, std_error, freedom = estimator.estimate()
    if not np.isfinite(values).all():
        return None
    attribution = oc.Attribution(
        values,
        names,
        float(told[0][0]),  # every estimator asks for nobody and for everyone first
        float(told[0][1]),
        concept,
        None if structure is None else str(structure),
        std_error=std_error if np.isfinite(std_error).all() else None,
        sampling=oc.Sampling(
            estimator.name,
            f"{budget} evaluations a text",
            drawn,
            estimator.units,
            freedom,
        ),
    )
    return Shares(attribution, np.ones(len(names), dtype=np.bool_))


def value_together(
    texts: Sequence[str],
    segments: Sequence[Sequence[Segment]],
    asks: Sequence[tuple[int, Ask]],
    value: Callable[[Sequence[str], Sequence[int]], Values],
) -> list[Shares | None]:
    """Play games of many texts, in one call of their value function a round.

    What two games of a text ask, or one of them twice, is valued once.

    Parameters
    ----------
    texts, segments, value
        As in :func:`attribute_together`.
    asks : sequence of (int, Ask)
        The games, and the place of the text that each is of; a text may have several.

    Returns
    -------
    list of Shares or None
        What each game found.
    """
    found: list[Shares | None] = [None] * len(asks)
    known: list[dict[bytes, float]] = [{} for _ in texts]
    wanted: dict[int, Coalitions] = {}

    def play(place: int, answer: Values | None = None) -> None:
        ask = asks[place][1]
        try:
            wanted[place] = next(ask) if answer is None else ask.send(answer)
        except StopIteration as end:
            found[place] = end.value

    for place in range(len(asks)):
        play(place)
    while wanted:
        new = {}
        for place, coalitions in wanted.items():
            owner = asks[place][0]
            for row in coalitions:
                key = row.tobytes()
                if key not in known[owner] and (owner, key) not in new:
                    new[owner, key] = render(texts[owner], segments[owner], row)
        if new:
            values = value(list(new.values()), [owner for owner, _ in new])
            for (owner, key), worth in zip(new, values.tolist(), strict=True):
                known[owner][key] = worth
        for place, coalitions in [*wanted.items()]:
            del wanted[place]
            owner = asks[place][0]
            play(place, np.array([known[owner][row.tobytes()] for row in coalitions]))
    return found


def attribute_together(
    texts: Sequence[str],
    segments: Sequence[Sequence[Segment]],
    value: Callable[[Sequence[str], Sequence[int]], Values],
    concept: str = "shapley",
) -> list[oc.Attribution]:
    """Attribute many texts, such as the rollouts of a batch, in one call of their value function.

    Parameters
    ----------
    texts : sequence of str
    segments : sequence of sequence of Segment
        The players of each text, at least one.
    value : callable
        ``value(queries, owners)`` gives what each query is worth, ``(m,)``. It is of a coalition
        of the text at ``owners[k]``. Texts that say the same are for the function to find.
    concept : str
        One of :data:`ospo.game.CONCEPTS` or :data:`ospo.game.MARGINALS`.

    Returns
    -------
    list of Attribution
        The same numbers as one :class:`ospo.game.RetrievalGame` a text gives.

    Examples
    --------
    >>> from ospo.text.segment import segment
    >>> texts = ["red shoes", "shoes, red, blue"]
    >>> def letters(queries, owners):
    ...     return np.array([len(query.replace(", ", "")) for query in queries], dtype=float)
    >>> together = attribute_together(texts, [segment(text) for text in texts], letters, "myerson")
    >>> [a.values.tolist() for a in together]
    [[3.5, 5.5], [5.0, 3.0, 4.0]]
    """
    ask = asker(concept)
    asks = [(place, ask(phrases(own), ())) for place, own in enumerate(segments)]
    found = value_together(texts, segments, asks, value)
    return [shares.attribution for shares in found if shares is not None]


def phrases(segments: Sequence[Segment]) -> tuple[str, ...]:
    """Return what the segments say: the names of the players."""
    return tuple(s.phrase for s in segments)

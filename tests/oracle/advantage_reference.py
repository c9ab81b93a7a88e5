"""Token advantages by their definitions, one completion at a time, in exact rationals.

Only the softmax is not rational. Everything is slow and written for reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, sqrt

FLOOR = Fraction(1, 1000)

Number = Fraction | float


@dataclass
class Completion:
    """One row: A, what each segment has (None: nothing), and the segment of each real token."""

    advantage: Fraction
    credit: list[Fraction | None]
    left_out: list[Fraction | None]
    prefixes: list[Fraction | None]
    owners: list[int]
    group: int

    def carriers(self) -> list[int]:
        """The segments of the tokens that carry credit, once for each token."""
        return [k for k in self.owners if k >= 0 and self.credit[k] is not None]


def segment_advantages(
    rule: str,
    rows: Sequence[Completion],
    here: int,
    *,
    weight: Fraction = Fraction(0),
    trace: Fraction = Fraction(1),
    temperature: float = 1.0,
    cap: Fraction | None = None,
) -> dict[int, Number] | None:
    """What each segment with credit gets; None where the completion stays uniform."""
    row = rows[here]
    if rule in ("additive", "anchored", "prefix"):
        others = [r for j, r in enumerate(rows) if j != here and r.group == row.group]
        return linear(rule, row, others, weight, trace)
    if row.advantage == 0 or rule == "uniform" or (rule == "praise" and row.advantage < 0):
        return None
    sign = -1 if rule in ("sign-aware", "softmax") and row.advantage < 0 else 1
    tokens = [sign * row.credit[k] for k in row.carriers()]
    if len(set(tokens)) < 2:
        return None
    if rule == "rank":
        levels = sorted(set(tokens))
        places = [Fraction(levels.index(c), len(levels) - 1) for c in tokens]
    elif rule == "softmax":
        mean = sum(tokens) / len(tokens)
        spread = sqrt(sum((c - mean) ** 2 for c in tokens) / len(tokens))
        best = max(tokens)
        places = [exp(float(c - best) / spread / temperature) for c in tokens]
    else:
        places = [(c - min(tokens)) / (max(tokens) - min(tokens)) for c in tokens]
    weights = [place + FLOOR for place in places]
    factors = [u * len(weights) / sum(weights) for u in weights]
    if cap is not None:
        factors = water_fill(factors, cap)
    return {k: row.advantage * f for k, f in zip(row.carriers(), factors, strict=True)}


def water_fill(factors: Sequence[Number], cap: Fraction) -> list[Number]:
    """Cap the greatest, scale the rest to keep the sum, and again until none is above."""
    done: set[int] = set()
    result = list(factors)
    while True:
        free = [k for k in range(len(factors)) if k not in done]
        left = sum(factors) - cap * len(done)
        scale = left / sum(factors[k] for k in free)
        result = [cap if k in done else scale * factors[k] for k in range(len(factors))]
        over = {k for k in free if result[k] > cap}
        if not over:
            return result
        done |= over


def linear(
    rule: str, row: Completion, others: list[Completion], weight: Fraction, trace: Fraction
) -> dict[int, Number] | None:
    own = [k for k, credit in enumerate(row.credit) if credit is not None]
    if not own or weight == 0:
        return None
    if rule == "additive":
        mean = sum(row.credit[k] for k in own) / len(own)
        return {k: row.advantage + weight * len(own) * (row.credit[k] - mean) for k in own}
    if rule == "anchored":

        def both(r: Completion) -> list[Fraction]:
            return [
                (phi + loss) / 2
                for phi, loss in zip(r.credit, r.left_out, strict=True)
                if phi is not None
            ]

        pooled = [c for other in others for c in both(other)]
        if not pooled:
            return None
        mean = sum(pooled) / len(pooled)
        mine = both(row)
        return {
            k: (row.advantage + weight * (mine[j] - mean)) / (1 + weight) for j, k in enumerate(own)
        }

    def potential(r: Completion, k: int) -> Fraction:
        values = [Fraction(0)] + [v for v in r.prefixes if v is not None]
        marginals = [values[j + 1] - values[j] for j in range(len(values) - 1)]
        later = sum(trace ** (j - k) * marginals[j] for j in range(k, len(marginals)))
        return later - values[-1]

    shaped = {}
    for k in own:
        peers = [
            potential(other, k)
            for other in others
            if k < len(other.credit) and other.credit[k] is not None
        ]
        term = potential(row, k) - sum(peers) / len(peers) if peers else 0
        shaped[k] = row.advantage + weight * term
    return shaped

"""What training logs of credit, and how a completion's credit reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ospo.credit import TokenCredit

NOTHING = 1e-9  # credit of less is none
Z95 = 1.96


def credit_metrics(credits: Sequence[TokenCredit]) -> dict[str, float]:
    """Return what the credits of a batch look like; NaN where there is nothing to look at.

    ======================  =======================================================================
    ``segments_mean``       segments per completion; a drift of it is often reward hacking
    ``token_coverage``      share of the tokens that a segment with credit has
    ``unassigned_frac``     share of the segments that have no credit
    ``exact_frac``          share of the completions whose credit is not estimated
    ``halfwidth_mean``      half the 95 % interval of estimated credits
    ``efficiency_gap``      the most that credits differ in sum from v(N) - v(empty): above 1e-6
                            there is a fault, unless the concept is not efficient
    ``concentration``       mean share of a completion's credit, without signs, that one segment has
    ``negative_frac``       share of the credits below 0
    ``zero_frac``           share of the credits that are 0
    ``unattributed``        mean part of the reward, without signs, that no game was played for
    ======================  =======================================================================

    Parameters
    ----------
    credits : sequence of TokenCredit
        Of the completions whose credit was asked for.

    Examples
    --------
    >>> credit_metrics([])["segments_mean"]
    nan
    """
    assigned = [credit.segments[credit.assigned] for credit in credits]
    values = np.concatenate([np.empty(0), *assigned])
    segments = np.array([len(credit.segments) for credit in credits], dtype=np.float64)
    found = [credit.attribution for credit in credits if credit.attribution is not None]
    errors = [a.std_error.mean() for a in found if a.std_error is not None]
    gaps = [abs(a.values.sum() - (a.total - a.baseline)) for a in found]
    sizes = [np.abs(own) for own in assigned if np.abs(own).sum() > NOTHING]
    tokens = np.concatenate([np.empty(0, dtype=bool), *(credit.credited for credit in credits)])
    metrics = {
        "segments_mean": _mean(segments),
        "token_coverage": _mean(tokens),
        "unassigned_frac": 1 - len(values) / segments.sum() if segments.sum() else np.nan,
        "exact_frac": _mean([a.exact for a in found]),
        "halfwidth_mean": Z95 * _mean(errors),
        "efficiency_gap": max(gaps, default=np.nan),
        "concentration": _mean([size.max() / size.sum() for size in sizes]),
        "negative_frac": _mean(values < -NOTHING),
        "zero_frac": _mean(np.abs(values) <= NOTHING),
        "unattributed": _mean([abs(credit.unattributed) for credit in credits]),
    }
    return {name: float(value) for name, value in metrics.items()}


def in_words(credit: TokenCredit | None) -> str:
    """Return what a completion's segments earned, as a column of the completions table says it.

    Examples
    --------
    >>> from ospo.credit import Written, credit_together
    >>> from ospo.game import asker
    >>> from ospo.reward.reward import Reward
    >>> from ospo.text.segment import segment
    >>> class Shoes(Reward):
    ...     def value(self, texts, rows):
    ...         return np.array([text.count("shoe") * 0.31 - text.count("him") * 0.04
    ...                          for text in texts])
    >>> text = "trail shoes, for him"
    >>> written = Written(text, segment(text), np.array([0, 1]))
    >>> (credit,) = credit_together([written], [{}], Shoes(), {"values": asker("myerson")})
    >>> in_words(credit)
    'trail shoes +.31 | for him −.04'
    """
    if credit is None:
        return ""
    told = zip(credit.written.segments, credit.segments.tolist(), credit.assigned, strict=True)
    return " | ".join(f"{s.phrase} {_signed(value) if known else '?'}" for s, value, known in told)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−").replace("0.", ".", 1)


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")

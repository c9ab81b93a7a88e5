"""Attributions in the forms of other libraries, each under its right name."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from owen_core.optional import needs

if TYPE_CHECKING:
    from shap import Explanation
    from shapiq import InteractionValues

    from owen_core.attribution import Attribution

SHAPIQ_INDEX = {"shapley": "SV", "banzhaf": "BV"}  # the concepts that shapiq has a name for
SHAPIQ_INTERACTIONS = {"k-SII", "SII", "BII"}  # the indices that it calls by the same names
WITH_EMPTY = {"SV", "k-SII"}  # those in which the empty coalition is worth v(empty)


def to_shap(a: Attribution) -> Explanation:
    """Return an attribution as a ``shap.Explanation`` of one instance.

    shap has no field for the solution concept, so any concept may be plotted with it. Its plots
    take ``base_values + values.sum()`` for the explained value: for a concept that leaves a
    residual, that is not v(N).

    The names stand in ``data``, where shap's text plot looks for the words, and in
    ``feature_names``. The bounds, for estimated credits, hold 95 % of a normal distribution.

    Raises
    ------
    ModuleNotFoundError
        shap is not installed.
    """
    with needs("interop", "to_shap"), warnings.catch_warnings():
        # Importing shap makes matplotlib announce a deprecation that users cannot act on.
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        from shap import Explanation
    ends = None if a.std_error is None else a.confidence_interval().T
    return Explanation(
        values=a.values.copy(),
        base_values=a.baseline,
        data=np.array(a.names, dtype=object),
        feature_names=list(a.names),
        lower_bounds=None if ends is None else ends[0],
        upper_bounds=None if ends is None else ends[1],
        error_std=a.std_error,
        compute_time=None if a.cost is None else a.cost.seconds,
    )


def to_shapiq(a: Attribution) -> InteractionValues:
    """Return Shapley or Banzhaf values, or their interactions, as ``shapiq.InteractionValues``.

    shapiq names what it holds by an index, and of single players it knows two: ``SV`` and ``BV``.
    Under any other name it warns on every construction and load, and under one of these two an
    Owen or a Myerson value would pass for something it is not; so every other concept is refused.

    An attribution with interactions becomes those, of order 2, under the index that they have;
    k-SII gives single players what their pairs leave over, not their Shapley values.

    The empty coalition has the entry v(empty) in ``SV`` and ``k-SII``, exactly as in shapiq's own
    exact computation. Under the other indices shapiq keeps there a mean over coalitions, which
    an attribution does not hold; it is left out.

    Raises
    ------
    ValueError
        Another concept than Shapley or Banzhaf.
    ModuleNotFoundError
        shapiq is not installed.
    """
    if a.concept not in SHAPIQ_INDEX:
        raise ValueError(
            f"shapiq has no index for {a.concept!r} values, only for "
            f"{' and '.join(SHAPIQ_INDEX)}; use to_shap() or to_rows() for this attribution"
        )
    with needs("interop", "to_shapiq"):
        from shapiq import InteractionValues
    index, order = SHAPIQ_INDEX[a.concept], 1
    scores: dict[tuple[int, ...], float] = {(i,): x for i, x in enumerate(a.values.tolist())}
    if a.interactions is not None and a.interactions.index in SHAPIQ_INTERACTIONS:
        index, order = a.interactions.index, a.interactions.order
        scores = dict(a.interactions.values)
    from_empty = index in WITH_EMPTY
    return InteractionValues(
        {(): a.baseline, **scores} if from_empty else scores,
        index=index,
        max_order=order,
        min_order=0 if from_empty else 1,
        n_players=len(a),
        estimated=not a.exact,
        estimation_budget=None if a.exact or a.cost is None else a.cost.asked,
        baseline_value=a.baseline,
    )

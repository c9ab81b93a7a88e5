"""What rewards answer, checked before anything is made of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ospo.errors import RewardError
from ospo.reward.reward import Values


def checked(answer: Values, texts: Sequence[str], rows: Sequence[int], name: str) -> Values:
    """Return what a reward answered, if that is one finite number for each text.

    Parameters
    ----------
    answer : ndarray
    texts : sequence of str
        What was valued.
    rows : sequence of int
        The row of the batch that each text belongs to.
    name : str
        Of the reward.

    Raises
    ------
    RewardError
        It is not. A failure is never counted as a reward of 0.

    Examples
    --------
    >>> checked([0.5, None], ["a lamp", "a shoe"], [0, 7], "Length")
    Traceback (most recent call last):
    ...
    ospo.errors.RewardError: Length says nan for row 7, 'a shoe': a finite number was expected; \
correct the reward, since a failure is not counted as 0
    """
    values = np.asarray(answer, dtype=np.float64)
    if values.shape != (len(texts),):
        raise RewardError(
            f"{name} answered {len(texts)} texts with an array of shape {values.shape}: one number "
            "a text was expected"
        )
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        first = wrong[0]
        raise RewardError(
            f"{name} says {values[first]} for row {rows[first]}, {texts[first]!r}: a finite number "
            "was expected; correct the reward, since a failure is not counted as 0"
        )
    return values

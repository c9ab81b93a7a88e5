"""The proxy of the learning benchmark: every arm still learns what is stored of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.claims.learning import proxy
from benchmarks.claims.learning.arms import MAIN

TOLERANCE = 0.012  # another processor may draw another phrase now and then; a seed differs by 0.01


@pytest.fixture(scope="module")
def stored():
    return json.loads(proxy.STORED.read_text(encoding="utf-8"))


def test_every_arm_is_stored(stored):
    assert [*stored] == [*MAIN]


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_arm_learns_what_is_stored(stored):
    found = proxy.areas([*MAIN])
    apart = {arm: np.mean(found[arm]) - np.mean(stored[arm]) for arm in MAIN}
    assert {arm: gap for arm, gap in apart.items() if abs(gap) > TOLERANCE} == {}


def test_credit_in_the_wrong_places_would_be_seen(stored):
    assert np.mean(stored["praise"]) - np.mean(stored["placebo"]) > 3 * TOLERANCE
    assert np.mean(stored["praise"]) - np.mean(stored["grpo"]) > TOLERANCE
    assert np.mean(stored["oracle"]) > np.mean(stored["grpo"]) + TOLERANCE

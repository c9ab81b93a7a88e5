"""What is made of the learning benchmark's records: figures that are known beforehand."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks.claims.learning import analysis, records, shift
from benchmarks.claims.learning.analysis import Curves
from benchmarks.claims.learning.arms import CREDITS, MAIN, RULES
from benchmarks.claims.learning.noise import Noisy
from benchmarks.claims.learning.publish import GROUP, PAGES, STEPS
from benchmarks.claims.learning.repeats import CountingBM25
from benchmarks.claims.learning.report import markdown
from benchmarks.claims.learning.run import Key
from benchmarks.claims.learning.studies import RATE, studies
from benchmarks.claims.learning.task import Task
from ospo.data.collection import Catalogue
from ospo.reward.reward import Reward
from ospo.search.bm25 import BM25


def curve(slope):
    """Rise by ``slope`` in each of ten evaluations after the first, up to 1."""
    return np.minimum(np.arange(11) * slope, 1.0).tolist()


def runs(slope, *, validation=None, pairs=((0, 0), (0, 1), (1, 0), (1, 1)), shift=0.0):
    return Curves(
        [
            {
                "policy": policy,
                "seed": seed,
                "test": curve(slope),
                "validation": curve(validation or slope),
                "queries": [0.5 + shift, 0.1 + shift, 0.9 + shift],
            }
            for policy, seed in pairs
        ]
    )


def test_an_arm_twice_as_fast_takes_half_the_steps():
    level = np.array([0.5])
    slow, fast = np.array([curve(0.1)]), np.array([curve(0.2)])
    assert analysis.steps_to(level, slow) == pytest.approx(50.0)
    assert analysis.steps_to(level, fast) == pytest.approx(25.0)
    assert analysis.steps_to(np.array([1.5]), fast) == np.inf
    assert analysis.steps_to(np.array([0.0]), fast) == 0


def test_runs_that_agree_leave_nothing_to_chance():
    found = analysis.compare((1e-3, runs(0.2)), (4e-4, runs(0.05)), ceiling=1.0)
    gap = np.mean(curve(0.2)) - np.mean(curve(0.05))
    assert found.runs == 4
    assert found.area.estimate == pytest.approx(gap)
    assert (found.area.low, found.area.high) == pytest.approx((gap, gap))
    # Means of the last three evaluations: GRPO's ends at 0.45, and the other's are 0.4 after 30
    # steps and 0.6 after 40; 0.8 after 50 and 0.933 after 60.
    assert found.base_level == pytest.approx(0.45)
    assert found.steps_ratio.estimate == pytest.approx((30 + 10 * 0.05 / 0.2) / 100)
    assert found.level == pytest.approx(1.0)
    assert found.headroom.estimate == pytest.approx(50 + 10 * 0.75)


def test_a_level_that_is_not_reached_is_never_reached():
    found = analysis.compare((1e-3, runs(0.01)), (4e-4, runs(0.05)), ceiling=1.0)
    assert found.steps_ratio.estimate == found.headroom.estimate == np.inf


def test_a_level_that_both_begin_with_takes_neither_any_steps():
    own, other = np.array([0.0, 30.0, np.inf, 30.0]), np.array([0.0, 0.0, 0.0, 60.0])
    assert analysis.ratio(own, other).tolist() == [1.0, np.inf, np.inf, 0.5]


def test_policies_have_equal_weight_whatever_the_number_of_their_seeds():
    pairs = [(0, 0), (0, 1), (0, 2), (1, 0)]
    apart = np.array([[0.0], [0.0], [0.0], [1.0]])
    found = analysis.crossed(pairs, apart)
    assert found.estimate == pytest.approx(0.5)
    assert (found.low, found.high) == (0.0, 1.0)


def test_intervals_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    pairs = [(policy, seed) for policy in range(8) for seed in range(8)]
    held = 0
    for trial in range(60):
        of_policy = np.repeat(rng.normal(size=8), 8)[:, None]
        apart = 0.3 + of_policy + rng.normal(size=(64, 1)) + rng.normal(size=(1, 12))
        found = analysis.crossed(pairs, apart, seed=trial)
        held += found.low <= 0.3 <= found.high
    assert held >= 0.85 * 60  # 95 % less what a bootstrap of 8 policies is too narrow by


def test_the_rate_is_chosen_on_validation_queries():
    rates = {4e-4: runs(0.2, validation=0.05), 8e-4: runs(0.05, validation=0.2)}
    assert analysis.best_rate(rates) == 8e-4
    few = runs(0.2, pairs=[(7, 7)])
    with pytest.raises(SystemExit, match=r"no run was made at both of the rates 0.0008 and 0.001"):
        analysis.best_rate({**rates, 1e-3: few})


def test_a_rate_that_was_tried_once_leaves_the_others_all_their_runs():
    one, others = [(0, 0)], [(0, 1), (1, 0), (1, 1)]
    low = Curves([*runs(0.2, pairs=one).of.values(), *runs(0.05, pairs=others).of.values()])
    high = Curves([*runs(0.1, pairs=one).of.values(), *runs(0.1, pairs=others).of.values()])
    assert analysis.best_rate({4e-4: low, 8e-4: high}) == 8e-4
    assert analysis.best_rate({4e-4: low, 8e-4: high, 1.6e-3: runs(0.01, pairs=one)}) == 8e-4


def test_a_record_that_was_cut_off_is_made_again(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    key = {"arm": "grpo", "rate": 4e-4, "policy": 0, "seed": 1, "steps": 120, "group": 8}
    line = json.dumps({**key, "test": [0.5]})
    records.path_of("shop").write_text(line + "\n" + line[:40], encoding="utf-8")
    assert records.read("shop") == {Key(**key): {**key, "test": [0.5]}}
    assert records.path_of("shop").read_text(encoding="utf-8") == line + "\n"


class Half(Reward):
    def value(self, texts, rows):
        return np.full(len(texts), 0.5)


def test_noise_is_the_same_for_what_says_the_same():
    noisy = Noisy(Half(), 0.1, seed=3)
    row = {"query_id": "q"}
    said = noisy.value(["red shoes", "shoes, red", "red", ""], [row] * 4)
    assert said[0] == said[1] != said[2]
    assert said[3] == 0.5
    assert noisy.value(["red"], [row]) == said[2]
    many = noisy.value([f"red {k}" for k in range(4000)], [row] * 4000) - 0.5
    assert many.std() == pytest.approx(0.1, rel=0.05)
    assert abs(many.mean()) < 0.006


def test_a_retriever_that_counts_repeats_adds_up_all_that_is_said():
    shop = Catalogue(("1", "2", "3"), {"title": ("red shoe", "blue shoe", "desk lamp")})
    counting, once = CountingBM25(shop), BM25(shop)
    queries = ["shoes red shoe", "blue lamp", "nothing", ""]
    said = [["shoe", "red", "shoe"], ["blue", "lamp"], [], []]
    expected = np.array([once.phrase_scores(words).sum(axis=0) for words in said])
    np.testing.assert_array_equal(counting.phrase_scores(queries), expected)
    keys = [counting.key(query) for query in (*queries, "red shoe", "shoe red shoes")]
    assert keys[0] == keys[-1] != keys[-2]
    assert not keys[2]


def recorded(arm, slope, *, steps=120, group=8, rate=RATE):
    """Records of an arm by (policy, seed), as :func:`records.read` returns them."""
    written = {"phrases": [3.0, 2.0], "repeated": [0.5, 0.25], "searched": 1, "asked": 2}
    return {
        Key(arm, rate, policy, seed, steps, group): record | written
        for (policy, seed), record in runs(slope).of.items()
    }


def test_ablations_compare_each_arm_with_its_own_base():
    of = recorded("grpo", 0.05) | recorded("praise", 0.1)
    of |= recorded("grpo, noise 0.1", 0.01) | recorded("praise, noise 0.1", 0.03)
    of |= recorded("grpo", 0.02, group=4) | recorded("praise", 0.03, group=4)
    of |= recorded("grpo", 0.02, rate=4e-4)  # of another rate, which no ablation has
    for rule, credit in product(RULES, CREDITS):
        better = 0.02 if credit == "growth" else 0.0
        of |= recorded(f"{rule}, {credit}", 0.05 + better)
    told = studies(Task("shop"), of)
    # Areas are five times the slope, ends nine.
    assert "| praise, noise 0.1 | grpo, noise 0.1 | 4 | +0.100 [+0.100, +0.100] |" in told
    assert "| +0.180 [+0.180, +0.180] | 2.00 | 0.25 |" in told
    assert "| 4 | 4 | 0.180 | +0.050 [+0.050, +0.050] | +0.090 [+0.090, +0.090] |" in told
    assert "| 8 | 4 | 0.450 | +0.250 [+0.250, +0.250] |" in told
    apart = "+0.100 [+0.100, +0.100]"
    effect = f"{0.1 - 0.1 / len(CREDITS):+.3f}"
    expected = ["growth", apart, apart, apart, f"{effect} [{effect}, {effect}]"]
    assert f"| {' | '.join(expected)} |" in told
    assert "Each fault" not in told


@pytest.mark.parametrize("name", ["icecat", "shop"])
def test_the_results_page_says_what_the_records_say(name, request):
    task = Task("shop" if name == "shop" else f"icecat:{request.getfixturevalue('icecat_dir')}")
    known = records.read(name)
    rates = analysis.by_rate(known, steps=STEPS, group=GROUP, arms=MAIN)
    written = (PAGES / f"learning_{name}.md").read_text(encoding="utf-8")
    assert markdown(task, rates, steps=STEPS, group=GROUP) == written
    ablated = (PAGES / f"learning_{name}_studies.md").read_text(encoding="utf-8")
    assert studies(task, known) == ablated


def test_the_page_of_unseen_retrievers_says_what_was_stored():
    stored = json.loads(shift.STORED.read_text(encoding="utf-8"))
    assert shift.tables(stored) == shift.PAGE.read_text(encoding="utf-8")

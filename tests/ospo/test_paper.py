"""Paper mode: the published form by its description, and what each of its faults does.

Long because each known fault of the published code has its own test.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import owen_core as oc
from ospo.advantage import DELIMITER, OUTSIDE, SPECIAL, Credits, Shaping, token_advantages
from ospo.advantage.paper import (
    CORRECTED,
    PaperFaults,
    paper_advantages,
    window_asker,
    window_credit,
    window_family,
)
from ospo.advantage.paper.credit import _plan_of, window_plan
from ospo.errors import InputError
from ospo.game import RetrievalGame, value_together
from ospo.text.segment import segment

PUBLISHED = PaperFaults.published()
MODES = ("prop", "rank", "hybrid")

# A praised completion of three phrases and a blamed one of two, which ends earlier and has reward
# 0; two more of advantage 0, so that the bound of the clip is 1.633.
OWNERS = torch.tensor(
    [
        [OUTSIDE, 0, 0, DELIMITER, 1, 2, SPECIAL],
        [OUTSIDE, OUTSIDE, 0, 1, SPECIAL, SPECIAL, SPECIAL],
        [OUTSIDE] * 7,
        [OUTSIDE] * 7,
    ]
)
MASK = torch.tensor([[1] * 7, [1] * 5 + [0] * 2, [1] * 7, [1] * 7])
VALUES = torch.tensor(
    [[0.5, 0.1, 0.2], [0.2, -0.2, 0.0], [0.0] * 3, [0.0] * 3], dtype=torch.float64
)
ASSIGNED = torch.tensor([[True] * 3, [True, True, False], [False] * 3, [False] * 3])
ADVANTAGES = torch.tensor([1.0, -1.0, 0.0, 0.0], dtype=torch.float64)
REWARDS = torch.tensor([1.0, 0.0, 0.5, 0.5], dtype=torch.float64)


def advantages(faults, mode="prop", clip=False):
    """The praised completion's advantages and the blamed one's, rounded."""
    out = paper_advantages(
        ADVANTAGES,
        REWARDS,
        Credits(VALUES, ASSIGNED, OWNERS),
        MASK,
        mode=mode,
        clip=clip,
        faults=faults,
    )
    assert (out[2:] == 0).all()
    assert (out[1, 5:] == 0).all()
    return [[round(a, 3) for a in row] for row in (out[0].tolist(), out[1, :5].tolist())]


@pytest.mark.parametrize(
    ("mode", "clip", "fault", "praised", "blamed"),
    [
        ("prop", False, None, [1, 1.776, 1.776, 1, 0.002, 0.445, 1], [-1, -1, -0.002, -1.998, -1]),
        ("prop", False, "fillers_in_range", [1, 1.921, 1.921, 0.002, 0.386, 0.77, 1], None),
        ("prop", False, "blamed_best", None, [-1, -1, -1.998, -0.002, -1]),
        (
            "prop",
            False,
            "worst_gets_nothing",
            [1, 1.778, 1.778, 1, 0, 0.444, 1],
            [-1, -1, 0, -2, -1],
        ),
        (
            "prop",
            False,
            "from_first_token",
            [1.776, 1.776, 0.002, 0.445, 1, 1, 1],
            [-0.002, -1.998, -1, -1, -1],
        ),
        ("prop", False, "erased_failures", None, [-1, -1, 0, 0, -1]),
        (
            "prop",
            False,
            "starved_others",
            [0, 3.109, 3.109, 0, 0.003, 0.78, 0],
            [0, 0, -0.005, -4.995, 0],
        ),
        ("rank", False, None, [1, 1.599, 1.599, 1, 0.002, 0.8, 1], [-1, -1, -0.002, -1.998, -1]),
        (
            "rank",
            False,
            "inverted_rank",
            [1, 0.003, 0.003, 1, 2.662, 1.332, 1],
            [-1, -1, -1.998, -0.002, -1],
        ),
        (
            "rank",
            False,
            "padded_rank",
            [0, 1.667, 2, 0.333, 1, 1.333, 0.667],
            [0, -0.357, -1.786, -2.143, -0.714],
        ),
        (
            "hybrid",
            False,
            None,
            [1, 1.543, 1.543, 1, 0.301, 0.612, 1],
            [-1, -1, -0.301, -1.699, -1],
        ),
        (
            "hybrid",
            False,
            "weak_hybrid",
            [0.143, 0.22, 0.22, 0.143, 0.043, 0.087, 0.143],
            [-0.2, -0.2, -0.06, -0.34, -0.2],
        ),
        (
            "prop",
            True,
            None,
            [1.083, 1.633, 1.633, 1.083, 0.002, 0.482, 1.083],
            [-1.122, -1.122, -0.002, -1.633, -1.122],
        ),
        (
            "prop",
            True,
            "clamped",
            [1, 1.633, 1.633, 1, 0.002, 0.445, 1],
            [-1, -1, -0.002, -1.633, -1],
        ),
    ],
    ids=str,
)
def test_what_each_fault_does_to_a_fixed_batch(mode, clip, fault, praised, blamed):
    """None: as without the fault."""
    plain = advantages(CORRECTED, mode, clip)
    found = advantages(PaperFaults(**({fault: True} if fault else {})), mode, clip)
    assert found == [praised or plain[0], blamed or plain[1]]
    assert fault is None or found != plain


def test_the_published_form_of_a_fixed_batch():
    # 7 tokens times min-max 1, 1, 0, .2, .4 over their sum, and from the first token on.
    assert advantages(PUBLISHED) == [[2.692, 2.692, 0, 0.538, 1.077, 0, 0], [0] * 5]
    # The best gets least, and what has no credit gets more the later it comes.
    later = [[0, 0.333, 1.333, 1, 0.667, 1.667, 2], [0, -0.5, -1, -1.5, -2]]
    assert advantages(PUBLISHED, "rank") == later
    assert advantages(PUBLISHED, "prop", clip=True)[0][:2] == [1.633, 1.633]


@st.composite
def batches(draw):
    rows, columns = draw(st.integers(2, 4)), draw(st.integers(1, 8))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    owners = rng.choice([OUTSIDE, DELIMITER, SPECIAL, 0, 1, 2], size=(rows, columns))
    values = rng.choice([-0.25, 0.0, 0.125, 0.5], size=(rows, 3))
    lengths = rng.integers(1, columns + 1, size=(rows, 1))
    mask = np.arange(columns) < lengths
    rewards = rng.choice([0.0, 0.25, 1.0], size=rows)
    return rewards - rewards.mean(), rewards, values, owners, mask


def by_description(advantages, rewards, values, owners, mask, mode, clip):
    """The published redistribution, one completion at a time."""
    rows = []
    for a, reward, credit, owner, here in zip(
        advantages, rewards, values, owners, mask, strict=True
    ):
        query = [
            credit[k] if k >= 0 else 0.0
            for k, real in zip(owner, here, strict=True)
            if real and (k >= 0 or k == DELIMITER)
        ]
        if query and max(query) > min(query):
            query = [(c - min(query)) / (max(query) - min(query)) for c in query]
        else:
            query = [0.5] * len(query)
        padded = np.array(query + [0.0] * (len(owner) - len(query)))
        scaled = padded * reward / max(padded.sum(), 1e-4)
        if mode == "rank":
            best_first = sorted(range(len(scaled)), key=lambda t: (-scaled[t], t))
            ranks = np.empty(len(scaled))
            ranks[best_first] = np.arange(len(scaled))
            scaled = ranks * here
        share = scaled / max(scaled.sum(), 1e-4)
        token = a * here.sum() * share
        if mode == "hybrid":
            token = a * (0.7 * share + 0.3 / here.sum())
        rows.append(token * here)
    out = np.array(rows)
    bound = 2 * np.std(advantages, ddof=1)
    return np.clip(out, -bound, bound) if clip else out


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("mode", MODES)
@settings(deadline=None, max_examples=60)
@given(batch=batches())
def test_with_all_its_faults_it_is_what_was_published(mode, clip, batch):
    a, rewards, values, owners, mask = batch
    found = paper_advantages(
        torch.tensor(a),
        torch.tensor(rewards),
        Credits(
            torch.tensor(values), torch.ones(values.shape, dtype=torch.bool), torch.tensor(owners)
        ),
        torch.tensor(mask),
        mode=mode,
        clip=clip,
        faults=PUBLISHED,
    )
    expected = by_description(a, rewards, values, owners, mask, mode, clip)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(batch=batches())
def test_without_faults_it_is_the_sign_aware_rule(batch):
    a, rewards, values, owners, mask = map(torch.tensor, batch)
    credits = Credits(values, torch.ones(values.shape, dtype=torch.bool), owners)
    found = paper_advantages(a, rewards, credits, mask)
    expected = token_advantages(a, credits, mask, Shaping("sign-aware")).values
    torch.testing.assert_close(found, expected)


@settings(deadline=None, max_examples=60)
@given(batch=batches())
def test_a_corrected_clip_keeps_the_bound_and_the_sum(batch):
    a, rewards, values, owners, mask = map(torch.tensor, batch)
    credits = Credits(values, torch.ones(values.shape, dtype=torch.bool), owners)
    plain = paper_advantages(a, rewards, credits, mask)
    clipped = paper_advantages(a, rewards, credits, mask, clip=True)
    torch.testing.assert_close(clipped.sum(1), plain.sum(1))
    bound = torch.maximum(2 * a.std(), a.abs()) * (1 + 1e-9)
    assert (clipped.abs() <= bound[:, None]).all()


def test_a_corrected_clip_below_the_sequence_advantage_leaves_it_uniform():
    a = torch.full((2,), 0.5, dtype=torch.float64)  # no deviation: the bound is 0
    credits = Credits(VALUES[:2], ASSIGNED[:2], OWNERS[:2])
    out = paper_advantages(a, REWARDS[:2], credits, MASK[:2], clip=True)
    torch.testing.assert_close(out, a[:, None] * MASK[:2])
    faults = PaperFaults(clamped=True)
    assert (
        paper_advantages(a, REWARDS[:2], credits, MASK[:2], clip=True, faults=faults) == 0
    ).all()


def weight_sums(n, width, faults, budget=10**6, seed=0):
    """How much weight each phrase's marginal contributions have: its credit where all are 1."""
    rng = np.random.default_rng(seed)
    sizes = lambda coalitions: coalitions.sum(axis=1).astype(float)  # noqa: E731
    return window_credit(sizes, n, rng, width=width, budget=budget, faults=faults)


@pytest.mark.parametrize(
    ("n", "width", "sums"),
    [
        (2, 8, [1, 1]),
        (6, 8, [0.433, 0.3, 0.283, 0.283, 0.3, 0.433]),
        (8, 8, [0.305, None, None, None, 0.183, None, None, 0.305]),
        (8, 4, [0.152, None, None, None, 0.18, None, None, 0.152]),
    ],
)
def test_published_weights_add_up_to_less_than_one_and_depend_on_the_place(n, width, sums):
    published, _ = weight_sums(n, width, PaperFaults(partial_weights=True))
    for found, expected in zip(published.tolist(), sums, strict=True):
        assert expected is None or found == pytest.approx(expected, abs=2e-3)
    corrected, assigned = weight_sums(n, width, CORRECTED)
    assert corrected.tolist() == pytest.approx([1] * n)
    assert assigned.all()


@pytest.mark.parametrize(("n", "width"), [(1, 8), (2, 1), (5, 3), (7, 8), (9, 4)])
def test_the_published_estimator_is_the_windows_concept_of_the_core(n, width):
    table = np.random.default_rng(n).normal(size=2**n)
    places = 1 << np.arange(n)

    def value(coalitions):
        return table[coalitions @ places]

    found, _ = window_credit(
        value, n, np.random.default_rng(0), width=width, faults=PaperFaults(partial_weights=True)
    )
    structure = oc.path(n, max_width=min(width, n))
    expected = oc.attribute(value, n, concept="windows", structure=structure).values
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("n", "budget", "left"), [(8, 32, 0.179), (8, 16, 0.073), (12, 32, 0.040), (12, 16, 0.017)]
)
def test_shuffled_truncation_loses_most_marginal_contributions(n, budget, left):
    faults = PaperFaults(shuffled_truncation=True, partial_weights=True)
    draws = [weight_sums(n, 8, faults, budget, seed)[0] for seed in range(300)]
    assert np.mean(draws) == pytest.approx(left, rel=0.07)
    if (n, budget) == (12, 16):
        assert np.mean(np.array(draws) == 0) == pytest.approx(0.54, abs=0.04)


def test_a_phrase_that_truncation_left_without_a_term_has_no_credit():
    faults = PaperFaults(shuffled_truncation=True)
    credit, assigned = weight_sums(12, 8, faults, budget=16)
    assert not assigned.all()
    assert credit[assigned].tolist() == pytest.approx([1] * assigned.sum())
    # As published, it has a credit of 0.
    published, known = weight_sums(12, 8, PUBLISHED, budget=16)
    assert known.all()
    assert (published[~assigned] == 0).all()


def test_the_segments_of_a_batch_are_asked_together_as_alone():
    texts = ["ab, bc, cd", "x", "de, ef, fg, gh, hi, ij, jk, kl"]
    segments = [segment(text) for text in texts]
    calls = []

    def value(queries, owners):
        calls.append(len(queries))
        return np.array([len(set(query)) ** 2 for query in queries], dtype=float)

    ask = window_asker(3, 12, PUBLISHED)
    asks = [(k, ask(tuple(s.phrase for s in own), (5, k))) for k, own in enumerate(segments)]
    found = value_together(texts, segments, asks, value)
    assert len(calls) == 1
    for k, (text, shares) in enumerate(zip(texts, found, strict=True)):
        game = RetrievalGame(text, lambda queries: value(queries, []))
        rng = np.random.default_rng((5, k))
        options = {"width": 3, "budget": 12, "faults": PUBLISHED}
        credit, assigned = window_credit(game, len(segments[k]), rng, **options)
        assert shares.attribution.values.tolist() == credit.tolist()
        assert shares.assigned.tolist() == assigned.tolist()
        assert shares.attribution.total == len(set(text)) ** 2
    (nothing,) = value_together(
        texts[2:], segments[2:], [(0, window_asker(3, 9)(tuple("abcdefgh"), ()))], value
    )
    assert nothing is None


@pytest.mark.parametrize("faults", [CORRECTED, PUBLISHED], ids=["corrected", "published"])
@given(
    n=st.integers(1, 14),
    width=st.integers(1, 10),
    spare=st.integers(2, 80),
    seed=st.integers(0, 9),
)
@settings(deadline=None, max_examples=60)
def test_a_family_keeps_to_its_budget_and_to_its_seed(faults, n, width, spare, seed):
    def draw():
        return window_family(n, width, n + spare, np.random.default_rng(seed), faults)

    family = draw()
    assert family == draw()
    assert len(set(family)) == len(family) <= n + spare
    assert family[0] == (0, 0)
    assert family[-1] == (0, n)
    assert all(end - begin <= width for begin, end in family[1:-1])
    if faults is CORRECTED:
        assert {(k, k + 1) for k in range(n)} <= set(family)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 6),
            st.integers(1, 5),
            st.integers(2, 12),
            st.sampled_from([CORRECTED, PUBLISHED, PaperFaults(shuffled_truncation=True)]),
        ),
        max_size=6,
    ),
    st.integers(0, 9),
)
@settings(deadline=None, max_examples=60)
def test_plans_that_are_kept_have_the_bits_of_new_ones_and_leave_the_draws_alone(plans, seed):
    def credits(new):
        rng, found = np.random.default_rng(seed), []
        for n, width, spare, faults in plans:
            if new:
                _plan_of.cache_clear()
            plan, assigned = window_plan(n, rng, width=width, budget=n + spare, faults=faults)
            sizes = np.sqrt(plan.coalitions.sum(axis=1))
            found.append(
                (plan.coalitions.tolist(), plan.combine(sizes).tolist(), assigned.tolist())
            )
        return found, rng.bit_generator.state

    assert credits(new=False) == credits(new=True)


def test_a_plan_that_others_share_cannot_be_written_to():
    plan, assigned = window_plan(3, np.random.default_rng(0))
    for shared in (plan.coalitions, assigned):
        with pytest.raises(ValueError, match="read-only"):
            shared[0] = True


@pytest.mark.parametrize(
    ("n", "width", "size"), [(8, 8, 37), (10, 8, 54), (12, 8, 70), (20, 32, 211), (30, 32, 466)]
)
def test_whole_families_have_the_published_sizes(n, width, size):
    for budget in (1000, size, size - 1):
        family = window_family(n, width, budget, np.random.default_rng(0), PUBLISHED)
        assert len(family) == min(size, budget)


def test_a_budget_below_the_single_phrases_is_refused():
    with pytest.raises(InputError, match=r"12 phrases, width 8 and budget 13: .* two more"):
        window_family(12, 8, 13, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"mode": "best"}, "mode must be one of prop"), ({"clip": True}, "give it two completions")],
)
def test_wrong_options_are_refused(options, message):
    credits = Credits(VALUES[:1], ASSIGNED[:1], OWNERS[:1])
    with pytest.raises(InputError, match=message):
        paper_advantages(ADVANTAGES[:1], REWARDS[:1], credits, MASK[:1], **options)

"""Does an installed owen_core work? Imports it and checks the axioms on a small game.

It takes nothing but the installation itself, so that every wheel can be tried with it.
"""

from __future__ import annotations

from numpy.testing import assert_allclose

import owen_core as oc

NAMES = ["left glove", "right glove", "hat", "stone"]


def value(coalitions):
    """Value a pair of gloves at 2 and one of them at nothing; the hat adds 1 to anything."""
    left, right, hat, _ = coalitions.T
    return 2.0 * (left & right) + hat


for concept, settings in {
    "Shapley": {},
    "Owen": {"structure": oc.unions(["left glove", "hat"], "right glove", "stone")},
    "Myerson": {"structure": oc.path(4)},
    "sampled Shapley": {"budget": 12, "rng": 0},
}.items():
    credit = oc.attribute(value, NAMES, **settings)
    for axiom, found, expected in [
        ("efficiency", credit.values.sum(), 3),
        ("symmetry", credit["left glove"], credit["right glove"]),
        ("null player", credit["stone"], 0),
        ("additivity", credit["hat"], 1),
    ]:
        assert_allclose(found, expected, atol=1e-12, err_msg=f"{concept}: {axiom}")

print(f"The axioms hold in {oc.__file__}")

"""What may be set in verl's configuration, and what is refused there."""

from __future__ import annotations

import pytest

from ospo.advantage import Shaping
from ospo.errors import InputError
from ospo.train.verl.settings import read_settings


@pytest.mark.parametrize("algorithm", [None, {}, {"ospo": None}, {"adv_estimator": "ospo"}])
def test_nothing_need_be_set(algorithm):
    settings = read_settings(algorithm)
    assert settings.shaping == Shaping()
    assert settings.credit == "myerson"
    assert settings.reads_credit


@pytest.mark.parametrize("setting", [{"rule": "uniform"}, {"mix": 0}])
def test_plain_grpo_reads_no_credit(setting):
    assert not read_settings({"ospo": setting}).reads_credit


@pytest.mark.parametrize(
    ("algorithm", "message"),
    [
        ({"ospo": {"rule": "best"}}, "rule must be one of uniform, proportional"),
        ({"ospo": {"rule": "anchored"}}, r"algorithm.ospo.rule must be one of .*, got 'anchored'"),
        ({"ospo": {"credit": "best"}}, "algorithm.ospo.credit must be one of shapley, .*'best'"),
        ({"ospo": {"weight": 2.0}}, "no setting algorithm.ospo.weight: choose among rule, credit"),
        ({"ospo": {"cap": 0.5}}, "cap is 0.5"),
        ({"ospo": {"mix": "half"}}, "algorithm.ospo holds something that is no number"),
        ({"use_kl_in_reward": True}, "use_kl_in_reward is on"),
    ],
)
def test_wrong_settings_are_refused_by_name(algorithm, message):
    with pytest.raises(InputError, match=message):
        read_settings(algorithm)

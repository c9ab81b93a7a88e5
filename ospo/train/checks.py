"""Settings that cannot be, or not together: each is refused by name before training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from ospo.advantage import BASELINES, RULES
from ospo.advantage.paper import PaperFaults
from ospo.advantage.paper.tokens import MODES
from ospo.errors import InputError
from ospo.game import CONCEPTS, MARGINALS, SAMPLED
from ospo.train.information_gain import INFORMATION_GAIN

if TYPE_CHECKING:
    from ospo.train.config import OSPOConfig

WINDOWED = ("growth", "myerson", "windows")  # credits that may keep to short intervals
FUSED_LOSS_ENDS = "1.14"  # of TRL; before, Liger's loss took one advantage per completion
OF_RULES = (
    *("rule", "credit", "mix", "cap", "weight", "trace", "credit_temperature"),
    *("outside", "delimiter", "special", "truncated"),
)
IN_UNITS_OF_REWARD = {"scale_rewards": "none", "multi_objective_aggregation": "sum_then_normalize"}
OF_PAPER = ("paper_mode", "paper_clip", "paper_faults")


def check(args: OSPOConfig) -> None:
    """Refuse settings out of range, and those that contradict each other.

    Raises
    ------
    InputError
        It names the setting, its value, what was expected and the remedy.
    """
    _check_choices(args)
    _check_paper(args)
    _check_credit(args)
    _check_rule(args)
    _check_pruning(args)
    if args.use_liger_kernel and Version(version("trl")) < Version(FUSED_LOSS_ENDS):
        raise InputError(
            f"use_liger_kernel is on, and in TRL {version('trl')} Liger's fused loss takes one "
            f"advantage per completion: switch it off, or use TRL {FUSED_LOSS_ENDS} or later"
        )


# Where package.module:name may stand.
OWN: Mapping[str, Mapping[str, object]] = {"rule": RULES, "credit": CONCEPTS}


def _check_choices(args: OSPOConfig) -> None:
    for name, choices in (
        ("rule", [*RULES]),
        ("credit", [*CONCEPTS, *MARGINALS, INFORMATION_GAIN]),
        ("baseline", [*BASELINES]),
        ("paper_mode", [*MODES]),
        ("on_misaligned", ["raise", "uniform"]),
    ):
        value = getattr(args, name)
        if value not in choices and value not in OWN.get(name, {}):
            raise InputError(f"{name} must be one of {_names(choices)}, got {value!r}")


def _check_paper(args: OSPOConfig) -> None:
    known = [fault.name for fault in fields(PaperFaults)]
    for fault in args.paper_faults:
        if fault not in (*known, "published"):
            raise InputError(
                f"paper_faults has {fault!r}, which is none of {_names(known)}, or published"
            )
    for name in OF_RULES if args.paper else OF_PAPER:
        value = getattr(args, name)
        if value != _default(args, name):
            remedy = "paper=True takes no rule: drop one" if args.paper else "set paper=True"
            raise InputError(f"{name} is {value!r}, and {remedy}")


def _check_credit(args: OSPOConfig) -> None:
    if args.max_width is not None and args.max_width < 1:
        raise InputError(f"max_width is {args.max_width}, expected at least 1 segment")
    if args.credit_budget is not None and args.credit_budget < 4:
        raise InputError(f"credit_budget is {args.credit_budget}, expected at least 4 evaluations")
    if args.paper:
        return
    if args.max_width is not None and not args.prune and args.credit not in WINDOWED:
        raise InputError(
            f"max_width is {args.max_width}, and {args.credit!r} takes no intervals to bound: "
            f"choose one of {_names(WINDOWED)}, or prune, or drop max_width"
        )
    if args.credit_budget is not None and args.credit not in SAMPLED:
        raise InputError(
            f"credit_budget is {args.credit_budget}, and nothing estimates {args.credit!r}: choose "
            f"one of {_names([*SAMPLED])}, or drop credit_budget"
        )
    if args.credit_budget is not None and args.max_width is not None:
        raise InputError(
            f"credit_budget is {args.credit_budget} and max_width {args.max_width}, and nothing "
            "estimates intervals of limited width: drop one"
        )


def _check_rule(args: OSPOConfig) -> None:
    rule = RULES[args.rule]
    if args.grpo_lambda is not None:
        if not 0 <= args.grpo_lambda <= 1:
            raise InputError(f"grpo_lambda is {args.grpo_lambda}, expected a number from 0 to 1")
        if args.paper or args.rule != "uniform":
            raise InputError(
                f"grpo_lambda is {args.grpo_lambda} and spreads advantages by place, not by "
                'credit: set rule="uniform" and leave paper off, or drop grpo_lambda'
            )
    for name, units in IN_UNITS_OF_REWARD.items():
        if rule.kind == "linear" and getattr(args, name) != units:
            raise InputError(
                f"{name} is {getattr(args, name)!r}, and rule {args.rule!r} adds credit to "
                f'advantages in units of the reward: set {name}="{units}"'
            )
    rows = args.per_device_train_batch_size * args.steps_per_generation
    compares = rule.compares or args.baseline != "group" or args.prune
    if compares and rows % args.num_generations:
        raise InputError(
            f"a process has {rows} completions at a time (per_device_train_batch_size times "
            f"steps_per_generation), which cuts groups of {args.num_generations}, and rule "
            f"{args.rule!r} with baseline {args.baseline!r} and prune={args.prune} compares the "
            "completions of a group: choose a multiple of num_generations"
        )
    args.shaping  # noqa: B018  (it refuses the settings that its rule does not take)


def _check_pruning(args: OSPOConfig) -> None:
    if args.prune and args.use_vllm and args.vllm_importance_sampling_correction:
        raise InputError(
            "prune is on, and vLLM has no probabilities of answers that it did not write: set "
            "vllm_importance_sampling_correction=False"
        )


def _names(choices: Sequence[str]) -> str:
    return ", ".join(choices)


def _default(args: OSPOConfig, name: str) -> Any:
    own = next(setting for setting in fields(args) if setting.name == name)
    return own.default if own.default_factory is MISSING else own.default_factory()

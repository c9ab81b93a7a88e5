"""What OSPO adds to TRL's GRPO settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from trl import GRPOConfig

from ospo.advantage import BASELINES, RULES, Shaping
from ospo.advantage.paper import PaperFaults, window_asker
from ospo.advantage.paper.tokens import MODES, Mode
from ospo.game import CONCEPTS, MARGINALS, Asker, asker
from ospo.train.checks import check
from ospo.train.information_gain import INFORMATION_GAIN

PUBLISHED_WIDTH, PUBLISHED_BUDGET = 8, 96  # w_max and M


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


def _choice(default: str, text: str, choices: Iterable[str]) -> Any:
    return field(default=default, metadata={"help": f"{text}: {', '.join(choices)}"})


@dataclass
class OSPOConfig(GRPOConfig):
    """Settings of :class:`ospo.train.OSPOTrainer`: TRL's own, and how credit shapes advantages.

    Attributes
    ----------
    rule : str
        How advantages follow credit, one of :data:`ospo.advantage.RULES`; ``uniform`` is plain
        GRPO. The linear rules (``additive``, whose weight falls to 0 at the last step,
        ``anchored`` and ``prefix``) need ``scale_rewards="none"``.
    credit : str
        What credits segments, one of :data:`ospo.game.CONCEPTS` or :data:`ospo.game.MARGINALS`, or
        for turns ``information-gain``, see :mod:`ospo.train.information_gain`.
        ``myerson``, ``growth`` and ``windows`` take n(n+1)/2 evaluations of n segments, ``shapley``
        2**n. ``prefix`` as a rule has a credit of its own.
    max_width : int or None
        The most segments of an interval, for ``growth``, ``myerson`` and ``windows``, and for
        ``prune``. Paper: w_max.
    credit_budget : int or None
        The most evaluations of a completion. A credit that takes more is estimated from as many;
        it needs about two for each segment, and a completion of too many segments keeps plain
        advantages. Paper: M.
    prune : bool
        Whether rollouts compete with the best intervals of their segments for a place among the
        ``num_generations`` that train, see :mod:`ospo.train.pruning`.
    placebo : bool
        Whether to shuffle the credits of each completion over its segments.
    baseline : str
        What rewards are measured against: the ``group``'s mean, ``leave-one-out``, or ``opo``, the
        mean weighted by length.
    mix, cap, weight, trace, outside, delimiter, special, truncated
        As in :class:`ospo.advantage.Shaping`. Without a weight, ``prefix`` fits its own from the
        batches before.
    credit_temperature : float
        The temperature of the rule ``softmax``; ``temperature`` is TRL's, of sampling.
    grpo_lambda : float or None
        Decay of the traces of GRPO-lambda, 0 to 1, which need no credit: with the rule
        ``uniform``. See :func:`ospo.advantage.traced`.
    paper : bool
        Whether to train as published, by :mod:`ospo.advantage.paper`, in place of a rule.
    paper_mode : str
        ``prop``, ``rank`` or ``hybrid``.
    paper_clip : bool
        Whether to bound advantages by two standard deviations of those of the batch.
    paper_faults : list of str
        Faults of the published form to keep, by the names of
        :class:`ospo.advantage.paper.PaperFaults`; ``published`` stands for all.
    on_misaligned : str
        What to do with a completion whose text cannot be divided among its tokens: ``raise``, or
        ``uniform``, which leaves it plain and counts it in ``credit/misaligned``.
    """

    rule: str = _choice("praise", "how advantages follow credit", RULES)
    credit: str = _choice(
        "myerson", "what credits segments", [*CONCEPTS, *MARGINALS, INFORMATION_GAIN]
    )
    max_width: int | None = _setting(None, "the most segments of an interval; the paper's w_max")
    credit_budget: int | None = _setting(
        None, "the most evaluations of a completion, exact below; the paper's M"
    )
    prune: bool = _setting(False, "train on the best parts of rollouts in place of weaker rollouts")
    placebo: bool = _setting(False, "shuffle the credits of each completion over its segments")
    baseline: str = _choice("group", "what rewards are measured against", BASELINES)
    mix: float = _setting(1.0, "share of the rule in a blend with uniform; 0 is plain GRPO")
    cap: float | None = _setting(None, "the most that advantages are multiplied by")
    weight: float | None = _setting(None, "weight of credit in a linear rule")
    trace: float = _setting(1.0, "of prefix: how far later segments answer for a segment")
    credit_temperature: float = _setting(1.0, "of softmax")
    outside: float = _setting(1.0, "share of the advantage on tokens outside the query")
    delimiter: float = _setting(1.0, "share of the advantage on delimiters")
    special: float = _setting(1.0, "share of the advantage on special tokens")
    truncated: float | None = _setting(
        1.0, "share of the advantage on completions cut off; null in a YAML file: as on any other"
    )
    grpo_lambda: float | None = _setting(None, "decay of GRPO-lambda's traces, with rule uniform")
    paper: bool = _setting(False, "train as published, in place of a rule")
    paper_mode: Mode = field(default="prop", metadata={"help": f"of paper: {', '.join(MODES)}"})
    paper_clip: bool = _setting(False, "of paper: bound advantages by two standard deviations")
    paper_faults: list[str] = field(
        default_factory=list, metadata={"help": "of paper: the faults to keep; published: all"}
    )
    on_misaligned: str = _choice(
        "raise", "what to do where text cannot be divided among tokens", ["raise", "uniform"]
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self)

    @property
    def shaping(self) -> Shaping:
        """How credit shapes advantages; a weight that is fitted begins at 1."""
        weight = 1.0 if self.fits_weight else self.weight
        return Shaping(
            self.rule,
            self.mix,
            self.cap,
            weight,
            self.trace,
            self.credit_temperature,
            self.outside,
            self.delimiter,
            self.special,
            self.truncated,
        )

    @property
    def fits_weight(self) -> bool:
        """Whether the weight of credit is fitted to earlier batches."""
        return self.rule == "prefix" and self.weight is None

    @property
    def faults(self) -> PaperFaults:
        """The faults that paper mode keeps."""
        if "published" in self.paper_faults:
            return PaperFaults.published()
        return PaperFaults(**dict.fromkeys(self.paper_faults, True))

    @property
    def gains_information(self) -> bool:
        """Whether the rule reads what turns add to the policy's belief in the right answer."""
        return self.credit == INFORMATION_GAIN and "values" in RULES[self.rule].needs

    @property
    def askers(self) -> dict[str, Asker]:
        """What asks for the credit that the rule reads, as far as it comes from the reward."""
        if self.paper:
            width = self.max_width or PUBLISHED_WIDTH
            most = self.credit_budget or PUBLISHED_BUDGET
            return {"values": window_asker(width, most, self.faults)}
        needs = RULES[self.rule].needs
        own = asker(self.credit, max_width=self.max_width, budget=self.credit_budget)
        askers = {"values": own if "values" in needs else asker("prefix")}
        if self.gains_information:
            del askers["values"]
        if "left_out" in needs:
            askers["left_out"] = asker("leave-one-out")
        if "prefixes" in needs:
            askers["prefixes"] = asker("prefix")
        return askers

"""The report of a training: curves, held-out gain, samples, alarms and cost on one page."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import fmean

from ospo.errors import InputError
from ospo.paired import RESAMPLES
from ospo.report.curves import panels, short
from ospo.report.run_record import RunRecord, differences, read_run
from ospo.report.run_samples import RunSamples, run_samples
from ospo.report.side import Scale
from ospo.report.template import render
from ospo.storage import whole
from ospo.train.alarms import adds_up, alarms
from ospo.train.held_out import Gain, HeldOut, gain

NAME = "report.html"
# What the page says of how a run was trained; the others are in its config.yaml.
SETTINGS = (
    *("data", "contexts", "retriever", "reward", "metric", "segmenter"),
    *("rule", "credit", "credit_budget", "max_width", "paper", "learning_rate", "num_generations"),
    *("model_name_or_path", "max_steps", "seed"),
)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What should worry a person: the steps that raised it, and what the last of them said."""

    steps: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the held-out table: a mean over queries, and its gain over another line."""

    name: str
    mean: float
    gain: Gain | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a training has cost so far; None = it was not logged.

    Attributes
    ----------
    tokens : float or None
        Read and written.
    seconds : float or None
        In steps.
    evaluations, searches : float or None
        Coalitions valued for credit, and searches for rewards and credit.
    known : float or None
        The mean share of evaluations that was known before.
    credit : float or None
        The mean share of the time that credit took.
    """

    tokens: float | None
    seconds: float | None
    evaluations: float | None
    searches: float | None
    known: float | None
    credit: float | None

    @property
    def time(self) -> str:
        """The time in hours, minutes and seconds."""
        return str(timedelta(seconds=round(self.seconds or 0)))


def write_run_page(folder: Path, baseline: Path | None = None) -> Path:
    """Write ``report.html`` into the directory of a run, finished or not, and return its path.

    Raises
    ------
    InputError
        As :func:`run_page`; or the page cannot be written.
    """
    page, path = run_page(folder, baseline), folder / NAME
    try:
        with whole(path) as draft:
            draft.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error}): make room, or write to a copy of the run"
        ) from error
    return path


def run_page(folder: Path, baseline: Path | None = None) -> str:
    """Return the report of a run, one self-contained HTML file.

    Parameters
    ----------
    folder : Path
        The run directory.
    baseline : Path, optional
        That of another run, which is drawn and compared beside it.

    Raises
    ------
    InputError
        One of them is not a run, or the baseline was measured on other data or differently.
    """
    run = read_run(folder)
    other = None if baseline is None else read_run(baseline)
    differ = {} if other is None else differences(run, other)
    ours = run.held_out or []
    theirs = (other.held_out if other and ours else None) or []
    lines = _lines(ours, theirs)
    gains = [line.gain for line in lines if line.gain]
    words = ["ospo", "train", "--report", str(folder)]
    again = ["ospo", "train", "--config", str(folder / "config.yaml")]
    again += ["--output_dir", f"{folder}-again"]
    return render(
        "training.html",
        heading=run.name,
        run=run,
        baseline=other,
        differ=differ,
        families=panels([of.log for of in (run, other) if of is not None]),
        lines=lines,
        gain=gain(ours) if ours else None,
        against=_between(ours, _trained(theirs), _trained(ours)) if theirs else None,
        scale=Scale.over(end for found in gains for end in (found.low, found.high)),
        samples=run_samples(run) if ours else RunSamples((), ()),
        alarms=raised(run),
        cost=cost(run),
        settings={name: run.settings.get(name) for name in SETTINGS},
        command=shlex.join([*words, *(["--baseline", str(baseline)] if baseline else [])]),
        again=shlex.join(again),
        last=int(run.log[-1]["step"]) if run.log else 0,
        short=short,
        resamples=RESAMPLES,
    )


def raised(run: RunRecord) -> list[Alarm]:
    """Return the alarms that a run's steps raised, the first one first."""
    efficient = adds_up(run.settings)
    found: dict[str, Alarm] = {}
    for line in run.steps:
        for metric, text in alarms(line, efficient=efficient).items():
            before = found[metric].steps if metric in found else ()
            found[metric] = Alarm((*before, int(line["step"])), text)
    return list(found.values())


def cost(run: RunRecord) -> Cost:
    """Return what a run has cost; a line that is logged is the mean of the steps since the last."""
    settings = run.settings
    micro, batches = settings["gradient_accumulation_steps"], settings["steps_per_generation"]
    # As ospo.train.interrupt.round_steps: how many steps use up one round of generation.
    a_round = math.lcm(batches * settings["num_iterations"], micro) // micro
    ends = [line["step"] for line in run.steps]
    spans = [end - begin for begin, end in zip([0, *ends], ends, strict=False)]

    def total(name: str, steps: int) -> float | None:
        return _or_none(
            sum,
            [
                line[name] * max(span / steps, 1)
                for line, span in zip(run.steps, spans, strict=True)
                if name in line
            ],
        )

    def every(name: str) -> list[float]:
        return [line[name] for line in run.steps if name in line]

    return Cost(
        tokens=_or_none(max, every("num_tokens")),
        seconds=total("step_time", 1),
        evaluations=total("game/evaluations", a_round),
        searches=total("game/searches", a_round),
        known=_or_none(fmean, every("game/cache_hit_rate")),
        credit=_or_none(fmean, every("time/credit_share")),
    )


def _or_none(how: Callable[[list[float]], float], values: list[float]) -> float | None:
    return how(values) if values else None


def _lines(records: Sequence[HeldOut], theirs: Sequence[HeldOut]) -> list[Line]:
    """Return the lines of the held-out table, with their gains over the policy before training."""
    before = [record.value_before for record in records]
    named = {
        "the whole context as the query": [record.copied for record in records],
        "the policy before training": before,
        "the policy after training": _trained(records),
        "the baseline after training": _trained(theirs),
        "the wanted query itself": [record.wanted for record in records],
    }
    return [
        Line(
            name,
            _over_queries(records, values),
            None if values is before else _between(records, before, values),
        )
        for name, values in named.items()
        if values
    ]


def _trained(records: Sequence[HeldOut]) -> list[float]:
    return [record.value_after for record in records]


def _between(records: Sequence[HeldOut], before: Sequence[float], after: Sequence[float]) -> Gain:
    pairs = zip(records, before, after, strict=True)
    return gain([replace(r, value_before=old, value_after=new) for r, old, new in pairs])


def _over_queries(records: Sequence[HeldOut], values: Sequence[float]) -> float:
    by_query: dict[str, list[float]] = {}
    for record, value in zip(records, values, strict=True):
        by_query.setdefault(record.query_id, []).append(value)
    return fmean(map(fmean, by_query.values()))

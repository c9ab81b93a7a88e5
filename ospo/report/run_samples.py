"""Ten held-out contexts of a run: what was written for them, credited and searched again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ospo.credit import TokenCredit, Written, credit_together
from ospo.data import load
from ospo.errors import InputError
from ospo.game import CONCEPTS, MARGINALS, asker
from ospo.report.moves import moved
from ospo.report.run_record import RunRecord
from ospo.reward.retrieval import Retrieval
from ospo.search.load import load_retriever
from ospo.search.metrics import parse_metric
from ospo.search.retriever import RetrieverError
from ospo.search.stored import Stored
from ospo.storage import cache_dir
from ospo.text.load import load_segmenter
from ospo.train.held_out import HeldOut

EXTREMES, DRAWN = 3, 4  # the worst and the best each, and at random from the others
PRODUCTS = 3  # of a context
CONCEPT = "myerson"  # in place of credit that does not come from the reward
BUDGET = 2048  # evaluations of a text; exact below
ROUNDING = 1e-6  # of a metric
NOBODY = np.empty(0, dtype=np.int64)  # owns a token: texts are read without their ids


@dataclass(frozen=True, slots=True)
class Said:
    """One text of a context, and what its phrases earn.

    Attributes
    ----------
    role : str
        ``context``, ``before`` or ``after``.
    text : str
    value : float
        As the run measured it.
    credit : tuple of (str, float)
        The phrases with their credits; empty where they are not known.
    """

    role: str
    text: str
    value: float
    credit: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """A relevant product: its rank for each text, 0 = not retrieved, and its move by training."""

    title: str
    grade: int
    ranks: tuple[int, ...]
    move: tuple[str, str]


@dataclass(frozen=True, slots=True)
class RunSample:
    """One held-out context.

    Attributes
    ----------
    kind : str
        ``worst``, ``best`` or ``drawn``.
    query_id : str
    wanted : str or None
        The judged query; None where the data could not be read.
    gain : float
        By training.
    texts : tuple of Said
        The context, and what was written for it before and after training.
    placed : tuple of Placed
    command : str or None
        What explains the last text.
    """

    kind: str
    query_id: str
    wanted: str | None
    gain: float
    texts: tuple[Said, ...]
    placed: tuple[Placed, ...] = ()
    command: str | None = None

    @property
    def largest(self) -> float:
        """The largest credit without its sign, 1 where all are 0."""
        return max((abs(c) for text in self.texts for _, c in text.credit), default=0.0) or 1.0


@dataclass(frozen=True, slots=True)
class RunSamples:
    """The samples, with what is to be known of them, a sentence each."""

    samples: tuple[RunSample, ...]
    notes: tuple[str, ...]


def run_samples(run: RunRecord) -> RunSamples:
    """Return samples of the held-out contexts of a run that has some.

    They are credited as in training, with the retriever of the run, and nothing that its cache
    knows is searched again. Where that retriever cannot be asked, or the reward was another one,
    the samples have texts and values only, and a note says why.
    """
    picked = chosen(run.held_out or (), int(run.settings["seed"]))
    samples = [_sample(kind, record) for kind, record in picked]
    try:
        return _credited(run, samples)
    except (InputError, RetrieverError) as error:
        return RunSamples(tuple(samples), (f"There are no credits and ranks here: {error}.",))


def chosen(records: Sequence[HeldOut], seed: int) -> list[tuple[str, HeldOut]]:
    """Return the worst and best gains and some drawn at random, each query once.

    Examples
    --------
    >>> def record(query, gain):
    ...     return HeldOut(query, "", 1.0, 0.0, "", "", 0.0, gain)
    >>> found = chosen([record(f"q{k // 2}", k / 100) for k in range(40)], seed=0)
    >>> [(kind, record.query_id) for kind, record in found][:6]  # doctest: +NORMALIZE_WHITESPACE
    [('worst', 'q0'), ('worst', 'q1'), ('worst', 'q2'),
     ('best', 'q19'), ('best', 'q18'), ('best', 'q17')]
    >>> len({record.query_id for _, record in found})
    10
    """
    rising = sorted(records, key=_gain)
    order = np.random.default_rng(seed).permutation(len(records))
    found: dict[str, tuple[str, HeldOut]] = {}
    for kind, ordered, most in (
        ("worst", rising, EXTREMES),
        ("best", rising[::-1], EXTREMES),
        ("drawn", [records[k] for k in order], DRAWN),
    ):
        fresh: dict[str, tuple[str, HeldOut]] = {}
        for record in ordered:
            if record.query_id not in found and len(fresh) < most:
                fresh.setdefault(record.query_id, (kind, record))
        found |= fresh
    return list(found.values())


def _sample(kind: str, record: HeldOut) -> RunSample:
    texts = (
        Said("context", record.context, record.copied),
        Said("before", record.before.strip(), record.value_before),
        Said("after", record.after.strip(), record.value_after),
    )
    return RunSample(kind, record.query_id, None, _gain(record), texts)


def _gain(record: HeldOut) -> float:
    return record.value_after - record.value_before


def _credited(run: RunRecord, samples: Sequence[RunSample]) -> RunSamples:
    settings = run.settings
    if settings["reward"] != "retrieval":
        raise InputError(
            f"the run was trained with the reward {settings['reward']!r}, and they are of what is "
            "retrieved"
        )
    collection = load(settings["data"])
    retriever = load_retriever(settings["retriever"], collection.catalogue, cache_dir())
    stored = Stored(retriever, Path(settings["cache"] or run.folder / "cache.sqlite"))
    reward = Retrieval(collection, stored, parse_metric(settings["metric"]))
    segmenter = load_segmenter(settings["segmenter"], collection.catalogue.fields)
    credit = settings["credit"]
    concept = credit if credit in MARGINALS or credit in CONCEPTS else CONCEPT
    found = credit_together(
        [Written(t.text, tuple(segmenter(t.text)), NOBODY) for s in samples for t in s.texts],
        [{"query_id": s.query_id} for s in samples for _ in s.texts],
        reward,
        {"values": asker(concept, max_width=settings["max_width"], budget=BUDGET)},
        seeds=[(settings["seed"], k) for k in range(sum(len(s.texts) for s in samples))],
    )
    notes = [f"Credits are by {concept}, with {settings['retriever']}."]
    credits = iter(found)
    told = []
    for sample in samples:
        own = [next(credits) for _ in sample.texts]
        notes += _changed(sample, own)
        wanted = collection.queries[sample.query_id]
        told.append(
            replace(
                sample,
                wanted=wanted,
                texts=tuple(map(_with_credit, sample.texts, own)),
                placed=_placed(reward, sample),
                command=_command(run, wanted, sample.texts[-1].text) if own[-1].shares else None,
            )
        )
    return RunSamples(tuple(told), tuple(notes))


def _with_credit(said: Said, found: TokenCredit) -> Said:
    if found.shares is None:
        return said
    phrases = [segment.phrase for segment in found.written.segments]
    return replace(said, credit=tuple(zip(phrases, found.segments.tolist(), strict=True)))


def _changed(sample: RunSample, found: Sequence[TokenCredit]) -> list[str]:
    """Say which of the texts that were written are worth something else than the run measured."""
    return [
        f"“{said.text}” is worth {credit.attribution.total:.3f} now: the data or what searches "
        "them has changed since the run was measured."
        for said, credit in zip(sample.texts[1:], found[1:], strict=True)
        if credit.attribution and abs(credit.attribution.total - said.value) > ROUNDING
    ]


def _placed(reward: Retrieval, sample: RunSample) -> tuple[Placed, ...]:
    """Return the relevant products of the highest grade that are found best by any text."""
    judge, catalogue = reward.judge(sample.query_id), reward.collection.catalogue
    ranks = judge.ranks([said.text for said in sample.texts]).T.tolist()
    placed = [
        Placed(
            catalogue.fields["title"][catalogue.position[product]],
            grade,
            tuple(its),
            moved(its[-2], its[-1]),
        )
        for product, grade, its in zip(judge.product_ids, judge.grades, ranks, strict=True)
        if reward.metric.relevant(grade)
    ]
    placed.sort(key=lambda p: (-p.grade, min((r for r in p.ranks if r), default=np.inf)))
    return tuple(placed[:PRODUCTS])


def _command(run: RunRecord, wanted: str, text: str) -> str:
    """Return the command that explains what a text retrieves, for what a query wants."""
    settings = run.settings
    names = ["data", "retriever", "metric", "segmenter"]
    words = [f"--{name}={settings[name]}" for name in names]
    if settings["credit"] in CONCEPTS:
        words.append(f"--concept={settings['credit']}")
    return shlex.join(["ospo", "explain", *words, f"--intent={wanted}", "--", text])

"""Explanation of a query: which of its phrases drive retrieval."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import version
from itertools import chain
from typing import Unpack

import numpy as np

import owen_core as oc
from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.explanation import Explanation, Interaction, Method, Product, SearchCost, Variant
from ospo.game import CONCEPTS, RetrievalGame
from ospo.game.concepts import plan_of, structure_of
from ospo.search.judge import Judge
from ospo.search.metrics import ReciprocalRank, parse_metric
from ospo.search.retriever import Retriever
from ospo.search.stored import behind, found_in_store
from ospo.search.target import TargetScore
from ospo.text.segment import Segmenter, segment
from owen_core.attribute import Options
from owen_core.coalition import Coalitions, pack

SCORE = "score"  # of one product, in place of a metric
SHOWN = 10  # products of each ranking
EVERY_SUBSET = 6  # phrases of a query of which every coalition is a variant
MOST_VARIANTS = 256  # of a longer query
MOST_EXACT = 1 << 16  # coalitions: some seconds over twenty thousand products
EXACT_BEFORE_RULE = 1 << 12  # coalitions that no rule on intervals is worth sampling for
# When the sampling of longer queries ends, unless the caller says so.
BUDGET, STOP = 2048, oc.HalfWidth(0.02)


def explain(
    query: str,
    retriever: Retriever,
    judgments: Mapping[str, int],
    *,
    metric: str = "nDCG@10",
    concept: str = "shapley",
    segmenter: Segmenter = segment,
    interactions: bool = True,
    budget: int | None = None,
    stop: oc.Stop | None = None,
    rng: int = 0,
) -> Explanation:
    """Explain which phrases of a query drive its retrieval metric.

    Every text is searched once: for the credits, the rank of each relevant product, and the lists
    of the best products. The credits are exact where that takes at most 65,536 coalitions, which
    is 16 phrases for the Shapley value; else they are sampled and have confidence intervals. What
    the query is worth without each phrase is always exact.

    Parameters
    ----------
    query : str
        Phrases with delimiters between them, or plain words.
    retriever : Retriever
    judgments : mapping
        Product id to grade: what the query should find.
    metric : str
        An ir-measures name; or ``score``, the retriever's score of the only product in the
        judgments.
    concept : str
        The solution concept, one of :data:`ospo.game.CONCEPTS`.
    segmenter : Segmenter
        Cuts the query into players.
    interactions : bool
        Whether to compute what pairs of phrases are worth together.
    budget : int, optional
        The most coalitions to value for the credits of more than six phrases. The query, its
        drops and the other variants that are shown come on top: 2n + 2 where the credits are
        sampled, and n - 1 for interactions.
    stop : owen_core.Stop, optional
        When sampling has gone on for long enough; by default at intervals of ± 0.02, and 2,048
        coalitions at most.
    rng : int
        The seed of a sample.

    Raises
    ------
    InputError
        The query has no words; the concept is unknown or cannot be computed within the budget; no
        product is relevant; or a score is asked of several products, or of a retriever that does
        not score all products itself.
    RetrieverError
        The retriever cannot be reached, or its answer is no ranking.

    Examples
    --------
    >>> from ospo.data import load
    >>> from ospo.search.bm25 import BM25
    >>> shop = load("shop")
    >>> e = explain("15 cm steel kitchen knife", BM25(shop.catalogue), shop.qrels["q125"])
    >>> abs(sum(e.credit) - e.total) < 1e-12
    True
    """
    began, found = time.perf_counter(), found_in_store(retriever)
    if concept not in CONCEPTS:
        raise InputError(f"concept must be one of {', '.join(CONCEPTS)}, got {concept!r}")
    segments = segmenter(query)
    if not segments:
        raise InputError(f"the query {query!r} has no words; write at least one")
    n = len(segments)
    score = _target_score(retriever, judgments) if metric == SCORE else None
    judge = Judge(retriever, judgments, ReciprocalRank() if score else parse_metric(metric))
    game, known = RetrievalGame(query, score or judge, segments), oc.MemoryStore()
    plan = _exact_plan(concept, n, budget, stop)

    coalitions = _variants(n, plan)
    texts = game.texts(coalitions)
    ranks, lists = judge.look(texts, SHOWN)  # before the credits, so that one search serves both
    values = score(texts) if score else judge.metric(ranks, judge.grades)
    known.put(game, pack(coalitions), n, values)
    try:
        if plan is not None:
            credit = _attribute(game, concept, interactions=interactions and n > 1, cache=known)
            pairs = credit.interactions
        else:
            if budget is None and stop is None:
                budget, stop = BUDGET, STOP
            # Without the cache: what is known already would not count, and a budget that is larger
            # than the rest would never be spent.
            credit = _attribute(game, concept, budget=budget, stop=stop, rng=rng)
            pairs = _of_neighbours(game, known) if interactions else None
        interval = None if credit.exact else credit.confidence_interval().tolist()
    except ValueError as error:
        raise InputError(f"{concept} of {n} phrases cannot be computed: {error}") from error

    relevant = [j for j, grade in enumerate(judge.grades) if judge.metric.relevant(grade)]
    relevant.sort(key=lambda j: (-judge.grades[j], ranks[0, j] == 0, ranks[0, j]))
    ids = tuple(judge.product_ids[j] for j in relevant)
    rows = zip(coalitions, texts, values.tolist(), lists, ranks[:, relevant].tolist(), strict=True)
    catalogue = _catalogue(retriever)
    asked, searched = len(known), judge.searched - (found_in_store(retriever) - found)
    if credit.sampling is not None and credit.cost is not None:
        asked += credit.cost.new  # every other coalition that was valued is known now
    if score:  # the texts that are ranked are scored as well
        asked, searched = asked + len(texts), searched + asked
    return Explanation(
        query=query,
        segments=game.names,
        credit=tuple(credit.values.tolist()),
        interval=None if interval is None else tuple((low, high) for low, high in interval),
        baseline=credit.baseline,
        total=credit.total,
        metric=SCORE if score else str(judge.metric),
        interactions=_pairs(pairs),
        relevant=ids,
        products=_products({*ids, *chain.from_iterable(lists)}, catalogue, judgments),
        variants=tuple(
            Variant(tuple(np.flatnonzero(kept).tolist()), text, value, tuple(best), tuple(places))
            for kept, text, value, best, places in rows
        ),
        method=Method(
            concept=credit.concept,
            index=None if pairs is None else pairs.index,
            structure=credit.structure,
            estimator=None if credit.sampling is None else credit.sampling.estimator,
            stopped=None if credit.sampling is None else _stopped(credit, stop),
            seed=None if credit.sampling is None else credit.sampling.seed,
            retriever=_described(retriever),
            collection="",
            products=0 if catalogue is None else len(catalogue),
            segmenter=getattr(segmenter, "__name__", type(segmenter).__name__),
            versions=_versions(),
        ),
        cost=SearchCost(asked, searched, asked - searched, time.perf_counter() - began),
    )


def _target_score(retriever: Retriever, judgments: Mapping[str, int]) -> TargetScore:
    if len(judgments) != 1:
        raise InputError(
            f"the judgments name {len(judgments)} products, and a score is of one: name one "
            "target, or choose a metric"
        )
    (product,) = judgments
    return TargetScore(retriever, product)


def _exact_plan(concept: str, n: int, budget: int | None, stop: oc.Stop | None) -> oc.Plan | None:
    """Return what exact credit values; None where it is sampled."""
    try:
        plan = plan_of(concept, n)
    except oc.TooLargeError:
        return None
    if budget is None:
        budget = MOST_EXACT if stop is None else EXACT_BEFORE_RULE
    return plan if n <= EVERY_SUBSET or len(plan) <= budget else None


def _variants(n: int, plan: oc.Plan | None) -> Coalitions:
    """Return the coalitions that are listed: everyone, all but one each, and the others.

    These are all coalitions of a short query. Of a longer one they are the intervals among those
    that are valued anyway, if they are not too many, and else nobody and each phrase alone.
    """
    others = np.concatenate([np.zeros((1, n), dtype=np.bool_), np.eye(n, dtype=np.bool_)])
    if n <= EVERY_SUBSET:
        others = np.indices((2,) * n, dtype=np.int8).reshape(n, -1).T[::-1].astype(np.bool_)
    elif plan is not None:
        valued = plan.coalitions
        begins = valued[:, 1:] > valued[:, :-1]
        intervals = valued[begins.sum(axis=1) + valued[:, 0] <= 1]
        if len(intervals) <= MOST_VARIANTS:
            others = intervals
    first = np.concatenate([np.ones((1, n), dtype=np.bool_), ~np.eye(n, dtype=np.bool_)])
    listed = dict.fromkeys(row.tobytes() for row in np.concatenate([first, others]))
    return np.frombuffer(b"".join(listed), dtype=np.bool_).reshape(-1, n)


def _attribute(game: RetrievalGame, concept: str, **options: Unpack[Options]) -> oc.Attribution:
    structure = structure_of(concept, len(game.segments))
    return oc.attribute(game, game.names, concept, structure, **options)


def _of_neighbours(game: RetrievalGame, known: oc.MemoryStore) -> oc.Interactions:
    """Return what leaving out two neighbours costs beyond each; exact, for n - 1 evaluations."""
    return oc.interactions(game, game.names, "leave-two-out", pairs="adjacent", cache=known)


def _pairs(found: oc.Interactions | None) -> tuple[Interaction, ...]:
    sets = {} if found is None else found.values
    return tuple(Interaction(*pair, value) for pair, value in sets.items() if len(pair) == 2)


def _stopped(credit: oc.Attribution, stop: oc.Stop | None) -> str:
    """Say why an estimate ended, and how wide its widest interval is."""
    assert credit.cost is not None
    assert credit.std_error is not None
    assert credit.sampling is not None
    found = credit.values, credit.std_error, credit.sampling.degrees_of_freedom
    progress = oc.Progress(lambda: found, credit.cost.new, credit.cost.seconds)
    ended = "the rule was met" if stop and stop.met(progress) else "the budget was spent"
    widest = progress.half_widths(0.95).max()
    return f"{ended} after {credit.cost.new:,} evaluations, widest interval ± {widest:.2g}"


def _catalogue(retriever: Retriever) -> Catalogue | None:
    return getattr(behind(retriever), "catalogue", None)


def _products(
    ids: Iterable[str], catalogue: Catalogue | None, judgments: Mapping[str, int]
) -> dict[str, Product]:
    """Return what is known of products; without a catalogue, their ids are their titles."""
    if catalogue is None:
        return {product: Product(product, judgments.get(product)) for product in sorted(ids)}
    titles, place = catalogue.fields["title"], catalogue.position
    return {
        product: Product(titles[place[product]], judgments.get(product)) for product in sorted(ids)
    }


def _described(retriever: Retriever) -> str:
    """Name a retriever, and the engine outside that it asks, without what may be secret."""
    inner = behind(retriever)
    if isinstance(url := getattr(inner, "url", None), str):
        return f"{type(inner).__name__} at {url.partition('?')[0]}"
    return str(getattr(inner, "database", type(inner).__name__))


@cache
def _versions() -> Mapping[str, str]:
    return {
        "owen-core": version("owen-core"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }

"""The task: contexts that hide a judged query, split by query, and the policies that begin."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property

from benchmarks.claims.learning.repeats import CountingBM25
from ospo.data import load
from ospo.data.collection import Collection
from ospo.data.contexts import Context, noisy_contexts
from ospo.reward.retrieval import Retrieval
from ospo.search.bm25 import BM25
from ospo.search.metrics import Metric, parse_metric
from ospo.train.policy.policy import Policy
from ospo.train.policy.start import warm_policy

VALIDATION, TEST = 0.2, 0.3  # shares of the queries; validation chooses rates, test chooses nothing
SPLIT_SEED = 8  # another split than that of ospo train, whose held-out contexts were looked at
PER_QUERY = 3  # contexts of each validation and test query
WARM_START_STEPS = 600


@dataclass(frozen=True)
class Task:
    """A collection, what is rewarded, and which of its queries are for what.

    Attributes
    ----------
    data : str
        What :func:`ospo.data.load` loads.
    """

    data: str

    @cached_property
    def collection(self) -> Collection:
        """The collection."""
        return load(self.data)

    @property
    def name(self) -> str:
        """What its records are called."""
        return self.collection.name

    @cached_property
    def retriever(self) -> BM25:
        """What searches in training."""
        return BM25(self.collection.catalogue)

    @cached_property
    def counting_retriever(self) -> CountingBM25:
        """The same, where repeating a term counts."""
        return CountingBM25(self.collection.catalogue)

    @property
    def metric(self) -> Metric:
        """What is rewarded."""
        return parse_metric("nDCG@100")

    @cached_property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """Ids of the queries for training, validation and test; near-duplicates are together."""
        return self.collection.split((VALIDATION, TEST), seed=SPLIT_SEED)

    def training(self, count: int, seed: int) -> list[Context]:
        """Return training contexts in random order; a longer stream begins as a shorter one."""
        queries = self.parts[0]
        stream: list[Context] = []
        turn = 0
        while len(stream) < count:
            # One context of each query a turn, so that a longer stream begins as a shorter one.
            rng = random.Random(f"{seed} {turn}")
            contexts = noisy_contexts(
                self.collection, queries, per_query=1, seed=rng.getrandbits(32)
            )
            stream += sorted(contexts, key=lambda _: rng.random())
            turn += 1
        return stream[:count]

    @cached_property
    def validation(self) -> list[Context]:
        """Contexts of the validation queries."""
        return self._held_out(self.parts[1], SPLIT_SEED + 1)

    @cached_property
    def test(self) -> list[Context]:
        """Contexts of the test queries."""
        return self._held_out(self.parts[2], SPLIT_SEED + 2)

    @cached_property
    def ceiling(self) -> float:
        """What the hidden queries of the test contexts are worth, a mean."""
        retrieval = Retrieval(self.collection, self.retriever, self.metric)
        queries = self.collection.queries
        own = [retrieval.judge(query)([queries[query]])[0] for query in self.parts[2]]
        return sum(own) / len(own)

    def _held_out(self, queries: tuple[str, ...], seed: int) -> list[Context]:
        return noisy_contexts(self.collection, queries, per_query=PER_QUERY, seed=seed)

    def policy(self, seed: int) -> Policy:
        """Return an initial policy: trained to copy from titles, without queries or judgments."""
        return warm_policy(self.collection, WARM_START_STEPS, seed)

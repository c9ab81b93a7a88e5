"""Dense retrieval as a value function: what batching, sharing and remembering save.

    OMP_NUM_THREADS=1 python benchmarks/claims/dense.py --data icecat:DIR --cache DIR

A group is 8 rollouts for one query: each writes 8 of the 12 phrases of a context (real queries, of
which one is wanted), in their order. Its coalitions are valued by nDCG@100 over the titles, with
all-MiniLM-L6-v2: each encoded and searched in a call of its own, or all in one call. Three groups
follow for the same query, as in later epochs. Times are of the processor, on one thread, each
measured once on some contexts; the credits are compared bit by bit.

Measured beside: how far a vector moves with its batch, in either precision, and how many vectors
that changes after rounding.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from ospo.data import Collection, load
from ospo.game import attribute_together
from ospo.search.dense import Dense
from ospo.search.encoder import Encoder, minilm_folder
from ospo.search.judge import Judge
from ospo.search.metrics import NDCG
from ospo.search.vectors import unit_vectors
from ospo.text.segment import segment

RESULTS = Path(__file__).parents[1] / "results"
CONTEXTS = {"myerson": 3, "shapley": 1}
PHRASES, WRITTEN, ROLLOUTS, LATER = 12, 8, 8, 3
METRIC = NDCG(100)
SAMPLE = 256

Value = Callable[[Sequence[str]], np.ndarray]


def rollouts(phrases: Sequence[str], random: np.random.Generator) -> list[str]:
    """Return the texts of one group."""
    chosen = [np.sort(random.choice(PHRASES, WRITTEN, replace=False)) for _ in range(ROLLOUTS)]
    return [", ".join(phrases[i] for i in rollout) for rollout in chosen]


def credits(texts: Sequence[str], value: Value, concept: str) -> tuple[float, list[list[float]]]:
    """Return the processor's seconds to value a group, and the credits of its phrases."""
    began = time.process_time()
    segments = [segment(text) for text in texts]
    found = attribute_together(texts, segments, lambda queries, _: value(queries), concept)
    spent = time.process_time() - began
    assert all(len(own) == WRITTEN for own in segments)
    return spent, [attribution.values.tolist() for attribution in found]


def groups(collection: Collection, engine: Dense, concept: str) -> dict[str, float]:
    """Return the times of groups valued one coalition at a time, and all in one call."""
    random = np.random.default_rng(0)
    ids = collection.answerable
    alone, first, later = [], [], []
    asked, encoded = np.zeros(2, int), np.zeros(2, int)  # in first groups, in later ones
    for context in range(CONTEXTS[concept]):
        chosen = [ids[context * PHRASES + i] for i in range(PHRASES)]
        phrases = [collection.queries[query].replace(",", " ") for query in chosen]
        judgments = collection.qrels[chosen[0]]

        def one(query: str, judgments: Mapping[str, int] = judgments) -> float:
            engine._known.clear()
            return float(Judge(engine, judgments, METRIC)([query])[0])

        texts = rollouts(phrases, random)
        spent, expected = credits(texts, lambda queries: np.array([*map(one, queries)]), concept)
        alone.append(spent)
        engine._known.clear()
        judge = Judge(engine, judgments, METRIC)
        spent, found = credits(texts, judge, concept)
        assert found == expected, "batching changed a credit"
        first.append(spent)
        so_far = np.array([judge.asked, judge.searched])
        later += [credits(rollouts(phrases, random), judge, concept)[0] for _ in range(LATER)]
        asked += so_far[0], judge.asked - so_far[0]
        encoded += so_far[1], judge.searched - so_far[1]
    means = {"alone_s": np.mean(alone), "first_s": np.mean(first), "later_s": np.mean(later)}
    all_groups = (means["first_s"] + LATER * means["later_s"]) / (1 + LATER)
    return {
        **{name: float(mean) for name, mean in means.items()},
        "coalitions": float(asked[0] / len(first)),
        "served_first": float(1 - encoded[0] / asked[0]),
        "served_later": float(1 - encoded[1] / asked[1]),
        "faster_first": float(means["alone_s"] / means["first_s"]),
        "faster_later": float(means["alone_s"] / means["later_s"]),
        "faster_in_all": float(means["alone_s"] / all_groups),
    }


def rounding(collection: Collection) -> dict[str, dict[str, float]]:
    """Return how vectors of queries differ between batches of 64 and of 1, in both precisions."""
    queries = [collection.queries[query] for query in collection.answerable]
    lengths = [1 + i % WRITTEN for i in range(SAMPLE)]
    texts = [
        ", ".join(queries[(7 * i + j) % len(queries)] for j in range(length))
        for i, length in enumerate(lengths)
    ]
    found = {}
    for precision in ("single", "double"):
        model = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True)
        if precision == "double":
            model = model.double()
        model.encode(texts[:8])
        began = time.process_time()
        together = model.encode(texts, batch_size=64)
        middle = time.process_time()
        alone = np.stack([model.encode(text) for text in texts])
        ended = time.process_time()
        changed = (unit_vectors(together) != unit_vectors(alone)).any(axis=1)
        found[precision] = {
            "largest_difference": float(np.abs(together - alone).max()),
            "vectors_changed": float(changed.mean()),
            "batch_ms": (middle - began) / SAMPLE * 1e3,
            "alone_ms": (ended - middle) / SAMPLE * 1e3,
        }
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", default="shop")
    options.add_argument("--cache", metavar="DIR", type=Path)
    chosen = options.parse_args()
    collection = load(chosen.data)
    encoder = Encoder(minilm_folder(), device="cpu")
    titles = collection.catalogue.fields["title"][:SAMPLE]
    began = time.process_time()
    encoder.encode_documents(titles)
    per_title = (time.process_time() - began) / len(titles)
    engine = Dense(collection.catalogue, encoder, chosen.cache, fields=["title"])
    found: dict[str, object] = {
        "processor": platform.processor() or platform.machine(),
        "title_ms": per_title * 1e3,
    }
    print(f"{len(titles)} titles of {collection.name}: {per_title * 1e3:.1f} ms each to encode")
    print("\nqueries of 1 to 8 phrases, in batches of 64 and alone")
    print("  precision  largest difference  vectors changed by it  batch ms  alone ms")
    found["rounding"] = rounding(collection)
    for precision, row in found["rounding"].items():
        print(
            f"  {precision:<9}  {row['largest_difference']:>18.1e}  {row['vectors_changed']:>21.1%}"
            f"  {row['batch_ms']:>8.1f}  {row['alone_ms']:>8.1f}"
        )
    print(f"\ngroups of {ROLLOUTS} rollouts of {WRITTEN} phrases; same credits, bit by bit")
    print(
        "  concept  coalitions  one by one s   first s  (served)  later s  (served)"
        "   faster: first  later  all"
    )
    for concept in CONTEXTS:
        row = found[concept] = groups(collection, engine, concept)
        print(
            f"  {concept:<7}  {row['coalitions']:>10.0f}  {row['alone_s']:>12.2f}"
            f"  {row['first_s']:>8.2f}  {row['served_first']:>8.0%}"
            f"  {row['later_s']:>7.2f}  {row['served_later']:>8.0%}"
            f"   {row['faster_first']:>13.1f}  {row['faster_later']:>5.1f}"
            f"  {row['faster_in_all']:>3.1f}",
            flush=True,
        )
    path = RESULTS / f"dense_{collection.name}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

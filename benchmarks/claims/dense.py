"""Dense retrieval as a value function: encoders beside each other, and what sharing saves.

    OMP_NUM_THREADS=1 python benchmarks/claims/dense.py --data icecat:DIR --cache DIR [--steps 120]

All encoders are all-MiniLM-L6-v2 over the titles: torch in double precision, as ``dense`` has it;
ONNX in single precision (``dense:#onnx``) and in 8 bits (``dense:#onnx-int8``); and torch in
single precision, which is not offered. Texts are queries of 1 to 8 phrases, encoded in one call and
alone: what that changes in their vectors, and the times. Rankings are compared with those of torch.

A group is 8 rollouts for one query: each writes 8 of the 12 phrases of a context (real queries, of
which one is wanted), in their order. Its coalitions are valued by nDCG@100: each encoded and
searched in a call of its own, or all in one call. Three groups follow for the same query, as in
later epochs. The credits are compared bit by bit.

With ``--steps``, a policy is trained by praise and Myerson credit with the ONNX encoder, and the
texts that it encoded are counted beside those that were valued, from the start of training.

Times are of the processor, on one thread, each measured once.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
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
from ospo.search.onnx import OnnxEncoder
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


def encoded(
    encode: Callable[[list[str]], np.ndarray], texts: list[str], titles: list[str]
) -> tuple[dict[str, float], np.ndarray]:
    """Return how fast texts are encoded and what their batch changes; and their vectors."""
    encode(texts[:8])
    times = [time.process_time()]
    together = encode(texts)
    times.append(time.process_time())
    alone = np.concatenate([encode([text]) for text in texts])
    times.append(time.process_time())
    encode(titles)
    times.append(time.process_time())
    spent = np.diff(times) * 1e3
    row = {
        "batch_ms": spent[0] / len(texts),
        "alone_ms": spent[1] / len(texts),
        "title_ms": spent[2] / len(titles),
        "largest_difference": float(np.abs(together - alone).max()),
        "vectors_changed": float((together != alone).any(axis=1).mean()),
    }
    return row, together


def encoders(collection: Collection, offered: Mapping[str, Encoder]) -> dict[str, dict[str, float]]:
    """Return the speed of each encoder, and how near its vectors are to those of torch."""
    queries = [collection.queries[query] for query in collection.answerable]
    texts = [
        ", ".join(queries[(7 * i + j) % len(queries)] for j in range(1 + i % WRITTEN))
        for i in range(SAMPLE)
    ]
    titles = list(collection.catalogue.fields["title"][:SAMPLE])
    single = SentenceTransformer(str(minilm_folder()), device="cpu", local_files_only=True)
    ways = {name: encoder.encode_queries for name, encoder in offered.items()}
    ways["torch, single"] = lambda texts: unit_vectors(single.encode(texts, batch_size=64))
    rows, expected = {}, None
    for name, encode in ways.items():
        row, vectors = encoded(encode, texts, titles)
        expected = vectors if expected is None else expected
        rows[name] = {**row, "least_cosine": float((vectors * expected).sum(axis=1).min())}
    return rows


def rankings(collection: Collection, engines: Mapping[str, Dense]) -> dict[str, dict[str, float]]:
    """Return nDCG@10 of the judged queries, and the overlap of the best 10 with torch's."""
    ids = collection.answerable
    queries, rows = [collection.queries[query] for query in ids], {}
    expected: list[set[str]] | None = None
    for name, engine in engines.items():
        best = [{hit.product_id for hit in hits} for hits in engine.search(queries, 10)]
        expected = best if expected is None else expected
        values = [
            Judge(engine, collection.qrels[query], NDCG(10))([text])[0]
            for query, text in zip(ids, queries, strict=True)
        ]
        shared = [len(own & its) for own, its in zip(best, expected, strict=True)]
        rows[name] = {"nDCG@10": float(np.mean(values)), "overlap": float(np.mean(shared)) / 10}
    return rows


def training(data: str, steps: int) -> dict[str, float]:
    """Return how many texts a training valued, searched and encoded."""
    from ospo.train.run import train
    from ospo.train.settings import parse
    from ospo.train.view import View

    count, encode = 0, Encoder.encode_queries

    def counting(self: Encoder, texts: Sequence[str]) -> np.ndarray:
        nonlocal count
        count += len(texts)
        return encode(self, texts)

    at_the_end = 0

    class Watching(View):
        """Sees what was encoded before what is held out is valued."""

        def step(self, *_: object) -> None:
            nonlocal at_the_end
            at_the_end = count

    with tempfile.TemporaryDirectory() as folder:
        flags = ["--data", data, "--retriever", "dense:#onnx&fields=title"]
        flags += ["--rule", "praise", "--credit", "myerson", "--max_steps", str(steps)]
        run, args = parse([*flags, "--output_dir", folder])
        Encoder.encode_queries = counting
        try:
            result = train(run, args, view=Watching())
        finally:
            Encoder.encode_queries = encode
    return {
        "steps": steps,
        "asked": result.asked,
        "searched": result.searched,
        "encoded": at_the_end,
        "served": 1 - at_the_end / result.asked,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--data", default="shop")
    options.add_argument("--cache", metavar="DIR", type=Path)
    options.add_argument("--steps", type=int, default=0)
    chosen = options.parse_args()
    collection = load(chosen.data)
    offered = {
        "torch": Encoder(minilm_folder(), device="cpu"),
        "onnx": OnnxEncoder(minilm_folder(), chosen.cache),
        "onnx-int8": OnnxEncoder(minilm_folder(), chosen.cache, int8=True),
    }
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    print(f"{SAMPLE} texts and {SAMPLE} titles of {collection.name}, ms each")
    print("  encoder        in one call  alone  titles  changed by the batch  least cosine")
    found["encoders"] = encoders(collection, offered)
    for name, row in found["encoders"].items():
        print(
            f"  {name:<13}  {row['batch_ms']:>11.2f}  {row['alone_ms']:>5.2f}"
            f"  {row['title_ms']:>6.2f}  {row['vectors_changed']:>20.1%}"
            f"  {row['least_cosine']:>12.6f}",
            flush=True,
        )
    engines = {
        name: Dense(collection.catalogue, encoder, chosen.cache, fields=["title"])
        for name, encoder in offered.items()
    }
    print(f"\n{len(collection.answerable)} queries, {len(collection.catalogue):,} products")
    print("  encoder        nDCG@10  best 10 shared with torch")
    found["rankings"] = rankings(collection, engines)
    for name, row in found["rankings"].items():
        print(f"  {name:<13}  {row['nDCG@10']:>7.4f}  {row['overlap']:>25.1%}", flush=True)
    print(f"\ngroups of {ROLLOUTS} rollouts of {WRITTEN} phrases; same credits, bit by bit")
    print(
        "  encoder    concept  coalitions  one by one s   first s  (served)  later s  (served)"
        "   faster: first  later  all"
    )
    for name in ("torch", "onnx"):
        for concept in CONTEXTS:
            row = found[f"{name} {concept}"] = groups(collection, engines[name], concept)
            print(
                f"  {name:<9}  {concept:<7}  {row['coalitions']:>10.0f}  {row['alone_s']:>12.2f}"
                f"  {row['first_s']:>8.2f}  {row['served_first']:>8.0%}"
                f"  {row['later_s']:>7.2f}  {row['served_later']:>8.0%}"
                f"   {row['faster_first']:>13.1f}  {row['faster_later']:>5.1f}"
                f"  {row['faster_in_all']:>3.1f}",
                flush=True,
            )
    if chosen.steps:
        row = found["training"] = training(chosen.data, chosen.steps)
        print(
            f"\ntraining, {row['steps']} steps: {row['asked']:,} texts valued, "
            f"{row['searched']:,} searched, {row['encoded']:,} encoded: "
            f"{row['served']:.1%} served without the encoder"
        )
    path = RESULTS / f"dense_{collection.name}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

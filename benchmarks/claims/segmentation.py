"""How well segmenters find phrases that were joined without anything between them.

    OMP_NUM_THREADS=1 python benchmarks/claims/segmentation.py --icecat DIR

Texts are made of two to four phrases with single spaces between them; a segmenter should cut where
they were joined and nowhere else. No word occurs twice in a text. Phrases are

- shop traits: the name and the traits of one generated product ("walking boots", "for hiking");
- shop queries: queries for generated products; one tells several traits, which is finer than
  where they are joined;
- icecat fields: short attributes of one real product, its brand among them, in any order;
- icecat mixed: such attributes of several products;
- icecat queries: real shoppers' queries; half of the texts with a clause about no product.

"Held-out titles" are those of the products whose fields are not joined: only they were counted.
The defaults were chosen on other draws of the same phrases. Last, the time that each segmenter
takes for a text of a million characters.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from ospo.data import Catalogue, load
from ospo.data.contexts import FILLER
from ospo.data.icecat import PRODUCT_FILES
from ospo.data.shop_vocabulary import DEPARTMENTS
from ospo.text.load import load_segmenter
from ospo.text.npmi import NPMI
from ospo.text.segment import Segmenter

RESULTS = Path(__file__).parents[1] / "results" / "segmentation.json"
TEXTS = 1000
SEED = 20
CHARACTERS = 1_000_000
# What shoppers could say of a product; not its codes, temperatures or customs numbers.
ATTRIBUTES = """product_type product_colour processor_family display_resolution
maximum_resolution material battery_technology internal_memory_type form_factor print_technology
compatibility connectivity_technology connector_1 cable_type finish_type ink_type"""
COLUMNS = ("supplier", *(f"attr_t_{name}" for name in ATTRIBUTES.split()))
# Fields with delimiters of their own would be cut by any segmenter.
PLAIN = re.compile(r"[^,;:/|()\n]+")

Phrases = Sequence[str]
Draw = Callable[[random.Random], list[str]]


def planted(draw: Draw) -> list[list[str]]:
    """Return the phrases of each text."""
    rng = random.Random(SEED)
    texts: list[list[str]] = []
    while len(texts) < TEXTS:
        phrases = draw(rng)[:4]
        said = [word.lower() for phrase in phrases for word in phrase.split()]
        if len(phrases) > 1 and len(set(said)) == len(said):
            texts.append(phrases)
    return texts


def traits(rng: random.Random) -> list[str]:
    kind = rng.choice([kind for department in DEPARTMENTS for kind in department.kinds])
    phrases = [kind.name, *filter(None, (rng.choice(values) for values in kind.traits.values()))]
    rng.shuffle(phrases)
    return phrases


def of_one(products: Sequence[Phrases]) -> Draw:
    def draw(rng: random.Random) -> list[str]:
        fields = rng.choice(products)
        return rng.sample(fields, len(fields))

    return draw


def of_several(products: Sequence[Phrases]) -> Draw:
    def draw(rng: random.Random) -> list[str]:
        return [rng.choice(rng.choice(products)) for _ in range(rng.choice((2, 3, 4)))]

    return draw


def queries(asked: Mapping[str, str], *, filler: bool = False) -> Draw:
    distinct = sorted({query.lower() for query in asked.values()})

    def draw(rng: random.Random) -> list[str]:
        phrases = rng.sample(distinct, rng.choice((2, 3)))
        if filler and rng.random() < 0.5:
            phrases.insert(rng.randrange(len(phrases) + 1), rng.choice(FILLER))
        return phrases

    return draw


def icecat_fields(folder: Path) -> dict[str, Phrases]:
    """Return the short attributes of each product that has two, by its id."""
    fields = {}
    for name in PRODUCT_FILES:
        with zipfile.ZipFile(folder / name) as archive:
            for product in json.loads(archive.read(archive.namelist()[0])):
                texts = [product.get(column) for column in COLUMNS]
                short = [
                    text
                    for text in texts
                    if isinstance(text, str) and PLAIN.fullmatch(text) and len(text.split()) <= 4
                ]
                if len(short) > 1:
                    fields[product["id"]] = short
    return fields


def scores(segmenter: Segmenter, texts: Sequence[Phrases]) -> dict[str, float]:
    """Return precision, recall and F1 of the boundaries, and the share of texts cut as joined."""
    right = found = there = exact = 0
    for phrases in texts:
        truth = set(accumulate(len(phrase) + 1 for phrase in phrases[:-1]))
        cuts = {segment.start for segment in segmenter(" ".join(phrases))[1:]}
        right += len(truth & cuts)
        found += len(cuts)
        there += len(truth)
        exact += truth == cuts
    return {
        "precision": right / max(found, 1),
        "recall": right / there,
        "F1": 2 * right / (found + there),
        "exact": exact / len(texts),
    }


def report(name: str, catalogue: Catalogue, texts: Sequence[Phrases]) -> dict[str, object]:
    """Print and return how every segmenter does on some texts."""
    titles, phrases = catalogue.fields["title"], texts[0]
    print(f"{name}: {' | '.join(phrases)}")
    segmenters = {
        "words": load_segmenter("words"),
        "npmi": NPMI(titles),
        "npmi, titles and descriptions": load_segmenter("npmi:title,description", catalogue.fields),
        **{f"npmi, window {window}": NPMI(titles, window=window) for window in (2, 5)},
        **{f"npmi, threshold {at}": NPMI(titles, threshold=at) for at in (0.0, 0.1, 0.3)},
    }
    rows: dict[str, object] = {}
    for label, segmenter in segmenters.items():
        rows[label] = show(label, scores(segmenter, texts))
    return rows


def show(label: str, row: dict[str, float]) -> dict[str, float]:
    print(f"  {label:<32}" + "  ".join(f"{name} {value:.3f}" for name, value in row.items()))
    return row


def seconds(segmenter: Segmenter, text: str) -> float:
    began = time.perf_counter()
    segmenter(text)
    return time.perf_counter() - began


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--icecat", type=Path, metavar="DIR")
    chosen = options.parse_args()
    shop = load("shop")
    found: dict[str, object] = {
        "shop traits": report("shop traits", shop.catalogue, planted(traits)),
        "shop queries": report("shop queries", shop.catalogue, planted(queries(shop.queries))),
    }
    if chosen.icecat:
        icecat = load(f"icecat:{chosen.icecat}")
        fields = icecat_fields(chosen.icecat)
        products = list(fields.values())
        texts = planted(of_one(products))
        rows = report("icecat fields", icecat.catalogue, texts)
        catalogue = icecat.catalogue
        titles = zip(catalogue.ids, catalogue.fields["title"], strict=True)
        other = [title for product, title in titles if product not in fields]
        label = f"npmi, {len(other):,} held-out titles"
        rows[label] = show(label, scores(NPMI(other), texts))
        found["icecat fields"] = rows
        for name, draw in (
            ("icecat mixed", of_several(products)),
            ("icecat queries", queries(icecat.queries, filler=True)),
        ):
            found[name] = report(name, icecat.catalogue, planted(draw))

    long = "office chair with wheels, black mesh. Title: 2 kg\n" * CHARACTERS
    times = {}
    for name in ("phrases", "words", "lines", "sentences", "fields", "turns", "answer", "npmi"):
        segmenter = load_segmenter(name, shop.catalogue.fields)
        half, whole = (
            seconds(segmenter, f"<answer>{long[:length]}</answer>")
            for length in (CHARACTERS // 2, CHARACTERS)
        )
        times[name] = {"half_s": half, "whole_s": whole}
        print(f"{name:<10} {CHARACTERS:,} characters: {whole:.2f} s (half of them: {half:.2f} s)")
    RESULTS.write_text(json.dumps(found | {"seconds": times}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Load time and memory of the loaders, on generated files of the published form and size.

    python benchmarks/core/loaders.py [esci wands hm] [--share 0.1]

Files are written to a temporary folder. Each collection is loaded twice by an interpreter of its
own: from its files, and from the cache that this leaves. Memory is the most that the process has
for itself, above what it has before; pages of mapped files are not in it, since they give way when
memory is short. ESCI is the American half in its large version. With ``--share``, a part of the
published rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ospo.data import load
from ospo.data.esci import EXAMPLES, FIELDS, PRODUCTS
from ospo.data.hm import ARTICLE, PURCHASE

RESULTS = Path(__file__).parents[1] / "results"
BATCH = 10_000
LOADS = ("from its files", "from the cache")


def words(draw: random.Random, count: int) -> str:
    """Return some words that are not in any dictionary."""
    return " ".join(f"{draw.randrange(36**4):05x}" for _ in range(count))


def write_parquet(path: Path, count: int, row: Callable[[int], dict[str, str | int]]) -> None:
    writer = None
    for start in range(0, count, BATCH):
        rows = [row(number) for number in range(start, min(start + BATCH, count))]
        table = pa.Table.from_pylist(rows)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def write_lines(path: Path, columns: tuple[str, ...], lines: Iterator[str], delimiter: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(delimiter.join(columns) + "\n")
        file.writelines(f"{line}\n" for line in lines)


def write_esci(folder: Path, share: float) -> str:
    products, judgments = int(1_215_854 * share), int(1_818_825 * share)
    draw = random.Random(0)
    texts = [words(draw, 80) for _ in range(1000)]  # some 500 bytes each
    columns = dict.fromkeys(FIELDS.values(), "")

    def product(number: int) -> dict[str, str | int]:
        return {
            "product_id": f"B{number:09}",
            "product_locale": "us",
            **columns,
            "product_title": f"{words(draw, 15)} {number}",
            "product_bullet_point": texts[draw.randrange(1000)],
            "product_description": texts[draw.randrange(1000)],
        }

    def example(number: int) -> dict[str, str | int]:
        return {
            "query_id": number // 19,
            "query": f"query {number // 19}",
            "product_id": f"B{(number * 7919) % products:09}",
            "product_locale": "us",
            "esci_label": "ESCI"[number % 4],
            "small_version": 0,
            "large_version": 1,
            "split": "train",
        }

    write_parquet(folder / PRODUCTS, products, product)
    write_parquet(folder / EXAMPLES, judgments, example)
    return f"esci:{folder},version=large"


def write_wands(folder: Path, share: float) -> str:
    products, judgments = int(42_994 * share), int(233_448 * share)
    draw = random.Random(0)
    columns = ("product_id", "product_name", "product_class", "product_description")
    write_lines(
        folder / "product.csv",
        (*columns, "product_features"),
        (
            f"{n}\t{words(draw, 8)}\t{words(draw, 2)}\t{words(draw, 80)}\t{words(draw, 120)}"
            for n in range(products)
        ),
        "\t",
    )
    queries = (f"{n}\tquery {n}\tclass" for n in range(480))
    write_lines(folder / "query.csv", ("query_id", "query", "query_class"), queries, "\t")
    labels = ("Exact", "Partial", "Irrelevant")
    write_lines(
        folder / "label.csv",
        ("id", "query_id", "product_id", "label"),
        (f"{n}\t{n % 480}\t{n // 480 * 83 % products}\t{labels[n % 3]}" for n in range(judgments)),
        "\t",
    )
    return f"wands:{folder}"


def write_hm(folder: Path, share: float) -> str:
    articles, purchases = 105_542, int(31_788_324 * share)
    customers = max(1, int(1_362_281 * share))
    draw = random.Random(0)
    rest = ",".join(words(draw, 1) for _ in range(3))
    write_lines(
        folder / "articles.csv",
        ARTICLE,
        (f"{n:010},{words(draw, 2)},{rest},{words(draw, 25)}" for n in range(articles)),
        ",",
    )
    write_lines(
        folder / "transactions_train.csv",
        (PURCHASE[2], PURCHASE[0], PURCHASE[1], "price", "sales_channel_id"),
        (
            f"2020-01-{1 + n * 28 // purchases:02},{n * 7919 % customers:064x},"
            f"{n * 104_729 % articles:010},0.0508,2"
            for n in range(purchases)
        ),
        ",",
    )
    return f"hm:{folder}"


WRITERS = {"esci": write_esci, "wands": write_wands, "hm": write_hm}


def anonymous() -> int:
    """Return the bytes that this process has for itself."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) * 1024


def measure(name: str) -> dict[str, float]:
    """Return the time and memory of one load, in this process."""
    before, done = anonymous(), threading.Event()
    most = before

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, anonymous())

    watching = threading.Thread(target=watch)
    watching.start()
    began = time.process_time()
    collection = load(name)
    spent = time.process_time() - began
    done.set()
    watching.join()
    return {
        "products": len(collection.catalogue),
        "judgments": sum(map(len, collection.qrels.values())),
        "cpu_s": spent,
        "peak_MB": (max(most, anonymous()) - before) / 1e6,
        "kept_MB": (anonymous() - before) / 1e6,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("names", nargs="*", metavar="name", help=", ".join(WRITERS))
    options.add_argument("--share", type=float, default=1.0)
    options.add_argument("--load", metavar="NAME", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.load:
        print(json.dumps(measure(chosen.load)))
        return
    found: dict[str, object] = {"processor": platform.processor() or platform.machine()}
    print("collection  files MB   products  judgments                   CPU s  peak MB  kept MB")
    for name in chosen.names or WRITERS:
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder) / "files"
            files.mkdir()
            spec = WRITERS[name](files, chosen.share)
            size = sum(path.stat().st_size for path in files.iterdir()) / 1e6
            for how in LOADS:
                done = subprocess.run(
                    [sys.executable, __file__, "--load", spec],
                    env={**os.environ, "OSPO_CACHE": f"{folder}/cache"},
                    stdout=subprocess.PIPE,
                    check=True,
                )
                row = json.loads(done.stdout)
                found[f"{name}, {how}"] = {"share": chosen.share, "files_MB": size, **row}
                print(
                    f"{name:<10}  {size:>8,.0f}  {row['products']:>9,}  {row['judgments']:>9,}"
                    f"  {how:<14}  {row['cpu_s']:>7.1f}  {row['peak_MB']:>7,.0f}"
                    f"  {row['kept_MB']:>7,.0f}",
                    flush=True,
                )
    (RESULTS / "loaders.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

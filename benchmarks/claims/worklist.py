"""What many queries take: seconds, memory and bytes, and that a killed run goes on.

    OMP_NUM_THREADS=1 python benchmarks/claims/worklist.py [--icecat DIR]

``ospo explain --queries all`` is run as a user runs it, from a cold process and without any stored
index, with BM25 and a page for each query. The shop is the generated one with more wishes, in
BEIR's form. The memory is the peak of the process. Last, the largest run is killed in the middle
and started again: its rows must be those of the run that was not.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ospo.data import Collection, shop

RESULTS = Path(__file__).parents[1] / "results" / "worklist.json"
SIZES = (1250, 2500, 5000, 10000)
MIB = 1 << 20


def write_beir(collection: Collection, folder: Path) -> None:
    (folder / "qrels").mkdir(parents=True)
    fields = collection.catalogue.fields
    products = zip(collection.catalogue.ids, fields["title"], fields["description"], strict=True)
    write_lines(
        folder / "corpus.jsonl", [{"_id": i, "title": t, "text": d} for i, t, d in products]
    )
    queries = [{"_id": query, "text": text} for query, text in collection.queries.items()]
    write_lines(folder / "queries.jsonl", queries)
    with (folder / "qrels" / "test.tsv").open("w", encoding="utf-8") as file:
        file.write("query-id\tcorpus-id\tscore\n")
        for query, grades in collection.qrels.items():
            file.writelines(f"{query}\t{product}\t{grade}\n" for product, grade in grades.items())


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def start(data: str, out: Path, cache: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ospo.cli", "explain", "--queries", "all", "--data", data]
    environment = os.environ | {"OSPO_CACHE": str(cache)}
    return subprocess.Popen(
        [*command, "--out", str(out)], stdout=subprocess.DEVNULL, env=environment
    )


def measured(data: str, out: Path) -> dict[str, float]:
    """Run to the end; return what it took and left."""
    began = time.perf_counter()
    process = start(data, out, out.with_suffix(".cache"))
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise SystemExit(f"the run on {data} ended with status {status}")
    pages = [path.stat().st_size for path in (out / "pages").iterdir()]
    row = {
        "queries": len(rows_of(out)),
        "pages": len(pages),
        "seconds": round(seconds, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": round(usage.ru_maxrss * 1024 / MIB, 1),
        "index_kb": round((out / "index.html").stat().st_size / 1000, 1),
        "largest_page_kb": round(max(pages) / 1000, 1),
    }
    print(data.partition(":")[0], row, flush=True)
    return row


def rows_of(out: Path) -> list[dict[str, object]]:
    """Return the rows without what is never the same."""
    rows = [json.loads(line) for line in (out / "worklist.jsonl").read_text().splitlines()]
    for row in rows:
        if row["summary"] is not None:
            del row["summary"]["seconds"]
    return rows


def killed_in_the_middle(data: str, out: Path, count: int) -> int:
    """Run until half of the rows are there; kill it and return how many are."""
    process = start(data, out, out.with_suffix(".cache"))
    rows = out / "worklist.jsonl"
    while not rows.exists() or rows.read_bytes().count(b"\n") < count // 2:
        if process.poll() is not None:
            raise SystemExit("the run ended before it was killed")
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return rows.read_bytes().count(b"\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--icecat", type=Path, metavar="DIR")
    chosen = options.parse_args()
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if chosen.icecat:
            found["icecat"] = measured(f"icecat:{chosen.icecat.resolve()}", folder / "icecat")
        runs = []
        for size in SIZES:
            shop.WISHES = size
            write_beir(shop.load_shop(), folder / f"shop{size}")
            runs.append(measured(f"beir:{folder}/shop{size}", folder / f"out{size}"))
        found["shop"] = runs
        data, again = f"beir:{folder}/shop{SIZES[-1]}", folder / "again"
        kept = killed_in_the_middle(data, again, SIZES[-1])
        rest = measured(data, again)
        same = rows_of(again) == rows_of(folder / f"out{SIZES[-1]}")
        found["resumed"] = {"killed_after": kept, "seconds": rest["seconds"], "same_rows": same}
        print(found["resumed"])
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

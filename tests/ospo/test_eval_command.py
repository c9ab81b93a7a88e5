"""``ospo eval`` as a user meets it: what it prints, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shlex

import pytest
from rich.console import Console

from ospo.cli import main
from ospo.commands.eval import labelled
from ospo.data import load
from ospo.evaluation import System, evaluate
from ospo.report.evaluation import print_evaluation
from ospo.search.bm25 import BM25
from ospo.search.metrics import parse_metric


@pytest.fixture(autouse=True)
def private_cache(own_cache):
    """No index is left behind."""


@pytest.fixture(scope="module")
def shop():
    return load("shop")


@pytest.fixture
def rewritten(shop, tmp_path):
    """A query file: what is wanted without its first word."""
    path = tmp_path / "rewritten.tsv"
    rows = [f"{q}\t{' '.join(shop.queries[q].split()[1:])}\n" for q in shop.answerable[:40]]
    path.write_text("".join(rows), encoding="utf-8")
    return f"rewritten:{path}"


@pytest.fixture
def finished(shop, tmp_path):
    """What a run leaves: it wrote the last word, for two contexts of each query."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.yaml").write_text("data: shop\nretriever: bm25\n", encoding="utf-8")
    with (folder / "held_out.jsonl").open("w", encoding="utf-8") as file:
        for query in shop.answerable[:20]:
            words = shop.queries[query].split()
            for after in (words[-1], " ".join(words)):
                row = {"query_id": query, "context": "?", "before": words[0], "after": after}
                row |= dict.fromkeys(("wanted", "copied", "value_before", "value_after"), 0.5)
                row["value_after"] = 0.5
                file.write(json.dumps(row) + "\n")
    return folder


def test_a_real_comparison_is_printed_and_written(icecat_dir, tmp_path, capsys):
    icecat = load(f"icecat:{icecat_dir}")
    queries = tmp_path / "black.tsv"
    rows = [f"{q}\t{icecat.queries[q]} black\n" for q in icecat.answerable]
    queries.write_text("".join(rows), encoding="utf-8")
    out = tmp_path / "eval"
    arguments = ["--queries", "original", f"black:{queries}", "--data", f"icecat:{icecat_dir}"]
    arguments += ["--retrievers", "bm25", "brand=bm25:brand", "--out", str(out)]
    assert main(["eval", *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "b − a  nDCG@10" in printed.out
    assert {path.name for path in out.iterdir()} == {
        "eval.html",
        "eval.json",
        "qrels.txt",
        "runs",
        "table.tex",
        "values.csv",
    }
    assert {path.name for path in (out / "runs").iterdir()} == {
        f"{system}.{retriever}.run"
        for system in ("original", "black")
        for retriever in ("bm25", "brand")
    }
    with (out / "values.csv").open(encoding="utf-8", newline="") as file:
        values = [float(row["value"]) for row in csv.DictReader(file)]
    assert len(values) == len(icecat.answerable) * 2 * 2 * 4
    about = json.loads((out / "eval.json").read_text(encoding="utf-8"))
    assert about["means"][0]["mean"] == pytest.approx(
        sum(values[:: 2 * 2 * 4]) / len(icecat.answerable), abs=1e-12
    )
    assert f"{about['means'][0]['mean']:.3f}" in printed.out


def test_json_has_what_the_folder_has(rewritten, tmp_path, capsys):
    out = tmp_path / "eval"
    arguments = ["--queries", "original", rewritten, "--format", "json", "--out", str(out)]
    assert main(["eval", *arguments]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads((out / "eval.json").read_text(encoding="utf-8"))
    assert record["queries"] == 40
    left_out = "left out 160 queries of original that another system lacks (q041, q042, q043, ...)"
    assert record["notes"][0] == left_out


def test_one_seed_writes_one_folder_bit_by_bit(rewritten, tmp_path):
    def files(name, seed):
        out = tmp_path / name
        arguments = ["--queries", "original", rewritten, "--seed", seed, "--out", str(out)]
        assert main(["eval", *arguments]) == 0
        return {
            path.relative_to(out): path.read_bytes().replace(str(out).encode(), b"")
            for path in out.rglob("*")
            if path.is_file()
        }

    first = files("one", "0")
    assert first == files("two", "0")
    changed = {path.name for path, content in files("three", "1").items() if content != first[path]}
    assert changed == {"eval.html", "eval.json"}


def test_a_run_is_compared_on_the_data_and_marked_with_the_retriever_of_its_training(
    finished, capsys
):
    arguments = ["--queries", f"before:{finished}#before", f"after:{finished}"]
    assert main(["eval", *arguments, "--retrievers", "bm25", "title=bm25:title"]) == 0
    out = capsys.readouterr().out
    assert "shop: 20 queries" in out
    assert "title (never trained on)" in out
    assert "bm25 (never trained on)" not in out
    assert "after was trained on shop with bm25" in out


def test_a_trained_retriever_is_known_under_another_name(finished, capsys):
    assert main(["eval", "--queries", f"after:{finished}", "--retrievers", "mine=bm25"]) == 0
    assert "never trained on" not in capsys.readouterr().out


def test_a_policy_rewrites_the_contexts_of_a_file(shop, finished, tmp_path, capsys):
    torch = pytest.importorskip("torch")
    from ospo.train.policy.model import small_policy
    from ospo.train.policy.policy import Policy
    from ospo.train.policy.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(list(shop.queries.values()), vocab_size=320)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        policy = Policy(small_policy(tokenizer), tokenizer, "{context}")
    policy.save(finished / "model")
    contexts = [f"i need {shop.queries[q]}, {k}" for q in ("q001", "q002") for k in "ab"]
    asked = tmp_path / "contexts.tsv"
    rows = zip(("q001", "q001", "q002", "q002"), contexts, strict=True)
    asked.write_text("".join(f"{q}\t{text}\n" for q, text in rows), encoding="utf-8")
    out = tmp_path / "eval"
    spec = f"policy:{finished}#rewrite={asked}"
    assert main(["eval", "--queries", spec, "--metrics", "RR", "--out", str(out)]) == 0
    page = (out / "eval.html").read_text(encoding="utf-8")
    for text in policy.rewrite(contexts):
        assert html.escape(text or "no words", quote=False) in html.unescape(page)
    with (out / "values.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["query_id"], row["texts"]) for row in csv.DictReader(file)] == [
            ("q001", "2"),
            ("q002", "2"),
        ]


def test_the_commands_of_the_page_run(finished, tmp_path, capsys):
    out = tmp_path / "eval"
    arguments = ["--queries", "original", f"after:{finished}", "--out", str(out)]
    assert main(["eval", *arguments]) == 0
    page = (out / "eval.html").read_text(encoding="utf-8")
    commands = [shlex.split(html.unescape(found)) for found in re.findall("<pre.*?>(.*?)<", page)]
    explaining, again = commands[:-1], commands[-1]
    assert len(explaining) == 20 * 3
    for _, *command in explaining[:3]:
        assert main(command) == 0
    again[again.index(str(out))] = str(tmp_path / "again")
    assert main(again[1:]) == 0
    written = [(tmp_path / name / "values.csv").read_bytes() for name in ("eval", "again")]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--metrics", "ERR@10"], "is not supported"),
        (["--metrics", "nDCG@5000"], "looks deeper than bm25, which finds 1000 products"),
        (["--retrievers", "grep"], "there is no retriever 'grep'"),
        (["--retrievers", "bm25", "bm25"], "another retriever called 'bm25'"),
        (
            ["--retrievers", "bm25:title", "bm25-title=bm25"],
            "another retriever called 'bm25-title'",
        ),
        (["--data", "nowhere"], "nowhere"),
        (["--seed", "-1"], "the seed is -1"),
        (["--queries", "original", "original"], "each with its own name"),
        (["--queries", "mine:/no/such/file.tsv"], "there is no file /no/such/file.tsv"),
        (["--queries", "mine:{folder}"], "is not a finished run"),
        (["--out", "{folder}"], "already holds something"),
        (["--out", "{folder}/note.txt"], "already holds something"),
        (["--out", "/proc/eval"], "/proc/eval cannot be written"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_1(arguments, message, tmp_path, capsys):
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    assert main(["eval", *(argument.format(folder=tmp_path) for argument in arguments)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "mine"


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ospo.report.evaluation_folder.write_trec_files", full)
    before = set(tmp_path.iterdir())
    assert main(["eval", "--out", str(tmp_path / "deep")]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert {path.name for path in set(tmp_path.iterdir()) - before} <= {"cache"}


def test_no_password_becomes_a_name():
    names = ["pg=postgres:host=db password=secret", "https://me:secret@host/_search"]
    assert list(labelled(names)) == ["pg", "https://me@host/_search"]


def test_a_terminal_without_unicode_shows_the_table(shop):
    evaluation = evaluate(
        [System("original", {q: (shop.queries[q],) for q in shop.answerable[:9]})],
        {"bm25": BM25(shop.catalogue)},
        shop,
        [parse_metric("RR")],
    )
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii") as file:
        print_evaluation(evaluation, Console(file=file, width=80))
        file.flush()
        assert b"a  original" in raw.getvalue()

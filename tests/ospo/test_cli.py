"""The command as a user meets it: exit codes, one clear sentence, machine-readable output.

Long because every command is held to the same exit codes and messages.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest
from search_engine import SearchEngine, serving

from ospo.cli import main
from ospo.commands.explainer import PASSWORD
from ospo.data import LOADERS, load
from ospo.errors import RewardError
from ospo.explanation import Explanation
from ospo.search.bm25 import BM25
from ospo.search.load import LOADERS as RETRIEVERS
from ospo.text.load import LOADERS as SEGMENTERS
from ospo.text.load import PLAIN


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OSPO_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def running():
    with serving(SearchEngine()) as engine:
        yield engine


@pytest.fixture
def server(running):
    running.restart()
    return running


def at(server, timeout=30.0):
    return f"{server.url}#version=1&retries=0&depth=100&timeout={timeout}"


def test_a_real_query_is_explained_as_one_json_record(icecat_dir, capsys):
    arguments = ["explain", "digital camera", "--data", f"icecat:{icecat_dir}", "--format", "json"]
    assert main(arguments) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["segments"] == ["digital", "camera"]
    assert abs(sum(record["credit"]) - record["total"]) <= 1e-12
    assert record["total"] > 0


def test_the_text_view_shows_titles_and_the_collection(icecat_dir, capsys):
    assert main(["explain", "digital camera", "--data", f"icecat:{icecat_dir}"]) == 0
    out = capsys.readouterr().out
    assert "19,406 products of icecat" in out
    assert "shapley, exact" in out


def test_the_index_is_built_once(icecat_dir, tmp_path, capsys):
    arguments = ["explain", "tripod", "--data", f"icecat:{icecat_dir}"]
    assert main(arguments) == 0
    (index,) = (tmp_path / "cache").iterdir()
    written = index.stat().st_mtime_ns
    assert main(arguments) == 0
    assert index.stat().st_mtime_ns == written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain"], "there is no query"),
        (["explain", " "], "there is no query"),
        (["explain", "", "--demo"], "there is no query"),
        (["explain", "purple elephants"], "is not a query with relevant products"),
        (["explain", "desk lamp", "--data", "nowhere"], "nowhere"),
        (["explain", "desk lamp", "--data", "icecat:/no/such/folder"], "/no/such/folder"),
        (["explain", "--model", "/no/such/run"], "not a finished run"),
        (["explain", "water can", "--retriever", "grep"], "there is no retriever 'grep'"),
        (["explain", "water can", "--segmenter", "atoms"], "there is no segmenter 'atoms'"),
        (["explain", "lamp", "--target", "nothing"], "there is no product 'nothing' in shop"),
        (["explain", "water can", "--metric", "score"], "a score is of one"),
        (["explain", "water can", "--cache", "/proc/ranks"], "/proc/ranks"),
        (["explain", "water can", "--out", "/proc/explained"], "/proc/explained cannot be written"),
        (["explain", "water can", "--out", "/proc/version"], "/proc/version is a file"),
        (["explain", "water can", "--out", "/proc"], "/proc already holds something"),
        (["explain", "water can", "--picture"], "--picture is about files"),
        (["explain", "water can", "--overwrite"], "--overwrite is about files"),
        (["explain", "water can", "--original"], "name its run with --model"),
        (["explain", "water can", "--compare", "grep"], "there is no retriever 'grep'"),
        (["explain", "water can", "--seed", "-1"], "the seed is -1"),
        (["explain", "water can", "--budget", "0"], "the budget is 0"),
        (["explain", "water \udce9", "--intent", "water can"], "is no text in UTF-8"),
        (["explain", "a b c d e f g h", "--intent", "water can", "--budget", "5"], "too small"),
        (["train", "--retriever", "grep"], "there is no retriever 'grep'"),
        (["train", "--rule", "magic"], "rule must be one of"),
        (["train", "--credit", "magic"], "credit must be one of"),
        (["train", "--data", "nowhere"], "nowhere"),
        (["train", "--metric", "ERR@10"], "not supported"),
        (["train", "--config", "/no/such.yaml"], "'/no/such.yaml' is no file of flags in YAML"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_1(arguments, message, capsys, tmp_path):
    if arguments[0] == "train":
        arguments = [*arguments, "--output_dir", str(tmp_path / "run")]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("ospo: ")
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "content", [b"a: [1", b"\xff\xfe", b"\0", b"[" * 5000, b"1: 2", b"!!python/name:os.system"]
)
def test_a_damaged_configuration_is_named(tmp_path, capsys, content):
    config = tmp_path / "c.yaml"
    config.write_bytes(content)
    assert main(["train", "--config", str(config)]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert f"--config '{config}' is no file of flags in YAML" in error


def test_a_config_key_that_does_not_exist_is_named(tmp_path, capsys):
    config = tmp_path / "c.yaml"
    config.write_text("lerning_rate: 1e-4\n")
    assert main(["train", "--config", str(config)]) == 1
    assert "lerning_rate" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explain", "x", "--frmat", "json"],
        ["explain", "x", "--intent", "lamp", "--target", "p1"],
        ["explain", "x", "--demo", "--data", "shop"],
        ["explain", "x", "--compare", "tfidf", "--original"],
        ["fly"],
    ],
)
def test_wrong_use_exits_2(arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_a_training_never_overwrites_what_is_there(tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "precious.txt").write_text("mine")
    assert main(["train", "--output_dir", str(folder)]) == 1
    assert "already holds something" in capsys.readouterr().err
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_a_half_written_data_directory_is_refused(icecat_dir, tmp_path, capsys):
    broken = tmp_path / "icecat"
    shutil.copytree(icecat_dir, broken, copy_function=shutil.copyfile)
    os.chmod(broken, 0o755)
    archive = broken / "3.json.zip"
    archive.write_bytes(archive.read_bytes()[:5000])
    assert main(["explain", "tripod", "--data", f"icecat:{broken}"]) == 1
    assert "3.json.zip" in capsys.readouterr().err
    assert not (tmp_path / "cache").exists()


def test_a_target_without_judgments_is_explained_by_its_score(capsys):
    shop = load("shop")
    product = shop.catalogue.ids[7]
    title = shop.catalogue.fields["title"][7]
    query = ", ".join(title.split()[:3])
    assert main(["explain", query, "--target", product, "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["metric"] == "score"
    assert record["relevant"] == [product]
    score = BM25(shop.catalogue).product_scores([query], [product])[0, 0]
    assert record["total"] == pytest.approx(score, abs=1e-12)
    assert sum(record["credit"]) == pytest.approx(score, abs=1e-12)
    assert main(["explain", query, "--target", product]) == 0
    out = capsys.readouterr().out
    assert title[:20] in out
    assert "score" in out


def test_a_target_may_be_judged_by_its_rank(capsys):
    product = load("shop").catalogue.ids[7]
    arguments = ["explain", "lamp, desk", "--target", product, "--metric", "RR"]
    assert main([*arguments, "--retriever", "fts5", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    (rank,) = record["variants"][0]["ranks"]
    assert record["total"] == (1 / rank if rank else 0)


def test_any_retriever_and_segmenter_are_named_on_the_command_line(server, capsys):
    shop = load("shop")
    query = shop.queries[shop.answerable[0]]
    totals = {}
    for name in ("bm25", at(server), "fusion:bm25+fts5", "tfidf"):
        arguments = ["explain", query, "--retriever", name, "--segmenter", "words"]
        assert main([*arguments, "--format", "json"]) == 0
        record = json.loads(capsys.readouterr().out)
        assert record["segments"] == query.split()
        totals[name] = record["total"], record["credit"]
    assert totals[at(server)] == totals["bm25"]  # the same engine behind a network
    assert server.queries


def test_the_view_names_the_engine_and_no_password(server, capsys):
    name = at(server).replace("//", "//me:s3cret@")
    shop = load("shop")
    arguments = ["explain", shop.queries[shop.answerable[0]], "--retriever", name]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "HTTP at http://127.0.0.1" in " ".join(out.split())
    assert "s3cret" not in out
    assert main([*arguments, "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert "s3cret" not in out
    assert f"--retriever '{at(server)}'" in json.loads(out)["method"]["command"]


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ((500, b"no heap left"), "answered 500"),
        ((404, b"no such index"), "answered 404"),
        ((200, b"<html>It works!</html>"), "not in the expected form"),
        ((200, b'{"hits": {"hits": [{"_id": "p?", "_score": 1}]}}'), "not in the catalogue"),
        (None, "timed out"),
    ],
)
def test_an_engine_that_fails_halfway_is_named_and_asked_only_for_the_rest_later(
    server, then, message, tmp_path, capsys
):
    shop = load("shop")
    query = shop.queries[shop.answerable[0]] + " a b c d e f"
    arguments = ["explain", query, "--intent", shop.queries[shop.answerable[0]]]
    arguments += ["--cache", str(tmp_path / "ranks"), "--format", "json", "--retriever"]
    server.fail(after=80, then=then)
    assert main([*arguments, at(server, timeout=1.0 if then is None else 30.0)]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ospo: ")
    assert len(captured.err.splitlines()) == 1
    assert message in captured.err
    assert at(server).partition("#")[0] in captured.err
    before = server.queries
    server.restart()
    assert main([*arguments, at(server)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["cost"]["searched"] == len(server.queries)
    # The 42 variants that are shown were kept, then whole batches of 32: none is asked again.
    assert len(set(before[:80]) - set(server.queries)) == 42 + 32
    server.queries.clear()
    assert main([*arguments, at(server)]) == 0
    again = json.loads(capsys.readouterr().out)
    assert server.queries == []
    assert again["cost"]["searched"] == 0
    assert again["credit"] == record["credit"]


def test_an_engine_that_is_down_exits_3(capsys):
    name = "http://127.0.0.1:9/shop/_search#retries=0"
    assert main(["explain", "water can", "--retriever", name]) == 3
    assert "127.0.0.1:9" in capsys.readouterr().err


def test_a_reward_model_that_answers_nonsense_exits_3(monkeypatch, capsys):
    def nonsense(*_):
        raise RewardError("the model says nan")

    monkeypatch.setattr("ospo.data.load", nonsense)
    assert main(["explain", "lamp"]) == 3
    assert capsys.readouterr().err == "ospo: the model says nan\n"


def test_a_message_that_says_what_to_install_is_printed_as_it_is(monkeypatch, capsys):
    def missing(*_):
        raise ModuleNotFoundError('dense needs torch; pip install "owen-core[dense]"', name="torch")

    monkeypatch.setattr("ospo.data.load", missing)
    assert main(["explain", "lamp"]) == 2
    assert capsys.readouterr().err == 'ospo: dense needs torch; pip install "owen-core[dense]"\n'


def test_the_demo_answers_without_data_and_loads_nothing_heavy(tmp_path):
    code = (
        "import sys; from ospo.cli import main; assert main(['explain', '--demo']) == 0;"
        "heavy = {'torch', 'transformers', 'sklearn', 'matplotlib', 'jinja2', 'pyarrow', 'scipy'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    environment = os.environ | {"OSPO_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert 'drop "patio": nDCG@10 0.957 → 1.000' in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_comparison_of_two_retrievers_is_two_records(capsys):
    arguments = ["explain", "--demo", "--retriever", "bm25:title^2", "--compare", "tfidf"]
    assert main([*arguments, "--format", "json"]) == 0
    records = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [record["method"]["retriever"] for record in records] == ["bm25:title^2", "tfidf"]
    assert records[0]["relevant"] != []
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert "bm25:title^2 over 1,989 products of shop" in out
    assert "tfidf over 1,989 products of shop" in out
    assert "difference" in out


def test_the_command_in_a_record_computes_the_same_record(capsys):
    shop = load("shop")
    intent = shop.queries[shop.answerable[0]]
    query = f"'{intent}' $(x) \x1b a b c d e"
    arguments = ["explain", query, "--intent", intent, "--budget", "60", "--seed", "4"]
    records = []
    for _ in range(2):
        assert main([*arguments, "--format", "json"]) == 0
        records.append(json.loads(capsys.readouterr().out))
        program, *arguments = shlex.split(records[-1]["method"]["command"])
        assert program == "ospo"
    assert records[0]["interval"] is not None
    for record in records:
        del record["cost"]["seconds"]
    assert records[0] == records[1]


@pytest.mark.parametrize(
    "name",
    [
        "https://me:s3cret@host/shop/_search#version=1",
        "fusion:bm25+http://me:s3cret@host/_search",
        "postgres:host=db password=s3cret user=me",
        "postgres:password=s3cret#table=t",
        "postgresql://me@host/shop?password=s3cret&sslmode=require",
    ],
)
def test_no_password_reaches_a_record(name):
    told = PASSWORD.sub("", name)
    assert "s3cret" not in told
    assert told.startswith(name[:8])


class Policy:
    """Stands for a trained model: it writes the last two words, and another one the first two."""

    def __init__(self, part):
        self.part = part

    def rewrite(self, contexts):
        return [", ".join(context.split()[self.part]) for context in contexts]


@pytest.fixture
def two_runs(tmp_path, monkeypatch):
    shop = load("shop")
    query = shop.queries[shop.answerable[0]]
    contexts = {f"please find me a {query}": shop.answerable[0]}

    def load_run(folder):
        part = slice(-2, None) if folder.name == "one" else slice(0, 2)
        return SimpleNamespace(
            policy=Policy(part), data="shop", retriever="bm25", contexts=contexts
        )

    monkeypatch.setattr("ospo.train.finished.load_run", load_run)
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    return tmp_path / "one", tmp_path / "other", next(iter(contexts))


def test_a_rewrite_is_compared_with_its_context_and_with_another_model(two_runs, capsys):
    one, other, context = two_runs
    for against in (["--original"], ["--compare", str(other)], ["--compare", "tfidf"]):
        arguments = ["explain", "--model", str(one), *against]
        assert main([*arguments, "--format", "json"]) == 0
        first, second = map(json.loads, capsys.readouterr().out.splitlines())
        assert first["query"] == ", ".join(context.split()[-2:])
        assert first["context"] == second["context"] == context
        assert first["relevant"][0] in second["products"]
        if against == ["--original"]:
            assert second["query"] == context
        elif against[1] == "tfidf":
            assert second["query"] == first["query"]
        else:
            assert second["query"] == "please, find"
        assert main(arguments) == 0
        assert context in " ".join(capsys.readouterr().out.split())


def test_a_model_without_a_tokenizer_is_refused(tmp_path, capsys):
    (tmp_path / "config.yaml").write_text("data: shop\nretriever: bm25\n")
    (tmp_path / "held_out.jsonl").write_text("")
    (tmp_path / "model").mkdir()
    for name in ("config.json", "policy.json"):
        (tmp_path / "model" / name).write_text("{}")
    assert main(["explain", "water can", "--model", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert f"{tmp_path / 'model'} has no tokenizer_config.json" in captured.err
    assert len(captured.err.splitlines()) == 1


def test_what_is_written_is_the_record_and_only_replaced_when_asked(tmp_path, capsys):
    folder = tmp_path / "deep" / "out"
    arguments = ["explain", "--demo", "--out", str(folder)]
    assert main([*arguments, "--picture"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    names = ["explain.html", "explain.json", "explain.png", "explain.svg"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert f"wrote {', '.join(names)} in" in out
    record = Explanation.load(folder / "explain.json")
    assert record.query in (folder / "explain.html").read_text(encoding="utf-8")
    (folder / "mine.txt").write_text("precious")
    assert main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite", "--metric", "RR"]) == 0
    assert Explanation.load(folder / "explain.json").metric == "RR"
    assert (folder / "mine.txt").read_text() == "precious"
    assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_a_comparison_is_written_as_one_page_and_two_records(tmp_path, capsys):
    assert main(["explain", "--demo", "--compare", "tfidf", "--out", str(tmp_path / "o")]) == 0
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        "compare.json",
        "explain.html",
        "explain.json",
    ]
    assert Explanation.load(tmp_path / "o" / "compare.json").method.retriever == "tfidf"


def test_a_full_disk_is_named_and_nothing_half_written_stays(tmp_path):
    code = (
        "import resource, sys; from ospo.cli import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000));"
        "sys.exit(main(['explain', 'water can', '--retriever', 'tfidf', '--out', 'out']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 1
    assert re.fullmatch(r"ospo: out cannot be written \(.*\): .* make room\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_in_ascii_gets_an_answer():
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    for arguments in (["--demo"], ["--demo", "--format", "json"]):
        done = subprocess.run(
            [sys.executable, "-m", "ospo.cli", "explain", *arguments],
            capture_output=True,
            env=environment,
            check=True,
        )
        assert done.stdout.isascii()
        assert b"patio" in done.stdout


def test_help_names_every_collection_retriever_and_segmenter(capsys):
    with pytest.raises(SystemExit):
        main(["explain", "--help"])
    text = capsys.readouterr().out
    for name in {*LOADERS, *SEGMENTERS, *PLAIN} | (RETRIEVERS.keys() - {"https", "postgresql"}):
        assert re.search(rf"\b{name}\b", text), name


def test_interrupting_says_so_and_exits_130(monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("ospo.data.load", interrupt)
    assert main(["explain", "tripod"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_the_installed_command_runs():
    done = subprocess.run(
        [sys.executable, "-m", "ospo.cli", "explain", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "fair share" in done.stdout

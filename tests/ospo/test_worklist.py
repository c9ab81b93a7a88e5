"""Many queries: that every row is true, that nothing is lost, and that nothing is done twice.

Long because one worklist is begun, broken off, gone on with and shown.
"""

from __future__ import annotations

import argparse
import dataclasses
import errno
import html
import json
import logging
import os
import re
import shlex
import signal
from pathlib import Path

import distributed
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ospo.cli import main
from ospo.commands import explain as explain_command
from ospo.commands.worklist import Workshop
from ospo.data import load
from ospo.errors import InputError
from ospo.explain import explain
from ospo.report.swarm import TALLEST, swarms
from ospo.search.bm25 import BM25
from ospo.search.retriever import RetrieverError
from ospo.worklist import Overview, Row, Summary, Worklist, open_executor

SETTINGS = {"data": "shop", "metric": "nDCG@10"}
COUNT = 80


@pytest.fixture(scope="module", autouse=True)
def private_cache(tmp_path_factory):
    """No index is left behind, not even by the workers of a cluster."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def shop():
    return load("shop")


@pytest.fixture(scope="module")
def queries(shop):
    return {query: shop.queries[query] for query in shop.answerable[:COUNT]}


@pytest.fixture(scope="module")
def workshop():
    parser = argparse.ArgumentParser()
    explain_command.add(parser.add_subparsers())
    flags = ["--data", "shop", "--retriever", "bm25", "--metric", "nDCG@10"]
    return Workshop(parser.parse_args(["explain", "--queries", "all", *flags]))


@pytest.fixture(scope="module")
def serial(queries, workshop, tmp_path_factory):
    """What one process computes, query by query."""
    worklist = Worklist(tmp_path_factory.mktemp("serial") / "worklist", SETTINGS)
    worklist.work(queries, workshop)
    return content(worklist, queries)


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
    ) as cluster:
        yield cluster


def timeless(row):
    """A row without what is never the same."""
    assert row.summary is not None
    return dataclasses.replace(row, summary=dataclasses.replace(row.summary, seconds=0.0))


def content(worklist, queries):
    """Every row and page, without times."""
    rows = worklist.done(queries)
    pages = [(worklist.folder / "pages" / f"{row.key}.html").read_text("utf-8") for row in rows]
    return [*map(timeless, rows)], [re.sub(r"; \d+\.\d\d s<", "; s<", page) for page in pages]


def summary(value, credit=(), without=(0.0,), kinds=None):
    """A summary of phrases a, b, c, ..."""
    drop = max(range(len(without)), key=without.__getitem__)
    names = tuple("abcdefgh"[: len(without)])
    return Summary(
        intent=None,
        value=value,
        segments=names,
        kinds=kinds or names,
        credit=tuple(credit) or (0.0,) * len(names),
        without=tuple(without),
        half_width=None,
        drop=drop,
        gain=without[drop] - value,
        risen=0,
        fallen=0,
        asked=1,
        searched=1,
        seconds=0.0,
    )


def counted(calls, *, fails=()):
    """A function that explains nothing, but notes for which queries it was called."""

    def solve(query, text):
        calls.append(query)
        if query in fails:
            raise InputError(f"no product is relevant for {text}")
        return summary(0.5), f"page of {text}"

    return lambda: solve


def test_every_row_is_what_its_query_explained_alone_says(shop, queries, serial):
    engine = BM25(shop.catalogue)
    rows, pages = serial
    assert [row.query_id for row in rows] == list(queries)
    for row, page in zip(rows, pages, strict=True):
        e, s = explain(row.query, engine, shop.qrels[row.query_id]), row.summary
        assert (s.segments, s.credit, s.value) == (e.segments, e.credit, e.total)
        assert s.without == tuple(variant.value for variant in e.without)
        assert s.gain == max(s.without) - e.total == s.without[s.drop] - e.total
        assert (s.gain > 0) == (e.best_drop is not None)
        assert (s.risen, s.fallen) == (e.risen(e.without[s.drop]), e.fallen(e.without[s.drop]))
        assert (s.asked, s.searched, s.half_width) == (e.cost.asked, e.cost.searched, None)
        assert html.escape(row.query) in page


@pytest.mark.parametrize(("name", "workers"), [("threads", 3), ("processes", 2)])
def test_threads_and_processes_give_the_bits_of_one_after_the_other(
    name, workers, queries, workshop, serial, tmp_path
):
    worklist = Worklist(tmp_path / "worklist", SETTINGS)
    with open_executor(name, workers) as executor:
        worklist.work(queries, workshop, executor=executor)
    assert content(worklist, queries) == serial


def killing(victims, killed):
    """Progress that kills a worker when the first queries, but not all, are done."""

    def progress(done, total):
        if 0 < done < total and not killed:
            killed.append(next(iter(victims())))
            os.kill(killed[0], signal.SIGKILL)

    return progress


@pytest.mark.timeout(120)
def test_dask_gives_the_same_bits_though_a_worker_is_killed_in_the_middle(
    cluster, queries, workshop, serial, tmp_path
):
    worklist, killed = Worklist(tmp_path / "worklist", SETTINGS), []
    progress = killing(lambda: [worker.pid for worker in cluster.workers.values()], killed)
    with open_executor(f"dask:{cluster.scheduler_address}") as executor:
        worklist.work(queries, workshop, executor=executor, progress=progress)
    assert len(killed) == 1
    assert content(worklist, queries) == serial


@pytest.mark.timeout(120)
def test_ray_gives_the_same_bits_though_a_worker_is_killed_in_the_middle(
    queries, workshop, serial, tmp_path
):
    def workers():
        processes = psutil.Process().children(recursive=True)
        return [p.pid for p in processes if p.name() in ("ray::_call", "ray::IDLE")]

    worklist, killed = Worklist(tmp_path / "worklist", SETTINGS), []
    with open_executor("ray", 2) as executor:
        worklist.work(queries, workshop, executor=executor, progress=killing(workers, killed))
    assert len(killed) == 1
    assert content(worklist, queries) == serial


def test_a_killed_process_ends_the_run_and_the_next_one_goes_on(
    queries, workshop, serial, tmp_path
):
    worklist, killed = Worklist(tmp_path / "worklist", SETTINGS), []

    def work():
        with open_executor("processes", 2) as executor:
            worker = executor.submit(os.getpid).result()
            progress = killing(lambda: [worker], killed)
            worklist.work(queries, workshop, executor=executor, progress=progress)

    with pytest.raises(InputError, match="a worker died"):
        work()
    assert len(killed) == 1
    assert 0 < len(worklist.done(queries)) < len(queries)
    worklist.work(queries, workshop)
    assert content(worklist, queries) == serial


def test_a_stopped_run_goes_on_and_explains_nothing_twice(tmp_path):
    queries = {f"q{number}": f"sofa {number}" for number in range(20)}
    folder, calls, seen = tmp_path / "worklist", [], []

    def stop(done, total):
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Worklist(folder, SETTINGS).work(queries, counted(calls), progress=stop)
    with (folder / "worklist.jsonl").open("a") as file:
        file.write('{"key": "half a row')
    worklist = Worklist(folder, SETTINGS)
    worklist.work(queries, counted(calls), progress=lambda done, total: seen.append((done, total)))
    assert calls == list(queries)
    assert seen == [(done, 20) for done in range(7, 21)]
    assert [row.query for row in worklist.done(queries)] == list(queries.values())
    assert all((folder / "pages" / f"{row.key}.html").is_file() for row in worklist.done(queries))


def test_a_longer_log_explains_only_what_is_new_or_changed(tmp_path):
    worklist, calls = Worklist(tmp_path / "worklist", SETTINGS), []
    worklist.work({"q1": "sofa", "q2": "lamp"}, counted(calls))
    today = {"q2": "lamp", "q1": "red sofa", "q3": "desk"}
    worklist.work(today, counted(calls))
    assert calls == ["q1", "q2", "q1", "q3"]
    assert [row.query for row in worklist.done(today)] == ["lamp", "red sofa", "desk"]


def test_a_query_that_fails_is_a_row_with_its_reason(tmp_path):
    worklist, calls = Worklist(tmp_path / "worklist", SETTINGS), []
    queries = {"q1": "sofa", "q2": "lamp", "q3": "desk"}
    worklist.work(queries, counted(calls, fails=["q2"]))
    rows = worklist.done(queries)
    assert [row.failed for row in rows] == [None, "no product is relevant for lamp", None]
    assert len(list((tmp_path / "worklist" / "pages").iterdir())) == 2
    worklist.work(queries, counted(calls))
    assert len(calls) == 3


def test_another_configuration_is_refused_with_the_difference(tmp_path):
    Worklist(tmp_path / "worklist", SETTINGS).work({"q1": "sofa"}, counted([]))
    with pytest.raises(InputError, match=r"\(metric is 'nDCG@10', not 'RR'; budget is None, not 9"):
        Worklist(tmp_path / "worklist", {"data": "shop", "metric": "RR", "budget": 9})
    assert json.loads((tmp_path / "worklist" / "settings.json").read_text())["metric"] == "nDCG@10"


def test_a_folder_without_rows_may_begin_with_other_settings(tmp_path):
    Worklist(tmp_path / "worklist", SETTINGS)
    Worklist(tmp_path / "worklist", {"metric": "RR"}).work({"q1": "sofa"}, counted([]))
    assert json.loads((tmp_path / "worklist" / "settings.json").read_text())["metric"] == "RR"


@pytest.mark.parametrize("name", [".", "note.txt"])
def test_what_is_no_worklist_is_left_alone(name, tmp_path):
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something that is no worklist"):
        Worklist(tmp_path / name, SETTINGS)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize("damage", ["{}", "no JSON", '{"key": 1}'])
def test_a_damaged_row_is_named_with_the_remedy(damage, tmp_path):
    worklist = Worklist(tmp_path / "worklist", SETTINGS)
    worklist.work({"q1": "sofa"}, counted([]))
    with (tmp_path / "worklist" / "worklist.jsonl").open("a") as file:
        file.write(f"{damage}\n")
    with pytest.raises(InputError, match=r"line 2 of .* is no row .*delete that line"):
        Worklist(tmp_path / "worklist", SETTINGS).work({"q2": "lamp"}, counted([]))


def test_damaged_settings_are_refused(tmp_path):
    Worklist(tmp_path / "worklist", SETTINGS).work({"q1": "sofa"}, counted([]))
    (tmp_path / "worklist" / "settings.json").write_text("{")
    with pytest.raises(InputError, match=r"settings.json is damaged"):
        Worklist(tmp_path / "worklist", SETTINGS)


def test_a_full_disk_loses_nothing_that_was_written(tmp_path, monkeypatch):
    queries = {f"q{number}": "sofa" for number in range(5)}
    worklist, calls, write = Worklist(tmp_path / "worklist", SETTINGS), [], Path.write_text

    def full(path, *arguments, **options):
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(InputError, match="No space left"):
            worklist.work(queries, counted(calls))
    assert len(worklist.done(queries)) == 2
    worklist.work(queries, counted(calls))
    assert calls == ["q0", "q1", "q2", "q2", "q3", "q4"]


def test_an_engine_that_is_down_ends_the_run_and_costs_no_row(tmp_path):
    worklist, calls = Worklist(tmp_path / "worklist", SETTINGS), []

    def prepare():
        solve = counted(calls)()

        def until_down(query, text):
            if len(calls) == 2:
                raise RetrieverError("the engine is down")
            return solve(query, text)

        return until_down

    queries = {f"q{number}": "sofa" for number in range(5)}
    with pytest.raises(RetrieverError):
        worklist.work(queries, prepare)
    assert [row.failed for row in worklist.done(queries)] == [None, None]


@pytest.mark.parametrize(
    ("name", "workers", "message"),
    [
        ("threads", 0, "there cannot be 0 workers"),
        ("fast", None, "there is no executor 'fast'"),
        ("dask", None, "there is no executor 'dask'"),
        ("threads:3", None, "there is no executor 'threads:3'"),
        ("dask:tcp://127.0.0.1:1", 2, "leave --workers out"),
    ],
)
def test_an_executor_that_cannot_be_is_refused(name, workers, message):
    with pytest.raises(InputError, match=message), open_executor(name, workers):
        pass


def test_a_dask_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("ospo.worklist.executors.REACHABLE", 0.2)
    with (
        pytest.raises(InputError, match=r"no Dask scheduler answers at tcp://127.0.0.1:1 "),
        open_executor("dask:tcp://127.0.0.1:1"),
    ):
        pass


def test_a_number_of_workers_alone_means_processes():
    with open_executor(None, 1) as executor:
        assert executor.submit(os.getpid).result() != os.getpid()
    with open_executor(None) as executor:
        assert executor is None


values = st.integers(0, 8).map(lambda number: number / 8)
drops = st.lists(values, min_size=1, max_size=4)


@given(st.lists(st.tuples(values, drops), min_size=1, max_size=6))
def test_the_overview_is_what_its_definition_says(found):
    rows = [
        Row(str(number), f"q{number}", "?", None, summary(value, without=without))
        for number, (value, without) in enumerate(found)
    ]
    failed = Row("f", "f", "?", "nothing is relevant", None)
    overview = Overview.of([failed, *rows])
    gains = [max(without) - value for value, without in found]
    assert overview.failed == [failed]
    assert [each.summary.gain for each in overview.explained] == sorted(gains, reverse=True)
    assert overview.better == sum(gain > 0 for gain in gains)
    means = sum(value for value, _ in found), sum(max(value, *without) for value, without in found)
    assert (overview.mean, overview.reachable) == pytest.approx([m / len(found) for m in means])
    sums = {}
    for value, without in found:
        for phrase, dropped in zip("abcdefgh", without, strict=False):
            sums.setdefault(phrase, []).append(dropped - value)
    harmful = {phrase.phrase: phrase for phrase in overview.harmful()}
    assert set(harmful) == {phrase for phrase, changes in sums.items() if sum(changes) > 0}
    for name, phrase in harmful.items():
        assert phrase.change == pytest.approx(sum(sums[name]))
        assert phrase.queries == len(sums[name])
        assert phrase.better == sum(change > 0 for change in sums[name])
        assert phrase.gain == max(sums[name])


@given(
    st.dictionaries(st.sampled_from(["brand", "number"]), st.lists(st.floats(-1, 1), min_size=1))
)
def test_a_swarm_has_a_dot_for_each_credit_or_for_so_many_as_it_says(credits):
    found = swarms(credits)
    assert [row.count for row in found.rows] == sorted(map(len, credits.values()), reverse=True)
    for row in found.rows:
        columns = re.findall(r"M(-?\d+) (-?[\d.]+)v(\d*)\.01", row.more + row.less + row.none)
        dots = [int(length or 0) + 1 for _, _, length in columns]
        assert all(float(y) == -int(length or 0) / 2 for _, y, length in columns)
        assert max(dots) == row.height <= TALLEST
        assert row.count <= sum(dots) * found.each < row.count + found.each * len(dots)
        above = {int(x) > 0 for x, _, _ in re.findall(r"M(-?\d+) ()()", row.more)}
        assert above <= {True}
        assert row.below == sum(credit < -1e-9 for credit in credits[row.kind])


def test_the_command_writes_an_index_rows_and_pages_that_are_reached(shop, tmp_path, capsys):
    file, out = tmp_path / "log.tsv", tmp_path / "out"
    texts = {q: shop.queries[q] for q in shop.answerable[:6]}
    rewritten = "q007", f"cheap {shop.queries['q007']}"
    odd = [("x1", shop.queries["q009"]), ("x2", "flugzeug"), ("q010", "zzz qqq"), ("q011", " ")]
    lines = [*texts.items(), rewritten, *odd]
    file.write_text("".join(f"{query}\t{text}\n" for query, text in lines), encoding="utf-8")
    arguments = ["explain", "--queries", str(file), "--out", str(out)]
    assert main(arguments) == 0
    printed = " ".join(capsys.readouterr().out.split())  # a terminal wraps long paths
    assert f"{len(lines)} queries: 8 explained, 3 not" in printed
    assert f"wrote {out}/index.html" in printed
    rows = [json.loads(line) for line in (out / "worklist.jsonl").read_text().splitlines()]
    reasons = {row["query_id"]: row["failed"] for row in rows if row["failed"]}
    assert set(reasons) == {"x2", "q010", "q011"}
    assert "judges no query of this id or text" in reasons["x2"]
    assert "no part of the query 'zzz qqq' retrieves any product" in reasons["q010"]
    assert "has no words" in reasons["q011"]
    intents = {row["query_id"]: row["summary"]["intent"] for row in rows if row["summary"]}
    assert intents == dict.fromkeys(texts) | {"q007": shop.queries["q007"], "x1": None}
    index = (out / "index.html").read_text(encoding="utf-8")
    links = re.findall('href="(pages/[^"]*)"', index)
    assert set(links) == {f"pages/{row['key']}.html" for row in rows if row["summary"]}
    assert all((out / link).is_file() for link in links)
    assert all(reason in html.unescape(index) for reason in reasons.values())
    assert main([*arguments, "--format", "json"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert again == rows


def test_the_commands_of_index_and_pages_run_and_say_the_same(shop, tmp_path, capsys):
    file, out = tmp_path / "my log.tsv", tmp_path / "out"
    file.write_text(f"q001\t{shop.queries['q001']}\nq002\tcheap {shop.queries['q002']}\n")
    assert main(["explain", "--queries", str(file), "--out", str(out), "--seed", "3"]) == 0
    rows = [json.loads(line) for line in (out / "worklist.jsonl").read_text().splitlines()]
    capsys.readouterr()
    for row in rows:
        page = (out / "pages" / f"{row['key']}.html").read_text(encoding="utf-8")
        (command,) = re.findall(r"<dt>command</dt><dd><pre>(.*?)</pre>", page)
        assert main([*shlex.split(html.unescape(command))[1:], "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["credit"] == row["summary"]["credit"]
    (command,) = re.findall(
        r"<dt>command</dt><dd><pre>(.*?)</pre>", (out / "index.html").read_text()
    )
    assert main(shlex.split(html.unescape(command))[1:]) == 0
    assert len((out / "worklist.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--queries", "all"], "say with --out where it goes"),
        (["--queries", "all", "sofa"], "a query is of one query"),
        (["--queries", "all", "--target", "s0001"], "--target is of one query"),
        (["--queries", "all", "--out", "{0}/w", "--compare", "lsa"], "--compare is of one query"),
        (["--queries", "{0}/none.tsv", "--out", "{0}/w"], "there is no file"),
        (["--queries", "all", "--out", "{0}/w", "--concept", "fair"], "concept must be one of"),
        (["--queries", "all", "--out", "{0}/w", "--metric", "score"], "score"),
        (["--queries", "all", "--out", "{0}/w", "--retriever", "grep"], "no retriever 'grep'"),
        (["--queries", "all", "--out", "{0}/w", "--segmenter", "x"], "no segmenter 'x'"),
        (["--queries", "all", "--out", "{0}/w", "--seed", "-1"], "the seed is -1"),
        (["--queries", "all", "--out", "{0}/w", "--executor", "x"], "no executor 'x'"),
        (["--queries", "all", "--out", "{0}"], "no worklist"),
        (["--queries", "all", "--out", "/proc/w"], "/proc/w cannot be written"),
        (["sofa", "--executor", "threads"], "share out many queries"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_1(arguments, message, tmp_path, capsys):
    (tmp_path / "note.txt").write_text("mine")
    assert main(["explain", *(argument.format(tmp_path) for argument in arguments)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_no_password_is_written_down(tmp_path, capsys):
    address = "http://me:secret@127.0.0.1:1/_search#timeout=0.1&retries=0"
    arguments = ["--queries", "all", "--out", str(tmp_path / "w"), "--retriever", address]
    assert main(["explain", *arguments]) == 3
    assert "secret" not in capsys.readouterr().err
    files = [path for path in (tmp_path / "w").rglob("*") if path.is_file()]
    assert files
    assert not any("secret" in path.read_text() for path in files)

"""One short training run from data to explanation, and what is left when it fails."""

from __future__ import annotations

import json

import pytest
import yaml

from ospo.cli import main
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.retriever import RetrieverError
from ospo.train.reward import RetrievalReward
from ospo.train.run import load_run, parse, train

SHORT = ["--max_steps", "2", "--per_device_train_batch_size", "16", "--warm_start_steps", "60"]
SHORT += ["--gradient_accumulation_steps", "1", "--max_completion_length", "8"]


@pytest.fixture(scope="module", autouse=True)
def shared_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, what it returned, and the progress that it showed."""
    folder, seen = tmp_path_factory.mktemp("runs") / "one", []
    run, args = parse([*SHORT, "--output_dir", str(folder), "--seed", "5"])
    result = train(run, args, progress=lambda *update: seen.append(update))
    return folder, result, seen


def test_a_run_leaves_everything_needed_to_read_and_repeat_it(finished):
    folder, result, _ = finished
    assert {p.name for p in folder.iterdir()} >= {
        "config.yaml",
        "metrics.jsonl",
        "held_out.jsonl",
        "model",
    }
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    assert (settings["data"], settings["rule"], settings["seed"]) == ("shop", "praise", 5)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2]
    assert all(name in lines[0] for name in ("reward", "game/searches", "credit/rows"))
    held_out = [json.loads(line) for line in (folder / "held_out.jsonl").read_text().splitlines()]
    assert len(held_out) == len(result.held_out) == 210
    assert 0 < result.searched <= result.asked


def test_every_stage_of_a_run_shows_progress_to_its_end(finished):
    _, _, seen = finished
    last = {stage: (done, total) for stage, done, total, _ in seen}
    assert last == {"warm start": (60, 60), "training": (2, 2)}


def test_the_same_seed_gives_the_same_run(finished, tmp_path):
    folder, _, _ = finished
    run, args = parse([*SHORT, "--output_dir", str(tmp_path / "again"), "--seed", "5"])
    train(run, args, progress=lambda *_: None)
    again = tmp_path / "again"
    assert (again / "held_out.jsonl").read_bytes() == (folder / "held_out.jsonl").read_bytes()
    assert (again / "model/model.safetensors").read_bytes() == (
        folder / "model/model.safetensors"
    ).read_bytes()


def test_a_trained_policy_explains_its_own_query(finished, capsys):
    folder, _, _ = finished
    assert main(["explain", "--model", str(folder), "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    run = load_run(folder)
    assert (run.data, run.retriever) == ("shop", "bm25")
    assert record["query"] == run.policy.rewrite([next(iter(run.contexts))])[0].strip()
    assert abs(sum(record["credit"]) - record["total"]) < 1e-12


def test_a_run_that_dies_keeps_its_metrics_and_is_no_finished_run(tmp_path, monkeypatch):
    value = RetrievalReward.__call__
    calls = []

    def engine_dies(self, completions, **columns):
        calls.append(len(completions))
        if len(calls) == 2:
            raise ConnectionError("engine down")
        return value(self, completions, **columns)

    monkeypatch.setattr(RetrievalReward, "__call__", engine_dies)
    folder = tmp_path / "dead"
    run, args = parse([*SHORT, "--output_dir", str(folder), "--seed", "5"])
    with pytest.raises(ConnectionError, match="engine down"):
        train(run, args, progress=lambda *_: None)
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 1
    assert not (folder / "model").exists()
    with pytest.raises(InputError, match="not a finished run"):
        load_run(folder)


def test_a_second_run_makes_no_search_and_learns_the_same(finished, tmp_path):
    folder, plain, _ = finished
    results = []
    for name in ("first", "second"):
        arguments = [*SHORT, "--output_dir", str(tmp_path / name), "--seed", "5"]
        run, args = parse([*arguments, "--cache", str(tmp_path / "ranks")])
        results.append(train(run, args, progress=lambda *_: None))
        held_out = (tmp_path / name / "held_out.jsonl").read_bytes()
        assert held_out == (folder / "held_out.jsonl").read_bytes()
    assert [result.asked for result in results] == [plain.asked] * 2
    assert [result.searched for result in results] == [plain.searched, 0]


def test_an_engine_that_dies_in_a_training_step_exits_3_and_keeps_what_was_searched(
    tmp_path, monkeypatch, capsys
):
    ranks, searched = BM25.ranks, []

    def engine_dies(self, queries, product_ids):
        if len(searched) > 20:
            raise RetrieverError("http://engine/_search answered 503 to 'red shoes'")
        searched.extend(queries)
        return ranks(self, queries, product_ids)

    arguments = ["train", *SHORT, "--output_dir", str(tmp_path / "run"), "--seed", "5"]
    arguments += ["--cache", str(tmp_path / "ranks")]
    with monkeypatch.context() as patch:
        patch.setattr(BM25, "ranks", engine_dies)
        assert main(arguments) == 3
    assert capsys.readouterr().err == "ospo: http://engine/_search answered 503 to 'red shoes'\n"
    died_after = len(searched)

    def counted(self, queries, product_ids):
        searched.extend(queries)
        return ranks(self, queries, product_ids)

    monkeypatch.setattr(BM25, "ranks", counted)
    assert main([*arguments, "--overwrite", "True"]) == 0
    assert died_after > 20
    assert not set(searched[:died_after]) & set(searched[died_after:])


def test_a_run_directory_without_its_model_is_named(finished, tmp_path):
    folder, _, _ = finished
    for name in ("config.yaml", "held_out.jsonl"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(InputError, match=r"model has no config.json, so it is not a policy"):
        load_run(tmp_path)

"""One short training run from data to explanation, and what is left when it fails."""

from __future__ import annotations

import json

import pytest
import yaml

from ospo.cli import main
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.retriever import RetrieverError
from ospo.train.finished import load_run
from ospo.train.reward import RetrievalReward
from ospo.train.run import train
from ospo.train.settings import parse
from ospo.train.view import View

SHORT = ["--max_steps", "2", "--per_device_train_batch_size", "16", "--warm_start_steps", "60"]
SHORT += ["--gradient_accumulation_steps", "1", "--max_completion_length", "8"]


class Watching(View):
    """Keeps what it is told."""

    samples = 10

    def __init__(self):
        self.warmed, self.steps, self.found, self.written = [], [], [], []

    def warming(self, done, steps, loss):
        self.warmed.append((done, steps))

    def step(self, step, steps, logs):
        self.steps.append((step, steps))

    def begins(self, found):
        self.found.append(found)

    def writes(self, step, sample):
        self.written.append(sample)


@pytest.fixture(scope="module", autouse=True)
def shared_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, what it returned, and what it showed."""
    folder, watching = tmp_path_factory.mktemp("runs") / "one", Watching()
    run, args = parse([*SHORT, "--output_dir", str(folder), "--seed", "5"])
    result = train(run, args, view=watching)
    return folder, result, watching


def test_a_run_leaves_everything_needed_to_read_and_repeat_it(finished):
    folder, result, _ = finished
    names = {"config.yaml", "metrics.jsonl", "held_out.jsonl", "README.md", "cache.sqlite", "model"}
    assert {path.name for path in folder.iterdir()} >= names
    settings = yaml.safe_load((folder / "config.yaml").read_text())
    assert (settings["data"], settings["rule"], settings["seed"]) == ("shop", "praise", 5)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2]
    assert all(name in lines[0] for name in ("reward", "game/searches", "credit/rows"))
    held_out = [json.loads(line) for line in (folder / "held_out.jsonl").read_text().splitlines()]
    assert len(held_out) == len(result.held_out) == 210
    assert 0 < result.searched <= result.asked


def test_every_stage_of_a_run_is_seen_to_its_end(finished):
    _, _, watching = finished
    assert watching.warmed == [(step, 60) for step in range(1, 61)]
    assert watching.steps == [(1, 2), (2, 2)]
    assert len(watching.found) == 1
    last = watching.written[-1]
    assert len(watching.written) == 2
    assert " ".join(phrase for phrase, _ in last.credit).split()[0] in last.query
    assert last.prompt.startswith("<bos> ")


def test_the_same_seed_gives_the_same_run(finished, tmp_path):
    folder, _, _ = finished
    run, args = parse([*SHORT, "--output_dir", str(tmp_path / "again"), "--seed", "5"])
    train(run, args)
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
        train(run, args)
    assert len((folder / "metrics.jsonl").read_text().splitlines()) == 1
    assert not (folder / "model").exists()
    with pytest.raises(InputError, match="not a finished run"):
        load_run(folder)


def test_the_settings_of_a_run_train_the_same_policy_again(finished, tmp_path):
    folder, _, _ = finished
    again = ["--config", str(folder / "config.yaml"), "--output_dir", str(tmp_path)]
    train(*parse(again))
    assert (tmp_path / "held_out.jsonl").read_bytes() == (folder / "held_out.jsonl").read_bytes()


def test_the_model_card_says_what_was_trained_and_what_came_of_it(finished):
    folder, result, _ = finished
    card = (folder / "README.md").read_text()
    after = sum(record.value_after for record in result.held_out) / len(result.held_out)
    assert yaml.safe_load(card.split("---")[1])["library_name"] == "transformers"
    assert f"| the policy after training | {after:.3f} |" in card
    assert "`rule: praise`, `credit: myerson`" in card
    assert "shop: 1,989 products" in card
    assert str(folder.parent) not in card  # it goes where the model goes


def test_a_second_run_makes_no_search_and_learns_the_same(finished, tmp_path):
    folder, plain, _ = finished
    results = []
    for name in ("first", "second"):
        arguments = [*SHORT, "--output_dir", str(tmp_path / name), "--seed", "5"]
        run, args = parse([*arguments, "--cache", str(tmp_path / "ranks")])
        results.append(train(run, args, view=Watching()))
        held_out = (tmp_path / name / "held_out.jsonl").read_bytes()
        assert held_out == (folder / "held_out.jsonl").read_bytes()
    assert [result.asked for result in results] == [plain.asked] * 2
    assert [result.searched for result in results] == [plain.searched, 0]


def test_an_engine_that_dies_in_a_training_step_exits_3_and_keeps_what_was_searched(
    tmp_path, monkeypatch, capsys
):
    look, searched = BM25.look, []

    def engine_dies(self, queries, product_ids, k):
        if len(searched) > 20:
            raise RetrieverError("http://engine/_search answered 503 to 'red shoes'")
        searched.extend(queries)
        return look(self, queries, product_ids, k)

    arguments = ["train", *SHORT, "--output_dir", str(tmp_path / "run"), "--seed", "5"]
    arguments += ["--cache", str(tmp_path / "ranks")]
    with monkeypatch.context() as patch:
        patch.setattr(BM25, "look", engine_dies)
        assert main(arguments) == 3
    assert capsys.readouterr().err == "ospo: http://engine/_search answered 503 to 'red shoes'\n"
    died_after = len(searched)

    def counted(self, queries, product_ids, k):
        searched.extend(queries)
        return look(self, queries, product_ids, k)

    monkeypatch.setattr(BM25, "look", counted)
    assert main([*arguments, "--overwrite", "True"]) == 0
    assert died_after > 20
    assert not set(searched[:died_after]) & set(searched[died_after:])


def test_a_run_directory_without_its_model_is_named(finished, tmp_path):
    folder, _, _ = finished
    for name in ("config.yaml", "held_out.jsonl"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(InputError, match=r"model has no config\.json, so it is not a policy"):
        load_run(tmp_path)

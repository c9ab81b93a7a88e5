"""Training that stops, by a failure or by a person, and goes on as if it had not."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import threading

import pytest
from search_engine import SearchEngine, serving

from ospo.cli import main
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.train.checkpoints import last_checkpoint
from ospo.train.run import train
from ospo.train.settings import parse
from ospo.train.view import View

STEPS = 4
SHORT = ["--max_steps", str(STEPS), "--per_device_train_batch_size", "16", "--seed", "5"]
SHORT += ["--gradient_accumulation_steps", "1", "--max_completion_length", "16"]
SHORT += ["--warm_start_steps", "150"]
TIMES = ("time/", "step_time", "train_runtime", "train_steps_per", "train_samples_per")


@pytest.fixture(scope="module", autouse=True)
def shared_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def server():
    with serving(SearchEngine()) as engine:
        yield engine


class After(View):
    """Does something when a step was logged."""

    samples = 10

    def __init__(self, step, action):
        self.at, self.action = step, action

    def step(self, step, steps, logs):
        if step == self.at:
            self.action()


def outcome(folder):
    """What a run left that must not depend on whether it was interrupted."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    steps = [
        {name: value for name, value in line.items() if not name.startswith(TIMES)}
        for line in lines
        if "loss" in line
    ]
    return steps, *(
        (folder / name).read_bytes() for name in ("held_out.jsonl", "model/model.safetensors")
    )


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """What a run without interruption leaves, by the rule that it trains with."""
    known = {}

    def run(*rule):
        if rule not in known:
            folder = tmp_path_factory.mktemp("uninterrupted")
            train(*parse([*SHORT, *rule, "--output_dir", str(folder)]))
            known[rule] = outcome(folder)
        return known[rule]

    return run


RULES = [("--rule", "praise"), ("--rule", "prefix", "--scale_rewards", "none")]


@pytest.mark.parametrize("rule", RULES, ids=["praise", "prefix"])
def test_a_training_that_fails_is_resumed_to_the_same_bits(
    rule, uninterrupted, tmp_path, monkeypatch
):
    folder = tmp_path / "run"
    look, broken = BM25.look, threading.Event()

    def fails(self, queries, product_ids, k):
        if broken.is_set():
            raise ConnectionError("no route to the engine")
        return look(self, queries, product_ids, k)

    monkeypatch.setattr(BM25, "look", fails)
    arguments = [*SHORT, *rule, "--output_dir", str(folder)]
    with pytest.raises(ConnectionError, match="no route"):
        train(*parse(arguments), view=After(2, broken.set))
    assert last_checkpoint(folder) == folder / "checkpoint-2"
    broken.clear()
    train(*parse([*arguments, "--resume"]))
    assert outcome(folder) == uninterrupted(*rule)


def test_an_engine_that_dies_exits_3_and_training_goes_on_when_it_is_back(server, tmp_path, capsys):
    folder = tmp_path / "run"
    name = f"{server.url}#retries=0&depth=2000&timeout=60".replace("//", "//me:s3cret@")
    arguments = [*SHORT, "--output_dir", str(folder), "--retriever", name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ospo.report.training.LiveView.step", lambda *_: server.fail())
        assert main(["train", *arguments]) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith("ospo: ")
    assert f"127.0.0.1:{server.server_port}" in captured.err
    assert "--resume" in captured.out
    assert last_checkpoint(folder) == folder / "checkpoint-1"
    server.restart()
    assert main(["train", *arguments, "--resume"]) == 0
    steps, *_ = outcome(folder)
    assert [line["step"] for line in steps] == [1, 2, 3, 4]
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert len(written) > 10
    assert not [path for path in written if b"s3cret" in path.read_bytes()]
    assert "s3cret" not in captured.out + captured.err


def test_ctrl_c_finishes_the_step_saves_it_and_exits_130(uninterrupted, tmp_path):
    folder = tmp_path / "run"
    arguments = [*SHORT, "--output_dir", str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ospo.cli", "train", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As a shell starts a job in the background.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    for line in process.stdout:
        if line.startswith("training"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert err == "ospo: interrupted\n"
    assert "go on with --resume" in out
    stopped = last_checkpoint(folder)
    assert stopped is not None
    assert not (folder / "model").exists()
    train(*parse([*arguments, "--resume"]))
    assert outcome(folder) == uninterrupted()


def test_a_full_disk_leaves_the_checkpoint_before_as_it_was(uninterrupted, tmp_path):
    folder = tmp_path / "run"
    arguments = [*SHORT, "--output_dir", str(folder), "--save_strategy", "steps"]
    arguments += ["--save_steps", "1"]
    limit, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill():
        # Room for the weights, and none for the optimizer, whose states are twice as large.
        size = (folder / "checkpoint-1" / "model.safetensors").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size * 3 // 2, hard))

    try:
        with pytest.raises(InputError, match=r"checkpoint-2 could not be written .* room on the"):
            train(*parse(arguments), view=After(2, fill))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-1"]
    train(*parse([*arguments, "--resume"]))
    assert outcome(folder)[1:] == uninterrupted()[1:]  # what step 2 searched is known by now


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that failed after its first step."""
    folder = tmp_path_factory.mktemp("stopped") / "run"

    def fail():
        raise OSError("power cut")

    with pytest.raises(OSError, match="power cut"):
        train(*parse([*SHORT, "--output_dir", str(folder)]), view=After(1, fail))
    return folder


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--retriever", "fts5"], "retriever was 'bm25', is 'fts5'; retriever fingerprint was"),
        (["--rule", "rank"], r"rule was 'praise', is 'rank'\): resume"),
        (["--credit", "shapley"], r"credit was 'myerson', is 'shapley'\): resume"),
        (["--max_steps", "9"], r"max_steps was 4, is 9\): resume"),
        (["--segmenter", "words"], "segmenter was 'phrases', is 'words'"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused_with_the_difference(stopped, flags, message):
    with pytest.raises(InputError, match=message):
        train(*parse([*SHORT, *flags, "--output_dir", str(stopped), "--resume"]))


def test_what_is_shown_and_where_it_is_kept_may_differ_when_training_resumes(stopped):
    checkpoint = last_checkpoint(stopped)
    flags = ["--save_steps", "2", "--save_strategy", "steps", "--logging_steps", "2"]
    train(*parse([*SHORT, *flags, "--output_dir", str(stopped), "--resume"]))
    assert checkpoint.name == "checkpoint-1"
    assert last_checkpoint(stopped).name == "checkpoint-4"


def test_there_must_be_a_checkpoint_to_resume_from(tmp_path):
    (tmp_path / "checkpoint-3").mkdir()  # half written
    with pytest.raises(InputError, match="no whole checkpoint to resume from"):
        train(*parse([*SHORT, "--output_dir", str(tmp_path), "--resume"]))


def test_saving_between_rounds_of_generation_is_refused(tmp_path):
    flags = ["--steps_per_generation", "4", "--save_strategy", "steps", "--save_steps", "6"]
    with pytest.raises(InputError, match=r"save_steps is 6, .* choose a multiple of 4"):
        train(*parse([*SHORT, *flags, "--output_dir", str(tmp_path)]))

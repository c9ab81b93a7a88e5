"""Two processes that train together, started as a user starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SHORT = ["--max_steps", "2", "--per_device_train_batch_size", "8", "--seed", "5"]
SHORT += ["--gradient_accumulation_steps", "1", "--max_completion_length", "16"]
SHORT += ["--warm_start_steps", "150", "--contexts", "queries"]

# Runs the command, and leaves what each process ended with.
LEAVE = """
import dataclasses, os, sys, torch
from ospo.train.trl import OSPOTrainer
end = OSPOTrainer.end

def leave(self):
    left = {
        "processes": self.accelerator.num_processes,
        "weights": self.model.state_dict(),
        "fit": dataclasses.asdict(self.weight.fit),
        "credit": list(self._logs["extra"]["credit"]),
        "completions": list(self._logs["completion"]),
    }
    torch.save(left, f"{sys.argv[1]}/rank-{os.environ['RANK']}.pt")
    end(self)

OSPOTrainer.end = leave
from ospo.cli import main
sys.exit(main(["train", *sys.argv[2:]]))
"""
# Runs the command; in the second process the engine fails after the first step.
FAIL = """
import os, sys
from ospo.search.bm25 import BM25
from ospo.search.retriever import RetrieverError
from ospo.train.recorder import Recorder
log, look, stepped = Recorder.on_log, BM25.look, []

def on_log(self, *rest, **named):
    stepped.append(True)
    return log(self, *rest, **named)

def fails(self, *rest):
    if stepped and os.environ["RANK"] == "1":
        raise RetrieverError("the engine of rank 1 is down")
    return look(self, *rest)

Recorder.on_log, BM25.look = on_log, fails
from ospo.cli import main
sys.exit(main(["train", *sys.argv[1:]]))
"""


@pytest.fixture(scope="module", autouse=True)
def shared_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def torchrun(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", str(script), *arguments]
    # The time limit is what says that nothing hangs: gloo would wait for half an hour.
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=280,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def test_two_processes_train_one_policy_and_one_of_them_writes(tmp_path):
    script, folder = tmp_path / "leave.py", tmp_path / "run"
    script.write_text(LEAVE)
    fitted = ["--rule", "prefix", "--scale_rewards", "none", "--log_completions"]
    done = torchrun(script, str(tmp_path), *SHORT, *fitted, "--output_dir", str(folder))
    assert done.returncode == 0, done.stderr
    left, also = (torch.load(tmp_path / f"rank-{rank}.pt") for rank in (0, 1))
    weights, others = left.pop("weights"), also.pop("weights")
    assert weights.keys() == others.keys()
    assert all(torch.equal(weight, others[name]) for name, weight in weights.items())
    assert left == also
    assert left["processes"] == 2
    assert left["fit"]["variance"] > 0
    assert len(left["credit"]) == len(left["completions"]) == 16  # of both ranks
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2]
    assert any(line.get("grad_norm") for line in lines)
    assert done.stdout.count("gain ") == 1
    assert (folder / "model" / "model.safetensors").is_file()


def test_a_process_that_fails_stops_the_other_and_says_why(tmp_path):
    script, folder = tmp_path / "fail.py", tmp_path / "run"
    script.write_text(FAIL)
    flags = ["--save_strategy", "steps", "--save_steps", "1", "--output_dir", str(folder)]
    done = torchrun(script, *SHORT, *flags)
    assert done.returncode != 0
    assert "ospo: the engine of rank 1 is down" in done.stderr
    assert not (folder / "model").exists()
    assert (folder / "checkpoint-1" / "ospo.json").is_file()

"""The command as a user meets it: exit codes, one clear sentence, machine-readable output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from ospo.cli import main


@pytest.fixture(autouse=True)
def private_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OSPO_CACHE", str(tmp_path / "cache"))


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
        (["explain", "purple elephants"], "is not a query with relevant products"),
        (["explain", "desk lamp", "--data", "nowhere"], "nowhere"),
        (["explain", "desk lamp", "--data", "icecat:/no/such/folder"], "/no/such/folder"),
        (["explain", "--model", "/no/such/run"], "not a finished run"),
        (["train", "--rule", "magic"], "rule must be one of"),
        (["train", "--credit", "magic"], "credit must be one of"),
        (["train", "--data", "nowhere"], "nowhere"),
        (["train", "--metric", "ERR@10"], "not supported"),
        (["train", "--config", "/no/such.yaml"], "configuration is wrong"),
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


def test_a_config_key_that_does_not_exist_is_named(tmp_path, capsys):
    config = tmp_path / "c.yaml"
    config.write_text("lerning_rate: 1e-4\n")
    assert main(["train", "--config", str(config)]) == 1
    assert "lerning_rate" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["explain", "x", "--frmat", "json"], ["fly"]])
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

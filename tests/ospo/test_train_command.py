"""``ospo train`` as a user meets it: any policy, settings, what it prints and what it refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.commands.config.config_args import load_config_from_file
from pyarrow.parquet import read_table
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from ospo.cli import main
from ospo.data import load
from ospo.search.metrics import parse_metric
from ospo.train.finished import load_run
from ospo.train.interrupt import round_steps
from ospo.train.prompts import TEMPLATE
from ospo.train.run import train
from ospo.train.settings import RunArguments, parse
from ospo.train.view import View

EXAMPLES = Path(__file__).parents[2] / "examples"
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TINY = ["--max_steps", "1", "--per_device_train_batch_size", "4", "--num_generations", "4"]
TINY += ["--gradient_accumulation_steps", "1", "--max_completion_length", "6", "--use_cpu"]
TINY += ["--bf16", "False", "--gradient_checkpointing", "False", "--contexts", "queries"]


@pytest.fixture(autouse=True, scope="module")
def shared_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OSPO_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(scope="module")
def qwen(tmp_path_factory):
    """A folder with a tiny model of Qwen2's shape and its own tokenizer, which chats."""
    folder = tmp_path_factory.mktemp("models") / "qwen"
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learn = BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(load("shop").catalogue.fields["title"], learn)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
        additional_special_tokens=special,
        chat_template=CHAT,
    )
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def test_any_causal_language_model_is_trained_by_its_folder_and_explained(qwen, tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = [*TINY, "--model_name_or_path", str(qwen), "--output_dir", str(folder)]
    assert main(["train", *arguments, "--log_completions"]) == 0
    out = capsys.readouterr().out
    held_out = [json.loads(line) for line in (folder / "held_out.jsonl").read_text().splitlines()]
    query = held_out[0]["context"]
    run = load_run(folder)
    assert run.policy.prompt(query) == (
        f"<|im_start|>user\n{TEMPLATE.format(context=query)}<|im_end|>\n<|im_start|>assistant\n"
    )
    assert run.policy.model.config.model_type == "qwen2"
    assert run.policy.rewrite([query]) == [held_out[0]["after"]]
    assert run.policy.longest == 6
    assert "70 queries × 1 contexts" in out  # a query as it is makes one context
    (table,) = (folder / "completions").glob("*.parquet")
    assert {"completion", "credit"} <= set(read_table(table).column_names)
    assert str(qwen) not in (folder / "README.md").read_text().split("---")[1]


def test_an_adapter_is_trained_saved_and_read_again(qwen, tmp_path):
    pytest.importorskip("peft")
    folder = tmp_path / "run"
    arguments = [*TINY, "--model_name_or_path", str(qwen), "--output_dir", str(folder)]
    result = train(*parse([*arguments, "--use_peft", "--lora_r", "4"]))
    saved = json.loads((folder / "model" / "adapter_config.json").read_text())
    assert saved["r"] == 4
    assert not (folder / "model" / "model.safetensors").exists()
    first = result.held_out[0]
    assert load_run(folder).policy.rewrite([first.context]) == [first.after]


def test_what_a_setting_needs_and_is_not_installed_is_named(qwen, tmp_path, capsys):
    if find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed, so that nothing is missing")
    arguments = [*TINY, "--model_name_or_path", str(qwen), "--output_dir", str(tmp_path / "run")]
    assert main(["train", *arguments, "--load_in_4bit"]) == 1
    assert "bitsandbytes" in capsys.readouterr().err


def test_a_folder_without_weights_is_refused(qwen, tmp_path, capsys):
    broken = tmp_path / "qwen"
    shutil.copytree(qwen, broken, ignore=shutil.ignore_patterns("*.safetensors"))
    arguments = [*TINY, "--model_name_or_path", str(broken)]
    assert main(["train", *arguments, "--output_dir", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert f"the policy '{broken}' cannot be loaded" in error
    assert len(error.splitlines()) == 1


def test_a_template_of_ones_own_is_what_the_policy_reads(tmp_path):
    template = tmp_path / "prompt.txt"
    template.write_text("<bos> i said {context}<sep>")
    found = []

    class Watching(View):
        def begins(self, preflight):
            found.append(preflight)

    arguments = ["--prompt_template", str(template), "--warm_start_steps", "5", "--dry_run"]
    train(*parse([*arguments, "--output_dir", str(tmp_path / "run")]), view=Watching())
    assert found[0].sample.prompt.startswith("<bos> i said ")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model_name_or_path", "/no/model", "--use_cpu", "--bf16", "False"], "has no tokenizer"),
        (["--prompt_template", "/no/such.txt"], "/no/such.txt cannot be read"),
        (["--prompt_template", str(EXAMPLES / "cpu-shop.yaml")], "cpu-shop.yaml has no {context}"),
        (["--num_generations", "1"], "at least 2 generations"),
        (["--reward", "praise"], "there is no reward 'praise'"),
        (["--accelerate_config", "zero9"], "no accelerate configuration 'zero9': give a file"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(arguments, message, tmp_path, capsys):
    arguments = [*arguments, "--warm_start_steps", "5"]
    assert main(["train", "--output_dir", str(tmp_path / "run"), *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_key_of_an_example_is_known_and_is_what_the_run_gets(example):
    written = yaml.safe_load(example.read_text())
    # What the machine of the tests may lack.
    here = ["--use_cpu", "True", "--bf16", "False"]
    run, args = parse(["--config", str(example), *here])
    parse_metric(run.metric)
    assert round_steps(args) == 1 or args.save_steps % round_steps(args) == 0
    for name, value in written.items():
        if name != "bf16":
            owner = run if name in RunArguments.__dataclass_fields__ else args
            assert getattr(owner, name) == value, name


@pytest.mark.parametrize("paper", [["--credit_budget", "96"], ["--paper_clip", "True"]])
def test_the_examples_can_be_trained_as_published(paper, tmp_path):
    example = yaml.safe_load((EXAMPLES / "qwen2.5-7b-esci.yaml").read_text())
    for name in ("rule", "credit", "bf16"):
        del example[name]
    config = tmp_path / "published.yaml"
    config.write_text(yaml.safe_dump(example | {"paper": True, "use_cpu": True, "bf16": False}))
    _, args = parse(["--config", str(config), *paper])
    assert args.paper
    assert args.max_width == 8


@pytest.mark.parametrize(
    "config", sorted((EXAMPLES / "accelerate").glob("*.yaml")), ids=lambda path: path.stem
)
def test_accelerate_reads_the_configurations_that_are_shipped(config):
    (found,) = [load_config_from_file(str(config))]
    assert found.num_processes == 8
    assert found.distributed_type in ("DEEPSPEED", "FSDP")


def test_accelerate_launches_the_same_command(tmp_path):
    config = tmp_path / "one.yaml"
    config.write_text(
        "compute_environment: LOCAL_MACHINE\ndistributed_type: 'NO'\nuse_cpu: true\n"
        "num_processes: 1\nnum_machines: 1\nmachine_rank: 0\nmixed_precision: 'no'\n"
    )
    flags = ["--accelerate_config", str(config), "--dry_run", "--warm_start_steps", "5"]
    done = subprocess.run(
        [sys.executable, "-m", "ospo.cli", "train", *flags, "--output_dir", str(tmp_path / "run")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "48 completions" in done.stdout

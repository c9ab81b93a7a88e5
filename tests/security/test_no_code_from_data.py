"""What is read is never run: no pickle, no unsafe YAML, no text of anyone's inside SQL."""

from __future__ import annotations

import ast
import pickle
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, LlamaConfig

import owen_core as oc
from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.fts5 import FTS5
from ospo.search.postgres import Postgres
from ospo.train.policy.policy import DESCRIPTION, Policy

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "owen_core").rglob("*.py"), *(ROOT / "ospo").rglob("*.py")])
UNSAFE = {
    *("cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"),
    *("os.popen", "os.system", "pty", "telnetlib", "xml"),
}
# How many statements of SQL are put together from parts, none of which comes from outside.
BUILT = {
    "ospo/search/fts5.py": 2,  # columns by their number
    "ospo/search/postgres.py": 1,  # a number of milliseconds; other parts are quoted by psycopg
}


def called(node: ast.AST) -> str:
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_is_read_is_unpickled_evaluated_or_handed_to_a_shell(path):
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    calls = {called(node) for node in nodes}
    assert calls.isdisjoint({"eval", "exec", "compile", "__import__", "torch.load", "os.system"})
    of_readers = {call for call in calls if call.startswith(("yaml.", "pickle."))}
    assert of_readers <= {"yaml.safe_load", "yaml.safe_dump", "yaml.scan", "pickle.dumps"}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            assert UNSAFE.isdisjoint(names) or names == ["pickle"]
        if isinstance(node, ast.keyword) and node.arg in ("allow_pickle", "shell"):
            assert ast.unparse(node.value) == "False"


def test_what_is_asked_of_a_database_is_written_down_here():
    """Values go in as parameters; a statement is a constant, or one of those listed above."""
    built = dict.fromkeys(BUILT, 0)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if called(node).endswith((".execute", ".executemany", ".executescript")):
                statement = node.args[0]
                if isinstance(statement, ast.JoinedStr | ast.BinOp):
                    name = path.relative_to(ROOT).as_posix()
                    built[name] = built.get(name, 0) + 1
    assert built == BUILT


INJECTIONS = ["'); DROP TABLE products; --", '" OR 1=1 --', "NEAR(a b)", "title : a", "%s%(k)s"]
HOSTILE = st.sampled_from(INJECTIONS) | st.text(
    "'\"`;()*:^-+%_ \0\u2028aé", min_size=1, max_size=20
)


@given(column=HOSTILE, text=HOSTILE, query=HOSTILE)
@settings(max_examples=60, deadline=None)
def test_columns_products_and_queries_of_fts5_are_only_words(column, text, query):
    columns = {"title": ("desk lamp", text), column: (text, "sofa")}
    engine = FTS5(Catalogue(("a", "b"), columns))
    assert len(engine.search([query, text, "lamp"], 2)) == 3
    assert engine.search(["desk lamp"], 1)[0][0].product_id == "a"


@given(HOSTILE)
@settings(max_examples=30, deadline=None)
def test_the_name_of_a_game_is_only_a_name(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("store") / "values.sqlite"
    with oc.SqliteStore(path, "other") as store:
        oc.attribute(lambda s: s.sum(axis=1), 3, cache=store)
    with oc.SqliteStore(path, name) as store:
        oc.attribute(lambda s: s.all(axis=1), 3, cache=store)
        assert store.contents().games == 2
    with sqlite3.connect(path) as connection:
        names = {found for (found,) in connection.execute("SELECT fingerprint FROM games")}
    connection.close()
    assert names == {"other", name}


STORABLE = HOSTILE.filter(lambda text: "\0" not in text)


@given(table=STORABLE, config=STORABLE)
@settings(max_examples=60, deadline=None)
def test_a_table_and_a_configuration_of_postgresql_are_quoted(table, config):
    shop = Catalogue(("a",), {"title": ("desk lamp",)})
    statement = Postgres("host=x", shop, table=table, config=config)._statement.as_string(None)
    quoted = [part.replace('"', '""') for part in table.split(".")]
    assert 'FROM "' + '"."'.join(quoted) + '", wanted' in statement
    assert "to_tsvector('" + config.replace("'", "''") + "', " in statement


class Payload:
    """Runs code when it is unpickled."""

    def __init__(self, told: Path) -> None:
        self.told = told

    def __reduce__(self):
        return Path.touch, (self.told,)


@pytest.fixture
def model(tmp_path):
    """A policy whose weights are a pickle that leaves a trace when it is read."""
    settings = {"hidden_size": 8, "intermediate_size": 8, "num_attention_heads": 1}
    config = LlamaConfig(vocab_size=9, num_hidden_layers=1, **settings)
    folder = tmp_path / "model"
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    for name in ("tokenizer_config.json", DESCRIPTION):
        (folder / name).write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Payload(tmp_path / "owned")))
    return folder


def test_weights_in_a_pickle_are_refused_unread(model, tmp_path):
    with pytest.raises(InputError, match=r"no file named model\.safetensors"):
        Policy.load(model)
    assert not (tmp_path / "owned").exists()

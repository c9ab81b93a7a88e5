"""What runs and users keep, changed by strangers: it is read, or refused in one sentence."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from hostile import DEEP, HUGE, altered, damaged, lay, often, refused_or
from hypothesis import given
from hypothesis import strategies as st

import owen_core as oc
from ospo.data import load
from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.evaluation.system import System, load_system
from ospo.explain import explain
from ospo.explanation import Explanation
from ospo.report.page import page
from ospo.report.run_record import NEEDED, RunRecord, read_run
from ospo.search.bm25 import BM25
from ospo.search.fts5 import FTS5
from ospo.train.finished import load_run
from ospo.train.held_out import HeldOut
from ospo.worklist.folder import ROWS, SETTINGS, Worklist

GAME = oc.attribute(lambda s: s.sum(axis=1) ** 2, ["a", "b", "c"], interactions=True)


def saved(estimator: oc.Estimator, folder: Path) -> dict:
    estimator.save(folder / "whole.json")
    return json.loads((folder / "whole.json").read_text())


@given(st.data())
@often
def test_an_altered_attribution_or_estimator_is_read_or_refused(tmp_path, data):
    unions = oc.Estimator("antithetic", 3, structure=oc.unions((0, 1), (2,)), rng=0)
    unions.absorb(unions.propose().sum(axis=1))
    kind, whole = data.draw(
        st.sampled_from(
            [
                (oc.Attribution, GAME.to_dict()),
                (oc.Interactions, GAME.interactions.to_dict()),
                (oc.Estimator, saved(unions, tmp_path)),
            ]
        )
    )
    path = tmp_path / "altered.json"
    path.write_text(json.dumps(data.draw(altered(whole))))
    told = ""
    try:
        kind.load(path)
    except ValueError as error:
        told = str(error)
    assert not told or told.startswith(f"{path} holds no {kind.__name__.lower()}")


@pytest.mark.parametrize("kind", [oc.Attribution, oc.Interactions, oc.Estimator])
@pytest.mark.parametrize("content", [DEEP, HUGE, "", "\0", "[1", "{}"], ids=len)
def test_a_file_that_is_not_whole_json_is_refused(kind, content, tmp_path):
    path = tmp_path / "saved.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"holds no {kind.__name__.lower()}s?: "):
        kind.load(path)


SHOP = load("shop")


@pytest.fixture(scope="module")
def explained():
    query = SHOP.answerable[0]
    return explain(SHOP.queries[query], BM25(SHOP.catalogue), SHOP.qrels[query]).to_dict()


@given(st.data())
@often
def test_an_altered_explanation_is_refused_or_has_a_page(explained, tmp_path, data):
    path = tmp_path / "altered.json"
    path.write_text(json.dumps(data.draw(altered(explained))))
    refused_or(str, lambda: page([Explanation.load(path)]))


def test_an_explanation_nested_too_deep_is_refused(tmp_path):
    (tmp_path / "deep.json").write_text(DEEP)
    with pytest.raises(InputError, match="nested too deep"):
        Explanation.load(tmp_path / "deep.json")


def squares(coalitions):
    return coalitions.sum(axis=1) ** 2


def store(path: Path) -> Path:
    with oc.SqliteStore(path, "squares") as empty:
        oc.attribute(squares, 4, cache=empty)
    return path


def used(path: Path) -> oc.Attribution:
    with oc.SqliteStore(path, "squares") as known:
        known.contents()
        return oc.attribute(squares, 4, cache=known)


@given(st.data())
@often
def test_a_damaged_store_is_read_or_refused(tmp_path_factory, data):
    path = store(tmp_path_factory.mktemp("store") / "values.sqlite")
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    refused_or(oc.Attribution, lambda: used(path))


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE batches",
        "ALTER TABLE games RENAME COLUMN fingerprint TO other",
        "UPDATE batches SET value = 'text'",
        "UPDATE batches SET value = x'00'",
        "UPDATE batches SET coalitions = x''",
        "UPDATE batches SET coalitions = 5",
        "UPDATE batches SET written = 'then'",
        "UPDATE batches SET written = 9223372036854775807",
        "UPDATE batches SET written = 1e300",
        "UPDATE batches SET value = zeroblob(120) || x'000000000000f87f'",
        "CREATE VIEW endless AS WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT 1 FROM r) "
        "SELECT x FROM r",
        "CREATE TRIGGER t AFTER INSERT ON batches BEGIN DELETE FROM games; END",
    ],
)
def test_a_store_that_holds_something_else_is_damaged(statement, tmp_path):
    path = store(tmp_path / "values.sqlite")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    with pytest.raises(oc.StoreError, match="is damaged; delete it"):
        used(path)


LAMPS_SOLD = Catalogue(("a", "b"), {"title": ("desk lamp", "floor lamp")})


@pytest.mark.parametrize("kind", [BM25, FTS5])
@given(st.data())
@often
def test_a_damaged_index_is_read_or_refused(kind, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("index")
    kind(LAMPS_SOLD, folder)
    (path,) = folder.iterdir()
    path.write_bytes(data.draw(damaged(path.read_bytes())))
    refused_or(list, lambda: kind(LAMPS_SOLD, folder).search(["desk lamp"], 2))


RUN = dict.fromkeys(NEEDED, 1) | {
    "data": "shop",
    "contexts": "noisy",
    "retriever": "bm25",
    "reward": "retrieval",
    "metric": "nDCG@10",
    "segmenter": "phrases",
    "cache": None,
}
RECORD = asdict(HeldOut("q001", "i need a sofa", 1.0, 0.5, "", "sofa", 0.0, 1.0))


def run(folder: Path, **files: str) -> Path:
    whole = {
        "config.yaml": yaml.safe_dump(RUN),
        "held_out.jsonl": json.dumps(RECORD) + "\n",
        "metrics.jsonl": '{"step": 1, "reward": 0.5}\n',
    }
    lay(folder, {name: text.encode() for name, text in (whole | files).items()})
    return folder


@pytest.mark.parametrize("name", ["config.yaml", "held_out.jsonl", "metrics.jsonl"])
@given(st.data())
@often
def test_a_damaged_run_is_read_or_refused(name, tmp_path, data):
    folder = run(tmp_path)
    (folder / name).write_bytes(data.draw(damaged((folder / name).read_bytes())))
    refused_or(RunRecord, lambda: read_run(folder))
    refused_or(System, lambda: load_system(f"x:{folder}", SHOP))


@pytest.mark.parametrize("name", ["held_out.jsonl", "metrics.jsonl"])
@pytest.mark.parametrize("line", [DEEP, HUGE, "[1]", "{}", '{"step": 1e999}'], ids=len)
def test_a_line_that_no_run_writes_is_refused(name, line, tmp_path):
    with pytest.raises(InputError):
        read_run(run(tmp_path, **{name: line + "\n"}))


def test_a_configuration_that_unfolds_without_end_is_refused(tmp_path):
    folds = "".join(f"x{k + 1}: &x{k + 1} [{', '.join([f'*x{k}'] * 9)}]\n" for k in range(20))
    settings = yaml.safe_dump(RUN | {"data": "x"}).replace("data: x", "data: *x20")
    folder = run(tmp_path, **{"config.yaml": f"x0: &x0 lamp\n{folds}{settings}"})
    with pytest.raises(InputError, match="is not a run"):
        read_run(folder)
    with pytest.raises(InputError, match="is not a finished run"):
        load_system(f"x:{folder}", SHOP)


@pytest.mark.parametrize("line", [DEEP, "[1]", "{}", "not JSON"], ids=len)
def test_a_finished_run_with_another_line_is_refused(line, tmp_path):
    with pytest.raises(InputError, match="is damaged"):
        load_run(run(tmp_path, **{"held_out.jsonl": line}))


ROW = {"key": "1f", "query_id": "q", "query": "sofa", "failed": "why", "summary": None}


@given(st.data())
@often
def test_a_damaged_worklist_is_read_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("worklist")
    files = {
        SETTINGS: b'{"format": 1, "metric": "RR"}',
        ROWS: json.dumps(ROW).encode() + b"\n",
    }
    chosen = data.draw(st.sampled_from(sorted(files)))
    lay(folder, files | {chosen: data.draw(damaged(files[chosen]))})
    refused_or(list, lambda: Worklist(folder, {"metric": "RR"}).done({"q": "sofa"}))


@pytest.mark.parametrize("found", ["[]", '"x"', "null", DEEP], ids=len)
def test_settings_of_no_worklist_are_refused(found, tmp_path):
    lay(tmp_path, {SETTINGS: found.encode(), ROWS: json.dumps(ROW).encode() + b"\n"})
    with pytest.raises(InputError, match="is damaged"):
        Worklist(tmp_path, {"metric": "RR"})

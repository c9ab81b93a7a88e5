"""How a collection is named on the command line."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from ospo.data import LOADERS, load
from ospo.errors import InputError

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize(
    "spec", ["shoe", "", "shop:here", "shop:", "icecat", "icecat:", "esci:,x=1"]
)
def test_an_unknown_collection_is_refused_with_the_choices(spec: str) -> None:
    with pytest.raises(InputError) as raised:
        load(spec)
    assert str(raised.value) == (
        f'there is no collection "{spec}": choose one of {", ".join(LOADERS.values())}'
    )


@pytest.mark.parametrize("kind", LOADERS)
def test_every_kind_has_a_loader_that_takes_the_options_it_is_written_with(kind: str) -> None:
    loader = getattr(import_module(f"ospo.data.{kind}"), f"load_{kind}")
    parameters = inspect.signature(loader).parameters.values()
    known = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    written = dict(re.findall(r"(\w+)=([\w.]+)", LOADERS[kind]))
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    assert open_ended or set(written) == set(known)
    for name, value in written.items():
        if value.islower() or value.isdecimal():  # a default, and no placeholder
            assert str(known[name]) == value


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("esci:here,country=us", "unknown: country"),
        ("beir:here,split=test,split=dev", "one is given twice"),
        ("trec:here,topics=t.txt", "missing: qrels"),
        ("trec:here,topic=t.txt", "unknown: topic; missing: topics, qrels"),
    ],
)
def test_options_that_are_wrong_are_named_with_how_to_write_them(spec: str, problem: str) -> None:
    kind = spec.partition(":")[0]
    with pytest.raises(InputError) as raised:
        load(spec)
    assert (
        str(raised.value) == f"the options of {kind} are wrong ({problem}): write {LOADERS[kind]}"
    )


def test_a_number_must_be_one() -> None:
    with pytest.raises(InputError, match="customers is 'many': give an integer"):
        load("hm:here,customers=many")


def test_paths_may_have_commas_and_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "lamps, sofas"
    folder.mkdir()
    (folder / "products.csv").write_text("id,title\na,lamp\n")
    (folder / "q,1.csv").write_text("query_id,query\n1,lamp\n")
    collection = load("table:~/lamps, sofas/products.csv,queries=~/lamps, sofas/q,1.csv")
    assert collection.queries == {"1": "lamp"}

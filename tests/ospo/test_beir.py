"""The BEIR loader: the published form, its splits, and every kind of damage."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from ospo.data import load
from ospo.data.beir import load_beir
from ospo.errors import InputError

pytestmark = pytest.mark.usefixtures("own_cache")
CORPUS = [
    {"_id": "d1", "title": "Desk lamps", "text": "A lamp for a desk.", "metadata": {"url": "x"}},
    {"_id": "d2", "title": "", "text": "Floor lamps are taller.", "metadata": {}},
]
QUERIES = [{"_id": "q1", "text": "lamp", "metadata": {}}, {"_id": "q2", "text": "tall lamp"}]


def write_lines(path: Path, records: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lamps"
    (folder / "qrels").mkdir(parents=True)
    write_lines(folder / "corpus.jsonl", CORPUS)
    write_lines(folder / "queries.jsonl", QUERIES)
    header = "query-id\tcorpus-id\tscore\n"
    (folder / "qrels/test.tsv").write_text(f"{header}q1\td1\t2\nq1\td2\t0\n")
    (folder / "qrels/train.tsv").write_text(f"{header}q2\td2\t1\n")
    return folder


def test_documents_queries_and_judgments_are_read_as_published(folder: Path) -> None:
    collection = load(f"beir:{folder}")
    assert collection.name == "lamps"
    assert collection.catalogue.ids == ("d1", "d2")
    assert list(collection.catalogue.fields["title"]) == ["Desk lamps", ""]
    assert collection.catalogue.fields["description"][0] == "A lamp for a desk."
    assert collection.queries == {"q1": "lamp"}
    assert collection.qrels == {"q1": {"d1": 2, "d2": 0}}


def test_another_split_has_other_queries(folder: Path) -> None:
    collection = load(f"beir:{folder},split=train")
    assert (dict(collection.queries), collection.qrels) == ({"q2": "tall lamp"}, {"q2": {"d2": 1}})
    with pytest.raises(InputError, match=r"lacks qrels/dev\.tsv"):
        load(f"beir:{folder},split=dev")


def test_a_compressed_corpus_without_titles_is_read(folder: Path) -> None:
    (folder / "corpus.jsonl").unlink()
    lines = '{"_id": "d1", "text": "lamp"}\n{"_id": "d2", "text": "sofa"}\n'
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    catalogue = load_beir(folder).catalogue
    assert list(catalogue.fields["title"]) == ["", ""]
    assert list(catalogue.fields["description"]) == ["lamp", "sofa"]


def test_the_folder_may_be_the_current_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert load("beir:.").name == "lamps"


def test_a_negative_score_is_refused(folder: Path) -> None:
    path = folder / "qrels/test.tsv"
    path.write_text(path.read_text() + "q2\td1\t-1\n")
    with pytest.raises(InputError, match='of product "d1" for query "q2" is \'-1\', not an int'):
        load_beir(folder)


def test_a_document_that_occurs_twice_is_refused(folder: Path) -> None:
    write_lines(folder / "corpus.jsonl", [*CORPUS, CORPUS[0]])
    with pytest.raises(InputError, match=r"1 product ids occur more than once \(d1\)"):
        load_beir(folder)

"""The loader of own tables: any column names, any format, and every kind of damage."""

from __future__ import annotations

import gc
import json
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ospo.data import Collection, load
from ospo.data.table import load_table
from ospo.errors import InputError

pytestmark = pytest.mark.usefixtures("own_cache")
PRODUCTS = "sku,name,maker,price\na,desk lamp,Lumo,5\nb,floor lamp,,7\n"
QUERIES = "qid\ttext\n1\tlamp\n2\tkite\n"
QRELS = '{"qid": 1, "sku": "a", "rating": 3}\n{"qid": 2, "sku": "b", "rating": 0}\n'
COLUMNS = "id=sku,title=name,brand=maker,query_id=qid,query=text,product_id=sku,grade=rating"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lamps.csv").write_text(PRODUCTS)
    (tmp_path / "queries.tsv").write_text(QUERIES)
    (tmp_path / "qrels.jsonl").write_text(QRELS)
    return tmp_path


def read(folder: Path, products: str = "lamps.csv", more: str = "") -> Collection:
    files = f"queries={folder}/queries.tsv,qrels={folder}/qrels.jsonl"
    return load(f"table:{folder}/{products},{files},{COLUMNS}{more}")


def test_tables_of_several_formats_are_read_by_their_column_names(folder: Path) -> None:
    collection = read(folder)
    assert collection.name == "lamps"
    assert collection.catalogue.ids == ("a", "b")
    assert {name: list(column) for name, column in collection.catalogue.fields.items()} == {
        "title": ["desk lamp", "floor lamp"],
        "brand": ["Lumo", ""],
    }
    assert collection.queries == {"1": "lamp", "2": "kite"}
    assert collection.qrels == {"1": {"a": 3}, "2": {"b": 0}}


def test_queries_and_judgments_may_call_a_query_by_different_columns(folder: Path) -> None:
    expected = read(folder)
    (folder / "qrels.jsonl").write_text(QRELS.replace("qid", "asked"))
    collection = read(folder, more=",qrels_query_id=asked")
    assert (collection.queries, collection.qrels) == (expected.queries, expected.qrels)
    assert [*collection.catalogue.fields] == ["title", "brand"]
    with pytest.raises(InputError, match="jsonl lacks the columns qid"):
        read(folder)


def test_the_products_may_be_in_any_format(folder: Path) -> None:
    header, *lines = (line.split(",") for line in PRODUCTS.splitlines())
    records = [dict(zip(header, line, strict=True)) for line in lines]
    (folder / "l.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    pq.write_table(pa.Table.from_pylist(records), folder / "l.parquet")
    expected = read(folder).catalogue.fingerprint
    assert read(folder, "l.jsonl").catalogue.fingerprint == expected
    assert read(folder, "l.parquet").catalogue.fingerprint == expected


def test_columns_that_are_not_named_are_called_as_here(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("id,title,colour\na,lamp,red\n")
    (tmp_path / "qrels.csv").write_text("query_id,product_id,grade\n1,a,2\n")
    (tmp_path / "queries.csv").write_text("query_id,query\n1,red lamp\n")
    collection = load_table(
        tmp_path / "products.csv",
        queries=tmp_path / "queries.csv",
        qrels=tmp_path / "qrels.csv",
        colour="colour",
    )
    assert list(collection.catalogue.fields) == ["title", "colour"]
    assert (collection.queries, collection.qrels) == ({"1": "red lamp"}, {"1": {"a": 2}})


def test_judgments_alone_name_queries_by_their_text(folder: Path) -> None:
    (folder / "ratings.csv").write_text("query,docid,rating\nusb hub,a,3\nlamp,b,1\n")
    collection = load(
        f"table:{folder}/lamps.csv,qrels={folder}/ratings.csv,id=sku,title=name,"
        "product_id=docid,grade=rating"
    )
    assert collection.queries == {"usb+hub": "usb hub", "lamp": "lamp"}
    assert collection.qrels == {"usb+hub": {"a": 3}, "lamp": {"b": 1}}


def test_judgments_may_be_in_the_form_of_trec(folder: Path) -> None:
    (folder / "qrels.txt").write_text("1 0 a 2\n2 0 b 0\n")
    collection = load_table(
        folder / "lamps.csv",
        queries=folder / "queries.tsv",
        qrels=folder / "qrels.txt",
        id="sku",
        title="name",
        query_id="qid",
        query="text",
    )
    assert collection.qrels == {"1": {"a": 2}, "2": {"b": 0}}


def test_queries_alone_have_no_answers(folder: Path) -> None:
    collection = load(
        f"table:{folder}/lamps.csv,queries={folder}/queries.tsv,"
        "id=sku,title=name,query_id=qid,query=text"
    )
    assert collection.unanswered == ("1", "2")
    with pytest.raises(InputError, match=r"lamps.csv alone says nothing of queries: give queries"):
        load(f"table:{folder}/lamps.csv,id=sku,title=name")


def test_labels_stand_for_grades(folder: Path) -> None:
    (folder / "qrels.jsonl").write_text(QRELS.replace("3", '"good"').replace("0", '"bad"'))
    with pytest.raises(InputError, match="is 'good', not an integer of at least 0"):
        read(folder)
    assert read(folder, more=",grades=good:2/bad:0").qrels == {"1": {"a": 2}, "2": {"b": 0}}


def test_an_encoding_can_be_named(folder: Path) -> None:
    (folder / "lamps.csv").write_bytes(PRODUCTS.replace("Lumo", "Größe").encode("latin-1"))
    with pytest.raises(InputError, match="line 2: it has characters that are not UTF-8"):
        read(folder)
    assert read(folder, more=",encoding=latin-1").catalogue.fields["brand"][0] == "Größe"


def test_missing_columns_are_named_with_those_there_are(folder: Path) -> None:
    with pytest.raises(InputError, match="lacks the columns kind: it has sku, name, maker, price"):
        read(folder, more=",category=kind")
    with pytest.raises(InputError, match="are called by NAME=COLUMN, as in title=COLUMN"):
        read(folder, more=",category=kind")


def test_a_table_that_is_not_there_is_named_before_anything_else(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no file .*product\.csv"):
        load_table(tmp_path / "product.csv")


def test_what_was_left_out_is_noted_and_logged(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = "".join(f"p{number},lamp,,\n" for number in range(200))
    (folder / "lamps.csv").write_text(f"{PRODUCTS}{rows}cut off\n")
    (folder / "queries.tsv").write_text(f"{QUERIES}3\tsofa\n")
    collection = read(folder)
    assert collection.notes == (
        "left out 1 of 203 rows of lamps.csv (line 204: 1 fields instead of 4)",
        "left out 1 of 3 queries that no judgment names (3)",
    )
    assert caplog.messages == [f"lamps: {note}" for note in collection.notes]
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_a_large_file_is_never_in_memory(tmp_path: Path) -> None:
    count, length = 20_000, 2_000  # 40 MB of text
    with (tmp_path / "lamps.jsonl").open("w") as file:
        for number in range(count):
            record = {"id": number, "title": f"{number} ".ljust(length, "x")}
            file.write(json.dumps(record) + "\n")
    (tmp_path / "queries.csv").write_text("query_id,query\n1,lamp\n")
    gc.collect()
    allocated = pa.total_allocated_bytes()
    tracemalloc.start()
    collection = load(f"table:{tmp_path}/lamps.jsonl,queries={tmp_path}/queries.csv")
    assert sum(map(len, collection.catalogue.fields["title"])) == count * length
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < count * length / 2
    assert pa.total_allocated_bytes() - allocated < count * length / 10


@pytest.mark.parametrize(
    ("line", "problem"),
    [("a,sofa,,\n", r"1 product ids occur more than once \(a\)"), (",sofa,,\n", "sku is empty")],
)
def test_products_without_an_id_of_their_own_are_refused(
    folder: Path, line: str, problem: str
) -> None:
    (folder / "lamps.csv").write_text(PRODUCTS + line)
    with pytest.raises(InputError, match=problem):
        read(folder)

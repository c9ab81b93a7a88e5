"""Data sets of Hugging Face: objects and saved folders, and columns that cannot be used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value, disable_progress_bars

from ospo.data import Collection, load
from ospo.data.hf import from_datasets
from ospo.errors import InputError

disable_progress_bars()
PRODUCTS = {"id": ["a", "b", "c"], "title": ["desk lamp", None, "sofa"], "price": [5, 7, None]}
QUERIES = {"query_id": [1, 2], "query": ["lamp", "kite"]}
QRELS = {"query_id": [1, 1, 2], "product_id": ["a", "b", "c"], "grade": [3, 0, 0]}


def collection(**changes: Any) -> Collection:
    parts = {"products": PRODUCTS, "queries": QUERIES, "qrels": QRELS}
    data = {name: Dataset.from_dict(columns) for name, columns in parts.items()}
    return from_datasets(**{**data, "price": "price", **changes})


def test_data_sets_become_a_collection() -> None:
    made = collection(name="lamps")
    assert (made.name, made.catalogue.ids) == ("lamps", ("a", "b", "c"))
    assert {name: list(column) for name, column in made.catalogue.fields.items()} == {
        "title": ["desk lamp", "", "sofa"],
        "price": ["5", "7", ""],
    }
    assert made.queries == {"1": "lamp", "2": "kite"}
    assert made.qrels == {"1": {"a": 3, "b": 0}, "2": {"c": 0}}


def test_selected_rows_are_the_catalogue() -> None:
    products = Dataset.from_dict(PRODUCTS).select([2, 0, 1])
    assert collection(products=products).catalogue.ids == ("c", "a", "b")
    assert list(collection(products=products).catalogue.fields["title"]) == [
        "sofa",
        "desk lamp",
        "",
    ]


def test_a_saved_folder_is_read(tmp_path: Path) -> None:
    parts = {"products": PRODUCTS, "queries": QUERIES, "qrels": QRELS}
    data = {name: Dataset.from_dict(columns) for name, columns in parts.items()}
    DatasetDict(data).save_to_disk(str(tmp_path / "lamps"))
    assert (
        load(f"hf:{tmp_path}/lamps,price=price").fingerprint == collection(name="lamps").fingerprint
    )


def test_judgments_alone_name_queries_by_their_text() -> None:
    qrels = Dataset.from_dict({"query": ["usb hub"], "item": ["a"], "grade": ["good"]})
    made = collection(queries=None, qrels=qrels, product_id="item", grades={"good": 1})
    assert (made.queries, made.qrels) == ({"usb+hub": "usb hub"}, {"usb+hub": {"a": 1}})


def test_queries_and_judgments_may_call_a_query_by_different_columns() -> None:
    qrels = Dataset.from_dict(QRELS).rename_column("query_id", "asked")
    made = collection(qrels=qrels, qrels_query_id="asked")
    assert (made.queries, made.qrels) == (collection().queries, collection().qrels)


def test_missing_columns_are_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match="products lacks the columns maker: it has id, title, pri"):
        collection(brand="maker")
    with pytest.raises(InputError, match="qrels lacks the columns rating: it has query_id, produ"):
        collection(grade="rating")


def test_the_numbers_of_class_labels_are_not_taken_for_grades() -> None:
    features = Features(
        {"query_id": Value("int64"), "product_id": Value("string"), "grade": ClassLabel(names="EI")}
    )
    columns = {"query_id": [1], "product_id": ["a"], "grade": ["I"]}
    with pytest.raises(
        InputError, match=r"column grade of qrels is ClassLabel.*, not text or a nu"
    ):
        collection(qrels=Dataset.from_dict(columns, features=features))


@pytest.mark.parametrize("title", [["desk", "lamp"], b"desk lamp"])
def test_lists_and_bytes_are_no_text(title: object) -> None:
    products = Dataset.from_dict({"id": ["a"], "title": [title]})
    with pytest.raises(
        InputError, match=r"column title of products is (List|Value).*, not text or a number"
    ):
        from_datasets(products, Dataset.from_dict(QUERIES))


def test_a_folder_without_a_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no saved DatasetDict"):
        load(f"hf:{tmp_path}")
    with pytest.raises(InputError, match="is no saved DatasetDict"):
        load(f"hf:{tmp_path}/absent")
    Dataset.from_dict(PRODUCTS).save_to_disk(str(tmp_path / "alone"))
    with pytest.raises(InputError, match="has no part products: save a DatasetDict of products, "):
        load(f"hf:{tmp_path}/alone")


def test_a_missing_package_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delitem(sys.modules, "ospo.data.hf")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ModuleNotFoundError, match=r'datasets; pip install "owen-core\[train\]"'):
        load(f"hf:{tmp_path}")

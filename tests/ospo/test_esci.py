"""The ESCI loader: the published form, its choices, every kind of damage, and real rows."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ir_measures
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ospo.data import load
from ospo.data.esci import EXAMPLES, GRADES, PRODUCTS, load_esci
from ospo.errors import InputError

pytestmark = pytest.mark.usefixtures("own_cache")


def example(query: int, product: str, label: str, **changes: Any) -> dict[str, Any]:
    """A row of the examples as published."""
    return {
        "example_id": 7,
        "query": f"query {query}",
        "query_id": query,
        "product_id": product,
        "product_locale": "us",
        "esci_label": label,
        "small_version": 1,
        "large_version": 1,
        "split": "train",
    } | changes


def product(name: str, **changes: Any) -> dict[str, Any]:
    """A row of the products as published; only the title is always there."""
    return {
        "product_id": name,
        "product_title": f"Title {name}",
        "product_description": None,
        "product_bullet_point": "first\nsecond",
        "product_brand": "Brand",
        "product_color": None,
        "product_locale": "us",
    } | changes


EXAMPLE_ROWS = [
    example(1, "A", "E"),
    example(1, "B", "S"),
    example(1, "C", "C", split="test"),
    example(2, "A", "I", small_version=0),
    example(3, "J", "E", product_locale="jp"),
]
PRODUCT_ROWS = [
    product("A", product_color="red"),
    product("B", product_description="Text"),
    product("C"),
    product("J", product_locale="jp", product_title="机のランプ"),
    product("A", product_locale="es", product_title="Título"),
]


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / EXAMPLES, EXAMPLE_ROWS)
    write(tmp_path / PRODUCTS, PRODUCT_ROWS)
    return tmp_path


def test_products_queries_and_labels_are_read_as_published(folder: Path) -> None:
    collection = load(f"esci:{folder}")
    assert collection.name == "esci-us-small-all"
    assert collection.catalogue.ids == ("A", "B", "C")
    assert {name: list(column) for name, column in collection.catalogue.fields.items()} == {
        "title": ["Title A", "Title B", "Title C"],
        "brand": ["Brand"] * 3,
        "color": ["red", "", ""],
        "bullets": ["first\nsecond"] * 3,
        "description": ["", "Text", ""],
    }
    assert collection.queries == {"1": "query 1"}
    assert collection.qrels == {"1": {"A": 3, "B": 2, "C": 1}}
    assert collection.notes == ()


def test_ids_of_products_are_in_memory_once(folder: Path) -> None:
    collection = load_esci(folder)
    for name in collection.qrels["1"]:
        assert name is collection.catalogue.ids[collection.catalogue.position[name]]


def test_a_query_with_two_texts_is_refused(folder: Path) -> None:
    write(folder / EXAMPLES, [*EXAMPLE_ROWS, example(1, "B", "S") | {"query": "another"}])
    with pytest.raises(InputError, match='query "1" has two texts'):
        load_esci(folder)


@pytest.mark.parametrize(
    ("choices", "qrels"),
    [
        ("split=train", {"1": {"A": 3, "B": 2}}),
        ("split=test", {"1": {"C": 1}}),
        ("version=large", {"1": {"A": 3, "B": 2, "C": 1}, "2": {"A": 0}}),
        ("version=large,split=train", {"1": {"A": 3, "B": 2}, "2": {"A": 0}}),
        ("locale=jp", {"3": {"J": 3}}),
    ],
)
def test_locale_version_and_split_are_chosen(
    folder: Path, choices: str, qrels: dict[str, dict[str, int]]
) -> None:
    assert load(f"esci:{folder},{choices}").qrels == qrels


def test_each_locale_has_its_own_products(folder: Path) -> None:
    assert load_esci(folder).catalogue.ids == ("A", "B", "C")
    assert list(load_esci(folder, locale="jp").catalogue.fields["title"]) == ["机のランプ"]
    with pytest.raises(InputError, match='"esci-es-small-all" has no query'):
        load_esci(folder, locale="es")


@pytest.mark.parametrize("choice", ["locale", "version", "split"])
def test_an_unknown_choice_is_refused_with_the_known_ones(folder: Path, choice: str) -> None:
    with pytest.raises(InputError, match=r"ESCI has no 'huge': choose one of (us|small|train), "):
        load(f"esci:{folder},{choice}=huge")


def test_the_published_gains_can_be_given_to_ir_measures() -> None:
    measure = ir_measures.parse_measure("nDCG(gains={3: 100, 2: 10, 1: 1, 0: 0})@10")
    qrels = {"q": dict(GRADES)}
    run = {"q": {"S": 3.0, "E": 2.0, "C": 1.0, "I": 0.0}}
    published = {"E": 1.0, "S": 0.1, "C": 0.01, "I": 0.0}

    def dcg(labels: str) -> float:
        discounts = [1, 0.6309297535714575, 0.5, 0.43067655807339306]  # 1 / log2(rank + 1)
        return sum(published[label] * d for label, d in zip(labels, discounts, strict=True))

    value = ir_measures.calc_aggregate([measure], qrels, run)[measure]
    assert value == pytest.approx(dcg("SECI") / dcg("ESCI"), abs=1e-9)


@pytest.mark.parametrize("name", [EXAMPLES, PRODUCTS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"lacks {name}"):
        load_esci(folder)


@pytest.mark.parametrize("name", [EXAMPLES, PRODUCTS])
def test_a_cut_off_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-100])
    with pytest.raises(InputError, match=f"{name} is no whole Parquet file"):
        load_esci(folder)


def test_missing_columns_are_named(folder: Path) -> None:
    rows = [
        {name: value for name, value in row.items() if name != "esci_label"} for row in EXAMPLE_ROWS
    ]
    write(folder / EXAMPLES, rows)
    with pytest.raises(InputError, match=f"{EXAMPLES} lacks the columns esci_label: it has exampl"):
        load_esci(folder)


def test_an_unknown_label_is_refused(folder: Path) -> None:
    write(folder / EXAMPLES, [*EXAMPLE_ROWS, example(1, "B", "X")])
    with pytest.raises(InputError, match='product "B" for query "1" is \'X\', not one of E, S, C'):
        load_esci(folder)


def test_a_label_of_an_unknown_product_is_refused(folder: Path) -> None:
    write(folder / EXAMPLES, [*EXAMPLE_ROWS, example(1, "Z", "E")])
    with pytest.raises(InputError, match=r"1 unknown product ids \(Z\)"):
        load_esci(folder)


def test_a_product_that_occurs_twice_is_refused(folder: Path) -> None:
    write(folder / PRODUCTS, [*PRODUCT_ROWS, product("A")])
    with pytest.raises(InputError, match=r"1 product ids occur more than once \(A\)"):
        load_esci(folder)


def test_real_rows_are_read(tmp_path: Path, real_dir: Callable[[str], Path]) -> None:
    real = real_dir("esci-mini")
    (tmp_path / EXAMPLES).symlink_to(real / "test-sample.parquet")
    with pa.input_stream(real / "sample-products.jsonl.zstd", compression="zstd") as stream:
        lines = io.TextIOWrapper(stream, encoding="utf-8").readlines()
    texts = [json.loads(line)["fields"] for line in lines]
    named = {"product_title": "title", "product_description": "description"}
    named |= {"product_bullet_point": "bullets", "product_brand": "brand"}
    rows = [product(t["id"], **{name: t.get(key) for name, key in named.items()}) for t in texts]
    write(tmp_path / PRODUCTS, rows)
    collection = load_esci(tmp_path, split="test")
    labels = pq.read_table(real / "test-sample.parquet").to_pylist()
    assert len(labels) == 16
    assert sum(map(len, collection.qrels.values())) == 16
    for row in labels:
        grade = collection.qrels[str(row["query_id"])][row["product_id"]]
        assert grade == GRADES[row["esci_label"]]
        assert collection.queries[str(row["query_id"])] == row["query"]
        assert collection.catalogue.position[row["product_id"]] >= 0

"""The WANDS loader: the published form, and every kind of damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from ospo.data import load
from ospo.data.wands import load_wands
from ospo.errors import InputError

pytestmark = pytest.mark.usefixtures("own_cache")

# The real files have these columns, and quotes where a text has one: inches in queries.
PRODUCTS = (
    "product_id\tproduct_name\tproduct_class\tcategory hierarchy\tproduct_description"
    "\tproduct_features\trating_count\taverage_rating\treview_count\n"
    "0\tsolid wood bed\tBeds\tFurniture / Bedroom\tsturdy bed\toverallwidth:64.7|finish:oak"
    "\t15.0\t4.5\t15.0\n"
    '1\t"48"" vanity, blue"\tVanities\t\t\tcolor:blue\t\t\t\n'
)
QUERIES = (
    "query_id\tquery\tquery_class\n"
    '0\t"fawkes 36"" blue vanity"\tVanities\n'
    "1\tdriftwood mirror\t\n"
    "2\toak bed\tBeds\n"
)
LABELS = "id\tquery_id\tproduct_id\tlabel\n0\t0\t1\tPartial\n1\t0\t0\tIrrelevant\n2\t2\t0\tExact\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (("product", PRODUCTS), ("query", QUERIES), ("label", LABELS)):
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


def test_products_queries_and_labels_are_read_as_published(folder: Path) -> None:
    collection = load(f"wands:{folder}")
    assert collection.name == "wands"
    assert collection.catalogue.ids == ("0", "1")
    assert {name: list(column) for name, column in collection.catalogue.fields.items()} == {
        "title": ["solid wood bed", '48" vanity, blue'],
        "class": ["Beds", "Vanities"],
        "description": ["sturdy bed", ""],
        "features": ["overallwidth:64.7|finish:oak", "color:blue"],
    }
    assert collection.queries == {"0": 'fawkes 36" blue vanity', "2": "oak bed"}
    assert collection.qrels == {"0": {"1": 1, "0": 0}, "2": {"0": 2}}
    assert collection.notes == ("left out 1 of 3 queries that no judgment names (1)",)


def test_all_missing_files_are_named(folder: Path) -> None:
    (folder / "label.csv").unlink()
    (folder / "product.csv").unlink()
    with pytest.raises(InputError, match=r"lacks product\.csv, label\.csv"):
        load_wands(folder)


def test_a_file_with_commas_is_refused_by_its_columns(folder: Path) -> None:
    (folder / "label.csv").write_text(LABELS.replace("\t", ","))
    with pytest.raises(
        InputError, match="lacks the columns query_id, product_id, label: it has id"
    ):
        load_wands(folder)


def test_an_unknown_label_is_refused(folder: Path) -> None:
    (folder / "label.csv").write_text(LABELS.replace("Partial", "partial"))
    with pytest.raises(InputError, match="'partial', not one of Exact, Partial, Irrelevant"):
        load_wands(folder)


def test_malformed_rows_are_refused_when_they_are_many(folder: Path) -> None:
    (folder / "label.csv").write_text(LABELS + "3\t2\t1\n")
    with pytest.raises(InputError, match=r"1 of 4 rows of label.csv \(line 5: 3 fields instead"):
        load_wands(folder)


def test_an_empty_catalogue_is_refused(folder: Path) -> None:
    (folder / "product.csv").write_text(PRODUCTS.splitlines()[0] + "\n")
    with pytest.raises(InputError, match="the catalogue is empty"):
        load_wands(folder)

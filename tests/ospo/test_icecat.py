"""The Icecat/Chorus loader: the published form, every kind of damage, and the real files."""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ospo.data import load
from ospo.data.icecat import PRODUCT_FILES, RATING_FILE, load_icecat
from ospo.errors import InputError

RATINGS = "query,docid,rating\nusb hub,11,3\nusb hub,41,0\nlaptop,21,2\n"


def product(number: int, **changes: Any) -> dict[str, Any]:
    """A product as published, with some fields that are not read."""
    return {
        "id": str(number),
        "name": "X1",
        "title": f"Title {number}",
        "ean": ["1"],
        "supplier": "Brand",
        "price": 4995,
        "short_description": f"Text {number}",
    } | changes


def write_products(path: Path, products: object) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(path.name.removesuffix(".zip"), json.dumps(products))


def write_ratings(folder: Path, text: str) -> None:
    (folder / RATING_FILE).write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small folder of the published form: products 11, 12, 21, 22, ... and three ratings."""
    for part, name in enumerate(PRODUCT_FILES, start=1):
        write_products(tmp_path / name, [product(10 * part + 1), product(10 * part + 2)])
    write_ratings(tmp_path, RATINGS)
    return tmp_path


def test_products_queries_and_judgments_are_read_as_published(folder: Path) -> None:
    collection = load(f"icecat:{folder}")
    assert collection.name == "icecat"
    assert collection.catalogue.ids == ("11", "12", "21", "22", "31", "32", "41", "42")
    assert {name: column[0] for name, column in collection.catalogue.fields.items()} == {
        "title": "Title 11",
        "brand": "Brand",
        "description": "Text 11",
    }
    assert collection.queries == {"usb+hub": "usb hub", "laptop": "laptop"}
    assert collection.qrels == {"usb+hub": {"11": 3, "41": 0}, "laptop": {"21": 2}}


def test_an_absent_description_is_empty_text(folder: Path) -> None:
    write_products(folder / PRODUCT_FILES[0], [product(11, short_description=None)])
    assert load_icecat(folder).catalogue.fields["description"][0] == ""


def test_queries_that_differ_only_in_blanks_keep_different_ids(folder: Path) -> None:
    write_ratings(folder, RATINGS + "usb+hub,12,1\n")
    assert load_icecat(folder).queries["usb%2Bhub"] == "usb+hub"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent is not a folder"):
        load_icecat(tmp_path / "absent")


def test_all_missing_files_are_named(folder: Path) -> None:
    (folder / PRODUCT_FILES[1]).unlink()
    (folder / RATING_FILE).unlink()
    with pytest.raises(InputError, match=f"lacks {PRODUCT_FILES[1]}, {RATING_FILE}"):
        load_icecat(folder)


@pytest.mark.parametrize("kept", [0, 20, 0.5, -1])
def test_a_half_written_zip_is_refused(folder: Path, kept: float) -> None:
    path = folder / PRODUCT_FILES[2]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if isinstance(kept, float) else kept])
    with pytest.raises(InputError, match=f"{PRODUCT_FILES[2]} is not a whole zip file"):
        load_icecat(folder)


def test_a_zip_with_damaged_content_is_refused(folder: Path) -> None:
    path = folder / PRODUCT_FILES[2]
    damaged = bytearray(path.read_bytes())
    damaged[60:70] = b"\xff" * 10
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="is not a whole zip file"):
        load_icecat(folder)


def test_a_zip_without_content_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / PRODUCT_FILES[0], "w"):
        pass
    with pytest.raises(InputError, match="is not a whole zip file"):
        load_icecat(folder)


@pytest.mark.parametrize("kept", [5, 25, -3])
def test_a_half_written_gzip_is_refused(folder: Path, kept: int) -> None:
    path = folder / RATING_FILE
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=f"{RATING_FILE} cannot be read whole"):
        load_icecat(folder)


def test_ratings_that_are_not_compressed_are_refused(folder: Path) -> None:
    (folder / RATING_FILE).write_text(RATINGS)
    with pytest.raises(InputError, match=f"{RATING_FILE} cannot be read whole"):
        load_icecat(folder)


def test_malformed_json_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(folder / PRODUCT_FILES[3], "w") as archive:
        archive.writestr("4.json", '[{"id": "1", ')
    with pytest.raises(InputError, match=f"{PRODUCT_FILES[3]} does not hold valid JSON"):
        load_icecat(folder)


@pytest.mark.parametrize("content", [5, {"id": "1"}, ["text"], [{"id": "1", "title": "t"}]])
def test_json_of_another_form_is_refused(folder: Path, content: object) -> None:
    write_products(folder / PRODUCT_FILES[0], content)
    with pytest.raises(InputError, match="does not hold a JSON array of products"):
        load_icecat(folder)


@pytest.mark.parametrize("change", [{"id": 11}, {"title": None}, {"supplier": ["Brand"]}])
def test_a_product_that_is_not_text_is_refused(folder: Path, change: dict[str, object]) -> None:
    write_products(folder / PRODUCT_FILES[0], [product(11, **change)])
    with pytest.raises(InputError, match="a product that is not all text"):
        load_icecat(folder)


def test_missing_columns_are_named(folder: Path) -> None:
    write_ratings(folder, "query,product,grade\nlaptop,11,3\n")
    with pytest.raises(InputError, match="lacks the columns docid, rating"):
        load_icecat(folder)


def test_an_empty_rating_file_is_refused(folder: Path) -> None:
    write_ratings(folder, "")
    with pytest.raises(InputError, match="lacks the columns query, docid, rating"):
        load_icecat(folder)


@pytest.mark.parametrize("rating", ["4", "-1", "good", "1.5"])
def test_a_rating_that_is_not_published_is_refused(folder: Path, rating: str) -> None:
    write_ratings(folder, f"{RATINGS}laptop,11,{rating}\n")
    with pytest.raises(InputError, match=f"\"laptop\" is '{rating}', not one of 0, 1, 2, 3"):
        load_icecat(folder)


@pytest.mark.parametrize("line", ["laptop,11", ",11,1", "laptop,,1", "laptop,11,"])
def test_a_rating_line_of_another_form_is_refused_with_its_number(folder: Path, line: str) -> None:
    write_ratings(folder, f"{RATINGS}{line}\n")
    with pytest.raises(InputError, match=rf"1 of 4 rows of {RATING_FILE} \(line 5: "):
        load_icecat(folder)


def test_a_product_rated_twice_and_differently_is_refused(folder: Path) -> None:
    write_ratings(folder, f"{RATINGS}laptop,21,2\nlaptop,21,3\n")
    with pytest.raises(InputError, match='"21" is graded twice for query "laptop", 2 and 3'):
        load_icecat(folder)


def test_ratings_of_unknown_products_are_refused(folder: Path) -> None:
    write_ratings(folder, f"{RATINGS}laptop,98,1\nlaptop,99,1\n")
    with pytest.raises(InputError, match=r"2 unknown product ids \(98, 99\)"):
        load_icecat(folder)


def test_product_ids_that_occur_twice_are_refused(folder: Path) -> None:
    write_products(folder / PRODUCT_FILES[3], [product(41), product(11)])
    with pytest.raises(InputError, match=r"1 product ids occur more than once \(11\)"):
        load_icecat(folder)


def test_an_empty_catalogue_is_refused(folder: Path) -> None:
    for name in PRODUCT_FILES:
        write_products(folder / name, [])
    with pytest.raises(InputError, match="catalogue is empty"):
        load_icecat(folder)


def test_the_real_files_are_read_whole(icecat_dir: Path) -> None:
    collection = load_icecat(icecat_dir)
    assert (len(collection.catalogue), len(collection.queries)) == (19406, 107)
    assert sum(map(len, collection.qrels.values())) == 2960
    assert len(collection.answerable) == 92
    assert tuple(map(len, collection.split())) == (60, 32)

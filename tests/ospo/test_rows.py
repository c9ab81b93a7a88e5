"""Rows of tables: every format gives the same, and every kind of damage is counted and named."""

from __future__ import annotations

import bz2
import csv
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ospo.data.files import files_in, opened
from ospo.data.malformed import Row, sound
from ospo.data.rows import read_rows
from ospo.errors import InputError

COLUMNS = ["sku", "name", "price"]
ROWS = [("a", "desk lamp", "5"), ("b", 'lamp, "tall"\nand thin', "7.5"), ("c", "Größe Ω 灯", "")]
# What a file can hold: any text but lone surrogates; "\r" is a line end to some programs.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8)


def write_csv(path: Path, rows: list[Row], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([COLUMNS, *rows])


def write_tsv(path: Path, rows: list[Row]) -> None:
    write_csv(path, rows, "\t")


def write_jsonl(path: Path, rows: list[Row]) -> None:
    records = (dict(zip(COLUMNS, row, strict=True)) for row in rows)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def write_parquet(path: Path, rows: list[Row]) -> None:
    columns = zip(*rows, strict=True) if rows else [[]] * len(COLUMNS)
    arrays = [pa.array(list(column), pa.string()) for column in columns]
    pq.write_table(pa.table(dict(zip(COLUMNS, arrays, strict=True))), path)


WRITERS = {".csv": write_csv, ".tsv": write_tsv, ".jsonl": write_jsonl, ".parquet": write_parquet}


def read(path: Path, columns: list[str] = COLUMNS, **options: object) -> list[Row]:
    notes: list[str] = []
    rows = list(read_rows(path, columns, notes, **options))  # type: ignore[arg-type]
    assert not notes
    return rows


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_gives_the_same_rows(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"lamps{suffix}"
    WRITERS[suffix](path, ROWS)
    assert read(path) == ROWS
    assert read(path, ["name", "sku"]) == [(name, sku) for sku, name, _ in ROWS]


@given(rows=st.lists(st.tuples(st.text("abc", min_size=1), TEXT, TEXT), max_size=6))
@pytest.mark.parametrize("suffix", WRITERS)
def test_any_text_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, rows: list[Row]
) -> None:
    path = tmp_path_factory.mktemp("rows") / f"lamps{suffix}"
    WRITERS[suffix](path, rows)
    if rows or suffix != ".jsonl":  # an empty file has no columns
        assert read(path) == rows


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_compressed_files_are_read_and_damaged_ones_refused(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    plain = tmp_path / "lamps.csv"
    write_csv(plain, ROWS)
    whole = compress(plain.read_bytes())
    path = tmp_path / f"lamps.csv{suffix}"
    path.write_bytes(whole)
    assert read(path) == ROWS
    for damaged in (whole[:5], whole[: len(whole) // 2], whole[:-3], plain.read_bytes()):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=f"lamps.csv{suffix} cannot be read whole"):
            read(path)


def test_a_parquet_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lamps.parquet"
    write_parquet(path, ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"lamps.parquet is no whole Parquet file"):
        read(path)


def test_numbers_and_absent_values_of_json_become_texts(tmp_path: Path) -> None:
    path = tmp_path / "lamps.ndjson"
    path.write_text('{"sku": 7, "price": 2.50}\n\n{"sku": "b", "name": null, "price": true}\n')
    assert read(path, ["sku", "price"]) == [("7", "2.5"), ("b", "True")]
    assert read(path) == [("7", "", "2.5"), ("b", "", "True")]


def test_types_of_parquet_become_texts(tmp_path: Path) -> None:
    path = tmp_path / "lamps.parquet"
    columns = {
        "sku": pa.array([1, 2]),
        "name": pa.array(["x", None]).dictionary_encode(),
        "price": pa.array([float("nan"), 2.5]),
    }
    pq.write_table(pa.table(columns), path)
    assert read(path) == [("1", "x", ""), ("2", "", "2.5")]


def test_a_nested_column_of_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lamps.parquet"
    pq.write_table(pa.table({"sku": ["a"], "name": [["x", "y"]]}), path)
    with pytest.raises(InputError, match=r"holds list<.*string> in name: give a column of texts"):
        read(path, ["sku", "name"])


@pytest.mark.parametrize("suffix", WRITERS)
def test_missing_columns_are_named_with_those_there_are(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"lamps{suffix}"
    WRITERS[suffix](path, ROWS)
    with pytest.raises(InputError, match="lacks the columns id, title: it has sku, name, price"):
        read(path, ["id", "title"])
    assert read(path, ["sku", "title"], optional=["title"]) == [(sku, "") for sku, _, _ in ROWS]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_empty_file_has_no_columns(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"lamps{suffix}"
    path.touch()
    with pytest.raises(InputError, match="lacks the columns sku, name, price: it has none"):
        read(path)


def test_absent_files_and_unknown_formats_are_refused(tmp_path: Path) -> None:
    for suffix in WRITERS:
        with pytest.raises(InputError, match=f"there is no file .*absent{suffix}"):
            read(tmp_path / f"absent{suffix}")
    with pytest.raises(InputError, match=r"lamps.xlsx is no table: give a file of \.csv, \.tsv"):
        read(tmp_path / "lamps.xlsx")


MALFORMED = {
    "a row that is short": (".csv", b"x,y\n", "line 202: 2 fields instead of 3"),
    "a row that is long": (".tsv", b"x\ty\tz\t\n", "line 202: 4 fields instead of 3"),
    "a quote after a field": (".csv", b'x,"y"z,\n', "line 202: ',' expected after '\"'"),
    "no id": (".csv", b",y,z\n", "line 202: sku is empty"),
    "another encoding": (".csv", b"x,Gr\xf6\xdfe,\n", "line 202: it has characters that are not"),
    "cut-off JSON": (".jsonl", b'{"sku": "x", "na\n', "line 201: it is no JSON"),
    "another encoding in JSON": (".jsonl", b'{"sku": "Gr\xf6\xdfe"}\n', "line 201: it has charact"),
    "half a character": (".jsonl", b'{"sku": "\\ud83d"}\n', "line 201: it has characters that"),
    "an array": (".jsonl", b'["x", "y", "z"]\n', "line 201: it is no JSON object"),
    "a list in JSON": (".jsonl", b'{"sku": "x", "name": ["y"]}\n', "line 201: name holds a list"),
    "JSON without an id": (".jsonl", b'{"name": "x"}\n', "line 201: sku is empty"),
}


@pytest.mark.parametrize("damage", MALFORMED)
def test_a_malformed_row_is_left_out_counted_and_named(tmp_path: Path, damage: str) -> None:
    suffix, line, problem = MALFORMED[damage]
    rows = [(f"p{number}", "lamp", "5") for number in range(200)]
    path = tmp_path / f"lamps{suffix}"
    WRITERS[suffix](path, rows)
    path.write_bytes(path.read_bytes() + line)
    notes: list[str] = []
    assert list(read_rows(path, COLUMNS, notes)) == rows
    assert len(notes) == 1
    assert notes[0].startswith(f"left out 1 of 201 rows of {path.name} ({problem}")


@pytest.mark.parametrize("damage", MALFORMED)
def test_more_than_one_in_a_hundred_malformed_rows_are_refused(tmp_path: Path, damage: str) -> None:
    suffix, line, problem = MALFORMED[damage]
    path = tmp_path / f"lamps{suffix}"
    WRITERS[suffix](path, [(f"p{number}", "lamp", "5") for number in range(200)])
    path.write_bytes(path.read_bytes() + 5 * line)
    with pytest.raises(InputError, match=r"cannot read 5 of 205 rows of lamps\.") as raised:
        list(read_rows(path, COLUMNS, []))
    assert problem in str(raised.value)
    assert str(raised.value).count("line 20") == 3  # the first three are named


def test_lines_that_an_open_quote_swallows_are_all_counted(tmp_path: Path) -> None:
    path = tmp_path / "lamps.csv"
    lines = [f"p{number},lamp,5\n" for number in range(1000)]
    path.write_text("".join(["sku,name,price\n", *lines[:994], 'x,"tall lamp,5\n', *lines[994:]]))
    notes: list[str] = []
    assert len(list(read_rows(path, COLUMNS, notes))) == 994
    assert notes == ["left out 7 of 1001 rows of lamps.csv (line 996: unexpected end of data)"]


def test_bytes_of_another_encoding_in_parquet_are_named(tmp_path: Path) -> None:
    path = tmp_path / "lamps.parquet"
    names = [b"lamp"] * 199 + ["Größe".encode("latin-1")]
    pq.write_table(pa.table({"sku": list(range(200)), "name": pa.array(names)}), path)
    notes: list[str] = []
    assert len(list(read_rows(path, ["sku", "name"], notes))) == 199
    assert "row 200: it has characters that are not UTF-8" in notes[0]


def test_another_encoding_is_read_when_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lamps.csv"
    path.write_bytes("sku,name\na,Größe\n".encode("latin-1"))
    assert read(path, ["sku", "name"], encoding="latin-1") == [("a", "Größe")]
    with pytest.raises(InputError, match="unknown encoding: latin-99: give a known one"):
        read(path, ["sku", "name"], encoding="latin-99")


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_table(tmp_path: Path) -> None:
    path = tmp_path / "lamps.csv"
    path.write_bytes(b"\xef\xbb\xbfsku,name\r\na,lamp\r\n\r\n")
    assert read(path, ["sku", "name"]) == [("a", "lamp")]


def test_a_header_that_is_no_csv_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lamps.csv"
    path.write_text('sku,"na"me\na,lamp\n')
    with pytest.raises(InputError, match=r"the first line of .*lamps.csv is no header"):
        read(path)


def test_as_many_values_must_be_there_as_asked() -> None:
    rows = [(1, ["q", "", "x"])]
    with pytest.raises(InputError, match="line 1: b is empty"):
        list(sound(rows, [], source="s", columns=["a", "b", "c"], filled=2))
    assert list(sound(rows, [], source="s", columns=["a", "b", "c"])) == [("q", "", "x")]


def test_files_of_a_folder_are_found_compressed_or_not(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    (tmp_path / "a.csv.gz").touch()
    (tmp_path / "b.csv.xz").touch()
    assert files_in(tmp_path, "b.csv", "a.csv") == [tmp_path / "b.csv.xz", tmp_path / "a.csv"]
    with pytest.raises(InputError, match=r"lacks c.csv, d.csv: add what is missing"):
        files_in(tmp_path, "a.csv", "c.csv", "d.csv")
    with pytest.raises(InputError, match=r"absent is not a folder: give the one that holds a.csv"):
        files_in(tmp_path / "absent", "a.csv")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"), opened(tmp_path):
        pass


def test_a_name_of_several_lines_is_told_in_one(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text('sku,"na\nme"\na,lamp\n')
    with pytest.raises(InputError, match=r"it has sku, 'na\\nme'; ") as told:
        list(read_rows(path, ["sku", "name"], []))
    assert "\n" not in str(told.value)

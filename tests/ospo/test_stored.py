"""Stored catalogues: texts stay on disk, are read once, and are what was read."""

from __future__ import annotations

import gc
import pickle
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ospo.data.collection import Catalogue
from ospo.data.malformed import Row
from ospo.data.stored import Column, stored
from ospo.errors import InputError
from ospo.search.bm25 import BM25

pytestmark = pytest.mark.usefixtures("own_cache")
FIELDS = ("title", "brand")
ROWS = [("a", "desk lamp", "Lumo"), ("b", "Größe Ω 灯", ""), ("c", "", "Norvik")]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


class Source:
    """Rows that count how often they are read, from a file that names them."""

    def __init__(self, path: Path, rows: list[Row], note: str = "") -> None:
        self.path = path
        self.rows = rows
        self.note = note
        self.times_read = 0
        path.write_text(repr(rows))

    def load(self, settings: object = None) -> tuple[Catalogue, list[str]]:
        notes: list[str] = []
        catalogue = stored(FIELDS, self.read, files=[self.path], settings=settings, notes=notes)
        return catalogue, notes

    def read(self, left_out: list[str]) -> Iterator[Row]:
        self.times_read += 1
        yield from self.rows
        left_out += [self.note] * bool(self.note)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path / "lamps", ROWS, note="left out 1 of 4 rows")


def test_a_stored_catalogue_is_the_one_that_was_read(source: Source) -> None:
    catalogue, _ = source.load()
    ids, titles, brands = zip(*ROWS, strict=True)
    plain = Catalogue(ids, {"title": titles, "brand": brands})
    for _ in range(2):  # a column can be passed over again
        assert {name: tuple(column) for name, column in catalogue.fields.items()} == plain.fields
    assert (catalogue.ids, catalogue.position) == (plain.ids, plain.position)
    assert catalogue.fingerprint == plain.fingerprint
    assert BM25(catalogue).fingerprint == BM25(plain).fingerprint
    assert BM25(catalogue).search(["größe"], 9) == BM25(plain).search(["größe"], 9)


def test_files_are_read_once_and_what_was_left_out_is_told_each_time(source: Source) -> None:
    first, second = source.load(), source.load()
    assert source.times_read == 1
    assert first[1] == second[1] == ["left out 1 of 4 rows"]
    assert first[0].fingerprint == second[0].fingerprint


def test_files_are_read_again_when_they_or_the_settings_change(source: Source) -> None:
    source.load()
    source.load(settings="other")
    assert source.times_read == 2
    changed = Source(source.path, [*ROWS, ("d", "sofa", "")])
    assert len(changed.load()[0]) == 4
    assert changed.times_read == 1


def test_a_file_of_another_name_with_the_same_content_is_not_read(source: Source) -> None:
    source.load()
    source.path = source.path.rename(source.path.with_name("moved"))
    source.load()
    assert source.times_read == 1


def test_a_reading_that_fails_leaves_nothing_behind(source: Source, own_cache: Path) -> None:
    source.rows = [("a", "desk lamp", ""), ("a", "floor lamp", "")]
    with pytest.raises(InputError, match=r"1 product ids occur more than once \(a\)"):
        source.load()
    source.rows = []
    with pytest.raises(InputError, match="the catalogue is empty"):
        source.load()
    assert not any(own_cache.iterdir())
    source.rows = ROWS
    assert len(source.load()[0]) == 3


@pytest.mark.parametrize("name", ["products.arrow", "about.json"])
def test_a_damaged_store_is_refused_with_the_remedy(
    source: Source, own_cache: Path, name: str
) -> None:
    source.load()
    [folder] = own_cache.iterdir()
    (folder / name).write_bytes((folder / name).read_bytes()[:-30])
    with pytest.raises(InputError, match=r"is damaged .*; delete it and it is read again"):
        source.load()


def test_an_absent_file_is_refused(source: Source) -> None:
    source.path.unlink()
    with pytest.raises(InputError, match="there is no file"):
        source.load()


@given(st.lists(st.lists(st.none() | TEXT, max_size=5), max_size=4))
def test_a_column_is_a_sequence_of_its_texts(chunks: list[list[str | None]]) -> None:
    column = Column(pa.chunked_array(chunks, pa.string()))
    texts = [text or "" for chunk in chunks for text in chunk]
    assert len(column) == len(texts)
    assert list(column) == [column[row] for row in range(len(column))] == texts
    assert [column[-1]] == texts[-1:] if texts else not list(column)
    assert list(column[1:3]) == texts[1:3]
    assert list(reversed(column)) == texts[::-1]
    with pytest.raises(IndexError):
        column[len(texts)]


def test_a_column_takes_numpy_rows_and_numbers_become_texts() -> None:
    column = Column(pa.chunked_array([[7.0, None], [8.5]]))
    assert list(column) == [column[row] for row in np.arange(3)] == ["7", "", "8.5"]


def test_a_column_of_one_large_chunk_is_read_piece_by_piece() -> None:
    count, length = 10_000, 1_000  # 10 MB of text
    column = Column(pa.chunked_array([["x" * length] * count]))
    tracemalloc.start()
    assert sum(map(len, column)) == count * length
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < count * length / 2


def test_a_stored_catalogue_can_be_sent_to_another_process(source: Source) -> None:
    catalogue, _ = source.load()
    again = pickle.loads(pickle.dumps(catalogue))
    assert list(again.fields["title"]) == list(catalogue.fields["title"])
    assert again.fingerprint == catalogue.fingerprint


def test_a_large_catalogue_streams_from_rows_to_disk_and_through_its_columns(
    tmp_path: Path,
) -> None:
    count, length = 40_000, 2_000  # 80 MB of text
    path = tmp_path / "lamps"
    path.touch()

    def rows(left_out: list[str]) -> Iterator[Row]:
        for number in range(count):
            yield f"p{number}", f"lamp {number}", f"{number} ".ljust(length, "x")

    gc.collect()
    allocated = pa.total_allocated_bytes()
    tracemalloc.start()
    catalogue = stored(FIELDS, rows, files=[path], settings=None, notes=[])
    assert sum(map(len, catalogue.fields["brand"])) == count * length
    assert catalogue.fields["brand"][count - 1].startswith(f"{count - 1} x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < count * length / 2
    assert pa.total_allocated_bytes() - allocated < count * length / 10

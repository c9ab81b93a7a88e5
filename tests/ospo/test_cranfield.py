"""The Cranfield loader: the form that is passed on, its traps, and the real files."""

from __future__ import annotations

import lzma
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ospo.data import load
from ospo.data.cranfield import load_cranfield
from ospo.errors import InputError

pytestmark = pytest.mark.usefixtures("own_cache")
DOCUMENTS = """.I 1
.T
wings in a
slipstream .
.A
brenckman,m.
.B
j. ae. scs. 25, 1958, 324.
.W
wings in a
slipstream .
  lift was measured .
.I 2
.T
.A
.B
.W
"""
QUESTIONS = ".I 004\n.W\nwhat is lift .\n.I 018\n.W\nhow do\nwings slip .\n"
JUDGMENTS = "1 1 1 \n1 2 4\n2 2 -1\n2 1 3 \n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cran.all.1400").write_text(DOCUMENTS)
    (tmp_path / "cran.qry").write_text(QUESTIONS)
    (tmp_path / "cranqrel.xz").write_bytes(lzma.compress(JUDGMENTS.encode()))
    return tmp_path


def test_questions_go_by_their_place_and_grades_upwards(folder: Path) -> None:
    collection = load(f"cranfield:{folder}")
    assert collection.catalogue.ids == ("1", "2")
    assert {name: list(column) for name, column in collection.catalogue.fields.items()} == {
        "title": ["wings in a slipstream .", ""],
        "description": ["wings in a slipstream . lift was measured .", ""],
    }
    assert collection.queries == {"1": "what is lift .", "2": "how do wings slip ."}
    assert collection.qrels == {"1": {"1": 4, "2": 1}, "2": {"1": 2}}


def test_a_question_that_is_left_out_does_not_move_the_others(folder: Path) -> None:
    texts = [f"question {place} ." if place != 2 else "" for place in range(1, 151)]
    (folder / "cran.qry").write_text("".join(f".I 9\n.W\n{text}\n" for text in texts))
    (folder / "cranqrel.xz").write_bytes(lzma.compress(b"1 1 1\n3 1 1\n"))
    collection = load_cranfield(folder)
    assert collection.queries == {"1": "question 1 .", "3": "question 3 ."}
    assert collection.notes[0] == "left out 1 of 150 rows of cran.qry (record 2: W is empty)"


@pytest.mark.parametrize(
    ("judgments", "problem"),
    [("1 1 5\n", "is '5', not one of 1, 2, 3, 4"), ("1 0 1 1\n", "line 1: 4 fields instead of 3")],
)
def test_judgments_of_another_form_are_refused(folder: Path, judgments: str, problem: str) -> None:
    (folder / "cranqrel.xz").write_bytes(lzma.compress(judgments.encode()))
    with pytest.raises(InputError, match=problem):
        load_cranfield(folder)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "cran.qry").unlink()
    with pytest.raises(InputError, match=r"lacks cran\.qry"):
        load_cranfield(folder)


def test_a_file_of_another_form_is_an_empty_catalogue(folder: Path) -> None:
    (folder / "cran.all.1400").write_text("1\twings\n")
    with pytest.raises(InputError, match="the catalogue is empty"):
        load_cranfield(folder)


def test_the_real_files_are_read_whole(real_dir: Callable[[str], Path]) -> None:
    collection = load_cranfield(real_dir("cranfield"))
    assert (len(collection.catalogue), len(collection.queries)) == (1400, 225)
    assert collection.catalogue.ids == tuple(str(number) for number in range(1, 1401))
    texts = zip(*collection.catalogue.fields.values(), strict=True)
    assert [row for row, pair in enumerate(texts, start=1) if not all(pair)] == [471, 995]
    grades = Counter(grade for judged in collection.qrels.values() for grade in judged.values())
    assert grades == {4: 128, 3: 387, 2: 734, 1: 363}
    assert len(collection.answerable) == 225
    assert collection.queries["4"].startswith("can a criterion be developed to show empirically")
    assert collection.notes == ()

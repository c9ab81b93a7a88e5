"""The TREC loader: documents, topics and judgments in every form, and every kind of damage."""

from __future__ import annotations

from pathlib import Path

import pytest

from ospo.data import load
from ospo.data.trec import load_trec, read_documents, read_topics
from ospo.errors import InputError

pytestmark = pytest.mark.usefixtures("own_cache")

# As on the disks: tags in capitals, elements over several lines, entities.
MARKED_UP = """<DOC>
<DOCNO> FT911-1 </DOCNO>
<PROFILE>_AN-BEOA7AAIFT</PROFILE>
<HEADLINE>
FT  14 MAY 91 / Lamps &amp; Co
</HEADLINE>
<TEXT>
Desk lamps are
<P>sold here.</P>
</TEXT>
</DOC>
<doc><docno>FT911-2</docno><title>Sofas</title>A sofa for two.</doc><doc><docno>3</docno>x</doc>
"""
JSON_LINES = """{"docno": "FT911-1", "title": "Lamps", "contents": "Desk lamps."}
{"docno": "FT911-2", "contents": "A sofa for two."}
"""
TOPICS = """
<top>
<num> Number: 051
<title> Topic: Desk lamps &amp; bulbs

<desc> Description:
Which lamps stand on
desks?

<narr> Narrative:
Floor lamps are not wanted.
</top>
<top><num>Number: 302</num><title>Sofas</title><desc>Description: Any sofa.</desc></top>
"""
QRELS = "51 0 FT911-1 2\n51 0 FT911-2 0\n\n302\t0\tFT911-2\t1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ft.sgml").write_text(MARKED_UP)
    (tmp_path / "topics.txt").write_text(TOPICS)
    (tmp_path / "qrels.txt").write_text(QRELS)
    return tmp_path


def spec(folder: Path, documents: str = "ft.sgml", more: str = "") -> str:
    options = f"topics={folder}/topics.txt,qrels={folder}/qrels.txt{more}"
    return f"trec:{folder}/{documents},{options}"


def documents(path: Path) -> list[tuple[str, ...]]:
    return list(read_documents(path, []))


def test_marked_up_documents_and_topics_are_read(folder: Path) -> None:
    collection = load(spec(folder))
    assert collection.name == "ft"
    assert collection.catalogue.ids == ("FT911-1", "FT911-2", "3")
    assert list(collection.catalogue.fields["title"]) == [
        "FT 14 MAY 91 / Lamps & Co",
        "Sofas",
        "",
    ]
    assert list(collection.catalogue.fields["description"]) == [
        "Desk lamps are sold here.",
        "A sofa for two.",
        "x",
    ]
    assert collection.queries == {"51": "Desk lamps & bulbs", "302": "Sofas"}
    assert collection.qrels == {"51": {"FT911-1": 2, "FT911-2": 0}, "302": {"FT911-2": 1}}


def test_another_part_of_the_topics_can_be_the_query(folder: Path) -> None:
    texts = load(spec(folder, more=",part=desc")).queries
    assert texts == {"51": "Which lamps stand on desks?", "302": "Any sofa."}
    with pytest.raises(InputError, match="a topic has no 'text': choose one of title, desc, narr"):
        load(spec(folder, more=",part=text"))


def test_a_part_that_topics_lack_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"1 of 2 rows of topics.txt \(topic 2: narr is empty\)"):
        load(spec(folder, more=",part=narr"))


def test_a_folder_of_documents_is_read_file_by_file(folder: Path) -> None:
    (folder / "disk/sub").mkdir(parents=True)
    (folder / "disk/b.tsv").write_text("FT911-2\tSofas\tA sofa.\n3\tx\n")
    (folder / "disk/sub/a.jsonl").write_text(JSON_LINES.splitlines()[0])
    catalogue = load(spec(folder, "disk")).catalogue
    assert catalogue.ids == ("FT911-2", "3", "FT911-1")
    assert list(catalogue.fields["title"]) == ["Sofas", "", "Lamps"]


def test_json_lines_of_documents_are_read_under_their_usual_names(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(JSON_LINES)
    expected = [("FT911-1", "Lamps", "Desk lamps."), ("FT911-2", "", "A sofa for two.")]
    assert documents(path) == expected
    path.write_text(JSON_LINES.replace("docno", "_id").replace("contents", "text"))
    assert documents(path) == expected
    path.write_text(JSON_LINES.replace("contents", "full"))
    with pytest.raises(InputError, match="have docno, title, full, but none of text, contents, "):
        documents(path)
    path.write_text("{broken\n")
    with pytest.raises(InputError, match="begins like JSON lines"):
        documents(path)


def test_quotes_in_tab_separated_lines_are_text(tmp_path: Path) -> None:
    path = tmp_path / "corpus.tsv"
    path.write_text('1\t"24 inch lamp\r\n2\tsofa "red"\n')
    assert documents(path) == [("1", "", '"24 inch lamp'), ("2", "", 'sofa "red"')]
    path.write_text("51\tdesk lamp\n")
    assert list(read_topics(path, [])) == [("51", "desk lamp")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<DOC>\n<TEXT>x</TEXT>\n</DOC>\n", "document 1: id is empty"),
        ("<DOC>\n<DOCNO>1</DOCNO>\n<TEXT>x", "document 1: it has no </DOC>"),
        ("only one field\n", "line 1: 1 fields instead of 2 or 3"),
        ("1\ta\tb\tc\n", "line 1: 4 fields instead of 2 or 3"),
    ],
)
def test_documents_of_another_form_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "corpus.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=f"1 of 1 rows of corpus.txt \\({problem}\\)"):
        documents(path)


def test_texts_in_latin_1_are_refused_until_their_encoding_is_named(folder: Path) -> None:
    (folder / "ft.sgml").write_bytes(MARKED_UP.replace("two", "zwölf").encode("latin-1"))
    with pytest.raises(InputError, match="document 2: it has characters that are not UTF-8"):
        load(spec(folder))
    catalogue = load(spec(folder, more=",encoding=latin-1")).catalogue
    assert catalogue.fields["description"][1] == "A sofa for zwölf."


def test_negative_grades_are_refused_until_labels_are_given_grades(folder: Path) -> None:
    (folder / "qrels.txt").write_text("51 0 FT911-1 2\n51 0 FT911-2 -2\n")
    with pytest.raises(InputError, match="for query \"51\" is '-2', not an integer of at least 0"):
        load(spec(folder))
    assert load(spec(folder, more=",grades=2:1/-2:0")).qrels == {"51": {"FT911-1": 1, "FT911-2": 0}}


def test_judgments_of_another_form_are_refused(folder: Path) -> None:
    (folder / "qrels.txt").write_text("51 FT911-1 2\n")
    with pytest.raises(InputError, match=r"rows of qrels.txt \(line 1: 3 fields instead of 4\)"):
        load(spec(folder))


def test_judgments_of_documents_that_are_not_there_are_refused(folder: Path) -> None:
    (folder / "qrels.txt").write_text(QRELS + "51 0 FT911-9 0\n")
    with pytest.raises(InputError, match=r"1 unknown product ids \(FT911-9\)"):
        load(spec(folder))


@pytest.mark.parametrize("name", ["ft.sgml", "topics.txt", "qrels.txt"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"there is no file .*{name}"):
        load_trec(folder / "ft.sgml", topics=folder / "topics.txt", qrels=folder / "qrels.txt")


def test_an_empty_folder_is_an_empty_catalogue(folder: Path) -> None:
    (folder / "disk").mkdir()
    with pytest.raises(InputError, match="the catalogue is empty"):
        load(spec(folder, "disk"))

"""Collections from strangers: whatever is in a file, it is read, or refused in one sentence."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hostile import DEEP, HUGE, damaged, lay, often, refused_or
from hypothesis import given
from hypothesis import strategies as st

from ospo.cli import main
from ospo.data import load
from ospo.data.collection import Collection
from ospo.errors import InputError


def parquet(**columns) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def zipped(content: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("products.json", content)
    return file.getvalue()


JUDGED = b"query,product_id,grade\ndesk lamp,a,1\n"
LAMPS = b'id,title\na,"desk lamp"\nb,floor lamp\n'
LINES = b'{"id": "a", "title": "desk lamp"}\n{"id": "b", "title": "floor lamp"}\n'
ICECAT = json.dumps([{"id": "a", "title": "desk lamp", "supplier": "x"}])
# What reads the files -> the files.
COLLECTIONS = {
    "table:{}/p.csv,qrels={}/q.csv": {"p.csv": LAMPS, "q.csv": JUDGED},
    "table:{}/p.tsv,qrels={}/q.csv": {"p.tsv": LAMPS.replace(b",", b"\t"), "q.csv": JUDGED},
    "table:{}/p.jsonl,qrels={}/q.csv": {"p.jsonl": LINES, "q.csv": JUDGED},
    "table:{}/p.csv.gz,qrels={}/q.csv": {"p.csv.gz": gzip.compress(LAMPS), "q.csv": JUDGED},
    "table:{}/p.parquet,qrels={}/q.csv": {
        "p.parquet": parquet(id=["a", "b"], title=["desk lamp", None]),
        "q.csv": JUDGED,
    },
    "trec:{}/d.txt,topics={}/t.txt,qrels={}/r.txt": {
        "d.txt": b"<DOC><DOCNO>a</DOCNO><TITLE>lamp</TITLE><TEXT>desk &amp;</TEXT></DOC>",
        "t.txt": b"<top><num>Number: 1<title>desk lamp<desc>Description: x</top>",
        "r.txt": b"1 0 a 1\n",
    },
    "beir:{}": {
        "corpus.jsonl": b'{"_id": "a", "title": "lamp", "text": "desk lamp"}\n',
        "queries.jsonl": b'{"_id": "1", "text": "lamp"}\n',
        "qrels/test.tsv": b"query-id\tcorpus-id\tscore\n1\ta\t1\n",
    },
    "cranfield:{}": {
        "cran.all.1400": b".I 1\n.T\nlamp\n.W\ndesk lamp\n",
        "cran.qry": b".I 001\n.W\nlamp\n",
        "cranqrel": b"1 1 2\n",
    },
    "icecat:{}": {
        "1.json.zip": zipped(ICECAT),
        **{f"{part}.json.zip": zipped("[]") for part in (2, 3, 4)},
        "Broad_Query_Set_rated.csv.gz": gzip.compress(b"query,docid,rating\ndesk lamp,a,1\n"),
    },
    "wands:{}": {
        "product.csv": b"product_id\tproduct_name\tproduct_class\tcategory hierarchy\t"
        b"product_description\tproduct_features\n1\tlamp\tlamps\tx\tdesk lamp\ty\n",
        "query.csv": b"query_id\tquery\tquery_class\n1\tlamp\tlamps\n",
        "label.csv": b"id\tquery_id\tproduct_id\tlabel\n1\t1\t1\tExact\n",
    },
    "esci:{}": {
        "shopping_queries_dataset_examples.parquet": parquet(
            query_id=[1],
            query=["lamp"],
            product_id=["a"],
            esci_label=["E"],
            product_locale=["us"],
            split=["test"],
            small_version=[1],
        ),
        "shopping_queries_dataset_products.parquet": parquet(
            product_id=["a"],
            product_locale=["us"],
            product_title=["lamp"],
            product_brand=["x"],
            product_color=["red"],
            product_bullet_point=["desk"],
            product_description=[None],
        ),
    },
    "hm:{}": {
        "articles.csv": b"article_id,prod_name,colour_group_name,product_type_name,index_name,"
        b"detail_desc\n1,top,red,shirt,ladies,x\n2,sock,red,sock,ladies,y\n",
        "transactions_train.csv": b"customer_id,article_id,t_dat\nc,1,2020-01-01\nc,2,2020-01-02\n",
    },
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OSPO_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("spec", COLLECTIONS)
def test_the_files_of_every_loader_are_whole_before_they_are_damaged(spec, tmp_path):
    lay(tmp_path, COLLECTIONS[spec])
    assert load(spec.replace("{}", str(tmp_path))).answerable


@pytest.mark.parametrize("spec", COLLECTIONS)
@given(st.data())
@often
def test_a_damaged_file_of_a_collection_is_read_or_refused(spec, tmp_path, data):
    files = COLLECTIONS[spec]
    chosen = data.draw(st.sampled_from(sorted(files)))
    lay(tmp_path, files | {chosen: data.draw(damaged(files[chosen]))})
    refused_or(Collection, lambda: load(spec.replace("{}", str(tmp_path))))


@pytest.mark.parametrize(
    "content", [DEEP, HUGE, '{"a":' * 50_000, f'{{"id": {HUGE}, "title": "x"}}'], ids=len
)
@pytest.mark.parametrize("name", ["p.jsonl", "p.txt"])
def test_json_nested_too_deep_and_numbers_too_long_are_refused(content, name, tmp_path):
    lay(tmp_path, {name: content.encode(), "q.csv": JUDGED, "t.txt": b"1\tlamp\n", "r.txt": b""})
    kind = "table" if name == "p.jsonl" else "trec"
    spec = f"{kind}:{tmp_path / name},qrels={tmp_path}/q.csv"
    with pytest.raises(InputError):
        load(spec if kind == "table" else f"{spec},topics={tmp_path}/t.txt")


@pytest.mark.parametrize(
    "encoding", ["rot13", "base64", "idna", "undefined", "utf-16", "no such", "a\0b"]
)
def test_what_is_no_encoding_of_the_file_is_refused(encoding, tmp_path):
    lay(tmp_path, {"p.csv": LAMPS, "q.csv": JUDGED})
    with pytest.raises(InputError):
        load(f"table:{tmp_path}/p.csv,qrels={tmp_path}/q.csv,encoding={encoding}")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "1.json.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("products.json", "w", force_zip64=True) as file,
    ):
        for _ in range(300):
            file.write(b" " * (1 << 20))
    lay(tmp_path, {n: c for n, c in COLLECTIONS["icecat:{}"].items() if n != "1.json.zip"})
    assert (tmp_path / "1.json.zip").stat().st_size < 1 << 20
    tracemalloc.start()
    with pytest.raises(InputError, match="314,572,800 bytes are packed in it"):
        load(f"icecat:{tmp_path}")
    assert tracemalloc.get_traced_memory()[1] < 1 << 24
    tracemalloc.stop()


def test_a_line_that_fills_the_memory_is_refused_before_it_does(tmp_path):
    with gzip.open(tmp_path / "p.csv.gz", "wb", compresslevel=1) as file:
        file.write(b"id,title\n")
        for _ in range(100):
            file.write(b"a" * (1 << 20))
    lay(tmp_path, {"q.csv": JUDGED})
    tracemalloc.start()
    with pytest.raises(InputError, match="a line of more than 8,388,608 bytes: divide it"):
        load(f"table:{tmp_path}/p.csv.gz,qrels={tmp_path}/q.csv")
    assert tracemalloc.get_traced_memory()[1] < 1 << 26
    tracemalloc.stop()


@pytest.mark.parametrize("tag", ["<doc>", "<docno>", "<title>", "<text>", "<ti><head>", "<"])
def test_tags_that_never_end_are_passed_over_once(tag, tmp_path):
    """As many as would take hours if each were followed to the end of the file."""
    lay(tmp_path, COLLECTIONS["trec:{}/d.txt,topics={}/t.txt,qrels={}/r.txt"])
    lay(tmp_path, {"d.txt": f"<doc><docno>a</docno>{tag * 200_000}</doc>".encode()})
    lay(tmp_path, {"t.txt": b"<top>" * 200_000 + b"<num>1<title>desk lamp</top>"})
    spec = f"trec:{tmp_path}/d.txt,topics={tmp_path}/t.txt,qrels={tmp_path}/r.txt"
    refused_or(Collection, lambda: load(spec))


@pytest.mark.parametrize(("place", "value"), [(8, 1), (10, 99)], ids=["encrypted", "method"])
def test_a_zip_file_that_cannot_be_unpacked_is_refused(place, value, tmp_path):
    whole = bytearray(zipped(ICECAT))
    directory = whole.index(b"PK\x01\x02")
    whole[directory + place] = whole[place - 2] = value
    lay(tmp_path, COLLECTIONS["icecat:{}"] | {"1.json.zip": bytes(whole)})
    with pytest.raises(InputError, match="not a whole zip file"):
        load(f"icecat:{tmp_path}")


@pytest.mark.parametrize("grade", ["1e308", "1001", "-1", "inf", "nan", HUGE, "1" + "0" * 400])
def test_a_grade_that_no_metric_can_take_is_refused(grade, tmp_path):
    lay(tmp_path, {"p.csv": LAMPS, "q.csv": JUDGED.replace(b",1", f",{grade}".encode())})
    with pytest.raises(InputError, match="grade"):
        load(f"table:{tmp_path}/p.csv,qrels={tmp_path}/q.csv")


def test_no_name_in_a_file_controls_the_terminal(tmp_path, capsys):
    lay(tmp_path, {"p.csv": b"\x1b]0;owned\x07,\x9b2J,\r,\xe2\x80\xae\na,b,c,d\n", "q.csv": JUDGED})
    data = f"table:{tmp_path}/p.csv,qrels={tmp_path}/q.csv"
    assert main(["explain", "--data", data, "desk lamp"]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.removesuffix("\n").isprintable()


@pytest.mark.parametrize("content", [DEEP, "{}", '{"splits": 5}', '{"splits": ["products"]}'])
def test_a_folder_that_is_no_saved_data_set_is_refused(content, tmp_path):
    lay(tmp_path, {"dataset_dict.json": content.encode(), "products/state.json": b"{}"})
    lay(tmp_path, {"products/dataset_info.json": b"{}"})
    with pytest.raises(InputError, match="no saved DatasetDict"):
        load(f"hf:{tmp_path}")

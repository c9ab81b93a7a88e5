"""Retrievers by the names of the command line."""

from __future__ import annotations

import re
import subprocess
import sys
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.fts5 import FTS5
from ospo.search.fusion import Fusion
from ospo.search.load import load_retriever, without_secrets
from ospo.search.lsa import LSA
from ospo.search.postgres import Postgres
from ospo.search.retriever import RetrieverError
from ospo.search.tfidf import TFIDF

SHOP = Catalogue(
    ("a", "b", "c"),
    {"title": ("red lamp", "blue shoe", "shoe shine"), "brand": ("x", "red", "")},
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bm25", BM25(SHOP)),
        ("bm25:title^2,brand", BM25(SHOP, fields={"title": 2, "brand": 1})),
        ("fts5", FTS5(SHOP)),
        ("fts5:title", FTS5(SHOP, fields={"title": 1})),
        ("tfidf:brand^0.5", TFIDF(SHOP, fields={"brand": 0.5})),
        ("lsa:2", LSA(SHOP, 2)),
        ("fusion:bm25+lsa:2", Fusion([BM25(SHOP), LSA(SHOP, 2)])),
        (
            "postgres:dbname=shop#table=wares&version=1&depth=9",
            Postgres("dbname=shop", SHOP, table="wares", version="1", depth=9),
        ),
        (
            "postgresql://me@host/shop#config=german&version=1",
            Postgres("postgresql://me@host/shop", SHOP, config="german", version="1"),
        ),
    ],
)
def test_a_name_stands_for_a_retriever(name, expected):
    loaded = load_retriever(name, SHOP)
    assert type(loaded) is type(expected)
    assert loaded.fingerprint == expected.fingerprint


def test_indexes_are_kept_where_they_can_be(tmp_path):
    load_retriever("fusion:bm25+fts5", SHOP, tmp_path)
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"bm25", "fts5"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bm26", "no retriever 'bm26': choose one of bm25, fts5, tfidf, lsa"),
        ("", "no retriever ''"),
        ("bm25:colour", "no column 'colour'"),
        ("bm25:title^high", "'high' is no weight for the column 'title'"),
        ("bm25:title^0", "column 'title' has the weight 0"),
        ("lsa:many", "lsa:many is no number of dimensions"),
        ("lsa", "cannot keep 200 dimensions of 3 products"),
        ("fusion:bm25", "fusion of 1 retrievers"),
        ("fusion:bm25+bm26", "no retriever 'bm26'"),
        ("postgres:dbname=x#tables=y", "no setting 'tables': choose among table, config"),
        ("postgres:dbname=x#depth=deep", "depth=deep cannot be: give a value of type int"),
        ("nowhere:search", "no retriever and no module 'nowhere'"),
        ("ospo.nowhere:search", "no module 'ospo.nowhere'"),
        ("json:nothing", "module 'json' has no 'nothing'"),
        ("json:__doc__", "json:__doc__ is str: name a function of queries and k"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        load_retriever(name, SHOP)


MODULE = """
from ospo.search.retriever import Hit, Retriever


def search(queries, k):
    return [[("b", 2.0), ("a", 1.0)][:k] for _ in queries]


def wrong(queries, k):
    return [["nobody"] for _ in queries]


class Engine:
    @staticmethod
    def search(queries, k):
        return search(queries, k)


class Own(Retriever):
    fingerprint = "own 1"

    def search(self, queries, k):
        return [[Hit("c", 1.0)] for _ in queries]


engine, own = Engine(), Own()
"""


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    (tmp_path / "my_shelf.py").write_text(MODULE)
    (tmp_path / "my_broken.py").write_text("import a_package_that_nobody_has")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("my_shelf", None)


def test_a_function_or_an_object_beside_the_user_is_a_retriever(shelf):
    for name in ("my_shelf:search", "my_shelf:engine", "my_shelf:Engine.search"):
        assert load_retriever(name, SHOP).search(["x"], 1) == [[("b", 2.0)]]
        assert load_retriever(name, SHOP).ranks(["x", ""], ["a"]).tolist() == [[2], [2]]
    own = load_retriever("my_shelf:own", SHOP)
    assert own.fingerprint == "own 1"
    assert own.search(["x"], 1) == [[("c", 1.0)]]


def test_what_a_function_answers_is_checked_and_its_name_told(shelf):
    with pytest.raises(RetrieverError, match=r"my_shelf:wrong, asked for 'x', returned .*'nobody'"):
        load_retriever("my_shelf:wrong", SHOP).search(["x"], 1)


def test_what_a_users_module_lacks_is_told(shelf):
    with pytest.raises(ModuleNotFoundError, match="a_package_that_nobody_has"):
        load_retriever("my_broken:search", SHOP)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("tfidf", "sklearn", "sklearn"),
        ("lsa", "sklearn", "sklearn"),
        ("http://host/_search", "urllib3", "http"),
        ("postgres:dbname=x", "psycopg", "postgres"),
    ],
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(
    monkeypatch, name, package, extra
):
    for module in [m for m in sys.modules if m.startswith("ospo.search.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ModuleNotFoundError, match=rf'needs {package}; pip install "owen-core\[{extra}\]"'
    ):
        load_retriever(name, SHOP)


def test_only_what_the_chosen_retriever_needs_is_imported():
    code = (
        "import sys; from ospo.data.collection import Catalogue;"
        "from ospo.search.load import load_retriever;"
        "load_retriever('bm25', Catalogue(('a',), {'title': ('lamp',)}));"
        "print(*({'sklearn', 'urllib3', 'psycopg', 'scipy', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("postgresql://me:s3cret@host/shop#version=1", "postgresql://me@host/shop#version=1"),
        ("postgres://:s3cret@host", "postgres://@host"),
        ("postgresql://host/shop?password=s3cret&user=me", "postgresql://host/shop?&user=me"),
        ("postgres:host=db password=s3cret user=me", "postgres:host=db  user=me"),
        (r"postgres:password = 's3 \' c\\ret' host=db", "postgres: host=db"),
        (r"postgres:password=s3\ c#table=wares", "postgres:#table=wares"),
        ("postgres:PASSWORD=s3cret sslpassword=s3cret", "postgres: "),
        ("http://me:s3@cret@host:9200/_search", "http://me@host:9200/_search"),
        ("http:https://me:s3cret@host/q={query}", "http:https://me@host/q={query}"),
        ("https://host/?api_key=s3cret&q={query}#ids=a", "https://host/?&q={query}#ids=a"),
        ("fusion:postgres:password=s3cret+bm25", "fusion:postgres:+bm25"),
        ("rerank:model#postgres://me:s3cret@host", "rerank:model#postgres://me@host"),
        ("https://host:80/?token=s3@cret&q={query}", "https://host:80/?&q={query}"),
        ("postgres:password='s3 cret", "postgres:"),
        ("postgres:password=s3'&cret\\", "postgres:"),
    ],
)
def test_a_name_is_written_down_without_its_secrets(name, public):
    assert without_secrets(name) == public
    assert without_secrets(public) == public


@pytest.mark.parametrize(
    ("form", "public", "quote"),
    [
        ("http://me:{}@host:9200/q={{query}}", "http://me@host:9200/q={{query}}", str),
        ("postgres://:{}@host/shop#table=wares", "postgres://@host/shop#table=wares", str),
        ("rerank:m#http:https://me:{}@host/x", "rerank:m#http:https://me@host/x", str),
        ("fusion:bm25+http://me:{}@host/x+lsa:2", "fusion:bm25+http://me@host/x+lsa:2", str),
        ("postgres://me@host/?sslpassword={}&port=1", "postgres://me@host/?&port=1", quote_plus),
        ("https://host:80/x?api-key={}#ids=a", "https://host:80/x?#ids=a", quote_plus),
        ("postgres:password='{}' user=me", "postgres: user=me", lambda s: escaped(r"(['\\])", s)),
        (
            "postgres:user=me pwd = {}#table=w",
            "postgres:user=me #table=w",
            lambda s: escaped(r"(\W)", s),
        ),
    ],
)
@given(st.text(st.sampled_from("ab1/?#@:+&=%'\" \\\n") | st.characters(codec="utf-8"), min_size=1))
@settings(max_examples=60, deadline=None)
def test_no_part_of_any_password_is_written_down(form, public, quote, password):
    assert without_secrets(form.format(quote(password))) == public.format()


def escaped(characters, password):
    """As a connection string has it."""
    return re.sub(characters, r"\\\1", password)


@pytest.mark.parametrize(
    "name",
    [
        "bm25:title^2,brand",
        "dense:/models/mini#onnx&fields=title",
        "http://host:9200/_search",
        "https://me@host:443/q={query}&k={k}#ids=hits[*].id",
        "postgres:dbname=shop user=me#table=wares",
        "fusion:bm25+http://a:80/x+postgres://me@b:5432/y",
    ],
)
def test_a_name_without_secrets_stays_as_it_is(name):
    assert without_secrets(name) == name

"""PostgreSQL full text search on a real server, started for these tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.judge import Judge
from ospo.search.metrics import ReciprocalRank
from ospo.search.postgres import Postgres, create_table
from ospo.search.retriever import RetrieverError

TITLES = ("red trail shoe", "blue shoe", "desk lamp", "it's a \\ lamp & shade", "shoe shoe lamp")
SHOP = Catalogue(
    tuple(f"p{i}" for i in range(len(TITLES))),
    {"title": TITLES, "description": ("", "for the trail", "", "", "")},
)


def binaries() -> Path | None:
    """Where the server's programs are: on the path, or where Debian puts them."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in versions), default=None)


@pytest.fixture(scope="module")
def dsn():
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL server here (apt-get install postgresql)")
    # The server refuses to run as root.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    home = Path(tempfile.mkdtemp(prefix="ospo-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(home, user)

        def run(program, *arguments):
            command = [folder / program, "-D", home / "data", *arguments]
            subprocess.run(
                command, user=user, cwd=home, check=True, stdout=subprocess.DEVNULL, timeout=120
            )

        run("initdb", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        options = f"-c listen_addresses='' -c fsync=off -k {home}"
        run("pg_ctl", "start", "--wait", "-o", options, "-l", home / "log")
        try:
            yield f"postgresql://{user}@/postgres?host={home}"
        finally:
            run("pg_ctl", "stop", "--mode=immediate", "--wait")
    finally:
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def engine(dsn):
    create_table(dsn, SHOP)
    return Postgres(dsn, SHOP)


def test_any_word_of_the_query_finds_and_the_title_weighs_more(engine):
    found = [hit.product_id for hit in engine.search(["trails"], 10)[0]]
    assert found == ["p0", "p1"]
    found = {hit.product_id for hit in engine.search(["a red lamp"], 10)[0]}
    assert found == {"p0", "p2", "p3", "p4"}


def test_ranks_are_positions_and_ties_go_by_id(engine):
    assert engine.ranks(["lamp", "", "unheard"], ["p2", "p4", "p0"]).tolist() == [
        [1, 3, 0],
        [0, 0, 0],
        [0, 0, 0],
    ]
    assert [len(hits) for hits in engine.search(["lamp"], 2)] == [2]


def test_a_word_said_twice_counts_once(engine):
    assert engine.search(["shoe lamp"], 10) == engine.search(["lamp shoes shoe, lamps"], 10)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_a_safe_query(engine, text):
    (hits,) = engine.search([text], 10)
    assert {hit.product_id for hit in hits} <= set(SHOP.ids)


@pytest.mark.parametrize(
    "text", ["it's", "a\0lamp", "\ud800 lamp", "\\", "' | 'lamp", "http://x/?a=1&b=2", "%s %(k)s"]
)
def test_signs_of_the_query_language_are_plain_text(engine, text):
    (hits,) = engine.search([text], 10)
    assert ("lamp" in text) == ("p2" in {hit.product_id for hit in hits})


def test_a_statement_of_ones_own(dsn, engine):
    statement = "SELECT id, 1.5 FROM products WHERE id = %(query)s LIMIT %(k)s"
    own = Postgres(dsn, SHOP, statement=statement)
    assert own.search(["p3"], 1) == [[("p3", 1.5)]]


def test_a_judge_values_by_it(engine):
    judge = Judge(engine, {"p1": 1}, ReciprocalRank())
    assert judge(["blue", "blue shoe", "lamp", " "]).tolist() == [1, 1, 0, 0]
    assert judge.searched == 3


def test_a_connection_lost_on_the_way_is_an_error_and_the_next_search_connects_again(dsn, engine):
    statement = "SELECT pg_terminate_backend(pg_backend_pid()), %(query)s, %(k)s"
    with pytest.raises(RetrieverError, match="cannot be searched"):
        Postgres(dsn, SHOP, statement=statement).search(["lamp"], 1)
    assert engine.search(["lamp"], 1)


def test_a_query_that_takes_too_long_is_cancelled(dsn):
    slow = Postgres(dsn, SHOP, statement="SELECT pg_sleep(60), %(query)s, %(k)s", timeout=0.1)
    with pytest.raises(RetrieverError, match="statement timeout"):
        slow.search(["lamp"], 1)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT 'p9', 1.0 WHERE %(query)s <> '' LIMIT %(k)s", "'p9', which is not in the catal"),
        ("SELECT 'p1', 'NaN'::float WHERE %(query)s <> '' LIMIT %(k)s", "a score that is a number"),
        ("SELECT 1, 1.0 WHERE %(query)s <> '' LIMIT %(k)s", "the product's id as text"),
        ("SELECT id, 1.0 FROM nothing WHERE id = %(query)s LIMIT %(k)s", '"nothing" does not exi'),
        ("DELETE FROM products WHERE id = %(query)s AND %(k)s > 0 RETURNING id, 1.0", "read-only"),
    ],
)
def test_what_is_no_ranking_is_refused(dsn, engine, statement, message):
    with pytest.raises(RetrieverError, match=message):
        Postgres(dsn, SHOP, statement=statement).search(["p1"], 10)


def test_a_server_that_is_down_is_named_without_the_password(tmp_path):
    down = Postgres(f"postgresql://me:secret@/shop?host={tmp_path}", SHOP)
    with pytest.raises(RetrieverError, match="cannot be searched") as caught:
        down.search(["lamp"], 1)
    assert str(tmp_path) in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_address_or_setting_that_cannot_be_is_refused(dsn, engine):
    with pytest.raises(InputError, match="no address of a PostgreSQL database"):
        Postgres("postgresql://[", SHOP)
    with pytest.raises(InputError, match="timeout is 0"):
        Postgres(dsn, SHOP, timeout=0)
    with pytest.raises(InputError, match="k is 0"):
        engine.search(["lamp"], 0)
    with pytest.raises(InputError, match="has a table 'products' already"):
        create_table(dsn, SHOP)


def test_values_are_shared_between_runs_only_under_a_version(dsn):
    assert Postgres(dsn, SHOP).fingerprint != Postgres(dsn, SHOP).fingerprint
    first, second = (Postgres(dsn, SHOP, version=v).fingerprint for v in ("1", "2"))
    assert first == Postgres(dsn, SHOP, version="1").fingerprint != second

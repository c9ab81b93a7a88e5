"""PostgreSQL full text search: a worked example of a retriever over a database."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.check import check_answers
from ospo.search.retriever import DEPTH, Hit, Retriever, RetrieverError, check_depth
from owen_core.optional import needs

with needs("postgres", "the PostgreSQL retriever"):
    import psycopg
    from psycopg import conninfo, sql

TABLE, CONFIG = "products", "english"
# Any lexeme of the query will do, and each counts once. They are joined into a tsquery here,
# because PostgreSQL's own parsers of queries want them all, or read signs as operators.
STATEMENT = r"""
WITH wanted AS (
  SELECT string_agg(
    '''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ' ORDER BY lexeme
  )::tsquery AS query
  FROM unnest(to_tsvector({config}, %(query)s))
)
SELECT id, ts_rank(document, query) AS score
FROM {table}, wanted
WHERE document @@ query
ORDER BY score DESC, id
LIMIT %(k)s
"""


class Postgres(Retriever):
    """Searches a table of PostgreSQL with a statement.

    Parameters
    ----------
    dsn : str
        Where the database is, such as ``postgresql://user@host/shop``.
    catalogue : Catalogue
        The products that the table has, under the same ids.
    statement : str, optional
        SQL with the parameters ``%(query)s`` and ``%(k)s`` that returns ids and scores, best
        first; by default a product's ``ts_rank`` for any word of the query, over a table with the
        columns ``id text`` and ``document tsvector``, as :func:`create_table` makes it.
    table, config : str
        Table and text search configuration of the default statement.
    timeout : float
        Seconds to wait for a connection, and for each query.
    depth : int
        Products of a ranking that are asked for.
    version : str, optional
        Names the state of the table. Values are then shared between runs under that name;
        without it they never are, because the table may have changed.

    Examples
    --------
    >>> from ospo.data.collection import Catalogue
    >>> shop = Catalogue(("1", "2"), {"title": ("red trail shoe", "blue shoe")})
    >>> Postgres("postgresql://me:secret@localhost/shop", shop).database
    'PostgreSQL at user=me dbname=shop host=localhost'
    """

    def __init__(
        self,
        dsn: str,
        catalogue: Catalogue,
        *,
        statement: str | None = None,
        table: str = TABLE,
        config: str = CONFIG,
        timeout: float = 10.0,
        depth: int = DEPTH,
        version: str | None = None,
    ) -> None:
        check_depth(depth)
        if timeout <= 0:
            raise InputError(f"the timeout is {timeout} seconds: give a number above 0")
        self.catalogue = catalogue
        self.depth = depth
        self.timeout = timeout
        self._dsn = dsn
        self.database = _public(dsn)
        self._statement = (
            sql.SQL(STATEMENT).format(config=sql.Literal(config), table=_table(table))
            if statement is None
            else sql.SQL(statement)
        )
        if version is not None:
            settings = f"postgres {self.database} {statement} {table} {config} {depth} {version}"
            settings += catalogue.fingerprint
            self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first, or fewer.

        Raises
        ------
        RetrieverError
            The database cannot be reached, refuses the statement, takes too long, or answers
            something else than a ranking of the catalogue.
        """
        check_depth(k)
        try:
            with self._connect() as connection:
                answers = [self._ask(connection, query, k) for query in queries]
        except psycopg.Error as error:
            raise RetrieverError(
                f"{self.database} cannot be searched ({str(error).strip()}): check that the server "
                "runs, and that the table and the statement are right"
            ) from error
        return check_answers(answers, queries, k, self.catalogue.position, self.database)

    def _connect(self) -> psycopg.Connection[Any]:
        # A connection of its own for every call: usable from any thread or process, and a server
        # that was restarted is found again.
        connection = psycopg.connect(self._dsn, connect_timeout=max(2, round(self.timeout)))
        connection.read_only = True
        connection.execute(f"SET statement_timeout = {round(self.timeout * 1e3)}")
        return connection

    def _ask(self, connection: psycopg.Connection[Any], query: str, k: int) -> list[Any]:
        if not self.key(query):
            return []
        return connection.execute(self._statement, {"query": _storable(query), "k": k}).fetchall()


def create_table(
    dsn: str, catalogue: Catalogue, *, table: str = TABLE, config: str = CONFIG
) -> None:
    """Store a catalogue as the retriever wants it: the title weighs more than other columns.

    Raises
    ------
    InputError
        There is such a table already.
    """
    vector = sql.SQL(" || ").join(
        sql.SQL("setweight(to_tsvector({}, %s), {})").format(
            config, "A" if name == "title" else "B"
        )
        for name in catalogue.fields
    )
    columns = [map(_storable, column) for column in catalogue.fields.values()]
    rows = zip(catalogue.ids, *columns, strict=True)
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        try:
            cursor.execute(
                sql.SQL("CREATE TABLE {} (id text PRIMARY KEY, document tsvector NOT NULL)").format(
                    _table(table)
                )
            )
        except psycopg.errors.DuplicateTable as error:
            raise InputError(
                f"{_public(dsn)} has a table {table!r} already: drop it or choose another name"
            ) from error
        cursor.executemany(
            sql.SQL("INSERT INTO {} VALUES (%s, {})").format(_table(table), vector), rows
        )
        cursor.execute(sql.SQL("CREATE INDEX ON {} USING gin (document)").format(_table(table)))


def _table(name: str) -> sql.Identifier:
    return sql.Identifier(*name.split("."))


def _public(dsn: str) -> str:
    """Return what may be shown of a connection string: everything but the password."""
    try:
        parts: dict[str, Any] = conninfo.conninfo_to_dict(dsn)
    except psycopg.ProgrammingError as error:
        raise InputError(
            f"this is no address of a PostgreSQL database ({str(error).strip()}): "
            "write for example postgresql://user@host/shop"
        ) from error
    parts.pop("password", None)
    return "PostgreSQL at " + conninfo.make_conninfo(**parts)


def _storable(text: str) -> str:
    """Return a text without what PostgreSQL cannot store: NUL and lone surrogates."""
    return text.replace("\0", " ").encode(errors="replace").decode()

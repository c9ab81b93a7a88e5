"""A search engine behind a URL: Elasticsearch, OpenSearch, Solr, or any that answers in JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.check import check_answers
from ospo.search.retriever import DEPTH, Hit, Retriever, RetrieverError, check_depth
from owen_core.optional import needs

with needs("http", "the HTTP retriever"):
    import urllib3

EXAMPLE_URL = "http://localhost:9200/products/_search"
RETRIED = (429, 500, 502, 503, 504)  # the engine is overloaded or restarts; others do not pass
LONGEST_WAIT = 30  # seconds between two tries, whatever the engine asks for
LARGEST = 1 << 25  # bytes of an answer, unpacked
# Where engines say, with status 200, that they searched a part of the index only.
PARTIAL = ("timed_out", "_shards.failed", "responseHeader.partialResults")


@dataclass(frozen=True, slots=True)
class Shape:
    """How an engine is asked and how it answers.

    Attributes
    ----------
    ids, scores : str
        Where the answer holds the products' ids, best first, and their scores, such as
        ``hits.hits[*]._id``; without scores the reciprocal ranks stand for them.
    body : Any
        What to post, as JSON: ``{query}`` and ``{k}`` in its texts are filled in, and the text
        "{k}" becomes a number. Without a body the engine is asked by GET.
    """

    ids: str
    scores: str | None = None
    body: Any = None


ELASTICSEARCH = Shape(
    ids="hits.hits[*]._id",
    scores="hits.hits[*]._score",
    body={"query": {"multi_match": {"query": "{query}"}}, "size": "{k}", "_source": False},
)
SOLR = Shape(
    ids="response.docs[*].id",
    scores="response.docs[*].score",
    # The simple parser without operators: the query is words, whatever signs it holds.
    body={
        "query": {"simple": {"query": "{query}", "q.operators": ""}},
        "fields": ["id", "score"],
        "limit": "{k}",
    },
)


class HTTP(Retriever):
    """Searches with an engine behind a URL.

    Queries of one call are asked on several connections at a time. A query that fails is tried
    again, later and later; when every try failed, the search fails: it never counts as a query
    that finds nothing.

    Parameters
    ----------
    url : str
        May hold ``{query}`` and ``{k}``, and a user and password before the host.
    catalogue : Catalogue
        The products that the engine has, under the same ids.
    shape : Shape, optional
        By default that of Elasticsearch and OpenSearch where the URL's path ends in ``/_search``,
        and that of Solr where it ends in ``/select`` or ``/query``.
    headers : mapping, optional
        Sent with each request, such as an API key.
    timeout : float
        Seconds to wait for a connection, and for each part of an answer.
    retries : int
        Further tries of a query.
    wait : float
        Seconds before the second further try; doubled each time. An engine that asks to wait
        longer is obeyed, up to half a minute.
    connections : int
        Queries asked at the same time.
    depth : int
        Products of a ranking that are asked for.
    version : str, optional
        Names the state of the engine's index. Values are then shared between runs under that
        name; without it they never are, because the index may have changed.
    """

    def __init__(
        self,
        url: str,
        catalogue: Catalogue,
        shape: Shape | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10.0,
        retries: int = 3,
        wait: float = 0.5,
        connections: int = 8,
        depth: int = DEPTH,
        version: str | None = None,
    ) -> None:
        check_depth(depth)
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise InputError(
                f"this is no URL ({error}): write for example {EXAMPLE_URL}"
            ) from error
        login, _, host = parts.netloc.rpartition("@")
        self.url = parts._replace(netloc=host).geturl()  # shown in messages: without the password
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(
                f"{self.url!r} is no URL of a search engine: write for example {EXAMPLE_URL}"
            )
        if not (timeout > 0 and retries >= 0 and wait >= 0 and connections >= 1):
            raise InputError(
                f"{timeout=}, {retries=}, {wait=}, {connections=} cannot be kept: give a timeout "
                "above 0, retries and a wait of at least 0, and at least one connection"
            )
        self.catalogue = catalogue
        self.shape = _shape_of(self.url, parts.path) if shape is None else shape
        if "{query}" not in self.url + json.dumps(self.shape.body):
            raise InputError(
                f"neither the URL {self.url!r} nor the body has a place for the query: "
                "write {query} there"
            )
        self.depth = depth
        self.connections = connections
        if version is not None:
            settings = f"http {self.url} {self.shape} {depth} {version} {catalogue.fingerprint}"
            self.fingerprint = hashlib.sha256(settings.encode()).hexdigest()
        basic = urllib3.util.make_headers(basic_auth=unquote(login)) if login else {}
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            block=True,
            headers={"Accept": "application/json"} | basic | dict(headers or {}),
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
        )
        self._retries = urllib3.Retry(
            total=retries,
            redirect=0,
            backoff_factor=wait,
            backoff_max=LONGEST_WAIT,
            retry_after_max=LONGEST_WAIT,
            status_forcelist=RETRIED,
            allowed_methods=None,  # a search changes nothing, by whatever method
            raise_on_redirect=False,
            raise_on_status=False,
        )

    def search(self, queries: Sequence[str], k: int) -> list[list[Hit]]:
        """Return the best ``k`` products of each query, best first, or fewer.

        Raises
        ------
        RetrieverError
            The engine cannot be reached, refuses, or answers something else than a ranking of the
            catalogue, or more than 32 MiB; the message names the URL and the status.
        """
        check_depth(k)
        with ThreadPoolExecutor(self.connections) as threads:
            answers = list(threads.map(lambda query: self._ask(query, k), queries))
        return check_answers(answers, queries, k, self.catalogue.position, self.url)

    def _ask(self, query: str, k: int) -> list[Any]:
        if not self.key(query):
            return []
        url = self.url.replace("{k}", str(k)).replace(
            "{query}", quote(query, safe="", errors="replace")
        )
        try:
            response, content = self._answer(url, _filled(self.shape.body, query, k))
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise RetrieverError(
                f"{self.url} cannot be searched ({cause}), after all tries for {query!r}: "
                "check that the engine runs and can be reached from here"
            ) from error
        if len(content) > LARGEST:
            raise RetrieverError(
                f"{self.url} answered {query!r} with more than {LARGEST:,} bytes: have it answer "
                "with the ids of the products, without their texts"
            )
        return self._hits(response, content, query)

    def _answer(self, url: str, body: Any) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        """Return an answer and its content, no longer than needed to see that it is too long."""
        method = "GET" if body is None else "POST"
        retries = self._retries
        while True:
            response = self._pool.request(
                method, url, json=body, retries=retries, preload_content=False
            )
            try:
                return response, response.read(LARGEST + 1)
            except urllib3.exceptions.HTTPError as error:  # it broke off
                retries = (response.retries or retries).increment(method, url, error=error)
                retries.sleep()
            finally:
                response.close()
                response.release_conn()

    def _hits(self, response: urllib3.BaseHTTPResponse, content: bytes, query: str) -> list[Any]:
        """Return the ids, with their scores where there are any, that an answer holds."""
        begin = content[:200].decode(errors="replace")
        if response.status != 200:
            tries = 1 + len(response.retries.history if response.retries else ())
            raise RetrieverError(
                f"{self.url} answered {response.status} {response.reason} to {query!r}, "
                f"{'at once' if tries == 1 else f'after {tries} tries'}: {begin!r}"
            )
        try:
            answer = json.loads(content)
            ids = [str(name) if type(name) is int else name for name in at(answer, self.shape.ids)]
            if self.shape.scores is None:
                hits = ids
            else:
                hits = list(zip(ids, at(answer, self.shape.scores), strict=True))
        except (ValueError, LookupError, RecursionError) as error:
            raise RetrieverError(
                f"{self.url} answered {query!r} with status 200, but not in the expected form "
                f"({error}): {begin!r}"
            ) from error
        for path in PARTIAL:
            with suppress(LookupError):
                if any(at(answer, path)):
                    raise RetrieverError(
                        f"{self.url} searched only a part of its index for {query!r}, as {path!r} "
                        f"in its answer says: look at its health, or give it more time"
                    )
        return hits


def _shape_of(url: str, path: str) -> Shape:
    if path.endswith("/_search"):
        return ELASTICSEARCH
    if path.endswith(("/select", "/query")):
        return SOLR
    raise InputError(
        f"{url!r} is none of Elasticsearch's, OpenSearch's or Solr's addresses "
        "(.../_search, .../select, .../query): say how it is asked and where it answers with ids"
    )


def _filled(template: Any, query: str, k: int) -> Any:
    """Return a JSON template with the query and k in their places."""
    match template:
        case "{k}":
            return k
        case str():
            return template.replace("{k}", str(k)).replace("{query}", query)
        case dict():
            return {name: _filled(part, query, k) for name, part in template.items()}
        case list():
            return [_filled(part, query, k) for part in template]
        case _:
            return template


def at(answer: Any, path: str) -> list[Any]:
    """Return what a JSON answer holds at a path.

    Examples
    --------
    >>> at({"hits": [{"id": "a"}, {"id": "b"}]}, "hits[*].id")
    ['a', 'b']
    >>> at({"hits": [{"id": "a"}, {}]}, "hits[*].id")
    Traceback (most recent call last):
        ...
    LookupError: there is no 'id' in {}
    """
    values = [answer]
    for step in path.replace("[*]", ".*").strip(".").split("."):
        if step == "*":
            values = [item for value in values for item in _list(value)]
        else:
            values = [_member(value, step) for value in values]
    return values


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise LookupError(f"there is no list in {str(value)[:60]}")
    return value


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise LookupError(f"there is no {name!r} in {str(value)[:60]}")
    return value[name]

"""The HTTP retriever against a real server that can be slow, down, overloaded or wrong."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import tracemalloc
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_engine import serving

from ospo.data.collection import Catalogue
from ospo.errors import InputError
from ospo.search.bm25 import BM25
from ospo.search.http import ELASTICSEARCH, HTTP, LARGEST, SOLR, Shape
from ospo.search.judge import Judge
from ospo.search.load import load_retriever
from ospo.search.metrics import NDCG
from ospo.search.retriever import RetrieverError

TITLES = ("red trail shoe", "blue shoe", "desk lamp", "red desk lamp")
SHOP = Catalogue(tuple(f"p{i}" for i in range(len(TITLES))), {"title": TITLES})
ENGINE = BM25(SHOP)


class Server(ThreadingHTTPServer):
    """A search engine. What ``replies`` holds is answered first: status, headers and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[tuple[str, object]] = []
        self.replies: list[tuple[int, dict[str, str], bytes]] = []
        self.closing = threading.Event()
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together

    def log_message(self, *_):
        pass

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        self.answer(None, query["text"][0], int(query["top"][0]))

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "/_search" in self.path:
            self.answer(body, body["query"]["multi_match"]["query"], body["size"])
        elif "/select" in self.path:
            self.answer(body, body["query"]["simple"]["query"], body["limit"])
        else:
            self.answer(body, body["ask"]["for"].removeprefix("please: "), body["ask"]["top"])

    def answer(self, body, query, k):
        with self.server.lock:
            self.server.requests.append((self.path, body))
            self.server.headers = self.headers
            reply = self.server.replies.pop(0) if self.server.replies else None
        if reply is None:
            reply = 200, {}, json.dumps(self.found(query, k)).encode()
        status, headers, content = reply
        if status == 0:  # never answers
            self.server.closing.wait()
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        if len(content) < int(headers.get("Content-Length", 0)):
            self.close_connection = True

    def found(self, query, k):
        hits = ENGINE.search([query], k)[0]
        if "/_search" in self.path:
            return {"hits": {"hits": [{"_id": p, "_score": score} for p, score in hits]}}
        if "/select" in self.path:
            return {"response": {"docs": [{"id": p, "score": score} for p, score in hits]}}
        return [{"product": {"sku": p}} for p, _ in hits]


@pytest.fixture(scope="module")
def running():
    with serving(Server()) as server:
        yield server


@pytest.fixture
def server(running):
    running.requests.clear()
    running.replies.clear()
    return running


def engine(server, **options):
    return HTTP(f"{server.url}/products/_search", SHOP, **{"wait": 0.0, "timeout": 5.0} | options)


@pytest.mark.parametrize("address", ["products/_search", "solr/products/select"])
def test_known_engines_are_asked_and_read_in_their_own_way(server, address):
    http = HTTP(f"{server.url}/{address}", SHOP)
    queries = ["red", "desk lamp", "shoe", "unheard-of"]
    assert http.search(queries, 2) == ENGINE.search(queries, 2)
    assert http.ranks(queries, SHOP.ids).tolist() == ENGINE.ranks(queries, SHOP.ids).tolist()


@pytest.mark.parametrize(
    ("url", "shape"),
    [
        ("find?text={query}&top={k}", Shape("[*].product.sku")),
        ("ask", Shape("[*].product.sku", body={"ask": {"for": "please: {query}", "top": "{k}"}})),
    ],
)
def test_any_engine_is_asked_by_a_template_and_read_by_a_path(server, url, shape):
    http = HTTP(f"{server.url}/{url}", SHOP, shape)
    assert http.search(["lamp red"], 10) == [[("p3", 1.0), ("p2", 1 / 2), ("p0", 1 / 3)]]
    assert http.search(["lamp red"], 1) == [[("p3", 1.0)]]


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30).filter(str.strip))
def test_any_text_reaches_the_engine_as_it_is(running, text):
    running.requests.clear()
    engine(running).search([text], 10)
    HTTP(f"{running.url}/find?text={{query}}&top={{k}}", SHOP, Shape("[*].product.sku")).search(
        [text], 10
    )
    (_, body), (path, _) = running.requests
    assert body["query"]["multi_match"]["query"] == text
    assert parse_qs(urlsplit(path).query)["text"] == [text]


def test_a_query_that_holds_placeholders_is_plain_text(server):
    engine(server).search(["{k} {query}"], 10)
    assert server.requests[0][1]["query"]["multi_match"]["query"] == "{k} {query}"


def test_an_empty_query_finds_nothing_and_asks_nobody(server):
    assert engine(server).search(["", "  "], 10) == [[], []]
    assert server.requests == []


def test_answers_come_in_the_order_of_the_queries_whatever_the_connections(server):
    queries = [f"{colour} {what}" for colour in ("red", "blue", "no") for what in TITLES] * 5
    expected = ENGINE.search(queries, 10)
    assert engine(server, connections=1).search(queries, 10) == expected
    assert engine(server, connections=16).search(queries, 10) == expected


def test_login_and_headers_are_sent_and_the_password_is_never_shown(server):
    address = f"{server.url}/products/_search".replace("//", "//me:s%40cret@")
    http = HTTP(address, SHOP, headers={"X-Tenant": "7"}, wait=0.0)
    assert http.search(["red"], 1)
    assert server.headers["Authorization"] == "Basic bWU6c0BjcmV0"
    assert server.headers["X-Tenant"] == "7"
    server.replies = [(401, {}, b"who are you?")]
    with pytest.raises(RetrieverError, match="answered 401 Unauthorized") as caught:
        http.search(["red"], 1)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_engine_that_recovers_is_asked_again(server, status):
    server.replies = [(status, {}, b"later"), (status, {"Retry-After": "0"}, b"later")]
    assert engine(server).search(["red"], 10) == ENGINE.search(["red"], 10)
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [429, 500])
def test_an_engine_that_does_not_recover_is_named_with_its_status(server, status):
    server.replies = [(status, {}, b"no heap left")] * 4
    with pytest.raises(RetrieverError, match=rf"_search answered {status} .*after 4 tries") as got:
        engine(server, retries=3).search(["red"], 10)
    assert server.url in str(got.value)
    assert "no heap left" in str(got.value)
    assert len(server.requests) == 4


@pytest.mark.parametrize("status", [400, 404, 301])
def test_a_refusal_is_final(server, status):
    server.replies = [(status, {"Location": "/elsewhere"}, b"no such index")]
    with pytest.raises(RetrieverError, match=f"answered {status} .*at once.*no such index"):
        engine(server).search(["red"], 10)
    assert len(server.requests) == 1


def test_an_engine_that_does_not_answer_in_time_is_asked_again_and_then_given_up(server):
    server.replies = [(0, {}, b"")]
    assert engine(server, timeout=0.2).search(["red"], 10) == ENGINE.search(["red"], 10)
    server.replies = [(0, {}, b"")] * 2
    with pytest.raises(RetrieverError, match=r"timed out.*after all tries"):
        engine(server, timeout=0.2, retries=1).search(["red"], 10)


def test_an_engine_that_is_down_is_named():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/products/_search"
    with pytest.raises(RetrieverError, match=r"_search cannot be searched .*refused") as caught:
        HTTP(url, SHOP, wait=0.0).search(["red"], 10)
    assert url in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (b"<html>It works!</html>", "not in the expected form .*<html>"),
        (b"\xff\xfe", "not in the expected form"),
        (b"[" * 100_000, "not in the expected form"),
        (b"", "not in the expected form"),
        (b'{"error": "no"}', "there is no 'hits'"),
        (b'{"hits": {"hits": 3}}', "there is no list in 3"),
        (b'{"hits": {"hits": [{"_id": "p0"}]}}', "there is no '_score'"),
        (b'{"hits": {"hits": [{"_id": "p9", "_score": 1}]}}', "'p9', which is not in the catalog"),
        (b'{"hits": {"hits": [{"_id": "p0", "_score": NaN}]}}', "a score that is a number"),
        (b'{"hits": {"hits": [{"_id": "p0", "_score": null}]}}', "a score that is a number"),
        (b'{"hits": {"hits": [{"_id": null, "_score": 1}]}}', "the product's id as text"),
        (
            b'{"hits": {"hits": [{"_id": "p0", "_score": 1}, {"_id": "p0", "_score": 1}]}}',
            "'p0' twice",
        ),
        (b'{"timed_out": true, "hits": {"hits": []}}', "only a part .*'timed_out'"),
        (b'{"_shards": {"failed": 1}, "hits": {"hits": []}}', "only a part .*'_shards.failed'"),
    ],
)
def test_an_answer_that_is_no_ranking_is_refused(server, reply, message):
    server.replies = [(200, {}, reply)]
    with pytest.raises(RetrieverError, match=message):
        engine(server).search(["red"], 10)


def test_more_products_than_asked_for_are_refused(server):
    hits = [{"_id": product, "_score": 1.0} for product in SHOP.ids]
    server.replies = [(200, {}, json.dumps({"hits": {"hits": hits}}).encode())]
    with pytest.raises(RetrieverError, match="returned 4 products: return at most k = 3"):
        engine(server).search(["red"], 3)


def test_an_answer_that_breaks_off_is_asked_for_again(server):
    server.replies = [(200, {"Content-Length": "1000"}, b'{"hits": {"hits": []')]
    assert engine(server).search(["red"], 10) == ENGINE.search(["red"], 10)
    assert len(server.requests) == 2


def test_an_answer_that_is_too_large_is_refused_without_unpacking_all_of_it(server):
    bomb = gzip.compress(bytes(4 * LARGEST))
    server.replies = [(200, {"Content-Encoding": "gzip"}, bomb)]
    http = engine(server, connections=1)
    tracemalloc.start()
    with pytest.raises(RetrieverError, match="'red' with more than 33,554,432 bytes: have it"):
        http.search(["red"], 10)
    assert tracemalloc.get_traced_memory()[1] < 3 * LARGEST
    tracemalloc.stop()
    assert http.search(["red"], 10) == ENGINE.search(["red"], 10)


def test_numbers_are_ids_too(server):
    shop = Catalogue(("7", "8"), {"title": ("a", "b")})
    server.replies = [(200, {}, b'[{"product": {"sku": 8}}, {"product": {"sku": 7}}]')]
    http = HTTP(f"{server.url}/find?text={{query}}&top={{k}}", shop, Shape("[*].product.sku"))
    assert http.search(["x"], 2) == [[("8", 1.0), ("7", 0.5)]]


def test_the_first_error_ends_a_batch(server):
    server.replies = [(400, {}, b"")] * 1000
    with pytest.raises(RetrieverError, match="400"):
        engine(server, connections=2).search(["red"] * 1000, 10)
    assert len(server.requests) < 1000


def test_what_was_valued_before_an_error_stays_known(server):
    judge = Judge(engine(server, connections=1), {"p0": 3}, NDCG(10))
    texts = [f"red {number}" for number in range(300)]
    server.replies = [
        (200, {}, json.dumps({"hits": {"hits": [{"_id": "p0", "_score": 1}]}}).encode())
    ] * 280 + [(400, {}, b"")]
    with pytest.raises(RetrieverError):
        judge(texts)
    known = judge.searched
    assert 0 < known < 280
    server.requests.clear()
    assert judge(texts)[:known].tolist() == [1.0] * known
    assert len(server.requests) == 300 - known


@pytest.mark.parametrize(
    "name",
    [
        "http:{url}/products/_search",
        "{url}/products/_search#timeout=5&depth=100",
        "{url}/find?text={{query}}&top={{k}}#ids=[*].product.sku",
        "{url}/ask#ids=[*].product.sku&body={body}&retries=0",
    ],
)
def test_an_engine_is_named_by_its_address(server, tmp_path, name):
    body = tmp_path / "body.json"
    body.write_text('{"ask": {"for": "{query}", "top": "{k}"}}')
    http = load_retriever(name.format(url=server.url, body=body), SHOP)
    assert [hit.product_id for hit in http.search(["red"], 10)[0]] == ["p0", "p3"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("http:", "no URL of a search engine"),
        ("ftp://host/_search", "no retriever"),
        ("http:http://[/_search", "this is no URL"),
        ("http://host/find#ids=a", "neither the URL 'http://host/find' nor the body has a place"),
        ("http://host/find", "is none of Elasticsearch's, OpenSearch's or Solr's"),
        ("http://host/_search#speed=1", "no setting 'speed': choose among ids, scores, body"),
        ("http://host/_search#timeout=soon", "timeout=soon cannot be: give a value of type float"),
        ("http://host/_search#timeout=0", "timeout=0.0, .* cannot be kept"),
        ("http://host/_search#depth=0", "k is 0"),
        ("http://host/find#scores=a", "does not say where the answer has the ids"),
        ("http://host/find#ids=a&body=nowhere.json", "body nowhere.json cannot be read"),
    ],
)
def test_an_address_that_cannot_be_is_refused(name, message):
    with pytest.raises(InputError, match=message):
        load_retriever(name, SHOP)


@pytest.mark.parametrize("url", ["htp://me:secret@host/_search", "http://me:secret@host/find"])
def test_a_refused_address_is_shown_without_its_password(url):
    with pytest.raises(InputError, match="host") as caught:
        HTTP(url, SHOP)
    assert "secret" not in str(caught.value)


def test_the_shape_follows_the_address():
    assert HTTP("http://host/i/_search", SHOP).shape is ELASTICSEARCH
    assert HTTP("https://host/solr/i/query", SHOP).shape is SOLR


def test_values_are_shared_between_runs_only_under_a_version():
    url = "http://host/i/_search"
    assert HTTP(url, SHOP).fingerprint != HTTP(url, SHOP).fingerprint
    assert HTTP(url, SHOP, version="1").fingerprint == HTTP(url, SHOP, version="1").fingerprint
    assert HTTP(url, SHOP, version="1").fingerprint != HTTP(url, SHOP, version="2").fingerprint

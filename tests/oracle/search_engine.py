"""A real search engine over the shop, which answers as Elasticsearch does, or fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer

from ospo.data import load
from ospo.search.bm25 import BM25

FAILURE = 500, b"no heap left"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        query, k = asked["query"]["multi_match"]["query"], asked["size"]
        with self.server.lock:
            self.server.queries.append(query)
            broken = len(self.server.queries) > self.server.good
        if broken and self.server.then is None:  # never answers
            self.server.closing.wait()
            return
        hits = self.server.engine.search([query], k)[0]
        found = {"hits": {"hits": [{"_id": product, "_score": score} for product, score in hits]}}
        status, content = self.server.then if broken else (200, json.dumps(found).encode())
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class SearchEngine(ThreadingHTTPServer):
    """Takes many connections at once, and keeps what it was asked."""

    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.engine = BM25(load("shop").catalogue)
        self.url = f"http://127.0.0.1:{self.server_port}/shop/_search"
        self.lock, self.closing = threading.Lock(), threading.Event()
        self.restart()

    def restart(self):
        """Forget what was asked, and answer everything."""
        self.queries, self.good, self.then = [], 10**9, FAILURE

    def fail(self, after=0, then=FAILURE):
        """Answer with a status and content, or never, once so many queries were asked."""
        self.good, self.then = after, then


@contextmanager
def serving(server: HTTPServer) -> Iterator[HTTPServer]:
    """Run a server in a thread; its ``closing`` ends the answers that never come."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()

"""A small web server for invented sites: on 127.0.0.1, one port for all names, every request written down.

It decides nothing: a function from `Request` to `Answer` does. The demo's newsroom and the tests' sites are two such
functions. An `Answer` may also misbehave: come late, drip, lie about its length, break off.
"""

import gzip
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

LOOPBACK = "127.0.0.1"
IDLE_S = 60.0  # a kept-alive connection without a request is closed after this


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked. `host`: lower case, without its port; `path`: with its query; header names: lower case."""

    host: str
    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says, and how badly.

    `delay_s`: silence before the first byte. `drip`: (bytes, seconds) sends the body in such steps. `cut_after`: the
    connection is reset after so many bytes of the body. `length`: a Content-Length that need not be true. `raw`:
    these bytes and nothing else go over the wire. `compress`: gzip where the client accepts it.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_s: float = 0.0
    drip: tuple[int, float] | None = None
    cut_after: int | None = None
    length: int | None = None
    raw: bytes | None = None
    compress: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request as the server saw it. `at`: seconds on the monotonic clock when it arrived."""

    at: float
    host: str
    path: str
    method: str
    headers: Mapping[str, str]
    status: int

    @property
    def conditional(self) -> bool:
        return "if-none-match" in self.headers or "if-modified-since" in self.headers


def conditional(request: Request, answer: Answer) -> Answer:
    """The answer, or 304 where the client already has it (RFC 9110, 13.2.2: If-None-Match goes first)."""
    if answer.status != HTTPStatus.OK:
        return answer
    etag, modified = answer.headers.get("ETag"), answer.headers.get("Last-Modified")
    given = request.headers.get("if-none-match")
    since = request.headers.get("if-modified-since")
    if given is not None:
        strong = {tag.strip().removeprefix("W/") for tag in given.split(",")}
        known = etag is not None and ("*" in strong or etag.removeprefix("W/") in strong)
    elif since is not None and modified is not None:
        try:
            known = parsedate_to_datetime(modified) <= parsedate_to_datetime(since)
        except (ValueError, TypeError):
            known = False  # a date that cannot be read, or one without a zone, is ignored (RFC 9110, 13.1.3)
    else:
        known = False
    if not known:
        return answer
    kept = {name: value for name, value in answer.headers.items() if name not in {"Content-Type", "Content-Encoding"}}
    return Answer(status=HTTPStatus.NOT_MODIFIED, headers=kept)


class Server:
    """Serves `respond` from a thread. Use it as a context manager, or `start()` and `stop()`."""

    def __init__(self, respond: Callable[[Request], Answer], *, port: int = 0) -> None:
        self._respond = respond
        self._lock = threading.Lock()
        self._hits: list[Hit] = []
        self._open: set[socket.socket] = set()
        self._over = threading.Event()
        self._closed: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._http = _HTTPServer((LOOPBACK, port), _Handler)
        self._http.owner = self

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``, as `crawl.resolve` wants it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def closed_address(self) -> str:
        """An address that refuses every connection for as long as the server lives: bound, and never listened on."""
        if self._closed is None:
            self._closed = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._closed.bind((LOOPBACK, 0))
        return f"{LOOPBACK}:{self._closed.getsockname()[1]}"

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="newsroom", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends every connection and thread; safe to call twice."""
        self._over.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        with self._lock:
            for connection in self._open:
                _shut(connection)
        self._http.server_close()
        if self._closed is not None:
            self._closed.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def hits(self, host: str = "", path: str = "") -> list[Hit]:
        """The requests so far in order of arrival, of one host or path where given."""
        with self._lock:
            return [h for h in self._hits if host in ("", h.host) and path in ("", h.path)]

    def forget(self) -> None:
        """Empties the log of requests."""
        with self._lock:
            self._hits.clear()

    # what the handler needs

    def answer(self, request: Request, at: float) -> Answer:
        answer = self._respond(request)
        hit = Hit(at=at, host=request.host, path=request.path, method=request.method,
                  headers=request.headers, status=answer.status)  # fmt: skip
        with self._lock:
            self._hits.append(hit)
        return answer

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def ended(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def sleep(self, seconds: float) -> bool:
        """Waits; False when the server is stopped meanwhile."""
        return not self._over.wait(seconds)


class _HTTPServer(ThreadingHTTPServer):
    owner: Server
    daemon_threads = False  # so that server_close joins them
    request_queue_size = 256

    def server_bind(self) -> None:
        # HTTPServer's own looks up the name of the address, which can take seconds without a resolver
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.socket.getsockname()[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that goes away is no mistake of ours
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: _HTTPServer

    def setup(self) -> None:
        self.server.owner.opened(self.request)
        super().setup()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.owner.ended(self.request)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the log of requests is `Server.hits`."""

    def do_GET(self) -> None:
        at = time.monotonic()
        owner = self.server.owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers.get("host", "").rsplit(":", 1)[0].lower()
        answer = owner.answer(Request(host=host, path=self.path, method=self.command, headers=headers), at)
        if answer.delay_s and not owner.sleep(answer.delay_s):
            self.close_connection = True
            return
        if answer.raw is not None:
            self.close_connection = True
            self.wfile.write(answer.raw)
            return
        body, extra = answer.body, {}
        if answer.compress and body and "gzip" in headers.get("accept-encoding", ""):
            body, extra = gzip.compress(body, mtime=0), {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self._send(answer, body, extra)

    do_HEAD = do_GET

    def _send(self, answer: Answer, body: bytes, extra: Mapping[str, str]) -> None:
        bodyless = self.command == "HEAD" or answer.status in (204, 304)
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {answer.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in {**answer.headers, **extra}.items()]
        if answer.status not in (204, 304):
            lines.append(f"Content-Length: {len(body) if answer.length is None else answer.length}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
        if bodyless:
            body = b""
        if answer.cut_after is not None:
            self.wfile.write(head + body[: answer.cut_after])
            self.close_connection = True
            # lingering for no time makes the close a reset, not an orderly end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if answer.drip is None:
            self.wfile.write(head + body)  # in one segment: two would wait for the client's delayed ACK
        else:
            step, pause = answer.drip
            self.wfile.write(head)
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                if not self.server.owner.sleep(pause):
                    self.close_connection = True
                    return
        if answer.length is not None and answer.length != len(body):
            self.close_connection = True


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other end was faster
        return

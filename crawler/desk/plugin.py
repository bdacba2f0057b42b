"""What we add to Datasette: search in a person's words, and an answer to nobody but this machine."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import hookimpl

from crawler.desk.about import expression

HOST = "127.0.0.1"
HOSTS = (HOST, "localhost")

Asgi = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


@hookimpl(trylast=True)  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection) -> None:
    """`search(words)` for SQL; what Datasette's own search fields put around their words becomes the same."""
    for name in ("search", "escape_fts"):
        conn.create_function(name, 1, expression, deterministic=True)


@hookimpl  # type: ignore[untyped-decorator]
def startup() -> None:
    """Where rich is installed, Datasette prints the innards of each mistyped query on stdout: not here."""
    from datasette import handle_exception  # not above: it must not be loaded before Datasette itself

    handle_exception.rich = None


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper() -> Callable[[Asgi], Asgi]:
    return own_host_only


def own_host_only(app: Asgi) -> Asgi:
    """Refuses requests under another name: a page whose host is made to resolve to 127.0.0.1 must not read the desk."""

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").rsplit(":", 1)[0]
            if host not in HOSTS:
                head = [(b"content-type", b"text/plain")]
                await send({"type": "http.response.start", "status": 421, "headers": head})
                await send({"type": "http.response.body", "body": b"the desk answers to 127.0.0.1 and localhost alone"})
                return
        await app(scope, receive, send)

    return guarded

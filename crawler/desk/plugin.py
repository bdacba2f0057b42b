"""What we add to Datasette: search in a person's words, ways from a row to its story and its articles, the digest, and
an answer to nobody but this machine."""

import json
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from datasette import Response, hookimpl
from markupsafe import Markup

from crawler.desk.about import DATABASE, expression
from crawler.digest.formats import render

HOST = "127.0.0.1"
HOSTS = (HOST, "localhost")

WAYS = {  # a column -> where its number leads
    "story_id": f"/{DATABASE}/story_timeline?story_id=",
    "article_id": f"/{DATABASE}/articles/",
    "duplicate_of": f"/{DATABASE}/articles/",
}
DIGEST = (
    "SELECT content FROM digests WHERE period = 'day' AND (:date = '' OR date = :date)"
    " ORDER BY date DESC, created_at DESC LIMIT 1"
)

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
def render_cell(value: Any, column: str) -> Markup | None:
    """A number of a story or an article leads to it; everything else is Datasette's to show."""
    if column in WAYS and isinstance(value, int):
        return Markup('<a href="{}{}">{}</a>').format(WAYS[column], value, value)
    return None


@hookimpl  # type: ignore[untyped-decorator]
def menu_links() -> list[dict[str, str]]:
    ways = {"The digest": "/digest", "Stories day by day": f"/{DATABASE}/daily?_sort_desc=day"}
    return [{"href": href, "label": label} for label, href in ways.items()]


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    return [(r"^/digest(?:/(?P<date>\d{4}-\d\d-\d\d))?$", digest)]


async def digest(datasette: Any, request: Any) -> Any:
    """An edition as it is stored: the newest, or that of a day."""
    asked = {"date": request.url_vars["date"] or ""}
    row = (await datasette.get_database(DATABASE).execute(DIGEST, asked)).first()
    if row is None:
        return Response.text("There is no such edition; `pakrus digest` makes one.", status=404)
    return Response.html(render(json.loads(row["content"]), "html"))


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

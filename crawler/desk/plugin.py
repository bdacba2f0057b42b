"""What we add to Datasette: search in a person's words, ways from a row to its story and its articles, the digest, and
an answer to nobody but this machine."""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from datasette import Response, hookimpl
from markupsafe import Markup

from crawler.desk import pages
from crawler.desk.about import DATABASE, expression

HOST = "127.0.0.1"
HOSTS = (HOST, "localhost")

WAYS = {  # a column -> where its number leads
    "story_id": "/story/",
    "article_id": f"/{DATABASE}/articles/",
    "duplicate_of": f"/{DATABASE}/articles/",
}
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
    ways = {"The desk": "/", "The digest": "/digest", "Stories day by day": f"/{DATABASE}/daily?_sort_desc=day"}
    return [{"href": href, "label": label} for label, href in ways.items()]


@hookimpl  # type: ignore[untyped-decorator]
def register_routes() -> list[tuple[str, Any]]:
    return [
        (r"^/$", front),
        (r"^/digest(?:/(?P<date>\d{4}-\d\d-\d\d))?$", digest),
        (r"^/story/(?P<story>\d{1,15})$", story),
        (r"^/name/(?P<name>[^/]{1,200})$", name),
    ]


def _ask(datasette: Any) -> Callable[[str, dict[str, Any]], Awaitable[Any]]:
    async def ask(sql: str, parameters: dict[str, Any]) -> Any:
        return (await datasette.get_database(DATABASE).execute(sql, parameters)).rows

    return ask


def _answer(page: str | None, missing: str) -> Any:
    return Response.text(missing, status=404) if page is None else Response.html(page)


async def front(datasette: Any) -> Any:
    return Response.html(await pages.front(_ask(datasette)))


async def digest(datasette: Any, request: Any) -> Any:
    """An edition as it is stored: the newest, or that of a day."""
    rows = await _ask(datasette)(pages.EDITION, {"date": request.url_vars["date"] or ""})
    page = pages.edition(rows[0]["content"]) if rows else None
    return _answer(page, "There is no such edition; `pakrus digest` makes one.")


async def story(datasette: Any, request: Any) -> Any:
    return _answer(await pages.story(_ask(datasette), int(request.url_vars["story"])), "There is no such story.")


async def name(datasette: Any, request: Any) -> Any:
    called = unquote(request.url_vars["name"])
    return _answer(await pages.name(_ask(datasette), called), "Nothing that is stored names this.")


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

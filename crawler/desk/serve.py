"""Datasette on the loopback address. The only home of Datasette and its server."""

import socket
import webbrowser
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from crawler.desk.about import DATABASE, metadata
from crawler.errors import UsageError

HOST = "127.0.0.1"
ANSWER_MS = 5000  # the longest that a query may take; the desk is for people, and a writer must be able to checkpoint
PLUGIN = "pakrus"
SETTINGS = {
    "sql_time_limit_ms": ANSWER_MS,
    "default_page_size": 50,
    "max_returned_rows": 2000,
    "truncate_cells_html": 400,
    "default_cache_ttl": 0,  # the daemon writes on
    "num_sql_threads": 3,
}


def require() -> None:
    """Raises UsageError where the extra is not installed."""
    if find_spec("datasette") is None:
        raise UsageError("the desk needs Datasette, which is not installed: pip install 'pakrus[desk]'")


def desk(database: Path) -> Any:
    """A Datasette over a database, opened with ``mode=ro``: it sees each commit of a writer and holds none up."""
    from datasette.app import Datasette
    from datasette.database import Database
    from datasette.plugins import pm

    from crawler.desk import plugin

    if not pm.has_plugin(PLUGIN):
        pm.register(plugin, name=PLUGIN)
    made = Datasette(
        metadata=metadata(),
        settings=SETTINGS,
        static_mounts=[("desk", str(Path(__file__).parent / "static"))],
        memory=False,
    )
    made.add_database(Database(made, path=str(database.absolute()), is_mutable=True), name=DATABASE)
    return made


def serve(database: Path, *, port: int, show: bool, tell: Callable[[str], None]) -> None:
    """Serves until a signal. `tell` takes the address. Raises UsageError where the port is taken."""
    import uvicorn

    app = desk(database).app()
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise UsageError(f"--port: {port} cannot be had ({error.strerror}), name another") from None
    address = f"http://{HOST}:{listening.getsockname()[1]}/"
    listening.listen()  # whoever is told may come at once
    tell(address)
    if show:
        webbrowser.open(address)
    with listening:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        server.run(sockets=[listening])

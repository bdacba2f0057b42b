"""Figures for Prometheus on a loopback address, where `metrics.listen` asks for them; the only home of its client.

They are read from the store at each scrape, over a connection of the scrape's own: what `status` says, and the health
of each source. Nothing is counted beside the database, so that a restart resets nothing.
"""

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from crawler import VERSION
from crawler.app import App, Clock, expected
from crawler.config import Config
from crawler.errors import PakrusError, UsageError
from crawler.reports import status
from store.connection import SCHEMA, Store, open_store
from store.records import utc_time

if TYPE_CHECKING:
    from prometheus_client import Metric

log = logging.getLogger("pakrus")

PATIENCE_S = 10.0  # for a client that connects and says nothing


def require() -> None:
    """Raises UsageError where the extra is not installed."""
    if find_spec("prometheus_client") is None:
        raise UsageError("metrics needs prometheus-client, which is not installed: pip install 'pakrus[metrics]'")


@contextmanager
def served(config: Callable[[], Config], database: Path, *, clock: Clock) -> Iterator[None]:
    """Answers scrapes while the block runs, where the config names an address; else nothing listens.

    Raises UsageError without the extra, PakrusError where the address is taken.
    """
    listen = config().metrics.listen
    if listen is None:
        yield
        return
    require()
    from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

    registry = CollectorRegistry()
    registry.register(Figures(config, database, clock=clock))
    ProcessCollector(registry=registry)
    host, port = listen
    try:
        kind = _Server if ip_address(host).version == 4 else _Server6
        server = make_server(host, port, make_wsgi_app(registry), kind, _Handler)
    except OSError as error:
        raise PakrusError(f"metrics.listen: {host} port {port}: {error.strerror or error}") from None
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    log.info("metrics on http://%s/metrics", f"{host}:{port}" if kind is _Server else f"[{host}]:{port}")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTPServer's would ask DNS for our name
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.warning("a scrape broke off: %s", sys.exc_info()[1])


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is no event."""


class Figures:
    """A collector of prometheus-client."""

    def __init__(self, config: Callable[[], Config], database: Path, *, clock: Clock) -> None:
        self._config = config
        self._database = database
        self._clock = clock
        self._one = threading.Lock()

    def collect(self) -> "Iterator[Metric]":
        """All families; `pakrus_store_readable` alone, and 0, where the store cannot be read."""
        families: list[Metric] = []
        with self._one:  # a scrape at a time, however many ask
            try:
                with open_store(self._database, mode="read") as store:
                    app = App(self._config(), store, clock=self._clock)
                    families = [*_families(status.report(app), store)]
            except Exception as error:
                said = expected(error)
                if said is None:
                    log.exception("the metrics could not be read")
                else:
                    log.warning("the metrics could not be read: %s", said)
        yield _gauge("store_readable", "Whether the database could be read for this scrape.", bool(families))
        yield from families


def _gauge(name: str, what: str, value: float | None = None, /, **labelled: Any) -> "Metric":
    """A family with one value, or with a label and its values: ``state={"good": 3}``. Nothing known: no sample."""
    from prometheus_client.core import GaugeMetricFamily

    if not labelled:
        family = GaugeMetricFamily(f"pakrus_{name}", what)
        if value is not None:
            family.add_metric([], float(value))
        return family
    ((label, values),) = labelled.items()
    family = GaugeMetricFamily(f"pakrus_{name}", what, labels=[label])
    for key, one in values.items():
        family.add_metric([str(key)], float(one))
    return family


def _families(value: dict[str, Any], store: Store) -> "Iterator[Metric]":
    """What `status` says as metrics. Times are seconds since 1970, sizes bytes."""
    crawl, edition, sending = value["last_crawl"], value["digest"], value["sending"]
    yield _gauge("build_info", "The program's version.", version={VERSION: 1})
    yield _gauge("schema", "The number of the database's schema.", SCHEMA)
    yield _gauge("needs_attention", "Things that need a person, as status lists them.", len(value["needs_attention"]))
    yield _gauge("last_crawl_timestamp_seconds", "When the last crawl ended.", _since_1970(crawl and crawl["ended_at"]))
    yield _gauge("last_crawl_duration_seconds", "How long the last crawl took.", crawl and crawl.get("seconds"))
    yield _gauge("last_crawl_requests", "Requests of the last crawl.", crawl and crawl.get("requests"))
    yield _gauge("sources", "Sources by state.", state=value["sources"])
    late, room = value["lateness"], value["room"]
    yield _gauge("sources_overdue", "Sources that have been due for a quarter of an hour.", late["overdue"])
    delays = {share: 60 * late[key] for share, key in (("0.5", "median_min"), ("0.9", "p90_min")) if late["articles"]}
    yield _gauge(
        "article_delay_seconds", "From publication to first sight, by share of a day's articles.", share=delays
    )
    yield _gauge("entries", "Items ever seen, by their state in the ledger.", state=value["entries"])
    yield _gauge("pages_waiting", "Pages that wait to be read.", value["backlog"]["waiting"])
    yield _gauge("pages_due", "Pages that could be read now.", value["backlog"]["due"])
    yield _gauge("gaps_open", "Gaps between visits that are not filled yet.", value["open_gaps"])
    yield _gauge("stories", "Stories.", value["stories"])
    yield _gauge("last_day_entries", "Items first seen within 24 hours.", value["last_24h"]["entries"])
    yield _gauge("last_day_articles", "Articles kept of these.", value["last_24h"]["articles"])
    judged = {
        name: part["value"] for name, part in value["quality"].items() if part["judged"] and part["value"] is not None
    }
    yield _gauge("quality", "Live precision and recall, as the judged samples have them.", measure=judged)
    witnesses = value["witnesses"] or {}
    yield _gauge("witness_items", "Items of witnesses within a week, as counted at night.", witnesses.get("seen"))
    yield _gauge("witness_items_missed", "Those of them that match none of ours.", witnesses.get("missed"))
    yield _gauge("edition_made", "Whether the edition that is due has been made.", bool(edition["made"]))
    made = edition["last"] and edition["last"]["created_at"]
    yield _gauge("last_edition_timestamp_seconds", "When the last edition was made.", _since_1970(made))
    messages = {state: number for state, number in sending.items() if isinstance(number, int)}
    yield _gauge("messages", "Editions and alerts to channels, by state.", state=messages)
    files = {"database": store.path, "wal": store.path.with_name(store.path.name + "-wal")}
    sizes = {name: path.stat().st_size for name, path in files.items() if path.exists()}
    yield _gauge("database_size_bytes", "Size of the database and of its write-ahead log.", file=sizes)
    yield _gauge("disk_free_bytes", "Room on the disk of the database.", room["free_bytes"])
    yield _gauge("database_growth_bytes_per_day", "By how much the database grows a day.", room["growth_bytes_a_day"])
    health = store.connection.execute(
        "SELECT source_id, last_good_at, consecutive_failures FROM source_health WHERE state <> 'retired'"
    ).fetchall()
    good = {row[0]: _since_1970(row[1]) for row in health if row[1]}
    yield _gauge("source_last_good_timestamp_seconds", "When a source was last read well.", source=good)
    failures = {row[0]: row[2] for row in health}
    yield _gauge("source_consecutive_failures", "Visits of a source that failed, in a row.", source=failures)


def _since_1970(text: str | None) -> float | None:
    return None if not text else utc_time(text).timestamp()

"""The metrics as Prometheus gets them: over a real socket, out of a real database."""

import http.client
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from crawler import metrics
from crawler.app import App
from crawler.config import MetricsConfig, read_config
from crawler.errors import ConfigError, PakrusError, UsageError
from crawler.reports import status
from store.connection import open_store
from tests.builders import NOON, Clock, config, world
from tests.test_systemd import closing, daemon

ROOT = Path(__file__).parent.parent


def free_port(host: str = "127.0.0.1") -> int:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
        return int(taken.getsockname()[1])


def text(port: int, *, host: str = "127.0.0.1") -> str:
    listen = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f'metrics: {{listen: "{listen}"}}\nsources: []\n'


def scrape(port: int, *, host: str = "127.0.0.1") -> str:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read().decode("utf-8")
    finally:
        connection.close()


def value(page: str, sample: str) -> float:
    match = re.search(rf"^{re.escape(sample)} (\S+)$", page, re.MULTILINE)
    assert match, f"{sample} is not in\n{page}"
    return float(match[1])


@contextmanager
def served(folder: Path, port: int, *, host: str = "127.0.0.1") -> Iterator[None]:
    loaded = config(text(port, host=host), folder)
    with metrics.served(lambda: loaded, folder / "news.db", clock=Clock()):
        yield


@pytest.fixture(scope="module")
def page(demo: Path) -> str:
    port = free_port()
    loaded = replace(read_config(demo / "feeds.yaml", demo), metrics=MetricsConfig(listen=("127.0.0.1", port)))
    with metrics.served(lambda: loaded, loaded.database_path, clock=Clock()):
        return scrape(port)


def test_a_scrape_says_what_status_says(demo: Path, page: str) -> None:
    whole = read_config(demo / "feeds.yaml", demo)
    with open_store(whole.database_path, mode="read") as store:
        said = status.report(App(whole, store, clock=Clock()))
    assert value(page, "pakrus_store_readable") == 1
    assert value(page, "pakrus_needs_attention") == len(said["needs_attention"])
    assert value(page, 'pakrus_sources{state="good"}') == said["sources"]["good"] > 0
    assert value(page, 'pakrus_entries{state="kept"}') == said["entries"]["kept"] > 0
    assert value(page, "pakrus_stories") == said["stories"]
    assert value(page, "pakrus_pages_waiting") == said["backlog"]["waiting"]
    assert value(page, 'pakrus_database_size_bytes{file="database"}') == said["database_bytes"]
    assert value(page, "pakrus_sources_overdue") == said["lateness"]["overdue"]
    assert value(page, "pakrus_disk_free_bytes") > 0
    assert value(page, "pakrus_last_crawl_timestamp_seconds") > 0
    assert len(re.findall(r"^pakrus_source_consecutive_failures\{source=", page, re.MULTILINE)) == sum(
        number for state, number in said["sources"].items() if state != "retired"
    )
    assert value(page, "process_resident_memory_bytes") > 0


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_promtool_accepts_every_metric(page: str) -> None:
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_empty_database_has_figures_too(tmp_path: Path) -> None:
    with world(tmp_path):
        pass
    port = free_port()
    with served(tmp_path, port):
        page = scrape(port)
    assert value(page, "pakrus_stories") == 0
    assert value(page, "pakrus_edition_made") == 0
    assert not re.search(r"^pakrus_last_crawl_timestamp_seconds ", page, re.MULTILINE), "nothing known, no sample"


def test_a_scrape_reads_the_store_of_that_moment_while_another_writes(tmp_path: Path) -> None:
    port = free_port()
    with world(tmp_path) as app, served(tmp_path, port):
        assert value(scrape(port), "pakrus_needs_attention") == 1
        run = app.store.visits.began("crawl", now=NOON)
        app.store.visits.ended(run, now=NOON, result={"requests": 7, "seconds": 2.5})
        page = scrape(port)
    assert value(page, "pakrus_last_crawl_requests") == 7
    assert value(page, "pakrus_last_crawl_duration_seconds") == 2.5
    assert value(page, "pakrus_last_crawl_timestamp_seconds") == NOON.timestamp()


def test_a_database_that_cannot_be_read_is_a_figure_and_a_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "news.db").write_bytes(b"no database at all" * 1000)
    port = free_port()
    with served(tmp_path, port), caplog.at_level(logging.WARNING, "pakrus"):
        page = scrape(port)
    assert value(page, "pakrus_store_readable") == 0
    assert "pakrus_stories" not in page
    (record,) = caplog.records
    assert record.getMessage().startswith("the metrics could not be read: ")
    assert record.exc_info is None


def test_it_listens_on_ipv6_too(tmp_path: Path) -> None:
    try:
        port = free_port("::1")
    except OSError:
        pytest.skip("this machine has no ::1")
    with world(tmp_path), served(tmp_path, port, host="::1"):
        assert value(scrape(port, host="::1"), "pakrus_store_readable") == 1


def test_a_port_that_is_taken_is_said_with_its_key(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(PakrusError, match=r"metrics\.listen: 127\.0\.0\.1 port \d+: Address already in use"),
        served(tmp_path, taken.getsockname()[1]),
    ):
        pass


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'pakrus\[metrics\]'"), served(tmp_path, 9464):
        pass


@pytest.mark.parametrize("listen", ["0.0.0.0:9464", "192.168.1.7:9464", "[::]:9464", "8.8.8.8:80"])
def test_an_address_that_others_can_reach_is_refused(listen: str) -> None:
    with pytest.raises(ConfigError, match=r"metrics\.listen: .* can be reached from other machines"):
        config(f'metrics: {{listen: "{listen}"}}\nsources: []\n')


@pytest.mark.parametrize("listen", ["localhost:9464", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "9464"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(ConfigError, match="is no address:port"):
        config(f'metrics: {{listen: "{listen}"}}\nsources: []\n')


# --- the daemon -------------------------------------------------------------------------------------------------------


def listening(pid: int) -> list[str]:
    """The addresses on which a process listens, as /proc writes them."""
    own = {os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink()}
    rows = [line.split() for family in ("tcp", "tcp6") if (table := Path(f"/proc/{pid}/net/{family}")).exists()
            for line in table.read_text().splitlines()[1:]]  # fmt: skip
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own]


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads /proc")
@pytest.mark.parametrize("switched_on", [False, True])
def test_the_daemon_listens_where_it_is_told_and_else_nowhere(tmp_path: Path, switched_on: bool) -> None:
    port = free_port()
    (tmp_path / "feeds.yaml").write_text(text(port) if switched_on else "sources: []\n", "utf-8")
    with (
        closing(str(tmp_path / "notify")) as supervisor,
        daemon(tmp_path, NOTIFY_SOCKET=supervisor.address) as process,
    ):
        supervisor.wait(lambda m: m.startswith("READY=1"))
        assert listening(process.pid) == ([f"0100007F:{port:04X}"] if switched_on else [])
        if switched_on:
            assert value(scrape(port), "pakrus_store_readable") == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_the_client_is_not_loaded_where_nothing_listens() -> None:
    code = "import sys, crawler.daemon; sys.exit('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0

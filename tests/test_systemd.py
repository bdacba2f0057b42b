"""Under a supervisor: what the daemon tells over a real notify socket, and the unit that it is run by."""

import configparser
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crawler.cli import cli
from crawler.config import CrawlConfig, duration
from crawler.daemon import STOP_S
from crawler.systemd import Notifier

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "packaging" / "pakrus.service"
PATIENCE_S = 60.0  # for a loaded machine
FEEDS = """
crawl: {allow_private_addresses: [127.0.0.0/8]}
sources:
  - {id: nobody, url: "http://127.0.0.1:%d/rss", kind: feed, every: 1d}
"""

# `pakrus` with its ticks closer together, and a crawl that hangs while the file `stall` lies there.
DAEMON = """
import asyncio, pathlib
import crawler.daemon
crawler.daemon.TICK_S = 0.1
due = crawler.daemon.Daemon._crawl_due
async def hangs(self, pool):
    while pathlib.Path("stall").exists():
        await asyncio.sleep(0.05)
    await due(self, pool)
crawler.daemon.Daemon._crawl_due = hangs
from crawler.cli import main
main()
"""


def feeds(folder: Path) -> None:
    """A feeds.yaml with one source, where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        (folder / "feeds.yaml").write_text(FEEDS % free.getsockname()[1], "utf-8")


class Supervisor:
    """The other end of a notify socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.said: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def close(self) -> None:
        self._socket.close()

    def hear(self, seconds: float) -> list[str]:
        """The messages that come within so many seconds, one at least unless there is none."""
        self._socket.settimeout(max(seconds, 0.001))
        try:
            said = [self._socket.recv(4096).decode()]
        except TimeoutError:
            return []
        self.said += said
        return said

    def wait(self, what: Callable[[str], bool]) -> str:
        until = time.monotonic() + PATIENCE_S
        while (left := until - time.monotonic()) > 0:
            for message in self.hear(left):
                if what(message):
                    return message
        raise AssertionError(self.said)

    def silent(self, seconds: float) -> bool:
        """Whether nothing comes for so long, once what was under way has come."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if not self.hear(seconds):
                return True
        return False


@pytest.fixture(params=["path", "abstract"])
def supervisor(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Supervisor]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@pakrus-test-{os.getpid()}"
    with closing(address) as it:
        yield it


@contextmanager
def closing(address: str) -> Iterator[Supervisor]:
    it = Supervisor(address)
    try:
        yield it
    finally:
        it.close()


@contextmanager
def daemon(folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", DAEMON, "run", "--config", "feeds.yaml"], stdout=subprocess.DEVNULL, stderr=log,
            cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


# --- the daemon -------------------------------------------------------------------------------------------------------


def test_a_supervisor_hears_of_start_progress_reload_and_stop_and_nothing_of_a_crawl_that_hangs(tmp_path: Path) -> None:
    feeds(tmp_path)
    with (
        closing(str(tmp_path / "notify")) as supervisor,
        daemon(tmp_path, NOTIFY_SOCKET=supervisor.address, WATCHDOG_USEC="400000") as process,
    ):
        assert supervisor.wait(lambda m: m.startswith("READY=1")) == "READY=1\nSTATUS=watching 1 sources"
        supervisor.wait(lambda m: m.startswith("STATUS=last pass"))
        for _ in range(3):
            supervisor.wait(lambda m: m == "WATCHDOG=1")

        (tmp_path / "stall").touch()
        assert supervisor.silent(2.0), "four periods and more without a word"
        assert process.poll() is None, "the process lives: only its crawl hangs"
        (tmp_path / "stall").unlink()
        supervisor.wait(lambda m: m == "WATCHDOG=1")

        process.send_signal(signal.SIGHUP)
        lines = supervisor.wait(lambda m: m.startswith("RELOADING=1")).split("\n")
        assert abs(int(lines[1].removeprefix("MONOTONIC_USEC=")) / 1e6 - time.monotonic()) < PATIENCE_S
        supervisor.wait(lambda m: m.startswith("READY=1"))

        process.send_signal(signal.SIGTERM)
        supervisor.wait(lambda m: m.startswith("STOPPING=1"))
        assert process.wait(timeout=30) == 0


def test_a_daemon_whose_supervisor_is_gone_goes_on_and_says_so(tmp_path: Path) -> None:
    feeds(tmp_path)
    with daemon(tmp_path, NOTIFY_SOCKET=str(tmp_path / "nobody")) as process:
        log = tmp_path / "log"
        until = time.monotonic() + PATIENCE_S
        while "the supervisor was not told STATUS=last pass" not in log.read_text("utf-8"):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < until
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    assert "Traceback" not in log.read_text("utf-8")


# --- the messages -----------------------------------------------------------------------------------------------------


def test_progress_is_told_four_times_a_period_at_most(supervisor: Supervisor) -> None:
    now = 1000.0
    notifier = Notifier(
        {"NOTIFY_SOCKET": supervisor.address, "WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"},
        pid=7, monotonic=lambda: now,
    )  # fmt: skip
    for second in range(60):
        now = 1000.0 + second
        notifier.progress()
    assert [m for _ in range(9) for m in supervisor.hear(0.05)] == ["WATCHDOG=1"] * 4


@pytest.mark.parametrize("watchdog", [{}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "8"}, {"WATCHDOG_USEC": "soon"}])
def test_a_watchdog_that_is_none_of_ours_is_not_fed(supervisor: Supervisor, watchdog: dict[str, str]) -> None:
    Notifier({"NOTIFY_SOCKET": supervisor.address, **watchdog}, pid=7).progress()
    assert supervisor.silent(0.05)


def test_a_status_is_one_line_whatever_is_in_it(supervisor: Supervisor) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": supervisor.address})
    notifier.status("گندم\nSTOPPING=1\x1b[2J " + "х" * 1000)
    (message,) = supervisor.hear(1.0)
    assert message.startswith("STATUS=گندم STOPPING=1�[2J ххх")
    assert "\n" not in message
    assert len(message) < 320


def test_without_a_socket_nothing_is_sent() -> None:
    notifier = Notifier({"WATCHDOG_USEC": "1"})
    notifier.ready("x")
    notifier.progress()
    notifier.stopping()


# --- the unit ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=True, comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text("utf-8"))
    return parser


def test_the_unit_calls_a_verb_that_exists(unit: configparser.ConfigParser) -> None:
    program, *arguments = unit["Service"]["ExecStart"].split()
    assert Path(program).name == "pakrus"
    assert arguments[-1] in cli.commands  # type: ignore[attr-defined]
    assert arguments[:-1] == ["--config", "/var/lib/pakrus/feeds.yaml"]
    assert unit["Service"]["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_the_unit_is_told_when_the_daemon_is_ready_and_gives_it_time(unit: configparser.ConfigParser) -> None:
    service = unit["Service"]
    assert (service["Type"], service["NotifyAccess"], service["Restart"]) == ("notify", "main", "on-failure")
    assert duration(service["WatchdogSec"].removesuffix("in")) > 4 * CrawlConfig().timeout_s
    assert float(service["TimeoutStopSec"]) > 2 * STOP_S


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ProtectSystem", "strict"), ("PrivateTmp", "true"), ("NoNewPrivileges", "true"), ("ProtectHome", "true"),
        ("StateDirectory", "pakrus"), ("WorkingDirectory", "/var/lib/pakrus"), ("MemoryMax", "2G"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"), ("SystemCallFilter", "@system-service"),
        ("CapabilityBoundingSet", ""), ("User", "pakrus"),
    ],
)  # fmt: skip
def test_the_unit_shuts_the_daemon_in(unit: configparser.ConfigParser, key: str, value: str) -> None:
    assert unit["Service"][key] == value


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text("utf-8").replace("/opt/pakrus/bin/pakrus", sys.executable), "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

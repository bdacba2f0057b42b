"""What a supervisor is told over its notify socket, in the protocol of sd_notify(3). Without a socket nothing is sent.

The watchdog is fed by `progress`, which the crawl calls when something was done, and by no timer: a crawl that hangs
while the process lives is what it is there to find.
"""

import logging
import socket
import time
from collections.abc import Callable, Mapping

from crawler.terminal import plain

log = logging.getLogger("pakrus")

PATIENCE_S = 1.0  # how long a message may wait for room in the supervisor's queue
PER_PERIOD = 4  # so often in a watchdog period progress is told, at most
MOST_STATUS = 300  # code points


class Notifier:
    """Tells the supervisor that `environment` names (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID); `pid` is our own.

    A message that cannot be sent is a warning in the log, and no reason to stop. `monotonic` gives seconds of
    CLOCK_MONOTONIC.
    """

    def __init__(
        self, environment: Mapping[str, str], *, pid: int = 0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._told = -1e9
        address = environment.get("NOTIFY_SOCKET", "")
        # A path, or with @ a name that lies in no file system (unix(7)).
        self._address = "\0" + address[1:] if address.startswith("@") else address
        micros = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        self.period_s = int(micros) / 1e6 if micros.isdecimal() and ours else 0.0

    def ready(self, status: str) -> None:
        """It has started, or has read its configuration again."""
        self._send("READY=1", _status(status))

    def status(self, text: str) -> None:
        """A line for `systemctl status`."""
        self._send(_status(text))

    def progress(self) -> None:
        """Something was done. As cheap as reading a clock where it was told a moment ago."""
        now = self._monotonic()
        if self.period_s and now - self._told >= self.period_s / PER_PERIOD:
            self._told = now
            self._send("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read again; `ready` follows."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(self._monotonic() * 1e6)}")

    def stopping(self) -> None:
        self._send("STOPPING=1", "STATUS=stopping")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(PATIENCE_S)
                out.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            log.warning("the supervisor was not told %s: %s", lines[0], error.strerror or error)


def _status(text: str) -> str:
    """One line: a line break in it would be a message of its own."""
    return f"STATUS={plain(text)[:MOST_STATUS]}"

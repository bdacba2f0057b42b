"""The hosts: robots.txt, Retry-After and the last request, so that a restart stays polite."""

from datetime import datetime
from typing import TYPE_CHECKING

from store.records import HostState, utc_time

if TYPE_CHECKING:
    from store.connection import Store


class Hosts:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def get(self, host: str) -> HostState:
        """What is known of a host; an empty state for one never met."""
        row = self._run("SELECT * FROM hosts WHERE host = ?", (host,)).fetchone()
        if row is None:
            return HostState(host=host)
        return HostState(
            host=host,
            robots=row["robots"],
            robots_status=row["robots_status"],
            robots_at=_time(row["robots_at"]),
            robots_good_at=_time(row["robots_good_at"]),
            retry_after=_time(row["retry_after"]),
            delay_s=row["delay"],
            last_request_at=_time(row["last_request_at"]),
        )

    def put(self, state: HostState) -> None:
        with self._store.transaction():
            self._run(
                "INSERT OR REPLACE INTO hosts (host, robots, robots_status, robots_at, robots_good_at, retry_after,"
                " delay, last_request_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    state.host, state.robots, state.robots_status, _text(state.robots_at), _text(state.robots_good_at),
                    _text(state.retry_after), state.delay_s, _text(state.last_request_at),
                ),
            )  # fmt: skip

    def touch(self, host: str, *, at: datetime) -> None:
        """Notes the moment of a request, before it goes out: a program killed right after keeps the pace too."""
        self._run(
            "INSERT INTO hosts (host, last_request_at) VALUES (?, ?)"
            " ON CONFLICT (host) DO UPDATE SET last_request_at = excluded.last_request_at",
            (host, _text(at)),
        )


def _time(text: str | None) -> datetime | None:
    return None if text is None else utc_time(text)


def _text(moment: datetime | None) -> str | None:
    # With milliseconds: a host's delay may be shorter than a second.
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"

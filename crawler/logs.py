"""The log: a line an event on stderr, for a person where that is a terminal, else as one JSON object.

::

    {"at": "2026-11-25T01:30:07.412Z", "level": "info", "event": "new 200 ...", "run": 12, "source": "dawn-world", ...}

What an event belongs to is bound once (`bound`) and stands on each line in it, in every task that was begun there. A
caller may add fields of its own with `extra`.
"""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOWrapper
from types import MappingProxyType
from typing import Any, TextIO

from crawler.terminal import plain

_bound: ContextVar[Mapping[str, Any]] = ContextVar("bound", default=MappingProxyType({}))
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}  # taskName since Python 3.12


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """While the block runs, each event of this task and of those begun in it carries these fields."""
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def set_up(*, level: int, stream: TextIO | None = None) -> None:
    """Logs to `stream` (stderr): our own events from `level` on, those of libraries from WARNING on."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    if stream.isatty():
        handler.setFormatter(ForPeople())
    else:
        handler.setFormatter(AsJson())
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # JSON is UTF-8, whatever the locale
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("pakrus").setLevel(level)
    logging.captureWarnings(True)


class AsJson(logging.Formatter):
    """at (UTC), level, event, then run, source and what else is known; `exception` is the traceback of a fault."""

    def format(self, record: logging.LogRecord) -> str:
        value = {"at": _at(record, "milliseconds"), "level": record.levelname.lower(), "event": _event(record)}
        value |= _fields(record)
        if record.exc_info:
            value["exception"] = self.formatException(record.exc_info)
        return json.dumps(value, ensure_ascii=False, default=str)


class ForPeople(logging.Formatter):
    """``2026-11-25T01:30:07Z warning run 12 dawn-world: what happened``; below it the traceback of a fault."""

    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        run = f"run {fields['run']} " if "run" in fields else ""
        source = f"{plain(str(fields['source']))}: " if "source" in fields else ""
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()} "
        line = f"{_at(record, 'seconds')} {level}{run}{source}{_event(record)}"
        if record.exc_info:
            trace = self.formatException(record.exc_info).split("\n")
            line = "\n".join([line, *(f"    {plain(part)}" for part in trace)])
        return line


def _at(record: logging.LogRecord, precision: str) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec=precision).removesuffix("+00:00") + "Z"


def _event(record: logging.LogRecord) -> str:
    """One line, without what would steer a terminal: logs are read with `cat`, too."""
    return plain(record.getMessage().strip())


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    own = {key: value for key, value in vars(record).items() if key not in _STANDARD}
    return {
        key: plain(value) if isinstance(value, str) else value
        for key, value in {**_bound.get(), **own}.items()
        if value is not None
    }

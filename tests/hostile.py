"""What a child of the pool may have to survive; run by tests/test_workers.py, in the child."""

import ctypes
import os
import time
from typing import Any

from crawler.types import Entry


def double(value: Any) -> Any:
    return value * 2


def entry(title: str) -> Entry:
    return Entry(id="1", url=None, title=title)


def crash() -> None:
    ctypes.string_at(0)


def leave(code: int) -> None:
    os._exit(code)


def hang() -> None:
    while True:
        time.sleep(0.01)


def bloat() -> int:
    return len(b"x" * 10**9)


def fail() -> None:
    raise ValueError("spoiled bytes")


def pid() -> int:
    return os.getpid()


def smuggle() -> type[object]:
    return os._Environ

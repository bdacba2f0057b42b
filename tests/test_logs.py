"""The log as a file, as a terminal, and what is bound to its lines."""

import asyncio
import io
import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler import logs
from crawler.app import expected
from crawler.errors import StoreError

ROOT = Path(__file__).parent.parent
log = logging.getLogger("pakrus")
SCRIPT = r"""
import logging, warnings
from crawler import logs
logs.set_up(level=logging.INFO)
log = logging.getLogger("pakrus")
with logs.bound(run=7):
    log.info("گندم / пшеница")
    with logs.bound(source="dawn"):
        log.warning("two\nlines \x1b[2J \u202eevil\udc80")
        try:
            1 / 0
        except ZeroDivisionError:
            log.exception("broke off", extra={"url": "https://example.org/"})
logging.getLogger("aiohttp").info("not for us")
log.debug("nor this")
warnings.warn("old", stacklevel=1)
"""


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], log.level
    yield
    root.handlers[:] = handlers
    log.setLevel(level)
    logging.captureWarnings(False)


def said(script: str, **environment: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", script], stderr=subprocess.PIPE, check=True, cwd=ROOT, env={**os.environ, **environment}
    )
    return [json.loads(line) for line in done.stderr.decode("utf-8").splitlines()]


@pytest.mark.parametrize("encoding", ["utf-8", "koi8-r", "ascii"])
def test_in_a_file_each_event_is_one_json_object_in_utf_8_whatever_the_locale(encoding: str) -> None:
    first, second, fault, warning = said(SCRIPT, PYTHONIOENCODING=encoding)
    assert (first["level"], first["event"], first["run"]) == ("info", "گندم / пшеница", 7)
    assert "source" not in first
    assert (second["level"], second["source"], second["run"]) == ("warning", "dawn", 7)
    assert second["event"] == "two lines �[2J �evil\udc80"
    assert (fault["event"], fault["url"]) == ("broke off", "https://example.org/")
    assert fault["exception"].endswith("ZeroDivisionError: division by zero")
    assert (warning["level"], "UserWarning: old" in warning["event"], "run" in warning) == ("warning", True, False)
    assert all(e["at"][10] == "T" and e["at"].endswith("Z") for e in (first, second, fault, warning))


def test_on_a_terminal_each_event_is_a_line_to_read() -> None:
    ours, theirs = pty.openpty()
    try:
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8:backslashreplace"}
        subprocess.run([sys.executable, "-c", SCRIPT], stderr=theirs, check=True, cwd=ROOT, env=environment)
        lines = os.read(ours, 65536).decode("utf-8").replace("\r\n", "\n").splitlines()
    finally:
        os.close(ours)
        os.close(theirs)
    assert lines[0].partition("Z ")[2] == "run 7 گندم / пшеница"
    assert lines[1].partition("Z ")[2] == "warning run 7 dawn: two lines �[2J �evil\\udc80"
    assert lines[2].partition("Z ")[2] == "error run 7 dawn: broke off"
    assert lines[3] == "    Traceback (most recent call last):"


def test_what_is_bound_stays_with_its_task() -> None:
    stream = io.StringIO()
    logs.set_up(level=logging.INFO, stream=stream)

    async def visit(source: str) -> None:
        with logs.bound(source=source):
            await asyncio.sleep(0)
            log.info("began")
            await asyncio.create_task(read())
        log.info("ended")

    async def read() -> None:
        log.info("read")

    async def crawl() -> None:
        with logs.bound(run=1):
            async with asyncio.TaskGroup() as group:
                for source in ("a", "b"):
                    group.create_task(visit(source))

    asyncio.run(crawl())
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted((e["event"], e.get("source", "")) for e in events) == [
        ("began", "a"), ("began", "b"), ("ended", ""), ("ended", ""), ("read", "a"), ("read", "b"),
    ]  # fmt: skip
    assert {e["run"] for e in events} == {1}


def test_a_library_is_heard_from_its_warnings_on(recwarn: pytest.WarningsRecorder) -> None:
    screen = Screen()
    logs.set_up(level=logging.INFO, stream=screen)
    logging.getLogger("aiohttp.client").info("a request")
    logging.getLogger("aiohttp.client").warning("a leak")
    assert [line.partition("Z ")[2] for line in screen.getvalue().splitlines()] == ["warning a leak"]


def test_an_expected_failure_of_a_job_is_a_sentence_and_a_fault_of_ours_is_not() -> None:
    assert expected(StoreError("news.db: the disk is full")) == "news.db: the disk is full"
    assert expected(OSError(28, "No space left on device", "/var/digests/x.html")) == (
        "/var/digests/x.html: No space left on device"
    )
    assert expected(KeyError("x")) is None

"""A page that crashes, hangs or eats memory costs only itself."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from crawler.types import Entry
from crawler.workers import LARGE, Pool, WorkerLost, run_once

NAMES = ("double", "entry", "crash", "leave", "hang", "bloat", "fail", "pid", "smuggle")
FUNCTIONS = {name: f"tests.hostile:{name}" for name in NAMES}


def with_pool(act: Callable[[Pool], Coroutine[Any, Any, Any]], size: int = 1, **options: Any) -> Any:
    async def main() -> Any:
        async with Pool(size, functions=FUNCTIONS, **options) as pool:
            return await act(pool)

    return asyncio.run(main())


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_values_travel_both_ways() -> None:
    async def act(pool: Pool) -> Any:
        return await asyncio.gather(*(pool.run("double", n) for n in range(20)), pool.run("entry", "روس"))

    *doubles, entry = with_pool(act, size=2)
    assert doubles == [2 * n for n in range(20)]
    assert entry == Entry(id="1", url=None, title="روس")


def test_one_crash_one_hang_one_glutton_cost_only_themselves() -> None:
    async def act(pool: Pool) -> Any:
        bad = {5: ("crash",), 20: ("hang",), 40: ("bloat",), 50: ("leave", 3)}
        jobs = [pool.run(*bad.get(n, ("double", n))) for n in range(64)]
        return await asyncio.gather(*jobs, return_exceptions=True)

    results = with_pool(act, size=2, deadline_s=1.0)
    lost = {n: result.reason for n, result in enumerate(results) if isinstance(result, WorkerLost)}
    assert lost == {
        5: "crash: the child ended with SIGSEGV",
        20: "deadline: no answer within 1 s",
        40: "memory",
        50: "crash: the child ended with 3",
    }
    assert all(result == 2 * n for n, result in enumerate(results) if n not in lost)


def test_exception_of_the_function_is_reported_and_the_child_lives_on() -> None:
    async def act(pool: Pool) -> None:
        before = await pool.run("pid")
        with pytest.raises(WorkerLost, match="ValueError: spoiled bytes"):
            await pool.run("fail")
        assert await pool.run("pid") == before

    with_pool(act)


def test_child_is_replaced_after_a_large_item() -> None:
    async def act(pool: Pool) -> None:
        before = await pool.run("pid")
        assert await pool.run("double", bytes(LARGE // 2)) == bytes(LARGE // 2 * 2)
        assert await pool.run("pid") == before
        assert await pool.run("double", bytes(LARGE + 1)) == bytes(LARGE * 2 + 2)
        assert await pool.run("pid") != before

    with_pool(act)


def test_child_is_replaced_after_its_items_and_when_it_was_killed_while_idle() -> None:
    async def act(pool: Pool) -> list[int]:
        pids = [await pool.run("pid") for _ in range(5)]
        os.kill(pids[-1], signal.SIGKILL)
        await asyncio.sleep(0.05)
        return [*pids, await pool.run("pid")]

    first, second, third, fourth, fifth, sixth = with_pool(act, recycle_after=2)
    assert first == second != third == fourth != fifth != sixth


def test_only_values_are_accepted_from_a_child() -> None:
    with pytest.raises(WorkerLost, match="not an answer"):
        run_once("smuggle", functions=FUNCTIONS)


def test_unknown_function_and_broken_import_are_named() -> None:
    with pytest.raises(WorkerLost, match="ModuleNotFoundError"):
        run_once("missing", functions={"missing": "crawler.no_such_module:f"})

    async def act(pool: Pool) -> None:
        with pytest.raises(WorkerLost, match="'nothing' is none of"):
            await pool.run("nothing")

    with_pool(act)


def test_children_ignore_interrupt_and_termination() -> None:
    async def act(pool: Pool) -> None:
        child = await pool.run("pid")
        os.kill(child, signal.SIGINT)
        os.kill(child, signal.SIGTERM)
        assert await pool.run("pid") == child

    with_pool(act)


def test_closing_kills_a_busy_child_at_once_and_leaves_no_zombie() -> None:
    async def act() -> tuple[int, float]:
        pool = Pool(1, functions=FUNCTIONS)
        child = await pool.run("pid")
        hanging = asyncio.ensure_future(pool.run("hang"))
        await asyncio.sleep(0.1)
        began = time.monotonic()
        pool.close()
        took = time.monotonic() - began
        with pytest.raises(WorkerLost, match="closed"):
            await hanging
        return child, took

    child, took = asyncio.run(act())
    assert took < 1.0
    assert not running(child)  # a zombie would still answer signal 0


def test_loop_in_another_thread_is_served() -> None:
    results: list[Any] = []

    async def act(pool: Pool) -> Any:
        return await pool.run("double", "ab")

    thread = threading.Thread(target=lambda: results.append(with_pool(act)))
    thread.start()
    thread.join()
    assert results == ["abab"]


def test_child_ends_with_its_parent() -> None:
    code = (
        "import asyncio, os\n"
        "from crawler.workers import Pool\n"
        "async def main():\n"
        "    pool = Pool(1, functions={'pid': 'tests.hostile:pid'})\n"
        "    print(await pool.run('pid'), flush=True)\n"
        "    os._exit(0)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).resolve().parents[1]
    parent = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    child = int(parent.stdout)
    until = time.monotonic() + 5
    while running(child) and time.monotonic() < until:
        time.sleep(0.02)
    assert not running(child)


def test_importing_workers_and_extract_brings_no_parser_along() -> None:
    watched = "('trafilatura', 'lxml', 'feedparser')"
    code = f"import sys, crawler.workers, crawler.extract; print([m for m in {watched} if m in sys.modules])"
    root = Path(__file__).resolve().parents[1]
    out = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"

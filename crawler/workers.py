"""Reading what came from the web in processes of their own, so that a page costs at most itself.

A page that crashes the parser, hangs it or eats memory takes one child process along; the caller gets `WorkerLost`
for that item, and every other item goes on. Threads cannot give this: a segmentation fault in one ends them all, and
none can be killed.

A child is a plain interpreter at the other end of a socket pair. It imports the readers (the caller's process never
does), says that it is ready, then answers one request after another. Its own alarm and the end of the socket see to
it that it does not outlive its parent.
"""

import asyncio
import gc
import importlib
import io
import pickle
import queue
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from crawler.errors import PakrusError
from crawler.memory import apart, give_back

DEADLINE_S = 10.0  # of CPU time; a busy machine is no fault of the page
PATIENCE = 3  # times the deadline by the clock, for what hangs without working
MEMORY_BYTES = 256 * 2**20  # over what the interpreter and its imports take
START_DEADLINE_S = 60.0  # imports on a busy machine; no page is involved yet
RECYCLE_AFTER = 500  # items; caches and fragmentation grow, a new child costs a second
RESET_EVERY = 100  # items between two calls of a module's reset_caches()
GROWN = 16 * 2**20  # bytes in memory over what it was, at which a child gives back what it has freed
LARGE = 1_000_000  # bytes of an item, after which the child is replaced too: it may have taken a hundred times as much
REPLY_LIMIT = 256 * 2**20  # bytes; no honest reply comes near it

FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "read": "crawler.readers:read",
        "extract": "crawler.extract.page:extract",
        "site": "crawler.spiders.sites:read_page",
    }
)

_SIZE = struct.Struct("!Q")
# A child that a page has taken over could answer with anything; only values are unpickled.
_VALUES = frozenset(
    {
        ("crawler.types", "Document"),
        ("crawler.types", "Entry"),
        ("crawler.types", "Moment"),
        ("crawler.types", "Reading"),
        ("datetime", "datetime"),
        ("datetime", "timezone"),
        ("datetime", "timedelta"),
    }
)


class WorkerLost(PakrusError):
    """No answer for this item. `reason` names what happened: deadline, memory, crash, closed, or the error's text."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Pool:
    """`size` children. ``async with Pool(2) as pool: document = await pool.run("extract", body, url=url)``.

    Works with whatever event loop runs in the calling thread. `functions` maps a name to ``module:function``.
    """

    def __init__(
        self,
        size: int,
        *,
        deadline_s: float = DEADLINE_S,
        memory_bytes: int = MEMORY_BYTES,
        recycle_after: int = RECYCLE_AFTER,
        functions: Mapping[str, str] = FUNCTIONS,
    ) -> None:
        self._workers = [
            _Worker(functions, deadline_s=deadline_s, memory_bytes=memory_bytes, recycle_after=recycle_after)
            for _ in range(size)
        ]
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for worker in self._workers:
            self._idle.put(worker)
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="pakrus-worker")

    async def __aenter__(self) -> Self:
        for worker in self._workers:
            worker.start()  # so that imports run while the first pages are fetched
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def run(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """What the function `name` returns for these arguments, or WorkerLost."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._run, name, args, kwargs)

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """The same, for a caller without an event loop."""
        return self._run(name, args, kwargs)

    def _run(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        worker = self._idle.get()
        try:
            return worker.call(name, args, kwargs)
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Kills the children; items under way are lost."""
        for worker in self._workers:
            worker.close()
        self._threads.shutdown(wait=True, cancel_futures=True)


def run_once(
    name: str,
    *args: Any,
    deadline_s: float = DEADLINE_S,
    memory_bytes: int = MEMORY_BYTES,
    functions: Mapping[str, str] = FUNCTIONS,
    **kwargs: Any,
) -> Any:
    """One item in a child of its own, for the verbs that read a single file. Raises WorkerLost."""
    worker = _Worker({name: functions[name]}, deadline_s=deadline_s, memory_bytes=memory_bytes, recycle_after=1)
    try:
        return worker.call(name, args, kwargs)
    finally:
        worker.close()


class _Worker:
    """One child at a time, started when it is needed and replaced when it was lost or has served its items."""

    def __init__(
        self, functions: Mapping[str, str], *, deadline_s: float, memory_bytes: int, recycle_after: int
    ) -> None:
        self._functions = dict(functions)
        self._deadline_s = deadline_s
        self._memory_bytes = memory_bytes
        self._recycle_after = recycle_after
        self._lock = threading.Lock()  # close() comes from another thread than call()
        self._child: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        self._ready = False
        self._served = 0
        self._closed = False

    def start(self) -> None:
        with self._lock:
            if self._closed:
                raise WorkerLost("closed")
            if self._child is not None and self._child.poll() is None:
                return
            self._drop()
            ours, theirs = socket.socketpair()
            root = str(Path(__file__).resolve().parents[1])
            arguments = (theirs.fileno(), self._functions, self._memory_bytes, self._deadline_s)
            code = f"import sys; sys.path.insert(0, {root!r}); import crawler.workers as w; w._serve{arguments!r}"
            try:
                self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                    [sys.executable, "-c", code],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # Ctrl-C in the terminal is for the parent
                )
            except OSError as error:
                ours.close()
                raise WorkerLost(f"crash: no child could be started: {error}") from error
            finally:
                theirs.close()
            self._link, self._ready, self._served = ours, False, 0

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if name not in self._functions:
            raise WorkerLost(f"KeyError: {name!r} is none of {', '.join(self._functions)}")
        kind, value = self._exchange(pickle.dumps((name, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL))
        if kind == "value":
            return value
        raise WorkerLost(str(value) if kind == "error" else kind)

    def _exchange(self, request: bytes) -> tuple[str, Any]:
        self.start()
        link = self._link
        assert link is not None
        lost = "crash"
        try:
            if not self._ready:
                kind, detail = _receive(link, time.monotonic() + START_DEADLINE_S)
                if kind != "ready":
                    self.stop()
                    return "error", detail
                self._ready = True
            until = time.monotonic() + self._deadline_s * PATIENCE
            _send(link, request, until)
            worn = len(request) > LARGE
            del request  # the body is not held twice
            reply = _receive(link, until)
        except TimeoutError:
            lost = f"deadline: no answer within {self._deadline_s:g} s"
        except (OSError, EOFError):
            lost = "crash"
        except (pickle.UnpicklingError, AttributeError, ValueError, struct.error) as error:
            lost = f"crash: not an answer: {error}"
        else:
            self._served += 1
            if worn or reply[0] == "memory" or self._served >= self._recycle_after:
                self.stop()
            return reply
        code = self.stop(gone=lost == "crash")
        if self._closed:
            lost = "closed"
        elif code == -signal.SIGPROF:
            lost = f"deadline: no answer within {self._deadline_s:g} s"
        elif lost == "crash" and code is not None:
            lost = f"crash: the child ended with {signal.Signals(-code).name if code < 0 else code}"
        raise WorkerLost(lost)

    def stop(self, *, gone: bool = False) -> int | None:
        """Ends the child; its exit code, negative for a signal. `gone`: it has closed its end, so let it finish."""
        with self._lock:
            return self._drop(grace_s=0.5 if gone else 0.0)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            self._drop()

    def _drop(self, *, grace_s: float = 0.0) -> int | None:
        child, link, self._child, self._link = self._child, self._link, None, None
        code = None
        if child is not None:
            try:
                code = child.wait(grace_s)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if link is not None:
            link.close()
        return code


def _send(link: socket.socket, frame: bytes, until: float) -> None:
    link.settimeout(max(0.001, until - time.monotonic()))
    link.sendall(_SIZE.pack(len(frame)))
    link.sendall(frame)  # apart: a copy of ten megabytes is not free


def _receive(link: socket.socket, until: float) -> tuple[str, Any]:
    size = _SIZE.unpack(_read(link, _SIZE.size, until))[0]
    if size > REPLY_LIMIT:
        raise ValueError(f"{size} bytes")
    reply: object = _Values(io.BytesIO(_read(link, size, until))).load()
    if not (isinstance(reply, tuple) and len(reply) == 2 and isinstance(reply[0], str)):
        raise ValueError("no pair")
    return reply


def _read(link: socket.socket, size: int, until: float | None) -> bytearray:
    frame = bytearray()
    while len(frame) < size:
        link.settimeout(None if until is None else max(0.001, until - time.monotonic()))
        piece = link.recv(min(size - len(frame), 2**20))
        if not piece:
            raise EOFError
        frame += piece
    return frame


class _Values(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _VALUES:
            raise pickle.UnpicklingError(f"{module}.{name} is not a value")
        return super().find_class(module, name)


def _serve(fd: int, functions: Mapping[str, str], memory_bytes: int, deadline_s: float) -> None:
    """The child's whole life."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)  # the parent decides, by closing the socket
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    apart()
    link = socket.socket(fileno=fd)
    try:
        known = {name: _load(place) for name, place in functions.items()}
    except Exception as error:  # noqa: BLE001 - whatever an import raises is reported to the parent
        _send(link, pickle.dumps(("error", f"{type(error).__name__}: {error}")), time.monotonic() + deadline_s)
        return
    resets = [reset for f in known.values() if (reset := getattr(sys.modules[f.__module__], "reset_caches", None))]
    taken, resident = _memory()
    if taken:
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory_bytes, taken + memory_bytes))
    _send(link, pickle.dumps(("ready", "")), time.monotonic() + deadline_s)
    served = 0
    while True:
        try:
            request = _read(link, _SIZE.unpack(_read(link, _SIZE.size, None))[0], None)
        except (EOFError, OSError):
            return
        signal.setitimer(signal.ITIMER_PROF, deadline_s)
        signal.setitimer(signal.ITIMER_REAL, deadline_s * PATIENCE + 5)  # ends us if the parent is gone and cannot
        reply = _answer(known, request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(link, reply, time.monotonic() + deadline_s)
        served += 1
        if served % RESET_EVERY == 0:
            for reset in resets:
                reset()
        if _memory()[1] > resident + GROWN:
            del reply
            gc.collect()
            give_back()
            resident = _memory()[1]


_NO_MEMORY = pickle.dumps(("memory", ""))  # made while there is some


def _answer(known: Mapping[str, Callable[..., Any]], request: bytearray) -> bytes:
    try:
        name, args, kwargs = pickle.loads(request)  # noqa: S301 - from our own parent
        request.clear()  # the body is not held twice
        return pickle.dumps(("value", known[name](*args, **kwargs)), protocol=pickle.HIGHEST_PROTOCOL)
    except MemoryError:
        return _NO_MEMORY
    except Exception as error:  # noqa: BLE001 - any error of this item is its answer, never the child's end
        return pickle.dumps(("error", f"{type(error).__name__}: {error}"[:2000]))


def _load(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def _memory() -> tuple[int, int]:
    """Bytes of address space and of memory in use; 0 where the system does not say (then no memory limit is set)."""
    try:
        space, resident, *_ = map(int, Path("/proc/self/statm").read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return 0, 0
    return space * resource.getpagesize(), resident * resource.getpagesize()

"""A web server on loopback for the tests of the fetching side: says byte for byte what it is told, notes when.

When a request came is the kernel's word where it gives one (Linux, no TLS): on a busy machine this thread may read it
much later, and then two requests look closer than they were.
"""

import asyncio
import itertools
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

SO_TIMESTAMPNS = 35  # Linux; Python gives it no name
STAMP = struct.Struct("qq")  # seconds, nanoseconds


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived; `at` in seconds of the monotonic clock."""

    host: str
    path: str
    headers: dict[str, str]
    at: float


Answer = Callable[[Asked, asyncio.StreamWriter], Awaitable[None]] | bytes


def reply(body: bytes | str = b"", status: int = 200, **headers: str) -> bytes:
    """A whole answer. Header names are written with underscores."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if status != 304:
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join([*lines, "", ""]).encode() + data


@dataclass
class Site:
    """``with Site() as site: site.pages["dawn.test", "/feed"] = reply(...)``. What is not there answers 404.

    An answer is bytes, or a function that writes to the connection itself; after it the connection is closed.
    """

    pages: dict[tuple[str, str], Answer] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)
    context: ssl.SSLContext | None = None
    port: int = 0

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(5)

    def asked(self, host: str, path: str | None = None) -> list[Asked]:
        return [a for a in self.log if a.host == host and (path is None or a.path == path)]

    def gaps(self, host: str) -> list[float]:
        times = sorted(a.at for a in self.asked(host))
        return [b - a for a, b in itertools.pairwise(times)]

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(ready))
        self._loop.close()

    async def _serve(self, ready: threading.Event) -> None:
        self._done = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.context)
        self.port = server.sockets[0].getsockname()[1]
        self._stamped = sys.platform == "linux" and self.context is None
        if self._stamped:
            server.sockets[0].setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)  # its connections inherit it
        ready.set()
        await self._done.wait()
        server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        inlet = _Inlet(reader, writer) if self._stamped else None
        try:
            while await self._one(reader, writer, inlet):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            self._open.discard(task)
            if inlet is not None:
                inlet.close()
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, inlet: "_Inlet | None") -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        at = time.monotonic() if inlet is None else inlet.at
        first, *rest = head.strip().split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, v in (line.split(":", 1) for line in rest)}
        asked = Asked(headers.get("host", ""), first.split(" ")[1], headers, at)
        self.log.append(asked)
        answer = self.pages.get((asked.host, asked.path), reply("nothing here", 404))
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
            return True
        await answer(asked, writer)
        return False


class _Inlet:
    """Reads a connection in the transport's place, which would lose the kernel's stamps: `at` is the last one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._loop = asyncio.get_running_loop()
        self._offset = time.time() - time.monotonic()
        self.at = time.monotonic()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        self._socket = socket.fromfd(writer.get_extra_info("socket").fileno(), socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._loop.add_reader(self._socket.fileno(), self._read)

    def _read(self) -> None:
        try:
            data, extra, _flags, _address = self._socket.recvmsg(65_536, socket.CMSG_SPACE(STAMP.size))
        except BlockingIOError:
            return
        except OSError:
            data, extra = b"", []
        for level, kind, value in extra:
            if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
                seconds, nanoseconds = STAMP.unpack(value)
                self.at = seconds + nanoseconds / 1e9 - self._offset
        if data:
            self._reader.feed_data(data)
        else:
            self._loop.remove_reader(self._socket.fileno())
            self._reader.feed_eof()

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

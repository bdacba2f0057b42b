"""A server of HTTP/1.1 on loopback, as small as it can be: what the measurements ask. The standard library alone."""

import asyncio
from collections.abc import Callable

# (host, path, the request's head) -> (what stands behind "HTTP/1.1 " with its headers, body)
Answer = Callable[[str, str, str], tuple[str, bytes]]


async def serve(answer: Answer, *, port: int = 0) -> None:
    """Answers until it is killed, keeping connections open; prints its port once it listens. A body is given its
    length, a 304 none."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                host = next(x for x in head.split("\r\n") if x.lower().startswith("host:"))[5:].strip()
                first, body = answer(host, head.split(" ", 2)[1], head)
                length = "" if first.startswith("304") else f"\r\nContent-Length: {len(body)}"
                writer.write(f"HTTP/1.1 {first}{length}\r\n\r\n".encode() + body)
                await writer.drain()
                if "connection: close" in head.lower():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

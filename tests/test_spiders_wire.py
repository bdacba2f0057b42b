"""The deadline of an exchange is the server's: what we wait for ourselves does not count."""

import asyncio
from ipaddress import ip_network

from scrapy import Request

from crawler.config import CrawlConfig
from crawler.spiders.wire import LARGE, Exchange, Wire

TIMEOUT_S = 0.5
BODY = b"x" * (2 * LARGE)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY)
    await writer.drain()
    writer.close()


def test_a_large_body_that_waits_for_another_is_read_however_long_that_takes() -> None:
    async def nothing() -> None:
        pass

    async def other() -> None:
        await asyncio.sleep(2 * TIMEOUT_S)

    async def main() -> bytes:
        server = await asyncio.start_server(_serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        wire = Wire(CrawlConfig(timeout_s=TIMEOUT_S, allow_private_addresses=(ip_network("127.0.0.0/8"),)))
        asked = Exchange(limit=3 * LARGE, before_send=nothing, on_large=other)
        request = Request(f"http://127.0.0.1:{port}/", meta={"exchange": asked, "download_slot": "127.0.0.1"})
        try:
            return (await wire.exchange(request)).body
        finally:
            await wire.close()
            server.close()
            await server.wait_closed()

    assert asyncio.run(main()) == BODY

"""Clicks through the desk in headless Chromium: front page, digest, story, article, name; each click with the mouse.

    .venv/bin/python benchmarks/desk_clicks.py DATABASE [AXE_JS] [--shots DIRECTORY]

Drives Chromium by its DevTools protocol. With AXE_JS (`axe.min.js` of the npm package axe-core) each page of ours is
also checked, at 360 and 1280 pixels. Exit 0: every step led where it should, and nothing overflows or violates.
"""

import argparse
import asyncio
import base64
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

sys.path.insert(0, str(Path(__file__).parent))
from desk import served
from digest_look import BROWSERS

# Step: what is clicked, and what the address and the page must then hold.
STEPS = (
    ("the front page leads to the digest", 'a[href="/digest"]', "/digest", "article h3"),
    ("a story of the digest leads to its page", 'article a[href^="/story/"]', "/story/", "ul.versions li"),
    (
        "the story leads to an article",
        'a[href^="/news/articles/"]',
        "/news/articles/",
        "td.col-title, .rows-and-columns td",
    ),
    ("the article leads back to its story", 'a[href^="/story/"]', "/story/", "ul.versions li"),
    ("the story leads to a name", 'a[href^="/name/"]', "/name/", "svg.days"),
    ("the name leads to one of its stories", 'ul.versions a[href^="/story/"]', "/story/", "ul.versions li"),
)
OVERFLOW = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
AXE = ("axe.run(document, {resultTypes: ['violations']})"
       ".then(f => JSON.stringify(f.violations.map(v => [v.id, v.nodes[0].html.slice(0, 160)])))")  # fmt: skip


class Page:
    """A tab, by the DevTools protocol."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=60)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return dict(answer["result"])

    async def ask(self, expression: str) -> Any:
        found = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return found["result"].get("value")

    async def open(self, address: str) -> None:
        await self.send("Page.navigate", url=address)
        await self.loaded(address)

    async def loaded(self, part: str) -> None:
        for _ in range(200):
            if await self.ask(f"document.readyState === 'complete' && location.href.includes({json.dumps(part)})"):
                return
            await asyncio.sleep(0.05)
        raise SystemExit(f"never came to {part}, but is at {await self.ask('location.href')}")

    async def click(self, selector: str) -> None:
        """With the mouse, in the middle of the first line of the first element that can be seen."""
        spot = await self.ask(
            f"(() => {{ const n = [...document.querySelectorAll({json.dumps(selector)})].find(n => n.offsetParent);"
            " if (!n) return null; n.scrollIntoView({block: 'center'}); const b = n.getClientRects()[0];"
            " return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        if spot is None:
            raise SystemExit(f"{await self.ask('location.href')} has no {selector} to click")
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)


async def walk(page: Page, root: str, axe: str, shots: Path | None) -> int:
    bad = 0
    await page.open(root)
    for number, (told, selector, address, holds) in enumerate(STEPS):
        before = await page.ask("location.href")
        bad += await look(page, root, axe, shots, number)
        await page.click(selector)
        await page.loaded(address)
        right = await page.ask(f"!!document.querySelector({json.dumps(holds)})")
        bad += not right
        print(f"{'ok   ' if right else 'WRONG'} {told}: {before.removeprefix(root.rstrip('/'))} ->"
              f" {(await page.ask('location.href')).removeprefix(root.rstrip('/'))}")  # fmt: skip
    return bad + await look(page, root, axe, shots, len(STEPS))


async def look(page: Page, root: str, axe: str, shots: Path | None, number: int) -> int:
    """What is wrong with the page as it stands; Datasette's own pages are its makers' to judge."""
    if not axe or "/news" in await page.ask("location.href"):
        return 0
    bad = 0
    for width in (360, 1280):
        await page.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=1600, deviceScaleFactor=1, mobile=False
        )
        await page.ask(axe)
        found = {"overflow": await page.ask(OVERFLOW), "violations": json.loads(await page.ask(AXE))}
        if any(found.values()):
            bad += 1
            print(f"WRONG {(await page.ask('location.href'))} {width}: {json.dumps(found)}")
        if shots:
            shots.mkdir(parents=True, exist_ok=True)
            shot = await page.send("Page.captureScreenshot", format="png")
            (shots / f"desk-{number}-{width}.png").write_bytes(base64.b64decode(shot["data"]))
    return bad


async def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("axe", type=Path, nargs="?")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("nothing was clicked: Chromium is not on the PATH", file=sys.stderr)
        return 2
    axe = options.axe.read_text("utf-8") if options.axe else ""
    with served(options.database) as desk, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        chromium = await asyncio.create_subprocess_exec(
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0",
            f"--user-data-dir={profile}", "about:blank", stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            told = Path(profile) / "DevToolsActivePort"
            while not told.is_file() or not told.read_text().strip():
                await asyncio.sleep(0.1)
            port = told.read_text().split()[0]
            async with ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    target = next(t for t in await answer.json() if t["type"] == "page")
                async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    await page.send("Page.enable")
                    await page.send("Page.setBypassCSP", enabled=True)
                    return int(bool(await walk(page, desk.removesuffix("news"), axe, options.shots)))
        finally:
            chromium.terminate()
            await chromium.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(asyncio.wait_for(main(), 180)))

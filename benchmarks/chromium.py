"""Headless Chromium by its DevTools protocol: a page that is opened, resized, asked, clicked and photographed."""

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
AXE = """axe.run(document, {resultTypes: ["violations"]})
  .then(found => found.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)]))"""
WIDE = """(() => {
  const root = document.documentElement, wide = [];
  for (const node of document.body.querySelectorAll("*")) {
    const box = node.getBoundingClientRect(), scrolled = node.closest(".scroll");
    const out = box.right > root.clientWidth + 1 || box.left < -1;
    if (box.width && !scrolled && out) wide.push(node.outerHTML.slice(0, 120));
  }
  const page = root.scrollWidth > root.clientWidth ? [`page: ${root.scrollWidth} pixels`] : [];
  return [...page, ...wide.slice(0, 5)];
})()"""
AWRY = """[...document.querySelectorAll("[lang=ur]")].filter(n => getComputedStyle(n).direction !== "rtl").length"""


def found() -> str | None:
    """The browser's path, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


class Page:
    """A tab. Content-Security-Policy is bypassed, so that axe-core can be put into it."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json(timeout=120)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return dict(answer["result"])

    async def ask(self, expression: str) -> Any:
        answer = await self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"{expression[:80]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def open(self, address: str) -> None:
        await self.send("Page.navigate", url=address)
        await self.loaded(address)

    async def loaded(self, part: str) -> None:
        for _ in range(1200):
            if await self.ask(f"document.readyState === 'complete' && location.href.includes({json.dumps(part)})"):
                return
            await asyncio.sleep(0.05)
        raise SystemExit(f"never came to {part}, but is at {await self.ask('location.href')}")

    async def show(self, width: int, *, scheme: str = "light", media: str = "screen") -> None:
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=2400, deviceScaleFactor=1, mobile=False
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.send("Emulation.setEmulatedMedia", media=media, features=features)

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

    async def wrong(self, axe: str) -> dict[str, Any]:
        """What overflows, is set in the wrong direction, or violates a rule of axe-core; {} where nothing does."""
        await self.ask(axe)
        answer = {
            "overflow": await self.ask(WIDE),
            "left_to_right": await self.ask(AWRY),
            "violations": await self.ask(AXE),
        }
        return {key: value for key, value in answer.items() if value}

    async def look(self, axe: str, told: str, shot: Path | None) -> bool:
        """Prints what is wrong with the page as it is shown, and keeps a picture of it; whether anything is."""
        wrong = await self.wrong(axe)
        print(f"{told}: {json.dumps(wrong) if wrong else 'ok'}")
        if shot:
            await self.photograph(shot)
        return bool(wrong)

    async def photograph(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        shot = await self.send("Page.captureScreenshot", format="png")
        file.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def tab() -> AsyncIterator[Page]:
    """A page in a browser of its own. Raises SystemExit where there is no browser."""
    browser = found()
    if browser is None:
        raise SystemExit("nothing was looked at: Chromium is not on the PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
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
                    yield page
        finally:
            chromium.terminate()
            await chromium.wait()

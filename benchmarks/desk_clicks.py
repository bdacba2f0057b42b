"""Clicks through the desk in headless Chromium: front page, digest, story, article, name; each click with the mouse.

    .venv/bin/python benchmarks/desk_clicks.py DATABASE [AXE_JS] [--shots DIRECTORY]

With AXE_JS (`axe.min.js` of the npm package axe-core) each page of ours is also checked, at 360 and 1280 pixels.
Exit 0: every step led where it should, and nothing overflows or violates.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from chromium import Page, tab
from desk import served

from crawler.desk.about import DATABASE

# Step: what is clicked, and what the address and the page must then hold.
STEPS = (
    ("the front page leads to the digest", 'a[href="/digest"]', "/digest", "article h3"),
    ("a story of the digest leads to its page", 'article a[href^="/story/"]', "/story/", "ul.versions li"),
    ("the story leads to an article", f'a[href^="/{DATABASE}/articles/"]', "/articles/", ".rows-and-columns td"),
    ("the article leads back to its story", 'a[href^="/story/"]', "/story/", "ul.versions li"),
    ("the story leads to a name", 'a[href^="/name/"]', "/name/", "svg.days"),
    ("the name leads to one of its stories", 'ul.versions a[href^="/story/"]', "/story/", "ul.versions li"),
)


async def walk(page: Page, root: str, axe: str, shots: Path | None) -> int:
    bad = 0
    await page.open(root)
    for number, (told, selector, address, holds) in enumerate(STEPS):
        before = await page.ask("location.pathname")
        bad += await look(page, axe, shots, number)
        await page.click(selector)
        await page.loaded(address)
        right = await page.ask(f"!!document.querySelector({json.dumps(holds)})")
        bad += not right
        print(f"{'ok   ' if right else 'WRONG'} {told}: {before} -> {await page.ask('location.pathname')}")
    return bad + await look(page, axe, shots, len(STEPS))


async def look(page: Page, axe: str, shots: Path | None, number: int) -> int:
    """What is wrong with the page as it stands; Datasette's own pages are its makers' to judge."""
    path = await page.ask("location.pathname")
    if not axe or path.startswith(f"/{DATABASE}"):
        return 0
    bad = 0
    for width in (360, 1280):
        for scheme in ("light", "dark"):
            await page.show(width, scheme=scheme)
            shot = shots / f"desk-{number}-{width}-{scheme}.png" if shots else None
            bad += await page.look(axe, f"{path} {width} {scheme}", shot)
    return bad


async def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database", type=Path)
    parser.add_argument("axe", type=Path, nargs="?")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    axe = options.axe.read_text("utf-8") if options.axe else ""
    with served(options.database) as desk:
        async with tab() as page:
            return int(bool(await walk(page, desk.removesuffix(DATABASE), axe, options.shots)))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

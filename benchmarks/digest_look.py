"""Looks at pages in headless Chromium: does anything overflow or run the wrong way, and what does axe-core find?

    .venv/bin/python benchmarks/digest_look.py AXE_JS PAGE... [--shots DIRECTORY]

AXE_JS is `axe.min.js` of the npm package axe-core (`npm pack axe-core`). Each page is opened at 360, 768 and 1280
pixels, light and dark, and as it is printed on A4, with all details open; `--shots` keeps a picture of each.
Exit 0: nothing overflows and axe-core has no violation; 1: something is wrong, or Chromium is not there.
"""

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from chromium import tab

WIDTHS = (360, 768, 1280)
A4 = 794 - 2 * 60  # pixels between the page's margins
VIEWS = [(width, scheme, "screen") for width in WIDTHS for scheme in ("light", "dark")] + [(A4, "light", "print")]


async def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("axe", type=Path)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    axe, bad = options.axe.read_text("utf-8"), 0
    async with tab() as page:
        for file in options.pages:
            await page.open(file.resolve().as_uri())
            await page.ask('document.querySelectorAll("details").forEach(d => d.open = true)')
            for width, scheme, media in VIEWS:
                await page.show(width, scheme=scheme, media=media)
                kind = media if media == "print" else scheme
                shot = options.shots / f"{file.stem}-{width}-{kind}.png" if options.shots else None
                bad += await page.look(axe, f"{file.name} {width} {kind}", shot)
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))

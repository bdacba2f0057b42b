"""Looks at pages in headless Chromium: does anything overflow, and what does axe-core find?

    .venv/bin/python benchmarks/digest_look.py AXE_JS PAGE... [--shots DIRECTORY]

AXE_JS is `axe.min.js` of the npm package axe-core (`npm pack axe-core`). Each page is opened at 360, 768 and 1280
pixels, light and dark, with all details open, and its copy is asked; `--shots` also keeps a picture of each, and the
page as it is printed.
Exit 0: nothing overflows and axe-core has no violation; 1: something is wrong; 2: Chromium or axe-core is not there.
"""

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTHS = (360, 768, 1280)
SCHEMES = {"light": "1", "dark": "0"}  # Blink's preferredColorScheme
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
ASK = """
addEventListener("load", async () => {
  document.querySelectorAll("details").forEach(d => d.open = true);
  const root = document.documentElement, wide = [];
  for (const node of document.body.querySelectorAll("*")) {
    const box = node.getBoundingClientRect();
    if (box.width && (box.right > root.clientWidth + 1 || box.left < -1)) wide.push(node.outerHTML.slice(0, 120));
  }
  const rtl = [...document.querySelectorAll("[lang=ur]")].filter(n => getComputedStyle(n).direction !== "rtl").length;
  const found = await axe.run(document, {resultTypes: ["violations"]});
  parent.postMessage({
    width: innerWidth, dark: matchMedia("(prefers-color-scheme: dark)").matches,
    overflow: root.scrollWidth > root.clientWidth, wide: wide.slice(0, 5), rtl,
    violations: found.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)]),
  }, "*");
});
"""
# No browser window is as narrow as a telephone: the page is looked at in a frame.
FRAME = """<!doctype html><style>body { margin: 0 } iframe { border: 0; height: 2400px }</style><script>
addEventListener("message", event => {
  const out = document.createElement("script");
  out.type = "application/json"; out.id = "answer";
  out.textContent = JSON.stringify(event.data).replace(/</g, "\\u003c");
  document.body.append(out);
});
</script><iframe title="page" src="PAGE" style="width: WIDTHpx"></iframe>"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("axe", type=Path)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--shots", type=Path)
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None or not options.axe.is_file():
        missing = "Chromium is not on the PATH" if browser is None else f"{options.axe}: there is no such file"
        print(f"nothing was looked at: {missing}", file=sys.stderr)
        return 2
    axe, bad = options.axe.read_text("utf-8"), 0
    for page in options.pages:
        for width in WIDTHS:
            for scheme, number in SCHEMES.items():
                answer = ask(browser, axe, page, width, number)
                right = answer["width"] == width and answer["dark"] == (scheme == "dark")
                wrong = answer["overflow"] or answer["wide"] or answer["rtl"] or answer["violations"] or not right
                bad += bool(wrong)
                print(f"{page.name} {width} {scheme}: {json.dumps(answer) if wrong else 'ok'}")
                if options.shots:
                    options.shots.mkdir(parents=True, exist_ok=True)
                    shot = options.shots.resolve() / f"{page.stem}-{width}-{scheme}.png"
                    run(browser, width, number, f"--screenshot={shot}", page.resolve().as_uri())
        if options.shots:
            pdf = options.shots.resolve() / f"{page.stem}.pdf"
            run(browser, 768, "1", "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.resolve().as_uri())
    return int(bool(bad))


def ask(browser: str, axe: str, page: Path, width: int, scheme: str) -> dict[str, object]:
    """What a copy of the page, with axe-core and our questions in it, answers."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    text = text.replace("</head>", f"<script>{axe}</script><script>{ASK}</script></head>", 1)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / page.name
        copy.write_text(text, "utf-8")
        frame = Path(folder) / "frame.html"
        frame.write_text(FRAME.replace("PAGE", copy.as_uri()).replace("WIDTH", str(width)), "utf-8")
        dom = run(browser, 1400, scheme, "--virtual-time-budget=20000", "--dump-dom", frame.as_uri())
    found = re.search(r'<script type="application/json" id="answer">(.*?)</script>', dom)
    if found is None:
        raise SystemExit(f"{page}: the browser gave no answer at {width} pixels")
    return dict(json.loads(html.unescape(found[1])))


def run(browser: str, width: int, scheme: str, *words: str) -> str:
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},2400",
               f"--blink-settings=preferredColorScheme={scheme}"]  # fmt: skip
    done = subprocess.run([browser, *options, *words], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

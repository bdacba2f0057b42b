"""What the documentation's tests share: the blocks of a page, and a shell in which its commands run as they stand."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).parent.parent

# What a reader of README has and a test machine may not: sqlite3 on the PATH. Read only, as the pages promise.
_SQLITE3 = """
import sqlite3, sys
connection = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
cursor = connection.execute(sys.argv[2])
print("|".join(column[0] for column in cursor.description), file=sys.stderr)
for row in cursor:
    print("|".join("" if value is None else str(value) for value in row))
"""


@dataclass(frozen=True)
class Block:
    """A fenced block. `before` and `after` are the lines around it, `heading` the one that it stands under."""

    page: str
    line: int
    heading: str
    before: str
    info: str
    text: str
    after: str = ""


def blocks(page: Path) -> list[Block]:
    out: list[Block] = []
    heading, before, info, start, inside = "", "", "", 0, list[str]()
    fenced = False
    for number, line in enumerate(page.read_text("utf-8").splitlines(), 1):
        if line.startswith("```"):
            if fenced:
                out.append(Block(page.name, start, heading, before, info, "\n".join(inside) + "\n"))
            fenced, info, start, inside = not fenced, line[3:].strip(), number, []
        elif fenced:
            inside.append(line)
        elif line.strip():
            if line.startswith("#"):
                heading = line.lstrip("# ")
            if out and not out[-1].after:
                out[-1] = replace(out[-1], after=line)
            before = line
    assert not fenced, f"{page}: the block of line {start} has no end"
    return out


def furnish(folder: Path) -> None:
    """Puts what the pages' commands call into a folder: ./run, .venv/bin/python, sqlite-utils, and sqlite3."""
    binaries = folder / ".venv" / "bin"
    binaries.mkdir(parents=True)
    _script(folder / "run", f'exec "{sys.executable}" -m crawler "$@"')
    _script(binaries / "python", f'exec "{sys.executable}" "$@"')
    _script(binaries / "sqlite-utils", f'exec "{sys.executable}" -m sqlite_utils "$@"')
    (binaries / "ask.py").write_text(_SQLITE3)
    _script(binaries / "sqlite3", f'exec "{sys.executable}" -S "{binaries}/ask.py" "$@"')


def _script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def shell(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a block of a page in a furnished folder."""
    path = f"{folder}/.venv/bin:{os.environ.get('PATH', '')}:/usr/bin:/bin"
    return subprocess.run(
        ["/bin/sh", "-euc", text],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PATH": path},
    )


def links(page: Path) -> Iterator[str]:
    """The targets of a page's Markdown links."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)

"""``python -m crawler.lexicon [--check]``: compile the slices; with --check only say whether the file is stale."""

import sys

from crawler.errors import LexiconError
from crawler.lexicon import compiled
from crawler.lexicon.slices import HOME, digest, paths, read


def main(arguments: list[str]) -> int:
    files = paths([HOME])
    table = compiled.stored()
    if table is not None and table["hash"] == digest(files):
        print(f"up to date: {len(table['things'])} things, {len(table['names']['patterns'])} patterns")
        return 0
    if "--check" in arguments:
        print("stale: type `python -m crawler.lexicon`", file=sys.stderr)
        return 1
    try:
        table = compiled.compile_slices(read(files), files)
    except LexiconError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    compiled.write(table)
    print(f"compiled: {len(table['things'])} things, {len(table['names']['patterns'])} patterns, "
          f"{compiled.FILE.stat().st_size // 1024} kB")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Articles of a news stream as the JSON Lines that `pakrus ingest` reads.

    python benchmarks/stream_to_lines.py FOLDER > lines.jsonl

FOLDER holds articles.jsonl.gz, one object a line with url, title, text, date and source, as the streams that we measure
on do. Only the names of the keys are changed; a title's trailing name of the paper is left for the program to bear.
"""

import gzip
import json
import sys
from pathlib import Path


def main(folder: Path) -> None:
    with gzip.open(folder / "articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            out = {
                "url": article.get("url") or article.get("link"),
                "title": article.get("title") or "",
                "text": article.get("text") or article.get("summary") or "",
                "published": article.get("date") or article.get("published"),
                "source": article.get("source") or "",
            }
            print(json.dumps(out, ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

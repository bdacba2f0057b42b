"""`pakrus search`: full text over the shadow, with the passage that matched."""

import re
from typing import Any

from crawler.shadow import highlight, query
from crawler.terminal import plain
from store.connection import Store

AROUND = 90  # characters of context on each side of the first match


def report(
    store: Store,
    text: str,
    *,
    since: str | None = None,
    until: str | None = None,
    sector: str | None = None,
    language: str | None = None,
    limit: int = 20,
) -> list[dict[str, Any]]:
    """Articles, best first. Raises UsageError for a malformed query."""
    found = store.articles.search(query(text), since=since, until=until, sector=sector, language=language, limit=limit)
    names = {row["id"]: row["name"] for row in store.connection.execute("SELECT id, name FROM sources")}
    out = []
    for article in found:
        passage, spans = _passage(article.text, text)
        out.append(
            {
                "id": article.id,
                "day": article.day,
                "grade": article.grade,
                "title": article.title,
                "source": names[article.source_id],
                "language": article.language,
                "sectors": [s for s, _ in article.sectors],
                "url": article.url,
                "story_id": article.story_id,
                "duplicate_of": article.duplicate_of,
                "passage": passage,
                "highlights": spans,
            }
        )
    return out


def _passage(text: str, query_text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text around the first match, and the matches in it as spans."""
    spans = highlight(text, query_text)
    if not spans:
        return " ".join(text[: 2 * AROUND].split()), []
    start, end = max(0, spans[0][0] - AROUND), min(len(text), spans[0][1] + AROUND)
    if start and (blank := re.search(r"\s", text[start : spans[0][0]])):  # whole words, where there are blanks
        start += blank.end()
    if end < len(text) and (blank := re.search(r"\s\S*$", text[spans[0][1] : end])):
        end = spans[0][1] + blank.start()
    passage = "".join(" " if c.isspace() else c for c in text[start:end])
    return passage, [(a - start, b - start) for a, b in spans if start <= a and b <= end]


def lines(found: list[dict[str, Any]]) -> str:
    if not found:
        return "nothing found"
    out = []
    for item in found:
        sectors = ", ".join(item["sectors"]) or "-"
        out.append(f"{item['day']}  {plain(item['title'])}")
        out.append(f"    {plain(item['source'])}, {item['language']}, grade {item['grade']}, {sectors}")
        out.append(f"    {_marked(item['passage'], item['highlights'])}")
        out.append(f"    {plain(item['url'])}")
    return "\n".join(out)


def _marked(passage: str, spans: list[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        passage = f"{passage[:start]}[{passage[start:end]}]{passage[end:]}"
    return plain(passage)

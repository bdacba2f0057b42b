"""`pakrus history`: the versions of an edited article, and what changed from one to the next."""

from itertools import pairwise
from typing import Any

from crawler.cluster.edits import text_diff
from crawler.terminal import plain
from store.connection import Store
from store.records import utc_text


def report(store: Store, article_id: int, *, diff: bool) -> dict[str, Any]:
    """Raises NotStored for an unknown article."""
    row = store.articles.row(article_id)
    revisions = store.articles.revisions(article_id)
    versions: list[dict[str, Any]] = [{"until": utc_text(r.until), "title": r.title, "text": r.text} for r in revisions]
    versions.append({"until": None, "title": row["title"], "text": row["text"]})
    value: dict[str, Any] = {
        "article_id": article_id,
        "url": row["url"],
        "first_seen_at": row["first_seen_at"],
        "withdrawn_at": row["withdrawn_at"],
        "versions": versions,
    }
    if diff:
        value["diffs"] = [
            text_diff(f"{a['title']}\n{a['text']}", f"{b['title']}\n{b['text']}") for a, b in pairwise(versions)
        ]
    return value


def lines(value: dict[str, Any]) -> str:
    out = [f"article {value['article_id']}  {plain(value['url'])}"]
    for number, version in enumerate(value["versions"], 1):
        stood = f"until {version['until']}" if version["until"] else "now"
        out.append(f"{number}. {stood}: {plain(version['title'])} ({len(version['text'])} characters)")
        if "diffs" in value and number <= len(value["diffs"]):
            out += ["    " + plain(line) for line in value["diffs"][number - 1].splitlines()]
    if value["withdrawn_at"]:
        out.append(f"withdrawn {value['withdrawn_at']}: the page answers 404 or 410, its text is kept")
    elif len(value["versions"]) == 1:
        out.append("never edited, as far as was seen")
    return "\n".join(out)

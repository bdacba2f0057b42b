"""What Datasette is to know of the database: words for tables and columns, facets, search, the analyst's questions."""

import re
import sqlite3
from dataclasses import dataclass
from importlib import resources
from typing import Any

from crawler.errors import UsageError
from crawler.shadow import query
from store.descriptions import TABLES, VIEWS, columns
from store.schema import migrate

DATABASE = "news"  # what it is called in an address, whatever the file's name
FACETS = {
    "articles": ["source_id", "language", "country", "grade", "origin"],
    "article_list": ["source", "language", "country", "grade"],
    "article_sectors": ["sector"],
    "daily": ["grade", "first_source", "languages"],
    "entries": ["state", "source_id", "reason"],
    "mentions": ["kind", "name"],
    "rejects": ["source", "reason"],
    "requests": ["host", "status"],
    "sources": ["state", "country", "language", "kind"],
    "source_health": ["state"],
    "story_overview": ["languages", "grade"],
    "visits": ["outcome", "source_id"],
    "deliveries": ["state", "kind"],
}
SEARCHED = {"articles": "id", "article_list": "article_id"}  # what full text search works on -> the article's id in it
HIDDEN = ("shingles", "story_keys", "story_links", "archive_finds", "meta", "_sqlite_migrations")
NEWEST = {"articles": "first_seen_at", "entries": "first_seen_at", "visits": "started_at", "requests": "at"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A file of queries/: ``-- title``, then ``-- what it tells``, then the SQL, whose parameters may be empty."""

    name: str
    title: str
    description: str
    sql: str


def questions() -> list[Question]:
    files = (f for f in resources.files(__package__).joinpath("queries").iterdir() if f.name.endswith(".sql"))
    found = [_question(f.name.removesuffix(".sql"), f.read_text("utf-8")) for f in files]
    return sorted(found, key=lambda q: q.title)


def _question(name: str, text: str) -> Question:
    match = re.fullmatch(r"-- ([^\n]+)\n-- ([^\n]+)\n(.+)", text, re.DOTALL)
    if match is None:
        raise ValueError(f"queries/{name}.sql: begins with two comments, its title and what it tells")
    return Question(name=name, title=match[1], description=match[2], sql=match[3].strip().removesuffix(";"))


def metadata() -> dict[str, Any]:
    """Datasette's metadata for a database of our schema."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    tables: dict[str, Any] = {}
    for name, words in {**TABLES, **VIEWS}.items():
        told = {column: text for column, text in columns(connection, name).items() if text} if name in TABLES else {}
        tables[name] = {"description": words, "columns": told, "facets": FACETS.get(name, [])}
        if name in SEARCHED:
            tables[name] |= {"fts_table": "article_search", "fts_pk": SEARCHED[name]}
        if name in NEWEST:
            tables[name]["sort_desc"] = NEWEST[name]
    connection.close()
    for name in HIDDEN:
        tables.setdefault(name, {})["hidden"] = True
    return {
        "title": "pakrus",
        "description": "News of Pakistan and Russia: the database as it is now, read-only.",
        "extra_css_urls": ["/desk/desk.css"],
        "databases": {
            DATABASE: {
                "tables": tables,
                "queries": {
                    q.name: {"title": q.title, "description": q.description, "sql": q.sql, "hide_sql": True}
                    for q in questions()
                },
            }
        },
    }


def expression(text: str | None) -> str:
    """A person's words as FTS5 wants them, for SQL: ``article_search MATCH search('пшеница')``.

    What `pakrus search` would call malformed is searched as the words that it holds; without any it finds nothing.
    """
    try:
        return query(text or "")
    except UsageError:
        words = re.findall(r"\w+", text or "")
    try:
        return query(" ".join(f'"{word}"' for word in words[:50]))
    except UsageError:
        return '""'

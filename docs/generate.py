"""Writes the pages that follow from the program: schema.md from the database, reference.md from the command line.

`./run docs` calls it; a test compares its pages with the files, so that they cannot go stale.
"""

import re
import sqlite3
from pathlib import Path

import click

HERE = Path(__file__).parent

TABLES = {
    "meta": "Facts about the database itself.",
    "sources": "The lines of feeds.yaml as last seen, and what visits taught. `ingest` adds sources of kind `none`.",
    "source_moves": "Where a source was fetched before, and who moved it.",
    "hosts": "What politeness needs to know of a host, across restarts.",
    "visits": "Every visit to a source, with its outcome.",
    "gaps": "Visits that overlapped with nothing known: items may have been lost before them.",
    "entries": "The ledger: every item ever listed, each in exactly one state with its reason.",
    "documents": "What was read, of kept and rejected entries alike; the page itself of kept ones, as proof.",
    "articles": "Documents of grade 1 and 2. Nothing kept is ever deleted.",
    "article_sectors": "The sectors of an article, best score first.",
    "mentions": "Names found in an article and the words that prove its sectors. `substr(title or text, start + 1, length)`"
    " is `quote`, in code points.",
    "shingles": "Sampled word 3-grams of an article, for finding near-copies.",
    "stories": "Articles of one event.",
    "story_keys": "Under which keys an article is found when a new one looks for its story.",
    "story_merges": "Stories that became part of another, with what is needed to undo it (`pakrus mark ID apart ID`).",
    "story_links": "Pairs of articles that are of one event as far as the pair alone tells.",
    "story_moves": "Every move of an article from one story to another, with its cause.",
    "story_figures": "Where the articles of a story disagree on a number: who says what, in which words.",
    "revisions": "Earlier versions of edited articles.",
    "marks": "A person's word on an article; outlives every replay.",
    "samples": "Entries drawn at random, to be judged with `pakrus mark`; what they say is in `pakrus status`.",
    "digests": "Editions as canonical JSON with their sha256; every format is rendered from these.",
    "digest_items": "Which story stood where in which edition.",
    "deliveries": "What is to be sent to which channel, and what was: each once.",
    "alerts": "What a rule of feeds.yaml has reported: a story once, a sector's spike once a day.",
    "archives": "The WARC and Parquet files of `pakrus backfill`, and what became of each.",
    "archive_finds": "What an archive held on the pair, until all files are read and it has its place among the stories.",
    "requests": "Every HTTP request, for `pakrus courtesy`; kept 14 days.",
    "runs": "Runs of the program.",
    "article_search": "Full text (FTS5) over a normalised, lemmatised shadow of title and text; `rowid` is the article.",
}
VIEWS = {
    "daily": "A row a day and story: the first thing to ask.",
    "article_list": "Articles as a person would list them.",
    "story_overview": "A row a story: copies, independent origins, sides, languages, sectors.",
    "source_health": "How each source is doing.",
    "rejects": "What was seen and not kept, with the reason.",
    "sector_by_day": "How many stories and articles a sector had on a day.",
}


def schema() -> str:
    from store.schema import migrate

    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    out = [
        "# The database",
        "",
        f"Schema {version}, written by `./run docs` from `store/schema.py`. SQLite in WAL mode: read it with what you like",
        "while the daemon writes. Times are UTC text, `YYYY-MM-DDTHH:MM:SSZ` (`requests.at` with milliseconds);",
        "`day` is the local date in the config's zone. `PRAGMA user_version` is the number of the schema.",
        "",
        "## Views for people",
    ]
    for name, words in VIEWS.items():
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
        out += ["", f"**{name}**: {words}", "", ", ".join(f"`{c}`" for c in columns)]
    out += ["", "## Tables"]
    for name, words in TABLES.items():
        sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
        out += ["", f"### {name}", "", words, "", "| column | type | |", "|---|---|---|"]
        comments = dict(re.findall(r'^\s*"?(\w+)"?[^\n]*?-- (.+)$', sql, re.MULTILINE))
        for row in connection.execute(f"PRAGMA table_info({name})"):
            out.append(f"| {row[1]} | {row[2].lower() or 'text'} | {comments.get(row[1], '')} |")
    made = {r[0] for r in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    shadow = {n for n in made if n.startswith(("article_search_", "sqlite_", "_sqlite_"))}
    left = made - shadow - TABLES.keys()
    assert not left, f"describe these tables in docs/generate.py: {left}"
    connection.close()
    return "\n".join(out) + "\n"


def reference() -> str:
    from crawler.cli import cli

    out = [
        "# The command line",
        "",
        "Written by `./run docs` from the program. Options `--config`, `--db` and `--now` stand before or after the verb.",
        "Results go to stdout, logs to stderr.",
        "",
        "Exit codes: 0 done; 1 the check that the verb makes does not hold; 2 wrong usage or an invalid config (every",
        "mistake is named with its line, nothing was changed); 3 nothing could be reached; 4 the database cannot be used",
        "(the file was left as it was).",
    ]
    out += _commands(cli, "pakrus")
    return "\n".join(out) + "\n"


def _commands(group: click.Group, path: str) -> list[str]:
    out: list[str] = []
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            out += _commands(command, f"{path} {name}")
            continue
        # Beneath the program itself, as when it runs: its settings are inherited (-h).
        parent = click.Context(group, info_name=path, help_option_names=["-h", "--help"])
        context = click.Context(command, parent=parent, info_name=name, max_content_width=100, terminal_width=100)
        out += ["", f"## {path} {name}", "", "```text", command.get_help(context), "```"]
    return out


PAGES = {"schema.md": schema, "reference.md": reference}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (HERE / page).write_text(make(), "utf-8")

"""What tables, views and columns hold, in words: for docs/schema.md and for the desk."""

import re
import sqlite3

TABLES = {
    "meta": "Facts about the database itself.",
    "sources": "The lines of feeds.yaml as last seen, and what visits taught. `ingest` adds sources of kind `none`.",
    "lists": "Which items stood in a feed at the last visit, so that only what is new in it need be read.",
    "source_moves": "Where a source was fetched before, and who moved it.",
    "hosts": "What politeness needs to know of a host, across restarts.",
    "visits": "Every visit to a source, with its outcome.",
    "gaps": "Visits that overlapped with nothing known: items may have been lost before them.",
    "entries": "The ledger: every item ever listed, each in exactly one state with its reason. `added_at`: when"
    " the row was written, where that is not when the item was first seen.",
    "documents": "What was read, of kept and rejected entries alike; the page itself of kept ones, as proof.",
    "articles": "Documents of grade 1 and 2. Nothing kept is ever deleted. `added_at`: when it came into this"
    " database; null in older rows: when it was first seen.",
    "compacted_entries": "How many rows of rejected items `keep.rejected_entries` has taken out of `entries`.",
    "article_sectors": "The sectors of an article, best score first.",
    "mentions": "Names found in an article and the words that prove its sectors. `substr(title or text, start + 1,"
    " length)` is `quote`, in code points.",
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
    "archive_finds": "What an archive held on the pair, until all files are read and it has its place among the"
    " stories.",
    "requests": "Every HTTP request, for `pakrus courtesy`; kept 14 days.",
    "runs": "Runs of the program.",
    "article_search": "Full text (FTS5) over a normalised, lemmatised shadow of title and text; `rowid` is the"
    " article.",
}
VIEWS = {
    "daily": "A row a day and story: the first thing to ask.",
    "article_list": "Articles as a person would list them.",
    "story_overview": "A row a story: copies, independent origins, sides, languages, sectors.",
    "source_health": "How each source is doing.",
    "rejects": "What was seen and not kept, with the reason.",
    "sector_by_day": "How many stories and articles a sector had on a day.",
}


def columns(connection: sqlite3.Connection, name: str) -> dict[str, str]:
    """The columns of a table with what is said of them beside it ("" for the most)."""
    sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()[0]
    comments = dict(re.findall(r'^\s*"?(\w+)"?[^\n]*?-- (.+)$', sql, re.MULTILINE))
    return {row[1]: comments.get(row[1], "") for row in connection.execute(f"PRAGMA table_info({name})")}

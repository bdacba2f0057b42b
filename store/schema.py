"""The schema: append-only migrations, and the views for people.

Each migration runs with its record and its number in one transaction (sqlite-utils). Never edit one that was released:
add a function at the end, and raise `SCHEMA` in connection.py. Views are dropped and made again by a migration.
"""

import sqlite3

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from store.connection import APPLICATION_ID

migrations = Migrations("pakrus")


def migrate(connection: sqlite3.Connection) -> list[str]:
    """Brings the database up to our schema; returns the names of the migrations that ran."""
    database = Database(connection)
    names = [m.name for m in migrations.pending(database)]
    # First of all, and by itself: sqlite-utils commits its own table before the first migration, and a file that holds
    # that much and no more when the disk is full or the power fails must be known for ours.
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    migrations.apply(database)
    return names


def pending(connection: sqlite3.Connection) -> list[str]:
    """The names of the migrations that are still to run; reads only."""
    return [m.name for m in migrations.pending(Database(connection))]


def _run(database: Database, script: str, version: int) -> None:
    # Statement by statement: executescript would commit the transaction that sqlite-utils has open.
    for statement in script.split(";\n"):
        if statement.strip():
            database.conn.execute(statement)
    database.conn.execute(f"PRAGMA user_version = {version}")


@migrations()
def m0001_first(database: Database) -> None:
    database.conn.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    _run(database, _TABLES_1 + _VIEWS_1, 1)


@migrations()
def m0002_stories_and_archives(database: Database) -> None:
    _run(database, _TABLES_2, 2)


_TABLES_1 = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sources (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT NOT NULL, -- where it is fetched now
    kind TEXT NOT NULL, -- feed, sitemap, listing, spider; none: made by ingest, never polled
    role TEXT NOT NULL DEFAULT 'source',
    country TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    etag TEXT,
    last_modified TEXT,
    next_due_at TEXT, -- null: at once
    consecutive_failures REAL NOT NULL DEFAULT 0, -- weighed: hard 1, soft 0.5, temporary 0.25
    state TEXT NOT NULL DEFAULT 'new', -- new, good, empty, stale, gone, throttled, blocked, failing, disabled, retired
    state_since TEXT,
    configured_url TEXT NOT NULL DEFAULT '', -- the one in feeds.yaml; wins when it changes
    body_sha256 TEXT,
    interval_s INTEGER,
    visits_since_full INTEGER NOT NULL DEFAULT 0,
    moved_to TEXT,
    moved_count INTEGER NOT NULL DEFAULT 0,
    last_visit_at TEXT,
    last_good_at TEXT,
    last_outcome TEXT,
    last_error TEXT,
    created_at TEXT NOT NULL,
    retired_at TEXT
) WITHOUT ROWID;
CREATE INDEX sources_due ON sources (next_due_at);

CREATE TABLE source_moves (
    source_id TEXT NOT NULL REFERENCES sources (id),
    at TEXT NOT NULL,
    from_url TEXT NOT NULL,
    to_url TEXT NOT NULL,
    by TEXT NOT NULL -- redirect, or feeds.yaml
);

CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    robots TEXT,
    robots_status INTEGER,
    robots_at TEXT,
    robots_good_at TEXT,
    retry_after TEXT,
    delay REAL,
    last_request_at TEXT
) WITHOUT ROWID;

CREATE TABLE visits (
    id INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL REFERENCES sources (id),
    started_at TEXT NOT NULL,
    status INTEGER,
    outcome TEXT NOT NULL,
    entries_seen INTEGER NOT NULL DEFAULT 0,
    entries_new INTEGER NOT NULL DEFAULT 0,
    overlap INTEGER,
    bytes INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    url TEXT
);
CREATE INDEX visits_source ON visits (source_id, started_at);
CREATE INDEX visits_time ON visits (started_at);

CREATE TABLE gaps (
    visit_id INTEGER NOT NULL REFERENCES visits (id),
    source_id TEXT NOT NULL REFERENCES sources (id),
    "from" TEXT,
    "to" TEXT,
    backfilled TEXT, -- when the backfill was done; null: still to do
    found INTEGER
);

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    source_id TEXT NOT NULL REFERENCES sources (id),
    guid TEXT NOT NULL DEFAULT '',
    url TEXT, -- as the source gave it, made absolute; null: no usable link
    title TEXT NOT NULL DEFAULT '',
    published_at TEXT,
    first_seen_at TEXT NOT NULL,
    last_seen_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'kept', 'duplicate', 'rejected', 'blocked', 'failed', 'removed')),
    reason TEXT NOT NULL DEFAULT '',
    tries INTEGER NOT NULL DEFAULT 0,
    next_try_at TEXT,
    article_id INTEGER REFERENCES articles (id),
    key TEXT NOT NULL, -- what makes it the same item at the next visit
    canonical_url TEXT NOT NULL DEFAULT '',
    summary TEXT NOT NULL DEFAULT '',
    content TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL DEFAULT '',
    publisher TEXT NOT NULL DEFAULT '',
    published_precision TEXT NOT NULL DEFAULT 'unknown',
    score REAL,
    item_sha256 TEXT NOT NULL DEFAULT '', -- of title, summary and content as the source last gave them
    UNIQUE (source_id, key)
);
CREATE INDEX entries_canonical ON entries (canonical_url);
CREATE INDEX entries_pending ON entries (next_try_at) WHERE state = 'pending';
CREATE INDEX entries_article ON entries (article_id) WHERE article_id IS NOT NULL;
CREATE INDEX entries_seen ON entries (first_seen_at);
CREATE INDEX entries_source_seen ON entries (source_id, first_seen_at);

CREATE TABLE documents (
    entry_id INTEGER PRIMARY KEY REFERENCES entries (id),
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    fetched_at TEXT NOT NULL,
    page_gz BLOB,
    page_sha256 TEXT
);

CREATE TABLE stories (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- a number is never given out twice: past editions name it
    headline TEXT NOT NULL,
    first_published_at TEXT NOT NULL,
    last_published_at TEXT NOT NULL,
    created_at TEXT NOT NULL
);
CREATE INDEX stories_time ON stories (last_published_at);

CREATE TABLE articles (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL,
    canonical_url TEXT NOT NULL UNIQUE,
    source_id TEXT NOT NULL REFERENCES sources (id),
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    author TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL,
    country TEXT NOT NULL DEFAULT '',
    published_at TEXT,
    published_precision TEXT NOT NULL,
    published_from TEXT NOT NULL,
    first_seen_at TEXT NOT NULL,
    day TEXT NOT NULL,
    grade INTEGER NOT NULL CHECK (grade IN (1, 2)),
    score REAL NOT NULL,
    story_id INTEGER NOT NULL REFERENCES stories (id),
    duplicate_of INTEGER REFERENCES articles (id),
    origin TEXT NOT NULL DEFAULT '',
    text_hash TEXT NOT NULL,
    dateline TEXT NOT NULL DEFAULT '',
    reasons TEXT NOT NULL DEFAULT '[]', -- JSON: what each piece of evidence added
    profile TEXT NOT NULL DEFAULT '{}', -- JSON: what stories are told apart by
    fingerprint_size INTEGER NOT NULL DEFAULT 0,
    etag TEXT,
    last_modified TEXT,
    recheck_at TEXT, -- when the page is read again for edits; null: no more
    rechecks INTEGER NOT NULL DEFAULT 0,
    withdrawn_at TEXT
);
CREATE INDEX articles_day ON articles (day, story_id);
CREATE INDEX articles_story ON articles (story_id);
CREATE INDEX articles_seen ON articles (first_seen_at);
CREATE INDEX articles_original ON articles (duplicate_of) WHERE duplicate_of IS NOT NULL;
CREATE INDEX articles_recheck ON articles (recheck_at) WHERE recheck_at IS NOT NULL;

CREATE TABLE article_sectors (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    sector TEXT NOT NULL,
    score REAL NOT NULL,
    PRIMARY KEY (article_id, sector)
) WITHOUT ROWID;
CREATE INDEX article_sectors_sector ON article_sectors (sector);

CREATE TABLE mentions (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    field TEXT NOT NULL CHECK (field IN ('title', 'text')),
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    quote TEXT NOT NULL
);
CREATE INDEX mentions_article ON mentions (article_id);
CREATE INDEX mentions_name ON mentions (name, article_id);

CREATE TABLE shingles (
    hash INTEGER NOT NULL,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    PRIMARY KEY (hash, article_id)
) WITHOUT ROWID;
CREATE INDEX shingles_article ON shingles (article_id);

CREATE TABLE story_keys (
    key TEXT NOT NULL,
    at TEXT NOT NULL,
    article_id INTEGER NOT NULL REFERENCES articles (id),
    PRIMARY KEY (key, at, article_id)
) WITHOUT ROWID;
CREATE INDEX story_keys_article ON story_keys (article_id);

CREATE TABLE story_merges (
    at TEXT NOT NULL,
    story_id INTEGER NOT NULL, -- the one that stayed
    merged_id INTEGER NOT NULL, -- the one that went
    article_id INTEGER NOT NULL, -- the article that joined them
    reasons TEXT NOT NULL,
    articles TEXT NOT NULL -- JSON: the ids that came from the merged story, for undoing
);

CREATE TABLE revisions (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    seen_at TEXT NOT NULL,
    title TEXT NOT NULL, -- as it was before seen_at
    text TEXT NOT NULL,
    verdict TEXT NOT NULL DEFAULT '{}' -- JSON: grade, score, sectors and mentions of that version
);
CREATE INDEX revisions_article ON revisions (article_id, seen_at);

CREATE TABLE marks (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    url TEXT NOT NULL,
    entry_id INTEGER REFERENCES entries (id),
    article_id INTEGER REFERENCES articles (id),
    verdict TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT ''
);

CREATE INDEX marks_url ON marks (url);

CREATE TABLE samples (
    entry_id INTEGER PRIMARY KEY REFERENCES entries (id),
    at TEXT NOT NULL,
    stratum TEXT NOT NULL, -- kept, rejects (judged by their text), unfetched (ruled out by title or bytes)
    population INTEGER NOT NULL -- how many entries the stratum had when this one was drawn
);

CREATE TABLE digests (
    id INTEGER PRIMARY KEY,
    date TEXT NOT NULL,
    timezone TEXT NOT NULL,
    period TEXT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (date, timezone, period)
);

CREATE TABLE digest_items (
    digest_id INTEGER NOT NULL REFERENCES digests (id),
    story_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (digest_id, position) -- with a rowid: without one SQLite 3.40 wants the key's columns to be the first
);
CREATE INDEX digest_items_story ON digest_items (story_id);

CREATE TABLE requests (
    at TEXT NOT NULL, -- with milliseconds
    source_id TEXT,
    host TEXT NOT NULL,
    url TEXT NOT NULL,
    status INTEGER,
    bytes INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    conditional INTEGER NOT NULL,
    retry_after TEXT
);
CREATE INDEX requests_at ON requests (at);
CREATE INDEX requests_host ON requests (host, at);

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    verb TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT, -- null: running, or killed
    result TEXT NOT NULL DEFAULT '{}' -- JSON
);

CREATE VIRTUAL TABLE article_search USING fts5 (
    title, text, tokenize = "unicode61 remove_diacritics 0"
);
"""

# Copies are articles that repeat another; independent origins are the wires, ministries or newsrooms that the rest
# come from. Sides are countries of the sources.
_VIEWS_1 = """
CREATE VIEW story_overview AS
SELECT
    s.id AS story_id,
    s.headline,
    s.first_published_at,
    count(a.id) AS articles,
    count(a.duplicate_of) AS copies,
    count(DISTINCT CASE WHEN a.duplicate_of IS NULL THEN coalesce(nullif(a.origin, ''), a.source_id) END)
        AS independent_origins,
    sum(a.country = 'PK') AS pakistani,
    sum(a.country = 'RU') AS russian,
    sum(a.country NOT IN ('PK', 'RU')) AS other,
    (SELECT group_concat(language, ', ') FROM (
        SELECT DISTINCT language FROM articles b WHERE b.story_id = s.id ORDER BY language)) AS languages,
    (SELECT group_concat(sector, ', ') FROM (
        SELECT x.sector FROM article_sectors x JOIN articles b ON b.id = x.article_id
        WHERE b.story_id = s.id GROUP BY x.sector ORDER BY max(x.score) DESC, x.sector)) AS sectors,
    max(a.grade) AS grade,
    s.last_published_at
FROM stories s JOIN articles a ON a.story_id = s.id
GROUP BY s.id;

CREATE VIEW daily AS
SELECT
    a.day,
    (SELECT headline FROM stories s WHERE s.id = a.story_id) AS headline,
    max(a.grade) AS grade,
    (SELECT group_concat(sector, ', ') FROM (
        SELECT x.sector FROM article_sectors x JOIN articles b ON b.id = x.article_id
        WHERE b.story_id = a.story_id GROUP BY x.sector ORDER BY max(x.score) DESC, x.sector)) AS sectors,
    (SELECT group_concat(language, ', ') FROM (
        SELECT DISTINCT language FROM articles b WHERE b.story_id = a.story_id AND b.day = a.day ORDER BY language))
        AS languages,
    count(a.duplicate_of) AS copies,
    count(DISTINCT CASE WHEN a.duplicate_of IS NULL THEN coalesce(nullif(a.origin, ''), a.source_id) END) AS origins,
    (SELECT n.name FROM articles b JOIN sources n ON n.id = b.source_id
        WHERE b.story_id = a.story_id ORDER BY coalesce(b.published_at, b.first_seen_at), b.id LIMIT 1) AS first_source,
    (SELECT first_published_at FROM stories s WHERE s.id = a.story_id) AS first_published_at,
    (SELECT b.url FROM articles b WHERE b.story_id = a.story_id AND b.day = a.day
        ORDER BY b.grade DESC, coalesce(b.published_at, b.first_seen_at), b.id LIMIT 1) AS url,
    a.story_id
FROM articles a
GROUP BY a.day, a.story_id;

CREATE VIEW article_list AS
SELECT
    a.day,
    a.published_at,
    n.name AS source,
    a.language,
    a.grade,
    a.title,
    (SELECT group_concat(sector, ', ') FROM (
        SELECT sector FROM article_sectors x WHERE x.article_id = a.id ORDER BY score DESC, sector)) AS sectors,
    a.url,
    a.story_id,
    a.duplicate_of,
    a.id AS article_id,
    a.origin,
    a.country,
    a.first_seen_at
FROM articles a JOIN sources n ON n.id = a.source_id;

CREATE VIEW source_health AS
SELECT
    s.id AS source_id,
    s.name,
    s.state,
    s.last_good_at,
    s.last_outcome,
    s.consecutive_failures,
    s.next_due_at,
    (SELECT count(*) FROM entries e WHERE e.source_id = s.id
        AND e.first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days')) AS entries_7d,
    (SELECT count(*) FROM entries e WHERE e.source_id = s.id AND e.state IN ('kept', 'duplicate')
        AND e.first_seen_at >= strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days')) AS kept_7d,
    s.last_error,
    s.state_since,
    s.url
FROM sources s
WHERE s.retired_at IS NULL;

CREATE VIEW rejects AS
SELECT
    e.first_seen_at,
    n.name AS source,
    coalesce(d.title, e.title) AS title,
    e.reason,
    e.score,
    e.url,
    e.id AS entry_id
FROM entries e JOIN sources n ON n.id = e.source_id LEFT JOIN documents d ON d.entry_id = e.id
WHERE e.state = 'rejected';

CREATE VIEW sector_by_day AS
SELECT
    a.day,
    x.sector,
    count(DISTINCT a.story_id) AS stories,
    count(*) AS articles
FROM article_sectors x JOIN articles a ON a.id = x.article_id
GROUP BY a.day, x.sector;
"""

_TABLES_2 = """
CREATE TABLE lists (
    source_id TEXT PRIMARY KEY REFERENCES sources (id),
    judged_by TEXT NOT NULL, -- hash of what its items are judged by; when that changes, all are read and judged anew
    items TEXT NOT NULL -- JSON: hash of an item's text in the feed -> [entry, seconds since 1970 of its date or null]
) WITHOUT ROWID;

CREATE TABLE archives (
    name TEXT PRIMARY KEY, -- path or URL of an archive file that a backfill reads
    size INTEGER, -- bytes; null: not known beforehand
    lexicon TEXT NOT NULL, -- hash of the lexicon it is read with
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
    reason TEXT NOT NULL DEFAULT '',
    pages INTEGER NOT NULL DEFAULT 0,
    candidates INTEGER NOT NULL DEFAULT 0, -- pages whose bytes name both sides
    unread INTEGER NOT NULL DEFAULT 0, -- candidates that gave no article
    finds INTEGER NOT NULL DEFAULT 0, -- documents of grade 1 and 2
    at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE archive_finds (
    archive TEXT NOT NULL REFERENCES archives (name),
    number INTEGER NOT NULL,
    url TEXT NOT NULL,
    canonical_url TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    author TEXT NOT NULL,
    language TEXT NOT NULL,
    published_at TEXT,
    published_precision TEXT NOT NULL,
    published_from TEXT NOT NULL,
    seen_at TEXT, -- when the archive fetched it
    origin TEXT NOT NULL,
    dateline TEXT NOT NULL,
    country TEXT NOT NULL,
    PRIMARY KEY (archive, number)
);

CREATE TABLE story_links (
    article_id INTEGER NOT NULL REFERENCES articles (id),
    other_id INTEGER NOT NULL REFERENCES articles (id),
    score REAL NOT NULL, -- points over what a quiet week asks for; each link stands here in both directions
    PRIMARY KEY (article_id, other_id)
) WITHOUT ROWID;

CREATE TABLE story_moves (
    at TEXT NOT NULL,
    article_id INTEGER NOT NULL,
    from_story INTEGER NOT NULL,
    to_story INTEGER NOT NULL,
    by_article INTEGER, -- the article whose coming or going made the stories anew; null: all were replayed
    reasons TEXT NOT NULL
);
CREATE INDEX story_moves_at ON story_moves (at);
CREATE INDEX story_moves_article ON story_moves (article_id, at);
INSERT INTO story_moves (at, article_id, from_story, to_story, by_article, reasons)
    SELECT m.at, a.value, m.merged_id, m.story_id, m.article_id, m.reasons
    FROM story_merges m, json_each(m.articles) a ORDER BY m.rowid;

CREATE TABLE story_figures (
    story_id INTEGER NOT NULL REFERENCES stories (id),
    unit TEXT NOT NULL, -- what is counted: traders, tonnes, killed
    value REAL NOT NULL,
    article_id INTEGER NOT NULL REFERENCES articles (id), -- an article that says so, while another says otherwise
    field TEXT NOT NULL CHECK (field IN ('title', 'text')),
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    quote TEXT NOT NULL,
    PRIMARY KEY (story_id, unit, value, article_id)
) WITHOUT ROWID;
CREATE INDEX story_figures_article ON story_figures (article_id);

CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL, -- hash of the line of digest.send: an address is no business of the database
    label TEXT NOT NULL, -- place and scheme of that line
    kind TEXT NOT NULL CHECK (kind IN ('edition', 'alert')),
    key TEXT NOT NULL, -- the edition or the alert that is sent
    subject TEXT NOT NULL DEFAULT '', -- of an alert; an edition is rendered when it is sent
    body TEXT NOT NULL DEFAULT '',
    queued_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'failed')),
    tries INTEGER NOT NULL DEFAULT 0, -- that failed
    next_try_at TEXT, -- null: no more
    begun_at TEXT, -- of the last try; left at sending by a stop, nobody knows whether it arrived
    sent_at TEXT,
    error TEXT NOT NULL DEFAULT '',
    UNIQUE (channel, kind, key)
);
CREATE INDEX deliveries_due ON deliveries (next_try_at) WHERE state = 'pending';

CREATE TABLE alerts (
    rule TEXT NOT NULL, -- its name in feeds.yaml
    about TEXT NOT NULL, -- story and its number, or spike, sector and day
    at TEXT NOT NULL,
    story_id INTEGER,
    article_id INTEGER, -- the article that met the rule: its story is known by it after a merge
    PRIMARY KEY (rule, about)
) WITHOUT ROWID;

CREATE INDEX marks_stories ON marks (id) WHERE verdict IN ('apart', 'together');

ALTER TABLE articles ADD COLUMN added_at TEXT;
ALTER TABLE entries ADD COLUMN added_at TEXT;

CREATE TABLE compacted_entries (
    source_id TEXT NOT NULL REFERENCES sources (id),
    month TEXT NOT NULL, -- of first_seen_at, UTC
    state TEXT NOT NULL,
    entries INTEGER NOT NULL, -- whose rows are gone
    PRIMARY KEY (source_id, month, state)
) WITHOUT ROWID;

-- What `status` and `audit` count, without a look at the rows themselves; the last one is empty in a sound ledger.
CREATE INDEX entries_state ON entries (state, article_id);
CREATE INDEX entries_unread ON entries (id)
    WHERE state = 'rejected' AND url IS NOT NULL AND substr(reason, 1, 7) <> 'witness';
CREATE INDEX entries_rejected ON entries (first_seen_at) WHERE state = 'rejected' AND article_id IS NULL;
CREATE INDEX entries_mute ON entries (id) WHERE state IN ('rejected', 'blocked', 'failed') AND reason = '';
-- What the sweep looks for each hour: old texts, most of which are of what was kept.
CREATE INDEX documents_fetched ON documents (fetched_at);

-- New entries that the source listed before under other addresses, where the site has changed them all.
ALTER TABLE visits ADD COLUMN renamed INTEGER NOT NULL DEFAULT 0;
"""

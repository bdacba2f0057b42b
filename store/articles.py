"""The articles: documents of grade 1 and 2 with their evidence, copies, revisions and full text."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from sqlite3 import Row
from typing import TYPE_CHECKING, Any

from store.errors import NotStored
from store.records import Article, MentionRow, utc_text, utc_time

if TYPE_CHECKING:
    from store.connection import Store

LINKS = 100  # of an article, that are followed when its story is made anew
NEIGHBOURS = 300  # articles that a new one is compared with for its story
RANKED = 20_000  # matches of a search that are weighed
POPULAR = 200  # a shingle in more articles than this is boilerplate (legal tags, sign-offs) and tells nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """An article as it is written. `day` is the local date in the config's zone; `profile` and `reasons` are JSON."""

    url: str
    canonical_url: str
    source_id: str
    title: str
    text: str
    author: str
    language: str
    country: str
    published_at: datetime | None
    published_precision: str
    published_from: str
    first_seen_at: datetime
    day: str
    grade: int
    score: float
    origin: str
    dateline: str
    text_hash: str
    reasons: Sequence[Mapping[str, Any]]
    profile: Mapping[str, Any]
    sectors: Sequence[tuple[str, float]]
    mentions: Sequence[MentionRow]
    fingerprint: Sequence[int]
    story_keys: Sequence[str]
    shadow: tuple[str, str]  # title and text as the full-text index wants them
    etag: str | None = None
    last_modified: str | None = None
    recheck_at: datetime | None = None

    @property
    def at(self) -> datetime:
        """When it came out, as far as is known."""
        return self.published_at or self.first_seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """An article that shares shingles with a new one."""

    article_id: int
    shared: int
    size: int
    at: datetime
    duplicate_of: int | None
    source_id: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An article as grouping sees it."""

    id: int
    story_id: int
    day: str
    canonical_url: str
    duplicate_of: int | None
    profile: str  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A version of an article that stood until an edit."""

    until: datetime
    title: str
    text: str
    verdict: Mapping[str, Any]  # grade, score, sectors, mentions [kind, name, field, start]


class Articles:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    # --- reading

    def get(self, article_id: int) -> Article:
        row = self._run("SELECT * FROM articles WHERE id = ?", (article_id,)).fetchone()
        if row is None:
            raise NotStored(f"no article {article_id} in the database")
        return self._article(row)

    def by_canonical(self, canonical_url: str) -> Article | None:
        row = self._run("SELECT * FROM articles WHERE canonical_url = ?", (canonical_url,)).fetchone()
        return None if row is None else self._article(row)

    def row(self, article_id: int) -> Row:
        """All columns of an article, for reports."""
        row = self._run("SELECT * FROM articles WHERE id = ?", (article_id,)).fetchone()
        if row is None:
            raise NotStored(f"no article {article_id} in the database")
        return row  # type: ignore[no-any-return]

    def of_story(self, story_id: int) -> list[Article]:
        """The articles of a story, the first published first."""
        rows = self._run(
            "SELECT * FROM articles WHERE story_id = ? ORDER BY coalesce(published_at, first_seen_at), id", (story_id,)
        )
        return [self._article(row) for row in rows]

    def seen_between(self, since: datetime, until: datetime) -> list[Article]:
        """Articles first seen in [since, until)."""
        rows = self._run(
            "SELECT * FROM articles WHERE first_seen_at >= ? AND first_seen_at < ? ORDER BY id",
            (utc_text(since), utc_text(until)),
        )
        return [self._article(row) for row in rows]

    def mentions(self, article_id: int) -> list[MentionRow]:
        rows = self._run(
            "SELECT kind, name, field, start, quote FROM mentions WHERE article_id = ? ORDER BY field DESC, start",
            (article_id,),
        )
        return [
            MentionRow(kind=r["kind"], name=r["name"], field=r["field"], start=r["start"], quote=r["quote"])
            for r in rows
        ]

    def revisions(self, article_id: int) -> list[Revision]:
        """The earlier versions of an article, oldest first."""
        rows = self._run("SELECT * FROM revisions WHERE article_id = ? ORDER BY seen_at, rowid", (article_id,))
        return [
            Revision(until=utc_time(r["seen_at"]), title=r["title"], text=r["text"], verdict=json.loads(r["verdict"]))
            for r in rows
        ]

    def near(self, fingerprint: Sequence[int], *, exclude: int | None = None) -> list[Near]:
        """Articles that share shingles with a fingerprint, most shared first; popular shingles tell nothing."""
        shared: dict[int, int] = {}
        for hash_ in fingerprint:
            rows = self._run("SELECT article_id FROM shingles WHERE hash = ? LIMIT ?", (hash_, POPULAR + 1)).fetchall()
            if len(rows) <= POPULAR:
                for (article_id,) in rows:
                    shared[article_id] = shared.get(article_id, 0) + 1
        if exclude is not None:
            shared.pop(exclude, None)
        best = sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:32]
        out = []
        for article_id, count in best:
            row = self._run(
                "SELECT fingerprint_size, coalesce(published_at, first_seen_at) AS at, duplicate_of, source_id, url"
                " FROM articles WHERE id = ?",
                (article_id,),
            ).fetchone()
            out.append(
                Near(
                    article_id=article_id,
                    shared=count,
                    size=row["fingerprint_size"],
                    at=utc_time(row["at"]),
                    duplicate_of=row["duplicate_of"],
                    source_id=row["source_id"],
                    url=row["url"],
                )
            )
        return out

    def neighbours(
        self, keys: Iterable[str], *, since: datetime, until: datetime, exclude: int | None = None
    ) -> list[tuple[int, int, str]]:
        """(article, story, profile as JSON) of articles under one of the keys that came out in [since, until]; in a
        very busy week those that share most keys."""
        shared: Counter[int] = Counter()
        for key in keys:
            rows = self._run(
                "SELECT article_id FROM story_keys WHERE key = ? AND at BETWEEN ? AND ?",
                (key, utc_text(since), utc_text(until)),
            )
            shared.update(row[0] for row in rows)
        if exclude is not None:
            shared.pop(exclude, None)
        best = sorted(shared, key=lambda id_: (-shared[id_], id_))[:NEIGHBOURS]
        out = []
        for id_ in sorted(best):
            row = self._run("SELECT story_id, profile FROM articles WHERE id = ?", (id_,)).fetchone()
            out.append((id_, row["story_id"], row["profile"]))
        return out

    def busy(self, day: str) -> int:
        """How many articles there are of a day (``YYYY-MM-DD``) and the seven before it."""
        week = (date.fromisoformat(day) - timedelta(days=7)).isoformat()
        return int(self._run("SELECT count(*) FROM articles WHERE day BETWEEN ? AND ?", (week, day)).fetchone()[0])

    def weeks_with(self, day: str) -> dict[str, int]:
        """`busy` of the days that count an article of `day`: that day and the seven after it, where there are any
        articles."""
        first = date.fromisoformat(day)
        span = [(first + timedelta(days=n)).isoformat() for n in range(-7, 8)]
        within = (span[0], span[-1])
        rows = self._run("SELECT day, count(*) FROM articles WHERE day BETWEEN ? AND ? GROUP BY day", within)
        of = dict(rows.fetchall())
        return {span[n]: sum(of.get(d, 0) for d in span[n - 7 : n + 1]) for n in range(7, 15) if span[n] in of}

    def linked_of(self, day: str) -> list[int]:
        """Articles of a day that are like another one, or share a story with it."""
        rows = self._run(
            "SELECT a.id FROM articles a WHERE a.day = ? AND (EXISTS (SELECT 1 FROM story_links l"
            " WHERE l.article_id = a.id) OR EXISTS (SELECT 1 FROM articles b WHERE b.story_id = a.story_id"
            " AND b.id <> a.id)) ORDER BY a.id",
            (day,),
        )
        return [row[0] for row in rows]

    def member(self, article_id: int) -> Member:
        """What grouping needs of an article."""
        row = self._run(
            "SELECT id, story_id, day, canonical_url, duplicate_of, profile FROM articles WHERE id = ?", (article_id,)
        ).fetchone()
        if row is None:
            raise NotStored(f"no article {article_id} in the database")
        return Member(
            id=row["id"],
            story_id=row["story_id"],
            day=row["day"],
            canonical_url=row["canonical_url"],
            duplicate_of=row["duplicate_of"],
            profile=row["profile"],
        )

    def beside(self, story_id: int) -> list[int]:
        """The numbers of a story's articles."""
        return [row[0] for row in self._run("SELECT id FROM articles WHERE story_id = ? ORDER BY id", (story_id,))]

    def links(self, article_id: int) -> list[tuple[int, float]]:
        """(article, score) of those that are of one event with it, as far as the pair alone tells; the likest first."""
        rows = self._run(
            "SELECT other_id, score FROM story_links WHERE article_id = ? ORDER BY score DESC, other_id LIMIT ?",
            (article_id, LINKS),
        )
        return [(row["other_id"], row["score"]) for row in rows]

    def search(
        self,
        expression: str,
        *,
        since: str | None = None,
        until: str | None = None,
        sector: str | None = None,
        language: str | None = None,
        limit: int = 20,
    ) -> list[Article]:
        """Articles whose shadow matches an FTS5 expression, best first; the title weighs five times the text.

        `since` and `until` are days (inclusive). Of more than RANKED matches the last to come are ranked: a word that
        so many hold tells nothing, and to weigh all of them costs seconds in a large database.
        """
        # Only numbers are ranked, and rows are read of the chosen ones alone: texts would go through the sorter.
        wanted = [
            (condition, value)
            for condition, value in (
                ("SELECT id FROM articles WHERE day >=", since),
                ("SELECT id FROM articles WHERE day <=", until),
                ("SELECT id FROM articles WHERE language =", language),
                ("SELECT article_id FROM article_sectors WHERE sector =", sector),
            )
            if value is not None
        ]
        within = "".join(f" AND rowid IN ({condition} ?{n})" for n, (condition, _) in enumerate(wanted, start=4))
        ranked = self._run(
            f"SELECT rowid FROM article_search WHERE article_search MATCH ?1{within} AND rowid > coalesce("  # noqa: S608
            f" (SELECT rowid FROM article_search WHERE article_search MATCH ?1{within}"
            "   ORDER BY rowid DESC LIMIT 1 OFFSET ?2), 0)"
            " ORDER BY bm25(article_search, 5.0, 1.0), rowid DESC LIMIT ?3",
            (expression, RANKED, limit, *(value for _, value in wanted)),
        ).fetchall()
        return [self.get(row[0]) for row in ranked]

    def all_ids(self) -> Iterator[int]:
        """Every article, in the order in which it came out."""
        for row in self._run("SELECT id FROM articles ORDER BY coalesce(published_at, first_seen_at), id").fetchall():
            yield row[0]

    def copies(self, article_id: int) -> list[int]:
        return [row[0] for row in self._run("SELECT id FROM articles WHERE duplicate_of = ?", (article_id,))]

    def _article(self, row: Row) -> Article:
        sectors = self._run(
            "SELECT sector, score FROM article_sectors WHERE article_id = ? ORDER BY score DESC, sector", (row["id"],)
        )
        return Article(
            id=row["id"],
            url=row["url"],
            canonical_url=row["canonical_url"],
            source_id=row["source_id"],
            title=row["title"],
            text=row["text"],
            author=row["author"],
            language=row["language"],
            country=row["country"],
            published_at=utc_time(row["published_at"]) if row["published_at"] else None,
            published_precision=row["published_precision"],
            published_from=row["published_from"],
            first_seen_at=utc_time(row["first_seen_at"]),
            day=row["day"],
            grade=row["grade"],
            score=row["score"],
            story_id=row["story_id"],
            duplicate_of=row["duplicate_of"],
            origin=row["origin"],
            added_at=utc_time(row["added_at"] or row["first_seen_at"]),
            sectors=tuple((s["sector"], s["score"]) for s in sectors),
        )

    # --- writing

    def add(self, new: NewArticle, *, story_id: int, duplicate_of: int | None, added_at: datetime | None = None) -> int:
        """Writes an article; `added_at` is now, where that is not when it was first seen."""
        cursor = self._run(
            "INSERT INTO articles (url, canonical_url, source_id, title, text, author, language, country, published_at,"
            " published_precision, published_from, first_seen_at, day, grade, score, story_id, duplicate_of, origin,"
            " text_hash, dateline, reasons, profile, fingerprint_size, etag, last_modified, recheck_at, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                new.url, new.canonical_url, new.source_id, new.title, new.text, new.author, new.language, new.country,
                utc_text(new.published_at) if new.published_at else None, new.published_precision, new.published_from,
                utc_text(new.first_seen_at), new.day, new.grade, new.score, story_id, duplicate_of, new.origin,
                new.text_hash, new.dateline, _json(new.reasons), _json(new.profile), len(new.fingerprint), new.etag,
                new.last_modified, utc_text(new.recheck_at) if new.recheck_at else None,
                utc_text(added_at or new.first_seen_at),
            ),
        )  # fmt: skip
        assert cursor.lastrowid is not None
        self._evidence(cursor.lastrowid, new)
        return cursor.lastrowid

    def rewrite(self, article_id: int, new: NewArticle, *, story_id: int, duplicate_of: int | None) -> None:
        """A new reading or a new judgement of a stored article. Its id, URL and first sight stay."""
        self._run(
            "UPDATE articles SET title = ?, text = ?, author = ?, language = ?, published_at = ?,"
            " published_precision = ?, published_from = ?, day = ?, grade = ?, score = ?, story_id = ?,"
            " duplicate_of = ?, origin = ?, text_hash = ?, dateline = ?, reasons = ?, profile = ?,"
            " fingerprint_size = ? WHERE id = ?",
            (
                new.title, new.text, new.author, new.language, utc_text(new.published_at) if new.published_at else None,
                new.published_precision, new.published_from, new.day, new.grade, new.score, story_id, duplicate_of,
                new.origin, new.text_hash, new.dateline, _json(new.reasons), _json(new.profile), len(new.fingerprint),
                article_id,
            ),
        )  # fmt: skip
        self._clear(article_id)
        self._evidence(article_id, new)

    def revise(self, article: Article, *, seen_at: datetime) -> None:
        """Keeps the version that stood until `seen_at`, with its verdict, so that past editions can be made again."""
        verdict = {
            "grade": article.grade,
            "score": article.score,
            "sectors": list(article.sectors),
            "mentions": [[m.kind, m.name, m.field, m.start] for m in self.mentions(article.id)],
        }
        self._run(
            "INSERT INTO revisions (article_id, seen_at, title, text, verdict) VALUES (?, ?, ?, ?, ?)",
            (article.id, utc_text(seen_at), article.title, article.text, _json(verdict)),
        )

    def rechecked(
        self,
        article_id: int,
        *,
        recheck_at: datetime | None,
        etag: str | None,
        last_modified: str | None,
        there: bool,
    ) -> None:
        """The page was looked at again. `there`: it showed the article; one that was withdrawn no longer is."""
        self._run(
            "UPDATE articles SET rechecks = rechecks + 1, recheck_at = ?, etag = coalesce(?, etag),"
            " last_modified = coalesce(?, last_modified),"
            " withdrawn_at = CASE WHEN ? THEN NULL ELSE withdrawn_at END WHERE id = ?",
            (utc_text(recheck_at) if recheck_at else None, etag, last_modified, there, article_id),
        )

    def postpone(self, article_id: int, *, recheck_at: datetime) -> None:
        """Another look later; this one does not count."""
        self._run("UPDATE articles SET recheck_at = ? WHERE id = ?", (utc_text(recheck_at), article_id))

    def withdraw(self, article_id: int, *, at: datetime, recheck_at: datetime | None) -> None:
        """The page is gone (404, 410): the text stays, the article says so. It may come back."""
        self._run(
            "UPDATE articles SET withdrawn_at = coalesce(withdrawn_at, ?), recheck_at = ? WHERE id = ?",
            (utc_text(at), utc_text(recheck_at) if recheck_at else None, article_id),
        )

    def link(self, article_id: int, scores: Mapping[int, float]) -> None:
        """Writes the links of an article, in place of those that it had."""
        for other, _ in self.links(article_id):
            self._run("DELETE FROM story_links WHERE article_id = ? AND other_id = ?", (other, article_id))
        self._run("DELETE FROM story_links WHERE article_id = ?", (article_id,))
        pairs = [(article_id, other, score) for other, score in scores.items()]
        self._store.connection.executemany(
            "INSERT INTO story_links (article_id, other_id, score) VALUES (?, ?, ?)",
            [*pairs, *((other, article_id, score) for _, other, score in pairs)],
        )

    def copy_of(self, article_id: int, original: int | None) -> None:
        self._run("UPDATE articles SET duplicate_of = ? WHERE id = ?", (original, article_id))

    def drop(self, article_id: int) -> None:
        """Takes an article out that is judged irrelevant now; its documents stay. Its copies stand alone again."""
        self._run("UPDATE articles SET duplicate_of = NULL WHERE duplicate_of = ?", (article_id,))
        self._run("UPDATE entries SET article_id = NULL WHERE article_id = ?", (article_id,))
        self._run("UPDATE marks SET article_id = NULL WHERE article_id = ?", (article_id,))
        self._run("DELETE FROM revisions WHERE article_id = ?", (article_id,))
        self._run("DELETE FROM story_figures WHERE article_id = ?", (article_id,))
        self.link(article_id, {})
        self._clear(article_id)
        self._run("DELETE FROM articles WHERE id = ?", (article_id,))

    def _clear(self, article_id: int) -> None:
        for table in ("article_sectors", "mentions", "shingles", "story_keys"):
            self._run(f"DELETE FROM {table} WHERE article_id = ?", (article_id,))  # noqa: S608 - names from above
        self._run("DELETE FROM article_search WHERE rowid = ?", (article_id,))

    def _evidence(self, article_id: int, new: NewArticle) -> None:
        many = self._store.connection.executemany
        many(
            "INSERT INTO article_sectors (article_id, sector, score) VALUES (?, ?, ?)",
            [(article_id, *s) for s in new.sectors],
        )
        many(
            "INSERT INTO mentions (article_id, kind, name, field, start, length, quote) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(article_id, m.kind, m.name, m.field, m.start, len(m.quote), m.quote) for m in new.mentions],
        )
        many(
            "INSERT OR IGNORE INTO shingles (hash, article_id) VALUES (?, ?)",
            [(h, article_id) for h in new.fingerprint],
        )
        at = utc_text(new.at)
        many(
            "INSERT OR IGNORE INTO story_keys (key, at, article_id) VALUES (?, ?, ?)",
            [(key, at, article_id) for key in new.story_keys],
        )
        self._run("INSERT INTO article_search (rowid, title, text) VALUES (?, ?, ?)", (article_id, *new.shadow))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

"""A person's word on articles, and the random samples that it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from sqlite3 import Row
from typing import TYPE_CHECKING

from store.records import utc_text

if TYPE_CHECKING:
    from store.connection import Store

VERDICTS = ("relevant", "core", "irrelevant", "star", "note", "sector", "apart", "together")
# Which entries a stratum of the sample is drawn from. A reject with a document was read; one without was ruled out by
# its title and summary, or by a cheap look at its bytes.
STRATA = {
    "kept": "state IN ('kept', 'duplicate')",
    "rejects": "state = 'rejected' AND EXISTS (SELECT 1 FROM documents d WHERE d.entry_id = entries.id)",
    "unfetched": "state = 'rejected' AND url IS NOT NULL AND substr(reason, 1, 7) <> 'witness'"
    " AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.entry_id = entries.id)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a person has said of a page: the last word of each kind."""

    grade: int | None = None  # 0, 1, 2
    sectors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """How a sample of one stratum was judged."""

    name: str
    population: int  # entries in it now
    judged: int
    relevant: int


class Marks:
    def __init__(self, store: "Store") -> None:
        self._store = store
        self._run = store.connection.execute

    def add(
        self, url: str, verdict: str, detail: str, *, entry_id: int | None, article_id: int | None, now: datetime
    ) -> None:
        self._run(
            "INSERT INTO marks (at, url, entry_id, article_id, verdict, detail) VALUES (?, ?, ?, ?, ?, ?)",
            (utc_text(now), url, entry_id, article_id, verdict, detail),
        )

    def word(self, url: str) -> Word | None:
        """What was said of a canonical URL; None where nothing was that changes its judgement."""
        rows = self._run(
            "SELECT verdict, detail FROM marks WHERE url = ?"
            " AND verdict IN ('relevant', 'core', 'irrelevant', 'sector') ORDER BY id",
            (url,),
        ).fetchall()
        grade: int | None = None
        sectors: tuple[str, ...] | None = None
        for row in rows:
            if row["verdict"] == "sector":
                sectors = tuple(row["detail"].split())
            else:
                grade = {"irrelevant": 0, "relevant": 1, "core": 2}[row["verdict"]]
        return Word(grade=grade, sectors=sectors) if rows else None

    def pairs(self) -> tuple[set[frozenset[str]], set[frozenset[str]]]:
        """(together, apart): pairs of canonical URLs that a person wants in one story, or in two. Of words that
        contradict each other the later one holds, also where it takes three articles to see it."""
        rows = self._run(
            "SELECT url, verdict, detail FROM marks WHERE verdict IN ('apart', 'together') ORDER BY id DESC"
        ).fetchall()
        group: dict[str, set[str]] = {}
        together: set[frozenset[str]] = set()
        apart: set[frozenset[str]] = set()
        for row in rows:
            for other in row["detail"].split():
                one, two = (group.setdefault(url, {url}) for url in (row["url"], other))
                if row["verdict"] == "apart" and one is not two:
                    apart.add(frozenset((row["url"], other)))
                elif row["verdict"] == "together" and one is not two:
                    if any(frozenset((a, b)) in apart for a in one for b in two):
                        continue
                    one |= two
                    group.update(dict.fromkeys(two, one))
                    together.add(frozenset((row["url"], other)))
        return together, apart

    def of(self, url: str) -> list[Row]:
        """Every mark of a canonical URL, oldest first."""
        return self._run("SELECT at, verdict, detail FROM marks WHERE url = ? ORDER BY id", (url,)).fetchall()

    def draw(self, stratum: str, count: int, *, random: Random, now: datetime) -> list[Row]:
        """A random sample of entries never drawn before, remembered as drawn."""
        where = STRATA[stratum]
        ids = [
            row[0]
            for row in self._run(
                "SELECT id FROM entries"  # noqa: S608 - a condition from above
                f" WHERE {where} AND id NOT IN (SELECT entry_id FROM samples) ORDER BY id"
            )
        ]
        population = self._run(f"SELECT count(*) FROM entries WHERE {where}").fetchone()[0]  # noqa: S608
        chosen = sorted(random.sample(ids, min(count, len(ids))))
        self._store.connection.executemany(
            "INSERT INTO samples (entry_id, at, stratum, population) VALUES (?, ?, ?, ?)",
            [(id_, utc_text(now), stratum, population) for id_ in chosen],
        )
        return [self._entry(id_) for id_ in chosen]

    def _entry(self, entry_id: int) -> Row:
        return self._run(  # type: ignore[no-any-return]
            "SELECT e.id, e.url, coalesce(nullif(d.title, ''), e.title) AS title, e.state, e.reason, e.score,"
            " e.source_id, substr(d.text, 1, 400) AS beginning"
            " FROM entries e LEFT JOIN documents d ON d.entry_id = e.id WHERE e.id = ?",
            (entry_id,),
        ).fetchone()

    def strata(self) -> Sequence[Stratum]:
        """What the judged part of the samples says; an entry counts once, by the last word on its page."""
        out = []
        for name, where in STRATA.items():
            population = self._run(f"SELECT count(*) FROM entries WHERE {where}").fetchone()[0]  # noqa: S608
            words = self._run(
                "SELECT (SELECT m.verdict FROM marks m WHERE m.url = e.canonical_url"
                "   AND m.verdict IN ('relevant', 'core', 'irrelevant') ORDER BY m.id DESC LIMIT 1) AS verdict"
                " FROM samples s CROSS JOIN entries e ON e.id = s.entry_id WHERE s.stratum = ?",
                (name,),
            ).fetchall()
            judged = [row["verdict"] for row in words if row["verdict"] is not None]
            relevant = sum(verdict != "irrelevant" for verdict in judged)
            out.append(Stratum(name=name, population=population, judged=len(judged), relevant=relevant))
        return out

"""`pakrus export`: articles for other programs and for citing; what a person marked, as gold records."""

import csv
import hashlib
import importlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from sqlite3 import Row
from typing import Any

from crawler.errors import UsageError
from crawler.files import whole_file
from store.connection import Store
from store.marks import Word

Pairs = tuple[set[frozenset[str]], set[frozenset[str]]]  # together, apart: canonical URLs

FORMATS = ("jsonl", "csv", "parquet", "ris", "bibtex")
COLUMNS = (
    "day", "published_at", "source", "language", "grade", "title", "sectors", "url", "story_id", "duplicate_of",
    "article_id", "origin", "country", "first_seen_at", "source_id", "canonical_url", "published_precision", "author",
    "score", "text",
)  # fmt: skip
NUMBERS = {"grade": "int64", "story_id": "int64", "duplicate_of": "int64", "article_id": "int64", "score": "float64"}
BATCH = 500  # rows of a Parquet row group: texts are long


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which articles; None: all. Days are local, as in `article_list`, both ends included."""

    since: str | None = None
    until: str | None = None
    sector: str | None = None
    language: str | None = None


def articles(store: Store, choice: Choice) -> Iterator[dict[str, Any]]:
    """Every article chosen, copies too, oldest first: `COLUMNS`, with the sectors as a list, best first."""
    names = ", ".join(f"l.{c}" if c not in COLUMNS[14:] else f"a.{c}" for c in COLUMNS)
    rows = store.connection.execute(
        f"SELECT {names} FROM article_list l JOIN articles a ON a.id = l.article_id"  # noqa: S608 - names from above
        " WHERE (:since IS NULL OR a.day >= :since) AND (:until IS NULL OR a.day <= :until)"
        " AND (:language IS NULL OR a.language = :language) AND (:sector IS NULL OR EXISTS"
        "  (SELECT 1 FROM article_sectors x WHERE x.article_id = a.id AND x.sector = :sector))"
        " ORDER BY a.day, a.id",
        _bound(choice),
    )
    for row in rows:
        yield {**dict(row), "sectors": (row["sectors"] or "").split(", ") if row["sectors"] else []}


def _bound(choice: Choice) -> dict[str, str | None]:
    return {"since": choice.since, "until": choice.until, "sector": choice.sector, "language": choice.language}


def allow(form: str, *, labelled: bool, json: bool, out: Path | None) -> None:
    """Raises UsageError where the options do not go together."""
    if labelled and form != "jsonl":
        raise UsageError("export --labels: are JSON Lines, leave --format out")
    if json and form != "jsonl":
        raise UsageError(f"export --json: is --format jsonl, not {form}")
    if form == "parquet" and out is None:
        raise UsageError("export --format parquet: is no text for a terminal, write --out FILE")


def texts(store: Store, form: str, choice: Choice, *, labelled: bool = False) -> Iterator[str]:
    """The export in a format that is text, in pieces."""
    return labels(store, choice) if labelled else _WRITERS[form](store, choice)


def write(store: Store, form: str, choice: Choice, path: Path, *, labelled: bool = False) -> int:
    """The export as a file, whole or not at all; returns its bytes. Raises UsageError where Parquet lacks pyarrow."""
    parquet = _pyarrow() if form == "parquet" else None
    with whole_file(path) as file:
        if parquet is not None:
            _parquet(parquet, store, choice, file)
        else:
            for piece in texts(store, form, choice, labelled=labelled):
                file.write(piece.encode("utf-8", "backslashreplace"))
    return path.stat().st_size


# --- JSON Lines and CSV


def _jsonl(store: Store, choice: Choice) -> Iterator[str]:
    for article in articles(store, choice):
        mentions = store.connection.execute(
            "SELECT kind, name, field, start, quote FROM mentions WHERE article_id = ?"
            " ORDER BY field DESC, start, name",
            (article["article_id"],),
        )
        yield _json({**article, "mentions": [dict(m) for m in mentions]})


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"


def _csv(store: Store, choice: Choice) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)  # its default dialect is RFC 4180: commas, quotes doubled, CR LF
    writer.writerow(COLUMNS)
    for article in articles(store, choice):
        article["sectors"] = ", ".join(article["sectors"])
        writer.writerow([cell(article[c]) for c in COLUMNS])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


# Also the wide forms, which spreadsheets of East Asia take for the narrow ones, and a blank before either.
_FORMULA = re.compile(r"[ \u00a0\u3000]*[=+\-@\t\r\n＝＋－＠]")


def cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula (OWASP, "CSV injection"): texts alone can be one."""
    if not isinstance(value, str):
        return value
    text = value.replace("\0", "")
    return "'" + text if _FORMULA.match(text) else text


# --- for citing


def _line_of(text: str) -> str:
    """One line without control characters: a line end would begin a field of the outsider's choice."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())


def _cited_day(article: Mapping[str, Any]) -> str:
    """The day of publication as far as it is known: YYYY-MM-DD, YYYY-MM, or the day when it was first seen."""
    if article["published_at"] is None or article["published_precision"] == "unknown":
        return str(article["first_seen_at"])[:10]
    if article["published_precision"] == "month":
        return str(article["published_at"])[:7]
    return str(article["day"])


def _ris(store: Store, choice: Choice) -> Iterator[str]:
    """RIS as Zotero, EndNote and Mendeley read it: `TAG  - value`, CR LF, an empty line between records."""
    for article in articles(store, choice):
        day = _cited_day(article)
        fields = [
            ("TY", "NEWS"),
            ("ID", str(article["article_id"])),
            ("TI", article["title"]),
            ("AU", article["author"]),
            ("T2", article["source"]),
            ("PY", day[:4]),
            ("DA", day.replace("-", "/") + "/" * (3 - len(day.split("-")))),
            ("Y2", str(article["first_seen_at"])[:10].replace("-", "/")),
            ("LA", article["language"]),
            *(("KW", sector) for sector in article["sectors"]),
            ("UR", article["url"]),
        ]
        lines = [f"{tag}  - {_line_of(value)}" for tag, value in fields if _line_of(value)]
        yield "\r\n".join([*lines, "ER  - ", "", ""])


_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_LANGUAGES = {"en": "english", "ru": "russian", "ur": "urdu"}  # the names that babel and polyglossia know


def latex(text: str) -> str:
    """Text as a field of BibTeX holds it; letters of every script stay as they are (biber, bibtex8)."""
    return "".join(_LATEX.get(c, c) for c in _line_of(text))


def _bibtex(store: Store, choice: Choice) -> Iterator[str]:
    """`@online` of biblatex, with `year`, `month` and `howpublished` for styles of the old BibTeX."""
    for article in articles(store, choice):
        day = _cited_day(article)
        key = re.sub(r"[^a-z0-9]+", "-", article["source_id"].lower()).strip("-") or "source"
        url = re.sub(r"[\\{}\s%]", lambda m: m[0] if m[0] == "%" else f"%{ord(m[0]):02X}", _line_of(article["url"]))
        fields = {
            "title": f"{{{latex(article['title'])}}}",  # twice in braces: styles keep the capitals
            "author": f"{{{latex(article['author'])}}}" if article["author"].strip() else "",  # one name, whole
            "howpublished": latex(article["source"]),
            "date": day,
            "year": day[:4],
            "url": url,
            "urldate": str(article["first_seen_at"])[:10],
            "langid": _LANGUAGES.get(article["language"], ""),
            "keywords": latex(", ".join(article["sectors"])),
        }
        lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
        lines.append(f"  month = {_MONTHS[int(day[5:7]) - 1]}")
        yield f"@online{{{key}-{day.replace('-', '')}-{article['article_id']},\n" + "\n".join(lines) + "\n}\n\n"


# --- Parquet


def _pyarrow() -> Any:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError("export --format parquet: needs pyarrow, type `pip install 'pakrus[parquet]'`") from None


def _parquet(modules: Any, store: Store, choice: Choice, file: Any) -> None:
    arrow, parquet = modules
    kinds: dict[str, Any] = {c: getattr(arrow, NUMBERS[c])() if c in NUMBERS else arrow.string() for c in COLUMNS}
    kinds["sectors"] = arrow.list_(arrow.string())
    kinds["published_at"] = kinds["first_seen_at"] = arrow.timestamp("s", tz="UTC")
    kinds["day"] = arrow.date32()
    schema = arrow.schema(list(kinds.items()))
    rows = articles(store, choice)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while batch := list(islice(rows, BATCH)):
            writer.write_table(arrow.Table.from_pylist([_typed(row) for row in batch], schema=schema))


def _typed(row: dict[str, Any]) -> dict[str, Any]:
    from datetime import date

    from store.records import utc_time

    times = {c: utc_time(row[c]) if row[c] else None for c in ("published_at", "first_seen_at")}
    return {**row, **times, "day": date.fromisoformat(row["day"])}


# --- labels


def labels(store: Store, choice: Choice) -> Iterator[str]:
    """What `pakrus mark` was told, a gold record a page, JSON Lines.

    `grade` and `sectors` are a person's word. Where the person judged the grade alone, the program's sectors are
    `optional_sectors`: neither right nor wrong. Where the sectors alone, the grade is the program's. Pages put together
    have one `event`; `apart` are the pages that do not belong with it.
    """
    rows = store.connection.execute(
        "WITH said AS ("  # the page of a mark, and those that it names as one story with it or not
        "  SELECT entry_id FROM marks WHERE entry_id IS NOT NULL UNION"
        "  SELECT x.id FROM entries x JOIN articles y ON y.id = x.article_id JOIN marks k"
        "   ON k.verdict IN ('apart', 'together') AND instr(' ' || k.detail || ' ', ' ' || y.canonical_url || ' '))"
        " SELECT coalesce(nullif(e.canonical_url, ''), e.url, '') AS url, max(e.id) AS entry_id, e.url AS entry_url,"
        " e.title AS entry_title, e.summary, e.published_at AS entry_at,"
        " e.first_seen_at, d.title AS read_title, d.text AS read_text, n.name AS publisher, n.language AS hint,"
        " a.id AS article_id, a.canonical_url AS article_url, a.title, a.text, a.language, a.day, a.grade,"
        " a.published_at FROM said JOIN entries e ON e.id = said.entry_id JOIN sources n ON n.id = e.source_id"
        " LEFT JOIN documents d ON d.entry_id = e.id LEFT JOIN articles a ON a.id = e.article_id"
        " GROUP BY CASE e.canonical_url WHEN '' THEN e.id ELSE e.canonical_url END ORDER BY max(e.id)"
    ).fetchall()
    pairs = store.marks.pairs()
    for row in rows:
        record = _label(store, row, pairs)
        if record is None:
            continue
        day, sectors = record["published"], record["sectors"] + record["optional_sectors"]
        if (
            (choice.since is None or day >= choice.since)
            and (choice.until is None or day <= choice.until)
            and choice.language in (None, record["language"])
            and (choice.sector is None or choice.sector in sectors)
        ):
            yield _json(record)


def _label(store: Store, row: Row, pairs: Pairs) -> dict[str, Any] | None:
    from crawler.language import detect  # its model is wanted by labels alone

    word = store.marks.word(row["url"])
    event, apart = _stories(row["article_url"], pairs)
    if word is None and (event or apart):
        word = Word()
    if word is None or (word.grade is None and row["grade"] is None):
        return None  # a star or a note is no judgement
    url = row["entry_url"] or row["url"]
    found = [
        r["sector"]
        for r in store.connection.execute(
            "SELECT sector FROM article_sectors WHERE article_id = ? ORDER BY score DESC, sector", (row["article_id"],)
        )
    ]
    notes = [m["detail"] for m in store.marks.of(row["url"]) if m["verdict"] == "note"]
    at = row["published_at"] or row["entry_at"]
    title = row["title"] or row["read_title"] or row["entry_title"]
    text = row["text"] or row["read_text"] or row["summary"]
    language = row["language"] or detect(f"{title}\n{text}", hint=row["hint"])
    grade = row["grade"] if word.grade is None else word.grade
    return {
        "id": f"{language}-{_hash(url)}",
        "url": url,
        "publisher": row["publisher"],
        "published": row["day"] or str(at or row["first_seen_at"])[:10],
        "language": language,
        "title": title,
        "text": text,
        "grade": grade,
        "sectors": list(word.sectors or ()) if grade else [],
        "event": event,
        "note": "; ".join(notes),
        "published_assumed": at is None,
        "optional_sectors": found if word.sectors is None and grade else [],
        **({"apart": apart} if apart else {}),
    }


def _stories(url: str | None, pairs: Pairs) -> tuple[str | None, list[str]]:
    """(slug of what a person put together with a page, pages that do not belong with it); None, [] where nothing was
    said."""
    together, apart = pairs
    group = {url}
    while more := {u for pair in together if pair & group for u in pair} - group:
        group |= more
    slug = f"story-{_hash(min(filter(None, group)))}" if len(group) > 1 else None
    return slug, sorted(u for pair in apart if url in pair for u in pair - {url})


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:8]


_WRITERS: Mapping[str, Callable[[Store, Choice], Iterator[str]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "ris": _ris,
    "bibtex": _bibtex,
}

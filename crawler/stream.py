"""JSON Lines in, JSON Lines out: what `classify` and `ingest` read. A bad line is reported and stops nothing."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from crawler import dates, urls
from crawler.app import App
from crawler.classify import classification_json, classify
from crawler.config import Config, http_url_or_none
from crawler.ingest.articles import clean
from crawler.ingest.lines import Line, settle_line
from crawler.lexicon import Lexicon
from crawler.sites import Sites
from crawler.types import Moment, Text

MAX_LINE = 50_000_000  # bytes; a longer line is malformed


class _Malformed(Exception):
    """Why a line cannot be answered."""


def classify_lines(lines: BinaryIO, config: Config, lexicon: Lexicon) -> Iterator[dict[str, Any]]:
    """Answers each line in order; a malformed one with ``{"line", "error"}``."""
    sites = Sites.of(config)
    for number, raw in _lines(lines):
        try:
            value = _object(raw)
            if "id" not in value:
                raise _Malformed("id: is missing")
            text = Text(
                title=_text(value, "title"),
                text=_text(value, "text"),
                language=_language(value),
                url=_text(value, "url"),
                published=_moment(value, ZoneInfo("UTC"), None).instant,
                country=_country(value) or sites.country_of(_text(value, "url")),
            )
            if not text.title and not text.text:
                raise _Malformed("title, text: both are missing or empty")
        except _Malformed as error:
            yield {"line": number, "error": str(error)}
            continue
        yield classification_json(value["id"], classify(text, lexicon))


def ingest_lines(lines: BinaryIO, app: App) -> Iterator[str | dict[str, Any]]:
    """Takes documents into the database; yields what became of each, or ``{"line", "error"}``."""
    sites = Sites.of(app.config)
    for number, raw in _lines(lines):
        now = app.clock()
        try:
            line = _document(_object(raw), app.config, sites, now)
        except _Malformed as error:
            yield {"line": number, "error": str(error)}
            continue
        yield settle_line(app, line, now=now)


def summary(results: Iterable[str | dict[str, Any]], stories: int) -> dict[str, int]:
    """The counts that `ingest` prints: seen = the sum of the others but stories."""
    counts = Counter("failed" if isinstance(r, dict) else r for r in results)
    names = ("kept", "rejected", "duplicates", "revised", "unchanged", "failed")
    return {"seen": sum(counts.values()), **{name: counts[name] for name in names}, "stories": stories}


def _document(value: dict[str, Any], config: Config, sites: Sites, now: datetime) -> Line:
    url = _text(value, "url")
    if http_url_or_none(url) is None:
        raise _Malformed(f"url: {url[:200]!r} is no http or https URL")
    title, text = _text(value, "title"), _text(value, "text")
    if not title and not text:
        raise _Malformed("title, text: both are missing or empty")
    source = _words(_text(value, "source")) or urls.host(url)
    configured = next((s for s in config.sources if s.id == source), None)
    country = _country(value) or (configured.country if configured else sites.country_of(url))
    zone = configured.zone if configured and configured.zone else config.timezone
    published = _moment(value, zone, now)
    first_seen = _time(value, "first_seen", zone, now) or published.instant or now
    return Line(
        url=url,
        title=title,
        text=text,
        published=published,
        language=_language(value),
        source=source[:200],
        country=country,
        first_seen=min(first_seen, now),
    )


def _moment(value: dict[str, Any], zone: ZoneInfo, now: datetime | None) -> Moment:
    raw = value.get("published")
    if raw is None or raw == "":
        return Moment(instant=None)
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise _Malformed("published: must be a date or a time, like 2026-11-25 or 2026-11-25T07:00:00Z")
    return dates.read(raw, zone=zone, now=now)


def _time(value: dict[str, Any], key: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    raw = value.get(key)
    if raw is None or raw == "":
        return None
    moment = dates.read(raw, zone=zone, now=now) if isinstance(raw, str | int | float) else Moment(instant=None)
    if moment.instant is None:
        raise _Malformed(f"{key}: {raw!r} is no time, write one like 2026-11-25T07:00:00Z")
    return moment.instant


def _lines(lines: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of each line that is not blank; one that is too long is cut and so malformed."""
    number = 0
    while raw := lines.readline(MAX_LINE):
        number += 1
        if len(raw) >= MAX_LINE and not raw.endswith(b"\n"):
            while (rest := lines.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
        if raw.strip():
            yield number, raw


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw, parse_float=_finite, parse_constant=_finite)
    except UnicodeDecodeError:
        raise _Malformed("is not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise _Malformed(f"is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise _Malformed('must be a JSON object, like {"id": 1, "title": "...", "text": "..."}')
    return value


def _finite(number: str) -> float:
    """JSON knows no NaN and no infinity, and an `id` must go out as it came in."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is no number of JSON")
    return value


def _language(value: dict[str, Any]) -> str:
    """``ru`` of ``ru``, ``RU`` and ``ru-RU``; what is no code of ISO 639 is as good as none, the text then tells."""
    code = re.split("[-_]", _text(value, "language").strip().lower(), maxsplit=1)[0]
    return code if re.fullmatch("[a-z]{2,3}", code) else ""


def _country(value: dict[str, Any]) -> str:
    code = _text(value, "country").strip().upper()
    if code and code != "NONE" and not re.fullmatch("[A-Z]{2}", code):
        raise _Malformed(f"country: {code[:40]!r} is no ISO 3166 country, write two capitals like PK")
    return "" if code == "NONE" else code


def _words(text: str) -> str:
    """A name on one line, without the NULs and lone surrogates that SQLite cannot hold."""
    return " ".join(clean(text).split())


def _text(value: dict[str, Any], key: str) -> str:
    text = value.get(key)
    if text is None:
        return ""
    if not isinstance(text, str):
        raise _Malformed(f"{key}: must be a text")
    return text

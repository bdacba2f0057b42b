"""The verbs that tend the list of sources: `sources check`, `add`, `import`, `export`.

A visit made to look at a source goes through the crawl's own engine, into a database that is thrown away; what the real
one knows of the hosts (robots.txt, a rest asked for, the last request) holds for it too.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler import feedsfile, opml, urls
from crawler.app import App, Clock
from crawler.config import Config, SourceConfig, http_url_or_none, parse_source
from crawler.daemon import crawl_once
from crawler.errors import ConfigError, UsageError
from crawler.language import UNDECIDED, detect
from crawler.sites import Sites
from crawler.spiders.discover import Found, Search, discover, newest_of, rewritten
from crawler.workers import Pool
from store.connection import Store, open_store
from store.records import Outcome, utc_text

SHOWN = 5  # entries of a new source, for the eye


@contextmanager
def _aside(config: Config, known: Store | None, clock: Clock) -> Iterator[App]:
    """An App over a database that is thrown away, with what `known` knows of the hosts of the config's sources."""
    with (
        tempfile.TemporaryDirectory(prefix="pakrus-check-") as folder,
        open_store(Path(folder) / "check.db", mode="write", holder="sources check") as store,
    ):
        if known is not None:
            wanted = {urls.site(s.url) for s in config.sources}
            with store.transaction():
                for (host,) in known.connection.execute("SELECT host FROM hosts").fetchall():
                    if urls.site(f"http://{host}") in wanted:
                        store.hosts.put(known.hosts.get(host))
        yield App(config, store, clock=clock)


# --- check ------------------------------------------------------------------------------------------------------------


def check_sources(app: App, ids: Sequence[str], *, everything: bool) -> list[dict[str, Any]]:
    """Visits sources once, into a database that is thrown away; keeps the verdict and its date."""
    chosen = [s for s in app.config.sources if s.id in ids or (not ids and (everything or s.enabled))]
    # As witnesses: what they list is read, and no page is fetched.
    trial = replace(
        app.config, sources=tuple(replace(s, role="witness", fetch_pages="never", enabled=True) for s in chosen)
    )
    with _aside(trial, app.store, app.clock) as apart:
        summary = crawl_once(apart, everything=True)
        rows = [_verdict(apart, s, unreachable=summary.unreachable) for s in chosen]
    with app.store.transaction():
        for row in rows:
            app.store.note(f"check:{row['id']}", f"{row['at']} {row['outcome']}")
    return rows


def _verdict(app: App, source: SourceConfig, *, unreachable: bool) -> dict[str, Any]:
    run = app.store.connection.execute
    visit = run("SELECT * FROM visits WHERE source_id = ? ORDER BY id DESC LIMIT 1", (source.id,)).fetchone()
    newest = run("SELECT max(published_at) FROM entries WHERE source_id = ?", (source.id,)).fetchone()[0]
    row = {"id": source.id, "url": source.url, "enabled": source.enabled}
    if visit is None:
        return {
            **row, "at": utc_text(app.clock()), "outcome": "failed", "status": None,
            "entries": 0, "newest": None, "alive": False, "unreachable": unreachable,
            "advice": "no answer: is our own line up? check again later",
        }  # fmt: skip
    outcome = Outcome(visit["outcome"])
    return {
        **row,
        "at": visit["started_at"],
        "outcome": outcome.value,
        "status": visit["status"],
        "entries": visit["entries_seen"],
        "newest": newest[:10] if newest else None,
        "alive": outcome.good,
        "unreachable": unreachable or (visit["status"] is None and outcome is Outcome.FAILED),
        "advice": _advice(outcome, visit, source),
    }


def _advice(outcome: Outcome, visit: Any, source: SourceConfig) -> str:
    """What to do about it, in words; "" where nothing is."""
    error, status = visit["error"] or "", visit["status"]
    parts = urlsplit(source.url)
    elsewhere = f"`pakrus sources add {parts.scheme}://{parts.netloc}/` looks for another"
    disable = "or write `enabled: false`" if source.enabled else "leave it disabled"
    linked = error.partition(", it links to ")[2].split("; ")[0]
    match outcome:
        case Outcome.NEW | Outcome.UNCHANGED:
            return "" if source.enabled else "works: take `enabled: false` away if you want it"
        case Outcome.MOVED:
            return f"write `url: {visit['url']}` in feeds.yaml"
        case Outcome.EMPTY:
            return f"lists nothing: look at it in a browser; {elsewhere}"
        case Outcome.STALE:
            return f"{error or 'lists old items only'}: {elsewhere}, {disable}"
        case Outcome.GONE:
            return f"is not there any more: {elsewhere}, {disable}"
        case Outcome.THROTTLED:
            return "asks for patience: check again later"
        case Outcome.BLOCKED if error.startswith("robots.txt"):
            return f"{error}: keep to it, {elsewhere}, {disable}"
        case Outcome.BLOCKED:
            return f"refuses us ({error}): ask the site, {disable}"
        case Outcome.NOT_A_FEED if linked:
            return f"is a page that links to a feed: write `url: {linked}`"
        case Outcome.NOT_A_FEED:
            return f"is something else ({error}): {elsewhere}, {disable}"
        case _ if status is not None:
            return f"is out of order ({error}): check again later, {disable} if it stays so"
    return f"did not answer ({error}): check again later, {disable} if it stays so"


# --- add --------------------------------------------------------------------------------------------------------------


def add_source(
    config: Config,
    database: Path,
    url: str,
    *,
    clock: Clock,
    id: str | None = None,
    name: str | None = None,
    country: str | None = None,
    language: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Finds the source of a site, visits it once and writes it into feeds.yaml (not with `dry_run`).

    Raises UsageError for what is no URL, is there already, or cannot be an entry, before the site is asked wherever it
    can be known; then nothing is changed.
    """
    whole = url.strip() if "://" in url else f"https://{url.strip()}"
    address = urls.absolute(whole, "") if http_url_or_none(whole) is not None else None
    if address is None:
        raise UsageError(f"{urls.without_user(url)[:200]!r} is no address that may be visited, write one like"
                         " https://www.dawn.com/")  # fmt: skip
    given = {"id": id, "name": name, "country": country, "language": language}
    _probe(config, {key: value for key, value in given.items() if value is not None})
    if not dry_run:
        feedsfile.require_writable(config)
    channel = rewritten(address)
    _refuse_known(config, channel[0] if channel else address)
    search = _search(config, database, address, clock=clock)
    found = search.found
    usable = found is not None and bool(found.entries)
    value: dict[str, Any] = {
        "asked": address, "written": False, "source": None, "way": None, "remark": None, "entries_seen": 0,
        "newest": None, "entries": [], "requests": search.requests, "unreachable": search.unreachable,
        "tried": [{"url": where, "was": was} for where, was in search.tried], "config": str(config.path),
    }  # fmt: skip
    if found is None or not usable:
        return value
    _refuse_known(config, found.url)
    source = _entry(config, found, given)
    newest = newest_of(found.entries)
    value |= {
        "source": source,
        "way": found.way,
        "remark": found.remark or None,
        "entries_seen": len(found.entries),
        "newest": utc_text(newest) if newest else None,
        "entries": [
            {
                "title": e.title,
                "url": e.url,
                "published": utc_text(e.published.instant) if e.published and e.published.instant else None,
            }
            for e in found.entries[:SHOWN]
        ],
    }
    if dry_run:
        feedsfile.check(config, [source])
    else:
        feedsfile.write_sources(config, [source])
        value["written"] = True
    return value


def _probe(config: Config, given: dict[str, str]) -> None:
    """Complains of an option that cannot stand in feeds.yaml, before anybody is asked."""
    try:
        parse_source({"id": "probe", "url": "https://example.org/", "kind": "feed", **given})
    except ConfigError as error:
        raise UsageError(_mistakes(error)) from None
    if any(s.id == given.get("id") for s in config.sources):
        raise UsageError(f"{config.path}: the id {given['id']!r} is taken, ids are unique; nothing was written")


def _mistakes(error: ConfigError) -> str:
    """What is wrong with an entry, without its place in a file that it does not stand in."""
    return "; ".join(m.partition("].")[2] or m for m in error.mistakes)


def _refuse_known(config: Config, url: str) -> None:
    same = feedsfile.known(config, url)
    if same is not None:
        raise UsageError(f"{config.path}:{same.line}: {url} is there already, as {same.id}; nothing was written")


def _search(config: Config, database: Path, url: str, *, clock: Clock) -> Search:
    """The search in a loop and workers of its own."""
    probe = parse_source({"id": "add", "url": url, "kind": "feed"})
    trial = replace(config, sources=(*(s for s in config.sources if urls.site(s.url) == urls.site(url)), probe))

    async def look(app: App) -> Search:
        async with Pool(1) as pool:
            return await discover(app, pool, url)

    if database.exists():
        with open_store(database, mode="read") as known, _aside(trial, known, clock) as app:
            return asyncio.run(look(app))
    with _aside(trial, None, clock) as app:
        return asyncio.run(look(app))


def _entry(config: Config, found: Found, given: dict[str, str | None]) -> dict[str, str]:
    """The entry of a source: what was asked for, else what its address and its items tell."""
    hint = found.language.lower().split("-")[0].split("_")[0]
    words = " ".join(f"{e.title} {e.summary}" for e in found.entries[:40])
    spoken = detect(words, hint=hint)
    language = given["language"]
    if language is None:
        language = "" if spoken == UNDECIDED else spoken
    country = given["country"]
    if country is None:
        country = Sites.of(config).country_of(found.url) or feedsfile.guess_country(found.url, language)
    taken = [s.id for s in config.sources]
    return feedsfile.entry(
        id=given["id"] or feedsfile.guess_id(found.url, taken=taken),
        name=given["name"] or feedsfile.guess_name(found.title, found.url),
        url=found.url,
        kind=found.kind,
        country=country,
        language=language,
        timezone=feedsfile.zone_of(country),
    )


# --- OPML -------------------------------------------------------------------------------------------------------------


def import_opml(config: Config, raw: bytes, *, name: str, dry_run: bool = False) -> dict[str, Any]:
    """Adds the subscriptions of an OPML file to feeds.yaml, unvisited; names those that are there already, and those
    that cannot be a source with their line. Raises UsageError for what is no OPML."""
    added: list[dict[str, str]] = []
    skipped: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    keys = {urls.canonical(s.url): s.id for s in config.sources}
    ids = {s.id for s in config.sources}
    for outline in opml.parse(raw, name=name):
        url, ours = outline.url, dict(outline.ours)
        if (same := keys.get(urls.canonical(url))) is not None:
            skipped.append({"line": outline.line, "url": url, "id": same})
            continue
        country = ours.pop("country", "") or feedsfile.guess_country(url)
        wanted = ours.pop("id", "")
        values = {
            "id": wanted if wanted and wanted not in ids else feedsfile.guess_id(url, taken=tuple(ids)),
            "name": feedsfile.guess_name(outline.name, url),
            "url": url,
            "kind": ours.pop("kind", "feed"),
            "country": country,
            "language": outline.language.lower().split("-")[0],
            "timezone": ours.pop("timezone", "") or feedsfile.zone_of(country),
            **ours,
        }
        values = {key: value for key, value in values.items() if value}
        try:
            parse_source(values)
        except ConfigError as error:
            refused.append({"line": outline.line, "url": urls.without_user(url)[:500], "error": _mistakes(error)})
            continue
        added.append(values)
        keys[urls.canonical(url)] = values["id"]
        ids.add(values["id"])
    if added and dry_run:
        feedsfile.check(config, added)
    elif added:
        feedsfile.write_sources(config, added)
    return {"file": name, "config": str(config.path), "written": bool(added) and not dry_run, "added": added,
            "skipped": skipped, "refused": refused}  # fmt: skip

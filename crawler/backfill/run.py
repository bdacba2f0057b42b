"""A backfill from its files to its stories: the ledger, the one writer, and the order of time.

Each file is one transaction: its row in the ledger, and what was found in it. Only when every file has been read or
found bad do the finds take their places among articles and stories, in the order in which they came out: so the
stories are the same whoever read the files, in whatever order, and after any kill.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from crawler import urls
from crawler.app import App
from crawler.backfill.archives import SUFFIXES
from crawler.backfill.pools import results
from crawler.backfill.scan import Find, Scan
from crawler.backfill.work import Failed, Job, is_url
from crawler.config import http_url_or_none
from crawler.errors import UsageError
from crawler.ingest.lines import Line, settle_line
from crawler.types import Moment
from store.archives import FoundRow

MOST_FILES = 1_000_000
MOST_LISTING = 200_000_000  # bytes
Progress = Callable[["Report"], None]


@dataclass(slots=True)
class Report:
    """What a backfill came to. files = done + before + failed + pending."""

    files: int = 0
    before: int = 0  # read by an earlier run, with the same lexicon
    done: int = 0
    pages: int = 0
    candidates: int = 0
    unread: int = 0
    found: int = 0
    kept: int = 0
    duplicates: int = 0
    known: int = 0  # pages that the database had
    waiting: int = 0  # finds that wait for the pending files
    failed: dict[str, str] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)


# --- which files ----------------------------------------------------------------------------------------------------


def files(arguments: Iterable[str], *, base: str | None = None) -> list[tuple[str, int | None]]:
    """(name, bytes) of the archives that the arguments name: files, folders, URLs, and listings of any of them.

    A listing is a text file (or a .gz of one) with a path or URL a line, relative to `base`, else to the listing.
    Raises UsageError.
    """
    found: dict[str, int | None] = {}
    for argument in arguments:
        for name in _expanded(argument, base):
            found[name] = None if is_url(name) else Path(name).stat().st_size
            if len(found) > MOST_FILES:
                raise UsageError(f"more than {MOST_FILES} files; give a part of them")
    if not found:
        raise UsageError(f"no archive found; they are named *{', *'.join(SUFFIXES)}")
    return list(found.items())


def _expanded(argument: str, base: str | None) -> Iterator[str]:
    if is_url(argument):
        if not argument.endswith(SUFFIXES):
            raise UsageError(f"{argument}: no archive by its name (*{', *'.join(SUFFIXES)}); save a listing first")
        yield _url(argument, argument)
        return
    path = Path(argument)
    if path.is_dir():
        yield from sorted(str(p.resolve()) for p in path.rglob("*") if p.is_file() and p.name.endswith(SUFFIXES))
    elif not path.is_file():
        raise UsageError(f"{argument}: there is no such file")
    elif path.name.endswith(SUFFIXES):
        yield str(path.resolve())
    else:
        yield from _listed(path, base)


def _listed(path: Path, base: str | None) -> Iterator[str]:
    for number, line in _lines(path):
        place = f"{path}:{number}"
        if is_url(line) or (base is not None and is_url(base)):
            name = line if is_url(line) else urljoin(base or "", line)
            yield _url(name, place)
            continue
        file = (Path(base) if base else path.parent) / line
        if not file.is_file():
            raise UsageError(f"{place}: there is no file {file}")
        yield str(file.resolve())


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            text = file.read(MOST_LISTING + 1)
        if len(text) > MOST_LISTING:
            raise UsageError(f"{path}: longer than {MOST_LISTING} bytes, no listing")
        lines = text.decode().splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{path}: neither an archive by its name (*{', *'.join(SUFFIXES)}) nor a listing") from None
    except (OSError, EOFError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            yield number, line.strip()


def _url(name: str, place: str) -> str:
    if http_url_or_none(name) is None:
        raise UsageError(f"{place}: {name[:200]!r} is no URL")
    return name


# --- the run --------------------------------------------------------------------------------------------------------


def outlook(app: App, chosen: Sequence[tuple[str, int | None]]) -> list[dict[str, object]]:
    """What a run would do with each file: skip what is done, read the rest. Writes nothing."""
    states = app.store.archives.states([name for name, _ in chosen])
    return [
        {
            "file": name,
            "bytes": size,
            "state": states[name]["state"] if name in states else "new",
            "reads": not app.store.archives.is_done(name, size=size, lexicon=app.lexicon.hash),
        }
        for name, size in chosen
    ]


def run(
    app: App,
    chosen: Sequence[tuple[str, int | None]],
    *,
    languages: tuple[str, ...],
    workers: int = 0,
    scheduler: str | None = None,
    progress: Progress = lambda report: None,
) -> Report:
    """Reads the archives `chosen` (name, bytes) and gives what they hold its place. Raises Unreachable."""
    archives, lexicon = app.store.archives, app.lexicon.hash
    report = Report(files=len(chosen))
    archives.expect(chosen, lexicon=lexicon, now=app.clock())
    jobs = [
        Job(name=name, size=size, config=app.config, languages=languages, lexicon=lexicon)
        for name, size in chosen
        if not archives.is_done(name, size=size, lexicon=lexicon)
    ]
    report.before = len(chosen) - len(jobs)
    report.pending = {job.name: "not read yet" for job in jobs}
    for answer in results(jobs, workers=workers, scheduler=scheduler):
        _take(app, answer, report)
        progress(report)
    if report.pending:
        report.waiting = sum(1 for _ in archives.waiting())
    else:
        _place(app, report)
    return report


def _take(app: App, answer: Scan | Failed, report: Report) -> None:
    """One transaction: what became of a file."""
    if isinstance(answer, Failed):
        if answer.lost:
            report.pending[answer.name] = answer.reason
            return
        app.store.archives.failed(answer.name, answer.reason, now=app.clock())
        report.failed[answer.name] = answer.reason
    else:
        app.store.archives.done(
            answer.name,
            pages=answer.pages,
            candidates=answer.candidates,
            unread=answer.unread,
            found=[_row(find) for find in answer.finds],
            now=app.clock(),
        )
        report.done += 1
        report.pages += answer.pages
        report.candidates += answer.candidates
        report.unread += answer.unread
        report.found += len(answer.finds)
    del report.pending[answer.name]


def _row(find: Find) -> FoundRow:
    published = find.published or Moment(instant=None)
    return FoundRow(
        url=find.url,
        canonical_url=find.canonical_url,
        title=find.title,
        text=find.text,
        author=find.author,
        language=find.language,
        published_at=published.instant,
        published_precision=published.precision,
        published_from=published.origin,
        seen_at=find.seen_at,
        origin=find.origin,
        dateline=find.dateline,
        country=find.country,
    )


def _place(app: App, report: Report) -> None:
    """Gives every find its article and its story, a transaction each, in the order in which they came out."""
    for archive, number, find in app.store.archives.waiting():
        now = app.clock()
        line = _line(find, now)
        with app.store.transaction():
            before = app.store.frontier.same_page(urls.canonical(find.canonical_url))
            # An archive never revises what is there: of a page's versions the first one seen stands.
            outcome = "known" if before and before.article_id else settle_line(app, line, now=now)
            app.store.archives.placed(archive, number)
        if outcome == "kept":
            report.kept += 1
        elif outcome == "duplicates":
            report.duplicates += 1
        else:
            report.known += 1


def _line(find: FoundRow, now: datetime) -> Line:
    published = (
        Moment(instant=find.published_at, precision=find.published_precision, origin=find.published_from)
        if find.published_at
        else None
    )
    return Line(
        url=find.url,
        canonical_url=find.canonical_url,
        title=find.title,
        text=find.text,
        author=find.author,
        published=published,
        language=find.language,
        source=urls.host(find.url),
        country=find.country,
        first_seen=min(find.seen_at or find.published_at or now, now),
        origin=find.origin,
        dateline=find.dateline,
    )


# --- for people -------------------------------------------------------------------------------------------------------


def to_json(report: Report) -> dict[str, object]:
    return {name: getattr(report, name) for name in Report.__dataclass_fields__}


def outlook_lines(value: Sequence[dict[str, object]]) -> str:
    return "\n".join(f"{'reads' if row['reads'] else 'skips'}  {row['state']:8} {row['file']}" for row in value)


def lines(value: dict[str, object]) -> str:
    """The report as a person reads it."""
    failed, pending = value["failed"], value["pending"]
    assert isinstance(failed, dict)
    assert isinstance(pending, dict)
    out = [
        f"{value['files']} files: {value['done']} read, {value['before']} read before, {len(failed)} bad,"
        f" {len(pending)} still to read",
        f"{value['pages']} pages, {value['candidates']} may concern the pair, {value['unread']} of these unread;"
        f" {value['found']} do",
        f"{value['kept']} articles kept, {value['duplicates']} copies, {value['known']} known before",
    ]
    if value["waiting"]:
        out.append(f"{value['waiting']} articles wait until all files are read: run the same command again")
    out += [f"bad: {name}: {reason}" for name, reason in failed.items()]
    out += [f"still to read: {name}: {reason}" for name, reason in pending.items()]
    return "\n".join(out)

"""The command line: thin verbs. Each imports what it needs when it runs, so that `pakrus status` starts in a blink."""

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from crawler import VERSION
from crawler.config import FORMATS, KINDS
from crawler.errors import PakrusError, Unreachable, UsageError

if TYPE_CHECKING:
    from crawler.app import App, Clock
    from crawler.config import Config

YEARS = range(1900, 9000)  # beyond them a month more or less leaves the calendar of `datetime`
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Options:
    """The options that stand before or after the verb."""

    config: Path | None = None
    db: Path | None = None
    now: datetime | None = None
    json: bool = False

    def clock(self) -> "Clock":
        from crawler.app import wall_clock

        fixed = self.now
        return wall_clock if fixed is None else lambda: fixed

    def read_config(self) -> "Config":
        from crawler.config import find_config, read_config

        path, base = find_config(self.config)
        return read_config(path, base)

    @contextmanager
    def app(self, mode: str, holder: str) -> Iterator["App"]:
        from crawler.app import open_app

        config = self.read_config()
        database = self.db or config.database_path
        with open_app(config, database=database, mode=mode, holder=holder, clock=self.clock()) as app:
            yield app


class _Time(click.ParamType[datetime]):
    """RFC 3339; without a zone it is UTC."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
            moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time, write one like 2026-11-25T07:00:00Z", param, ctx)
        return moment if moment.year in YEARS else self.fail(f"the year of {value!r} is out of range", param, ctx)


class _Day(click.ParamType[str]):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            day = datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            self.fail(f"{value!r} is no date, write YYYY-MM-DD", param, ctx)
        return day.isoformat() if day.year in YEARS else self.fail(f"the year of {value!r} is out of range", param, ctx)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value is not None and param.name is not None:
        setattr(ctx.find_root().ensure_object(Options), param.name, value)


def _shared(function: F) -> F:
    """--config, --db and --now: the same before and after the verb."""
    path = click.Path(path_type=Path, dir_okay=False)
    for name, kind, words in (
        ("--now", _Time(), "Fix the clock (tests, rebuilds)."),
        ("--db", path, "The database; else `database` of the config."),
        ("--config", path, "The feeds.yaml; else ./feeds.yaml, else the packaged one."),
    ):
        option = click.option(name, type=kind, help=words, expose_value=False, callback=_remember)
        function = option(function)
    return function


_json = click.option(
    "--json", "json", is_flag=True, default=None, help="Print JSON.", expose_value=False, callback=_remember
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, message="pakrus %(version)s")
@_shared
@_json
@click.pass_context
def cli(ctx: click.Context) -> None:
    """A news monitor for the Pakistan-Russia beat.

    `pakrus demo` shows it at work offline; `pakrus init`, then `pakrus run`, starts it for good.
    """
    ctx.ensure_object(Options)


def verb(*, prints: bool = False, name: str | None = None, of: click.Group = cli) -> Callable[[F], click.Command]:
    """A verb with the shared options; `prints`: it takes --json (also where JSON is all that it can print)."""

    def make(function: F) -> click.Command:
        wrapped = _json(function) if prints else function
        return of.command(name=name)(click.make_pass_decorator(Options)(_shared(wrapped)))

    return make


def _print(value: Any) -> None:
    """JSON for people on a terminal; on one line for the next program, so that `extract` can feed `ingest`."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1 if sys.stdout.isatty() else None))


def _show(options: Options, value: Any, lines: Callable[[Any], str]) -> None:
    """A result: as JSON where that was asked for, else as a person reads it."""
    if options.json:
        _print(value)
    else:
        _tell(lines(value))


def _tell(text: str) -> None:
    """A report: folded and coloured where a person looks at it (NO_COLOR: https://no-color.org), else as it is."""
    if sys.stdout.isatty():
        from shutil import get_terminal_size

        from crawler.terminal import folded, painted

        width = get_terminal_size().columns
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            text = "\n".join(part for line in text.split("\n") for part in folded(line, width))
        else:
            text = painted(text, width)
    click.echo(text)


@contextmanager
def _progress(length: int | None, what: str) -> Iterator[Callable[[int], None]]:
    """How far a long work has come, on stderr where that is a terminal: a bar with rate and rest, or where nobody knows
    the length, a count. Takes how many are done."""
    if not sys.stderr.isatty():
        yield lambda done: None
    elif length is not None:
        with click.progressbar(length=length, label=what, file=sys.stderr, show_pos=True, show_eta=True) as bar:
            yield lambda done: bar.update(done - bar.pos)
    else:
        last = 0.0

        def tell(done: int) -> None:
            nonlocal last
            if monotonic() - last > 0.2:  # seconds; more often nobody reads it
                last = monotonic()
                click.echo(f"\r{done} {what}", err=True, nl=False)

        yield tell
        click.echo("\r\x1b[K", err=True, nl=False)


def _line(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


@contextmanager
def _input(name: str) -> Iterator[BinaryIO]:
    """A file, or standard input for ``-``."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        with Path(name).open("rb") as file:
            yield file
    except FileNotFoundError:
        raise UsageError(f"{name}: there is no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{name}: is a folder, name a file") from None
    except PermissionError:
        raise UsageError(f"{name}: may not be read, mend its permissions") from None


def _bytes(name: str) -> bytes:
    most = 50_000_000
    with _input(name) as file:
        body = file.read(most + 1)
    if len(body) > most:
        raise UsageError(f"{name}: is larger than {most} bytes")
    return body


# --- setting up and running ---------------------------------------------------------------------------------------


@verb(prints=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where the demo leaves its files.")
def demo(options: Options, out: Path | None) -> None:
    """The whole pipeline offline, on a bundled newsroom: two days and their digests."""
    from crawler.demo.show import show

    result = show(out or Path("var/demo"), now=options.now)
    if options.json:
        _print(result)
    else:
        from crawler.demo.show import lines

        _tell(lines(result))


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """The script with which a SHELL completes verbs and options: eval "$(pakrus completion bash)"."""
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "pakrus", "_PAKRUS_COMPLETE").source())


@verb()
@click.argument("directory", default=".", type=click.Path(path_type=Path, file_okay=False))
def init(options: Options, directory: Path) -> None:
    """Write a commented feeds.yaml into DIRECTORY."""
    from crawler.config import packaged_config
    from crawler.files import write_file

    path = directory / "feeds.yaml"
    if path.exists():
        raise UsageError(f"{path}: is there already, nothing was written")
    write_file(path, packaged_config().read_text("utf-8"))
    click.echo(f"{path} written. Put your address under `crawl.contact`, then:")
    click.echo(f"  pakrus --config {path} sources check --all   # visit each source once, store nothing")
    click.echo(f"  pakrus --config {path} run                   # watch from now on")


@verb(prints=True)
@click.option("--source", "sources", multiple=True, metavar="ID", help="Only this source (may be repeated).")
@click.option("--all", "everything", is_flag=True, help="All sources, due or not.")
@click.option("--since", type=_Day(), help="Also back to this day, through archives and sitemaps.")
def crawl(options: Options, sources: tuple[str, ...], everything: bool, since: str | None) -> None:
    """One pass: every due source, then the pages they led to. A line a source."""
    import logging

    from crawler import logs
    from crawler.daemon import crawl_once

    logs.set_up(level=logging.WARNING)

    with options.app("write", "crawl") as app:
        for id_ in sources:
            app.config.source(id_)  # an unknown one is a usage error before anything is fetched
        start = datetime.fromisoformat(since).replace(tzinfo=app.config.timezone) if since else None
        if app.config.alerts:
            from crawler.notify.channels import require

            require()
        done = count(1)
        with _progress(None, "visits and pages") as progress:
            summary = crawl_once(
                app, only=sources, everything=everything, since=start, progress=lambda: progress(next(done))
            )
        if app.config.alerts:
            from crawler.notify.outbox import flush
            from crawler.notify.outbox import line as told

            for result in flush(app, os.environ):
                click.echo(told(result), err=True)
        if options.json:
            _print(summary.to_json())
        else:
            for line in summary.lines():
                click.echo(line)
        if summary.unreachable:
            raise Unreachable("nothing could be reached: no source answered, none was charged with a failure")


@verb()
def run(options: Options) -> None:
    """The daemon: crawl when due, digest daily, upkeep. SIGTERM stops it, SIGHUP reloads feeds.yaml."""
    from crawler.daemon import run as run_daemon

    with options.app("write", "run") as app:
        run_daemon(app)


# --- the digest -----------------------------------------------------------------------------------------------------


@verb(prints=True)
@click.option("--date", "day", type=_Day(), help="The edition's day; else the last one whose span has closed.")
@click.option("--tz", "zone_name", metavar="ZONE", help="The edition's time zone; else that of the config.")
@click.option("--period", type=click.Choice(["day", "week", "month"]), default="day", show_default=True)
@click.option("--format", "formats", type=click.Choice(FORMATS), multiple=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="The folder; else that of the config.")
@click.option("--verify", is_flag=True, help="Rebuild a stored edition and list what differs.")
@click.option("--send", "send", is_flag=True, help="Also to the channels of digest.send that have not had it.")
def digest(
    options: Options,
    day: str | None,
    zone_name: str | None,
    period: str,
    formats: tuple[str, ...],
    out: Path | None,
    verify: bool,
    send: bool,
) -> None:
    """Write an edition, or check a past one; exit 1 where one is another, or was not sent."""
    from datetime import date

    from crawler.config import zone_or_none
    from crawler.digest.deliver import current, deliver, older_form
    from crawler.digest.deliver import verify as verify_edition

    sent: list[Any] = []
    with options.app("read" if verify else "wait", "digest") as app:
        if send:
            _may_send(app, verify=verify)
        zone = app.config.timezone if zone_name is None else zone_or_none(zone_name)
        if zone is None:
            raise UsageError(f"--tz: {zone_name!r} is no time zone, write a name like Asia/Karachi")
        now = app.clock()
        which = date.fromisoformat(day) if day else current(app, zone, now)
        if verify:
            differences = verify_edition(app, which, zone=zone, period=period)
            form = older_form(app, which, zone=zone, period=period)
            if options.json:
                told = {"date": str(which), "timezone": str(zone), "period": period, "differences": differences}
                _print({**told, "older_form": form})
            elif form and not differences:
                click.echo(f"the {period} edition of {which} is whole (its sha256 holds); it has form {form}, which")
                click.echo("this version does not build any more, so that it cannot be compared with the rows")
            else:
                click.echo("\n".join(differences) or f"the {period} edition of {which} is what the rows give")
            sys.exit(1 if differences else 0)
        done = deliver(
            app,
            which,
            zone=zone,
            period=period,
            formats=formats or app.config.digest.formats,
            directory=out or app.config.digest_directory,
            now=now,
        )
        if send:
            from crawler.notify.outbox import line, send_edition

            sent = send_edition(app, which, zone=zone, period=period, environment=os.environ)
    if options.json:
        files = [str(f) for f in done.files]
        answer: dict[str, Any] = {
            "date": str(which),
            "sha256": done.sha256,
            "made": done.made,
            "files": files,
            **done.edition["summary"],
        }
        _print({**answer, "sent": [asdict(r) for r in sent]} if send else answer)
    else:
        if sys.stdout.isatty():
            from crawler.digest.formats import glance

            _tell(glance.lines(done.edition))
        for file in done.files:
            click.echo(file)
        if not done.made:
            click.echo(f"rendered again from the edition made {done.edition['created_at']}", err=True)
        for result in sent:
            click.echo(line(result), err=True)
    sys.exit(0 if all(r.state == "sent" for r in sent) else 1)


def _may_send(app: "App", *, verify: bool) -> None:
    from crawler.notify.channels import require

    if verify:
        raise UsageError("--send: goes with no --verify, choose one")
    if not app.config.digest.send:
        raise UsageError(f"--send: {app.config.path} names no channel, write one under digest.send")
    require()


# --- judging and reading, without a database ---------------------------------------------------------------------


@verb(prints=True)
@click.argument("file", default="-")
def classify(options: Options, file: str) -> None:
    """JSON Lines in, a verdict a line out: grade, sectors and mentions with their quotes."""
    from crawler.lexicon import load
    from crawler.stream import classify_lines

    config = options.read_config()
    bad = 0
    with _input(file) as lines:
        for answer in classify_lines(lines, config, load(config.topic)):
            bad += "error" in answer
            _line(answer)
    sys.stdout.flush()
    sys.exit(1 if bad else 0)


@verb(prints=True)
@click.argument("file")
@click.option("--url", required=True, help="The address of the page.")
@click.option("--kind", type=click.Choice(["html", "text", "pdf"]), default="html", show_default=True)
@click.option("--content-type", default="", help="The Content-Type header.")
@click.option("--timezone", "zone_name", help="The zone of dates that name none.")
def extract(options: Options, file: str, url: str, kind: str, content_type: str, zone_name: str | None) -> None:
    """What a page says, as JSON."""
    from crawler.workers import WorkerLost, run_once

    body = _bytes(file)
    checked = _checked(url, zone_name)
    try:
        document = run_once(
            "extract", body, url=url, content_type=content_type, kind=kind, zone=checked, now=options.clock()()
        )
    except WorkerLost as lost:
        _print(_unreadable(url, str(lost)))
        sys.exit(1)
    from crawler.extract import document_json

    _print(document_json(document))
    sys.exit(0 if document.outcome in ("article", "teaser") else 1)


@verb(prints=True)
@click.argument("file")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option("--url", required=True, help="The address that the bytes came from.")
@click.option("--content-type", default="", help="The Content-Type header.")
@click.option("--timezone", "zone_name", help="The zone of dates that name none.")
@click.option("--selector", help="The CSS selector of a listing.")
def read(
    options: Options, file: str, kind: str, url: str, content_type: str, zone_name: str | None, selector: str | None
) -> None:
    """The entries of a feed, sitemap or listing, and every problem met, as JSON."""
    from crawler.readers import reading_json
    from crawler.types import Reading
    from crawler.workers import WorkerLost, run_once

    body = _bytes(file)
    zone = _checked(url, zone_name)
    try:
        reading = run_once(
            "read", kind, body, url=url, content_type=content_type, zone=zone, now=options.clock()(), selector=selector
        )
    except WorkerLost as lost:
        reading = Reading(readable=False, problems=(f"unreadable: {lost}",))
    _print(reading_json(reading))
    sys.exit(0 if reading.readable else 1)


def _checked(url: str, zone_name: str | None) -> Any:
    from crawler.config import http_url_or_none, zone_or_none

    if http_url_or_none(url) is None:
        raise UsageError(f"--url: {url!r} is no URL, write one that begins with http:// or https://")
    zone = zone_or_none(zone_name) if zone_name else None
    if zone_name and zone is None:
        raise UsageError(f"--timezone: {zone_name!r} is no time zone, write a name like Asia/Karachi")
    return zone


def _unreadable(url: str, problem: str) -> dict[str, Any]:
    from crawler import urls
    from crawler.extract import document_json
    from crawler.types import Document

    return document_json(
        Document(url=url, canonical_url=urls.canonical(url), outcome="unreadable", problems=(problem,))
    )


# --- documents in, judgement again -----------------------------------------------------------------------------------


@verb(prints=True)
@click.argument("file", default="-")
def ingest(options: Options, file: str) -> None:
    """JSON Lines of documents through classify, dedupe and stories into the database."""
    from crawler.stream import ingest_lines, summary

    errors: list[dict[str, Any]] = []
    with _input(file) as lines, options.app("wait", "ingest") as app, _progress(None, "documents") as progress:

        def results() -> Iterator[str | dict[str, Any]]:
            for number, result in enumerate(ingest_lines(lines, app), 1):
                progress(number)
                if isinstance(result, dict):
                    errors.append(result)
                    click.echo(f"{file}:{result['line']}: {result['error']}", err=True)
                yield result

        counts = summary(results(), 0)
        counts["stories"] = app.store.stories.count()
    _line(counts)
    sys.stdout.flush()
    sys.exit(1 if errors else 0)


@verb(prints=True)
@click.option("--dry-run", is_flag=True, help="Print what would change, change nothing.")
def reassess(options: Options, dry_run: bool) -> None:
    """Replay relevance, sectors, duplicates and stories over what is stored."""
    from crawler.reassess import lines
    from crawler.reassess import reassess as replay

    with options.app("write", "reassess") as app, _progress(None, "documents judged") as progress:
        changes = replay(app, dry_run=dry_run, progress=progress)
    if options.json:
        _print(changes)
    else:
        click.echo("\n".join(lines(changes)))


@verb(prints=True)
@click.argument("reference", metavar="URL|ID")
@click.argument("word", metavar="relevant|core|irrelevant|star|note|sector|apart|together")
@click.argument("detail", nargs=-1, metavar="[TEXT|SECTOR...|URL...|ID...]")
def mark(options: Options, reference: str, word: str, detail: tuple[str, ...]) -> None:
    """A person's word on an article; outlives every replay.

    `apart` takes it out of its story, or away from the articles named; `together` puts it with those named.
    """
    from crawler.mark import line
    from crawler.mark import mark as set_mark

    with options.app("wait", "mark") as app:
        value = set_mark(app, reference, word, detail, now=app.clock())
    _show(options, value, line)


@verb(prints=True)
@click.option("--kept", type=click.IntRange(0, 1000), default=10, show_default=True, help="Of what is kept.")
@click.option("--rejects", type=click.IntRange(0, 1000), default=20, show_default=True, help="Of what was read.")
@click.option("--unfetched", type=click.IntRange(0, 1000), default=10, show_default=True, help="Of the rest.")
def sample(options: Options, kept: int, rejects: int, unfetched: int) -> None:
    """A random sample to judge with `mark`; `status` then shows live precision and recall."""
    from crawler.reports import sample as report

    with options.app("wait", "sample") as app, app.store.transaction():
        value = report.draw(app, {"kept": kept, "rejects": rejects, "unfetched": unfetched})
    _show(options, value, report.lines)


# --- asking -----------------------------------------------------------------------------------------------------------


@verb(prints=True)
@click.argument("query", nargs=-1, required=True)
@click.option("--since", type=_Day())
@click.option("--until", type=_Day())
@click.option("--sector")
@click.option("--language")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
def search(
    options: Options,
    query: tuple[str, ...],
    since: str | None,
    until: str | None,
    sector: str | None,
    language: str | None,
    limit: int,
) -> None:
    """Full text over inflected English, Russian and Urdu: words, "phrases", AND, OR, NOT."""
    from crawler.reports import search as report

    with options.app("read", "search") as app:
        found = report.report(
            app.store, " ".join(query), since=since, until=until, sector=sector, language=language, limit=limit
        )
    _show(options, found, report.lines)


@verb(prints=True)
@click.argument("reference", metavar="URL|ID")
def explain(options: Options, reference: str) -> None:
    """Why an article was kept, rejected, tagged, merged."""
    from crawler.reports import explain as report

    with options.app("read", "explain") as app:
        value = report.report(app.store, reference)
    _show(options, value, report.lines)


@verb(prints=True)
def status(options: Options) -> None:
    """Whether today's digest can be trusted, on one screen; exit 1 where something needs a person."""
    from crawler.reports import status as report

    with options.app("read", "status") as app:
        value = report.report(app)
    _show(options, value, report.lines)
    sys.exit(1 if value["needs_attention"] else 0)


@verb(prints=True)
@click.option("--day", type=_Day(), help="Only what was first seen on this day.")
def audit(options: Options, day: str | None) -> None:
    """Adds up the ledger: items seen = the sum of the states; exit 1 where it does not."""
    from crawler.reports import audit as report

    with options.app("read", "audit") as app:
        value = report.report(app.store, day=day, zone=app.config.timezone)
    _show(options, value, report.lines)
    sys.exit(0 if value["unexplained"] == 0 else 1)


@verb(prints=True)
@click.option("--since", type=_Day())
def gaps(options: Options, since: str | None) -> None:
    """Visits without overlap with the one before; exit 1 where one is still open."""
    from crawler.reports import gaps as report

    with options.app("read", "gaps") as app:
        value = report.report(app.store, since=since)
    _show(options, value, report.lines)
    sys.exit(1 if value["open"] else 0)


@verb(prints=True)
@click.option("--since", type=_Day())
def courtesy(options: Options, since: str | None) -> None:
    """How politely was crawled; exit 1 where a promise was broken."""
    from crawler.reports import courtesy as report

    with options.app("read", "courtesy") as app:
        value = report.report(app.store, app.config, since=since)
    _show(options, value, report.lines)
    sys.exit(1 if value["violations"] else 0)


@verb(prints=True)
@click.option("--since", type=_Day())
@click.option("--only", type=click.Choice(["one-sided"]))
def sides(options: Options, since: str | None, only: str | None) -> None:
    """Per story who reported first, the lag of the others, and what one side alone carries."""
    from crawler.reports import sides as report

    with options.app("read", "sides") as app:
        value = report.report(app.store, since=since, one_sided=only is not None)
    _show(options, value, report.lines)


@verb(prints=True)
@click.option("--since", type=_Day())
def missed(options: Options, since: str | None) -> None:
    """Items of witnesses (search feeds) that match no entry of ours, by publisher."""
    from crawler.reports import missed as report

    with options.app("read", "missed") as app:
        value = report.report(app.store, since=since)
    _show(options, value, report.lines)


@verb(prints=True)
@click.argument("article_id", type=click.IntRange(0, 2**63 - 1), metavar="ID")
@click.option("--diff", is_flag=True, help="Show what changed from version to version.")
def history(options: Options, article_id: int, diff: bool) -> None:
    """The versions of an edited article."""
    from crawler.reports import history as report

    with options.app("read", "history") as app:
        value = report.report(app.store, article_id, diff=diff)
    _show(options, value, report.lines)


@verb(prints=True)
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "parquet", "ris", "bibtex"]), default="jsonl",
              show_default=True)  # fmt: skip
@click.option("--labels", "labelled", is_flag=True, help="What was marked, as gold records (jsonl).")
@click.option("--since", type=_Day())
@click.option("--until", type=_Day())
@click.option("--sector")
@click.option("--language")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file; parquet needs one.")
def export(
    options: Options,
    form: str,
    labelled: bool,
    since: str | None,
    until: str | None,
    sector: str | None,
    language: str | None,
    out: Path | None,
) -> None:
    """Articles for other programs (jsonl, csv, parquet), for citing (ris, bibtex), or as labels."""
    from crawler.reports import export as report

    report.allow(form, labelled=labelled, json=options.json, out=out)
    choice = report.Choice(since=since, until=until, sector=sector, language=language)
    with options.app("read", "export") as app:
        if out is not None:
            size = report.write(app.store, form, choice, out, labelled=labelled)
            click.echo(f"{out}: {size} bytes", err=True)
        else:
            for piece in report.texts(app.store, form, choice, labelled=labelled):
                sys.stdout.write(piece)


@verb(prints=True)
@click.argument("paths", nargs=-1, required=True, metavar="PATH|LISTING...")
@click.option("--workers", type=click.IntRange(0, 1000), default=0, show_default=True, help="0: in this process.")
@click.option("--scheduler", metavar="tcp://...", help="The workers of this Dask cluster instead.")
@click.option("--base", metavar="URL|DIR", help="What the lines of a listing are relative to.")
@click.option("--language", "languages", multiple=True, help="Only these languages (en, ru, ur if none is given).")
@click.option("--dry-run", is_flag=True, help="Only say which files would be read.")
def backfill(
    options: Options,
    paths: tuple[str, ...],
    workers: int,
    scheduler: str | None,
    base: str | None,
    languages: tuple[str, ...],
    dry_run: bool,
) -> None:
    """History out of WARC and Parquet archives: files, folders, URLs, or listings of them."""
    from crawler.backfill import run as backfill

    chosen = backfill.files(paths, base=base)
    with options.app("read" if dry_run else "write", "backfill") as app:
        if dry_run:
            _show(options, backfill.outlook(app, chosen), backfill.outlook_lines)
            return
        with _progress(len(chosen), "files") as seen:
            report = backfill.run(
                app,
                chosen,
                languages=languages or ("en", "ru", "ur"),
                workers=workers,
                scheduler=scheduler,
                progress=lambda report: seen(report.before + report.done + len(report.failed)),
            )
        _show(options, backfill.to_json(report), backfill.lines)
    sys.exit(1 if report.failed or report.pending else 0)


@verb()
@click.option("--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="0: one that is free.")
@click.option("--open", "show", is_flag=True, help="Show it in the browser.")
def serve(options: Options, port: int, show: bool) -> None:
    """The desk: Datasette on 127.0.0.1, read-only, also while the daemon writes. Ctrl-C ends it."""
    from crawler.desk.serve import require
    from crawler.desk.serve import serve as serve_desk

    require()
    with options.app("read", "serve") as app:
        path = app.store.path
    serve_desk(path, port=port, show=show, tell=click.echo)


# --- sources and upkeep ----------------------------------------------------------------------------------------------


@cli.group()
@_shared
def sources() -> None:
    """The sources of feeds.yaml: list, check, add, import, export."""


@verb(prints=True, of=sources, name="list")
def sources_list(options: Options) -> None:
    """Every source, with its state where there is a database."""
    from crawler.reports import sources as report

    config = options.read_config()
    value = report.listing(config, options.db or config.database_path)
    _show(options, value, report.listing_lines)


@verb(prints=True, of=sources, name="check")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="The disabled ones too.")
def sources_check(options: Options, ids: tuple[str, ...], everything: bool) -> None:
    """Visit sources once and say what is alive, stale, moved, blocked; stores the verdict and its date alone."""
    from crawler.reports import sources as report
    from crawler.roster import check_sources

    with options.app("write", "sources check") as app:
        for id_ in ids:
            app.config.source(id_)
        value = check_sources(app, ids, everything=everything)
        _show(options, value, report.check_lines)
    if value and all(row["unreachable"] for row in value):
        raise Unreachable("nothing could be reached: no source answered")
    sys.exit(0 if all(row["alive"] for row in value) else 1)


@verb(prints=True, of=sources, name="add")
@click.argument("url")
@click.option("--id", "id_", metavar="ID", help="Its permanent id; else made from the address.")
@click.option("--name", help="Its name in digests; else its own title.")
@click.option("--country", metavar="XX", help="ISO 3166, or none; else by domain.")
@click.option("--language", metavar="xx", help="ISO 639; else by its items.")
@click.option("--dry-run", is_flag=True, help="Look and show, write nothing.")
def sources_add(
    options: Options,
    url: str,
    id_: str | None,
    name: str | None,
    country: str | None,
    language: str | None,
    dry_run: bool,
) -> None:
    """Find the feed, news sitemap or listing of URL, visit it once and write it into feeds.yaml."""
    from crawler.reports import sources as report
    from crawler.roster import add_source

    config = options.read_config()
    value = add_source(
        config, options.db or config.database_path, url, clock=options.clock(), id=id_, name=name, country=country,
        language=language, dry_run=dry_run,
    )  # fmt: skip
    _show(options, value, report.add_lines)
    if value["unreachable"]:
        raise Unreachable("nothing could be reached: the site did not answer")
    sys.exit(0 if value["source"] else 1)


@verb(prints=True, of=sources, name="import")
@click.argument("file", metavar="OPML|-")
@click.option("--dry-run", is_flag=True, help="Show what would be added, write nothing.")
def sources_import(options: Options, file: str, dry_run: bool) -> None:
    """Add the subscriptions of an OPML file to feeds.yaml, without a visit: `sources check` them after it."""
    from crawler.opml import MAX_BYTES
    from crawler.reports import sources as report
    from crawler.roster import import_opml

    config = options.read_config()
    with _input(file) as opened:
        raw = opened.read(MAX_BYTES + 1)
    value = import_opml(config, raw, name=file, dry_run=dry_run)
    _show(options, value, report.import_lines)
    sys.exit(1 if value["refused"] else 0)


@verb(of=sources, name="export")
@click.option("--all", "everything", is_flag=True, help="The disabled ones too.")
def sources_export(options: Options, everything: bool) -> None:
    """The sources as OPML 2.0, for a feed reader or another feeds.yaml."""
    from crawler.opml import render

    config = options.read_config()
    chosen = config.sources if everything else config.enabled
    click.echo(render(chosen, title=f"pakrus: {config.topic}", now=options.clock()()), nl=False)


@verb(prints=True)
@click.option("--dry-run", is_flag=True, help="Only name the migrations that would run.")
def migrate(options: Options, dry_run: bool) -> None:
    """Bring the database up to this version's schema."""
    from crawler.reports import migrate as report

    config = options.read_config()
    value = report.migrate(options.db or config.database_path, dry_run=dry_run)
    _show(options, value, report.lines)


@verb(prints=True)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(options: Options, file: Path) -> None:
    """A checked copy of the database in FILE; others may write meanwhile."""
    from crawler.reports import backup as report

    config = options.read_config()
    value = report.backup(options.db or config.database_path, file)
    _show(options, value, report.backup_lines)


@verb(prints=True)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def restore(options: Options, file: Path) -> None:
    """Put the copy FILE in the place of the database; what was there stays beside it."""
    from crawler.reports import backup as report

    config = options.read_config()
    value = report.restore(options.db or config.database_path, file, now=options.clock()())
    _show(options, value, report.restore_lines)


@verb(prints=True)
def doctor(options: Options) -> None:
    """What is wrong with this installation and what to type; changes nothing, exit 1 where something fails."""
    from crawler.reports import doctor as report

    value = report.report(config_file=options.config, database=options.db, now=options.clock()())
    _show(options, value, report.lines)
    sys.exit(1 if value["failed"] else 0)


# --- ending -----------------------------------------------------------------------------------------------------------


def _open_closed_streams() -> None:
    """Streams that were closed for us lead to nowhere: else the next file that is opened would be one of them."""
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8"))  # noqa: SIM115, PTH123 - for good


def main(args: list[str] | None = None) -> None:
    """The entry point: every expected failure is a sentence on stderr and its exit code."""
    _open_closed_streams()
    stdout = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        # JSON is UTF-8 whatever the locale, and a lone surrogate comes out as the escape that it came in as.
        stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = cli.main(args=args, prog_name="pakrus", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    except PakrusError as error:
        for line in str(error).splitlines():
            click.echo(line, err=True)
        code = error.exit_code
    except (BrokenPipeError, SystemExit) as error:
        # The reader of our output left (`pakrus search ... | head`): end quietly, and keep Python from flushing again.
        # Click makes it an exit with 1 of its own, and puts a wrapper in the place of standard output.
        if isinstance(error, SystemExit) and sys.stdout is stdout:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = 130
    except OSError as error:
        # A full or vanished disk, or standard output on one; what SQLite meets comes as an error of its own.
        click.echo(f"{error.filename or 'standard output'}: {error.strerror or error}", err=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 4
    except Exception as error:
        if type(error).__module__ != "sqlite3":
            raise
        from store.connection import translate

        click.echo(str(translate(error)), err=True)  # type: ignore[arg-type]
        code = 4
    sys.exit(code if isinstance(code, int) else 0)

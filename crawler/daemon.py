"""`pakrus run`: four jobs and an orderly stop. The only home of APScheduler.

The jobs only ask the store what is due; the schedule is data there, not jobs here. One pass of the crawl at a time,
and the digest after it, so that an edition holds what the crawl of its hour brought.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from crawler import logs, metrics
from crawler.app import App, expected
from crawler.config import read_config
from crawler.digest.build import closed_edition, window
from crawler.digest.deliver import deliver
from crawler.errors import PakrusError
from crawler.notify import channels, outbox
from crawler.notify.alerts import queue_alerts
from crawler.notify.channels import Message, NotSent
from crawler.reports import missed
from crawler.spiders.engine import crawl
from crawler.spiders.summary import Summary
from crawler.systemd import Notifier
from crawler.workers import Pool
from store.backup import Copy
from store.connection import open_store
from store.errors import StoreCorrupt, StoreError
from store.records import utc_text
from store.upkeep import check_due, copy_and_check, merge_full_text, night, remember, sweep

log = logging.getLogger("pakrus")

TICK_S = 5.0  # how often the store is asked what is due: one indexed query
UPKEEP_S = 3600.0
NIGHT_HOUR = 3  # from then on, in the config's zone, the nightly copy is made: before any edition of the morning
WITNESSED = timedelta(days=7)  # what the nightly count of `missed` looks at
OFFLINE_S = 60.0  # how long a pass that reached nobody is not repeated
STOP_S = 8.0  # how long a stop may take; what is not done by then lies in the store and is done next time
WORKERS = 2

T = TypeVar("T")


# --- one pass ---------------------------------------------------------------------------------------------------------


def crawl_once(
    app: App,
    *,
    only: Sequence[str] = (),
    everything: bool = False,
    since: datetime | None = None,
    progress: Callable[[], None] = lambda: None,
) -> Summary:
    """One pass, to its end or to a signal; with `since` back to that time through archives and sitemaps. Calls
    `progress` with each visit and each page.

    The table of sources is brought up to feeds.yaml first.
    """
    app.sync_sources()
    return asyncio.run(_crawl_once(app, only, everything, since, progress))


async def _crawl_once(
    app: App, only: Sequence[str], everything: bool, since: datetime | None, progress: Callable[[], None]
) -> Summary:
    stop = asyncio.Event()
    with _signals(stop):
        async with Pool(WORKERS) as pool:
            return await _pass(
                app, pool, verb="crawl", only=only, everything=everything, since=since, stop=stop, progress=progress
            )


async def _pass(
    app: App,
    pool: Pool,
    *,
    verb: str,
    only: Sequence[str] = (),
    everything: bool = False,
    since: datetime | None = None,
    stop: asyncio.Event,
    progress: Callable[[], None] = lambda: None,
) -> Summary:
    """A crawl with its row in `runs`, and the alerts that it gave rise to."""
    run_id = app.store.visits.began(verb, now=app.clock())
    with logs.bound(run=run_id):
        summary = await crawl(app, pool, only=only, everything=everything, since=since, stop=stop, progress=progress)
        app.store.visits.ended(run_id, now=app.clock(), result=summary.totals())
        log.info("pass: %s", summary.line(), extra=summary.totals())
        for alert in queue_alerts(app):
            log.info("alert %s: %s", alert.rule, alert.about, extra={"alert": alert.rule})
    return summary


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set `stop` while the block runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


# --- the daemon -------------------------------------------------------------------------------------------------------


def run(app: App) -> None:
    """Runs until SIGTERM or SIGINT."""
    logs.set_up(level=logging.INFO)
    asyncio.run(Daemon(app, notifier=Notifier(os.environ, pid=os.getpid())).serve())


class Daemon:
    """The jobs, and what they remember between two ticks."""

    def __init__(self, app: App, *, notifier: Notifier | None = None) -> None:
        self.app = app
        self.notifier = notifier or Notifier({})
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()
        self.crawled_at: datetime | None = None  # when the store was last found with nothing due
        self._ticked = 0.0  # of the loop's monotonic clock
        self._offline_until = 0.0  # likewise
        self._running: set[asyncio.Task[Any]] = set()

    async def serve(self) -> None:
        """Four jobs until `stop`; then a stop within STOP_S, nothing lost."""
        if self.app.config.digest.send:
            channels.require()
        self.app.sync_sources()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.reload.set)
        # It warns of each tick that finds the last one at work: a pass may take minutes.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._ticked = loop.time()
        with self._metrics(), _signals(self.stop):
            async with Pool(WORKERS) as pool:
                scheduler = AsyncIOScheduler(timezone=UTC)
                options: dict[str, Any] = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
                soon = datetime.now(UTC)
                scheduler.add_job(
                    self._kept, "interval", [self.tick, pool], seconds=TICK_S, id="crawl", next_run_time=soon, **options
                )
                scheduler.add_job(
                    self._kept, "interval", [self.digest], seconds=TICK_S, id="digest", next_run_time=soon, **options
                )
                scheduler.add_job(
                    self._kept, "interval", [self.send], seconds=TICK_S, id="send", next_run_time=soon, **options
                )
                scheduler.add_job(
                    self._kept, "interval", [self.upkeep], seconds=UPKEEP_S, id="upkeep",
                    next_run_time=soon + timedelta(minutes=1), **options,
                )  # fmt: skip
                scheduler.start()
                log.info("watching %d sources, database %s", len(self.app.config.enabled), self.app.store.path)
                self.notifier.ready(self._watching())
                watchdog = asyncio.create_task(self._watch(scheduler))
                await self.stop.wait()
                log.info("stopping")
                self.notifier.stopping()
                watchdog.cancel()
                # shutdown(wait=True) would cancel the running coroutines: no new ones, let these end, then shut down.
                scheduler.pause()
                if self._running:
                    await asyncio.wait(self._running, timeout=STOP_S)
                scheduler.shutdown(wait=False)
        log.info("stopped")

    def _metrics(self) -> contextlib.AbstractContextManager[None]:
        return metrics.served(lambda: self.app.config, self.app.store.path, clock=self.app.clock)

    async def _kept(self, job: Any, *args: Any) -> None:
        """A job that the stop waits for. An expected failure is one line; the next tick tries again."""
        task = asyncio.ensure_future(job(*args))
        self._running.add(task)
        try:
            await task
        except Exception as error:
            said = expected(error)
            if said is None:
                raise
            log.error("%s: %s", job.__name__, said, extra={"job": job.__name__})
        finally:
            self._running.discard(task)

    async def _watch(self, scheduler: AsyncIOScheduler) -> None:
        """APScheduler goes by the wall clock: when that jumps back, its jobs stall until it has caught up. This goes
        by the monotonic clock and calls them."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_S)
            if not self._running and loop.time() - self._ticked > 4 * TICK_S:
                log.warning("the clock has jumped: the jobs are called again")
                for job in scheduler.get_jobs():
                    job.modify(next_run_time=datetime.now(UTC))
                self._ticked = loop.time()

    # --- the jobs

    async def tick(self, pool: Pool) -> None:
        """Crawls what is due. That it came to its end is progress, also when nothing was."""
        await self._crawl_due(pool)
        self.notifier.progress()

    async def _crawl_due(self, pool: Pool) -> None:
        self._ticked = asyncio.get_running_loop().time()
        if self.reload.is_set():
            self.reload.clear()
            self.notifier.reloading()
            self._reload()
            self.notifier.ready(self._watching())
        now = self.app.clock()
        store = self.app.store
        if self._ticked < self._offline_until:
            return
        if store.sources.due(now) or store.frontier.take(1, now=now):
            summary = await _pass(self.app, pool, verb="run", stop=self.stop, progress=self.notifier.progress)
            self._ticked = asyncio.get_running_loop().time()
            self.notifier.status(f"last pass {now:%Y-%m-%dT%H:%M:%SZ}: {summary.line()}")
            if summary.unreachable:
                # Our own line is down: nobody was charged and all stay due, so that it goes on soon after.
                self._offline_until = self._ticked + OFFLINE_S
            if summary.stopped or summary.unreachable:
                return
        self.crawled_at = now

    async def digest(self) -> None:
        """Writes the edition whose span has closed, once a crawl has been completed since."""
        app = self.app
        zone, at = app.config.timezone, app.config.digest.at
        now = app.clock()
        day = closed_edition(now, zone, at)
        span = window(day, zone, at)
        if self.crawled_at is None or self.crawled_at < span.until:
            return
        stored = app.store.digests.get(day.isoformat(), str(zone), "day")
        if stored is not None and stored["created_at"] >= utc_text(span.until):
            return
        done = deliver(
            app, day, zone=zone, period="day", formats=app.config.digest.formats,
            directory=app.config.digest_directory, now=now,
        )  # fmt: skip
        log.info("edition %s: %d stories, %s", day, done.edition["summary"]["stories"], done.files[0])

    async def send(self) -> None:
        """Sends what is due, edition and alerts."""
        if not self.app.config.digest.send:
            return
        outbox.queue_todays(self.app)
        for row in self.app.store.deliveries.due(self.app.clock()):
            taken = None if self.stop.is_set() else outbox.take(self.app, row)
            if taken is not None:
                result = outbox.settle(self.app, row, await _sent(*taken))
                log.log(logging.INFO if result.state == "sent" else logging.WARNING, "%s", outbox.line(result))

    async def upkeep(self) -> None:
        """Retention, checkpoint, statistics; each night a copy, each week a check."""
        keep = self.app.config.keep
        counts = sweep(
            self.app.store,
            now=self.app.clock(),
            requests_s=keep.requests_s,
            rejected_text_s=keep.rejected_text_s,
            rejected_entries_s=keep.rejected_entries_s,
        )
        log.info("upkeep: %s", ", ".join(f"{n} {name} deleted" for name, n in counts.items()))
        local = self.app.clock().astimezone(self.app.config.timezone)
        if local.hour >= NIGHT_HOUR and night(self.app.store, now=self.app.clock(), today=local.date()):
            await self._night(local.date())

    async def _night(self, today: date) -> None:
        """The round of a night. A stop does not wait for the copy; it is made after the next start."""
        store, now = self.app.store, self.app.clock()
        merge_full_text(store, now=now)
        full = check_due(store, now)
        since = utc_text(now - WITNESSED)

        def work() -> tuple[str | None, Copy]:
            return _missed(store.path, since), copy_and_check(store.path, today, full=full)

        copy = asyncio.ensure_future(_aside(work))
        stopped = asyncio.ensure_future(self.stop.wait())
        await asyncio.wait({copy, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not copy.done():
            copy.cancel()
            return
        error = copy.exception()
        if isinstance(error, StoreError):
            log.error("upkeep, backup: %s", error)
            remember(store, "backup", now, str(error))
            if isinstance(error, StoreCorrupt):
                remember(store, "integrity", now, str(error))
        else:
            counted, made = copy.result()
            log.info("upkeep: copied to %s", made.path)
            if counted is not None:
                store.note("missed", counted)
            remember(store, "backup", now)
            store.note("copied_at", utc_text(now))
            if full:
                remember(store, "integrity", now)
                store.note("checked_at", utc_text(now))
        store.note("night", today.isoformat())

    def _watching(self) -> str:
        return f"watching {len(self.app.config.enabled)} sources"

    def _reload(self) -> None:
        """SIGHUP: the new feeds.yaml if it is valid, else the old one goes on."""
        old = self.app.config
        try:
            new = read_config(old.path, old.base)
        except PakrusError as error:
            for mistake in str(error).splitlines():
                log.error("%s", mistake)
            log.error("feeds.yaml is not valid, the old one is kept")
            return
        if new.database != old.database:
            log.warning("`database` changed: it counts from the next start")
        if new.metrics != old.metrics:
            log.warning("`metrics` changed: it counts from the next start")
        self.app.config = new
        self.app.sync_sources()
        log.info("feeds.yaml read again: %d sources", len(new.enabled))


def _missed(path: Path, since: str) -> str | None:
    """What witnesses have listed since then and we have not, as numbers for `status`, in JSON; None without witnesses.

    Their titles are compared with all of ours: too much for each call of `status`.
    """
    with open_store(path, mode="read") as store:
        value = missed.report(store, since=since)
    return json.dumps({"since": since, "seen": value["seen"], "missed": value["missed"]}) if value["seen"] else None


async def _sent(channel: str, message: Message) -> str | None:
    """Sends; why it failed, or None."""
    try:
        await _aside(lambda: channels.send(channel, message, os.environ))
    except NotSent as failure:
        return str(failure)
    return None


async def _aside(work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in a thread that no stop waits for, however long it takes."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(put: Callable[[Any], None], what: object) -> None:
        if not done.done():
            put(what)

    def run() -> None:
        try:
            put, what = done.set_result, work()
        except BaseException as error:  # noqa: BLE001 - raised again by the one who waits
            put, what = done.set_exception, error  # type: ignore[assignment]
        with contextlib.suppress(RuntimeError):  # the loop is closed: the stop did not wait
            loop.call_soon_threadsafe(tell, put, what)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await done

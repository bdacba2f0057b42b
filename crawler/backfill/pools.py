"""Where the work is done: in this process, or on a Dask cluster (a local one, or any by its address)."""

import itertools
import logging
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crawler.backfill.scan import Scan
from crawler.backfill.work import Failed, Job, close, work
from crawler.errors import Unreachable, UsageError

if TYPE_CHECKING:
    from distributed import Client

DOWNLOADS = 8  # at a time, by all workers together: archives are given away for nothing, by few hosts
AHEAD = 2  # jobs a worker that the scheduler holds; the rest stays here, so that any number of files needs no memory
PATIENCE_S = 10
LOST = "the Dask scheduler is lost; what it had not answered stays pending, run the same command again"


def results(jobs: Iterable[Job], *, workers: int, scheduler: str | None) -> Iterator[Scan | Failed]:
    """An answer a job, in whatever order. Raises Unreachable where the scheduler is not there, or is lost on the way.

    `workers` 0 without a `scheduler`: one after another, in this process.
    """
    if not workers and scheduler is None:
        try:
            yield from map(work, jobs)
        finally:
            close()
        return
    with _client(workers, scheduler) as client:
        yield from _clustered(client, jobs)


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator["Client"]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError(f"a cluster needs the extra: pip install 'pakrus[backfill]' ({error})") from None
    for name in [n for n in logging.root.manager.loggerDict if n.partition(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what happens to a file is said by us, once
    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=PATIENCE_S)
        except (OSError, TimeoutError, ValueError) as error:
            raise Unreachable(f"no Dask scheduler answers at {scheduler}: {error}") from None
        with client:
            yield client
        return
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None does not mean none, but port 8787, and a warning where it is taken
            scheduler_kwargs={"dashboard": False},
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _clustered(client: "Client", jobs: Iterable[Job]) -> Generator[Scan | Failed, None, None]:
    from distributed import Semaphore, as_completed

    slots = Semaphore(max_leases=DOWNLOADS, name="pakrus-downloads")
    left = iter(jobs)
    sent: dict[Any, Job] = {}

    def send(job: Job) -> Any:
        future = client.submit(work, job, slots, pure=False)
        sent[future.key] = job
        return future

    most = max(1, len(client.scheduler_info(n_workers=-1)["workers"])) * AHEAD
    running = as_completed([send(job) for job in itertools.islice(left, most)], raise_errors=False)
    for future in running:
        job = sent.pop(future.key)
        yield _answer(client, job, future)
        future.release()
        for job in itertools.islice(left, 1):
            running.add(send(job))


def _answer(client: "Client", job: Job, future: Any) -> Scan | Failed:
    try:
        if future.status == "finished":
            answer: Scan | Failed = future.result()
            return answer
    except (OSError, TimeoutError, CancelledError) as error:
        raise Unreachable(f"{LOST} ({error})") from None
    if client.status != "running":
        raise Unreachable(LOST)
    why = future.exception() if future.status == "error" else future.status
    return Failed(name=job.name, reason=f"the worker was lost: {why}"[:500], lost=True)

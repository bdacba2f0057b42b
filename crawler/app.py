"""The composition root: opens config, lexicon, store, clock and randomness, and hands them on as one value."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from crawler.config import Config, SourceConfig
from crawler.errors import PakrusError
from store.connection import Store, open_store, translate
from store.sources import SourceLine

if TYPE_CHECKING:
    from crawler.lexicon import Lexicon

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    return datetime.now(UTC)


def expected(error: Exception) -> str | None:
    """What to say of a failure that disks, networks and people cause; None: it is a fault of ours."""
    if isinstance(error, PakrusError):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename or type(error).__name__}: {error.strerror or error}"
    if type(error).__module__ == "sqlite3":
        return str(translate(error))  # type: ignore[arg-type]
    return None


class App:
    """What every verb that touches the database works with. The lexicon is loaded when it is first asked for."""

    def __init__(
        self, config: Config, store: Store, *, clock: Clock = wall_clock, random: Random | None = None
    ) -> None:
        self.config = config
        self.store = store
        self.clock = clock
        self.random = random or Random()  # noqa: S311 - jitter, no secret

    @cached_property
    def lexicon(self) -> "Lexicon":
        from crawler.lexicon import load

        return load(self.config.topic)

    def sync_sources(self) -> None:
        """Makes the table of sources say what feeds.yaml says."""
        self.store.sources.sync((source_line(s) for s in self.config.sources), now=self.clock())


def source_line(source: SourceConfig) -> SourceLine:
    return SourceLine(
        id=source.id,
        name=source.name,
        url=source.url,
        kind=source.kind,
        role=source.role,
        country=source.country,
        language=source.language,
        enabled=source.enabled,
    )


@contextmanager
def open_app(config: Config, *, database: Path, mode: str, holder: str, clock: Clock = wall_clock) -> Iterator[App]:
    """An App over the database, closed at the end.

    The sources stay as they are: who only marks or ingests, perhaps with another feeds.yaml at hand, must not retire
    those of the daemon.
    """
    if mode != "read":
        from crawler.lexicon import load

        load(config.topic)  # an unknown topic is a mistake in the config, and no reason to make a database
    with open_store(database, mode=mode, holder=holder) as store:
        yield App(config, store, clock=clock)

"""More than a year of a few sources: retention keeps its promises, nothing kept is lost, a copy under load is whole."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.app import App
from crawler.reports import audit, status
from tests.year import KEPT, Year

DAYS, SOURCES, ITEMS = 420, 2, 2


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Year, App]]:
    folder = tmp_path_factory.mktemp("year")
    it = Year(folder, sources=SOURCES, items=ITEMS, words=40, passes=2)
    with it.open() as store:
        app = it.app(store)
        for number in range(1, DAYS + 1):
            it.day(app)
            if number % 21 == 0:
                it.edition(app, folder)
                it.sweep(store)
        yield it, app


def test_nothing_is_there_longer_than_promised(year: tuple[Year, App]) -> None:
    it, app = year
    assert it.overdue(app.store) == {"requests": 0, "rejected texts": 0, "rejected entries": 0, "runs": 0}
    texts = app.store.connection.execute(
        "SELECT count(*) FROM documents d JOIN entries e ON e.id = d.entry_id WHERE e.state = 'rejected'"
    ).fetchone()[0]
    assert texts == 30 * SOURCES * ITEMS * (KEPT - 1) // KEPT, "what may stay is there"


def test_every_kept_article_and_edition_is_there_as_it_was_written(year: tuple[Year, App]) -> None:
    it, app = year
    assert len(it.kept) == DAYS * SOURCES * ITEMS // KEPT
    assert it.lost(it.path) == []
    assert it.edited(app, 5) == []


def test_the_ledger_adds_up_and_most_of_the_first_weeks_is_numbers(year: tuple[Year, App]) -> None:
    it, app = year
    ledger = audit.report(app.store, day=None, zone=it.config.timezone)
    assert (ledger["seen"], ledger["unexplained"]) == (DAYS * SOURCES * ITEMS, 0)
    assert ledger["compacted"] == app.store.frontier.compacted() > 150
    assert status.report(app)["upkeep"]["failed"] == []


def test_a_copy_made_while_others_write_restores_to_the_same_tables(year: tuple[Year, App], tmp_path: Path) -> None:
    it, app = year
    found = it.copied_under_load(app, tmp_path)
    assert found.pop("transactions meanwhile") > 0
    assert found.pop("tables") > 30
    assert found == {"tables that differ": [], "unexplained": 0, "kept and lost": 0}, json.dumps(found)

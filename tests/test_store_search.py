"""The search of the store: the filters, and what a word costs that nearly all articles hold."""

from datetime import timedelta
from pathlib import Path

import pytest

from crawler.app import App
from crawler.shadow import query
from store import articles
from tests.builders import NOON, world
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR
from tests.test_reassess import put


def fill(app: App) -> None:
    for n, text in enumerate((BARTER, BARTER_RU, BARTER_UR)):
        for day in range(2):
            at = NOON - timedelta(days=day)
            assert put(app, f"http://p{n}.test/{day}", f"Barter {n} {day}", text, at=at) in ("kept", "duplicates")


def test_filters_hold_together(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        fill(app)
        search = app.store.articles.search
        for word, language in (("barter", "en"), ("barter", "ru"), ("barter", "ur")):
            found = search(query(word), language=language, since="2026-11-25", until="2026-11-25", sector="trade")
            assert [(a.language, a.day) for a in found] == [(language, "2026-11-25")]
        assert search(query("barter"), sector="no-such") == []
        assert len(search(query("barter"), since="2026-11-24", limit=4)) == 4


def test_of_very_many_matches_the_last_to_come_are_weighed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path) as app:
        fill(app)
        everything = {a.id for a in app.store.articles.search(query("barter"))}
        assert len(everything) == 6
        monkeypatch.setattr(articles, "RANKED", 3)
        assert {a.id for a in app.store.articles.search(query("barter"))} == set(sorted(everything)[-3:])
        filtered = app.store.articles.search(query("barter"), until="2026-11-24")
        assert {a.day for a in filtered} == {"2026-11-24"} and len(filtered) == 3

"""A person's word: obeyed at once, remembered for good; samples, and what they say of recall and precision."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.app import App
from crawler.errors import NotStored, UsageError
from crawler.ingest.lines import settle_line
from crawler.mark import mark
from crawler.reassess import reassess
from crawler.reports import quality
from crawler.reports.sample import draw
from store.records import State
from tests.builders import NOON, world
from tests.test_ingest import BARTER, BARTER_RU, CRICKET, _adds_up, _entry, _line, _page, _visit


def _two(app: App) -> None:
    settle_line(app, _line("http://a.test/1", "Barter desk agreed", BARTER), now=NOON)
    settle_line(app, _line("http://a.test/2", "Test ends in draw", CRICKET), now=NOON)


def test_irrelevant_takes_an_article_out_and_keeps_its_text(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _two(app)
        assert mark(app, "http://a.test/1", "irrelevant", (), now=NOON)["state"] == State.REJECTED
        assert app.store.connection.execute("SELECT count(*) FROM articles").fetchone()[0] == 0
        assert app.store.stories.count() == 0
        assert app.store.documents.get(1) == ("Barter desk agreed", BARTER)
        _adds_up(app)


def test_relevant_and_core_keep_what_was_rejected(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _two(app)
        assert mark(app, "2", "relevant", (), now=NOON)["state"] == State.KEPT
        assert app.store.articles.by_canonical("https://a.test/2").grade == 1  # type: ignore[union-attr]
        mark(app, "http://a.test/2?utm_source=x", "core", (), now=NOON)
        assert app.store.articles.by_canonical("https://a.test/2").grade == 2  # type: ignore[union-attr]
        _adds_up(app)


def test_a_word_outlives_every_replay_and_every_new_reading(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _two(app)
        mark(app, "http://a.test/1", "irrelevant", (), now=NOON)
        mark(app, "http://a.test/2", "core", (), now=NOON)
        value = reassess(app, dry_run=False)
        assert (value["articles_before"], value["articles_after"]) == (1, 1)
        settle_line(app, _line("http://a.test/1", "Barter desk agreed again", BARTER + " More."), now=NOON)
        assert app.store.articles.by_canonical("https://a.test/1") is None
        _adds_up(app)


def test_a_person_names_the_sectors(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _two(app)
        mark(app, "1", "sector", ("finance", "agriculture"), now=NOON)
        assert [s for s, _ in app.store.articles.get(1).sectors] == ["agriculture", "finance"]
        reassess(app, dry_run=False)
        assert [s for s, _ in app.store.articles.get(1).sectors] == ["agriculture", "finance"]


def test_an_article_whose_edit_left_the_beat_is_not_lost_by_a_word_on_its_sectors(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _two(app)
        assert settle_line(app, _line("http://a.test/1", "Test ends in draw", CRICKET), now=NOON) == "revised"
        mark(app, "1", "sector", ("sport",), now=NOON)
        assert app.store.articles.get(1).grade == 1
        assert [s for s, _ in app.store.articles.get(1).sectors] == ["sport"]
        _adds_up(app)


def test_relevant_takes_all_sightings_of_the_page_along(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for source in ("courier", "awaz"):
            _visit(app, source, [_entry("http://courier.test/1", "Test ends in draw")], at=NOON)
        _page(app, app.store.frontier.take(5, now=NOON)[0], CRICKET)
        assert app.store.frontier.counts() == {"rejected": 2}
        mark(app, "http://courier.test/1", "relevant", (), now=NOON)
        assert app.store.frontier.counts() == {"kept": 2}
        _adds_up(app)


def test_a_star_and_a_note_change_no_judgement(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _two(app)
        before = app.store.articles.get(1)
        mark(app, "1", "star", (), now=NOON)
        mark(app, "1", "note", ("ask", "the", "ministry"), now=NOON)
        assert app.store.articles.get(1) == before
        assert [tuple(r)[1:] for r in app.store.marks.of("https://a.test/1")] == [
            ("star", ""),
            ("note", "ask the ministry"),
        ]


def test_relevant_on_a_page_never_read_has_it_fetched(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _visit(app, "herald", [_entry("http://herald.test/1", "Rain expected in Doha")], at=NOON)
        assert app.store.frontier.take(5, now=NOON) == []
        mark(app, "http://herald.test/1", "relevant", (), now=NOON)
        (pending,) = app.store.frontier.take(5, now=NOON)
        assert _page(app, pending, CRICKET) is State.KEPT
        _adds_up(app)


@pytest.mark.parametrize(
    ("word", "detail"),
    [("good", ()), ("sector", ()), ("sector", ("weather",)), ("note", ()), ("core", ("really",))],
)
def test_a_word_that_is_none_changes_nothing(tmp_path: Path, word: str, detail: tuple[str, ...]) -> None:
    with world(tmp_path) as app:
        _two(app)
        with pytest.raises(UsageError):
            mark(app, "1", word, detail, now=NOON)
        with pytest.raises(NotStored):
            mark(app, "http://nobody.test/", "star", (), now=NOON)
        assert app.store.connection.execute("SELECT count(*) FROM marks").fetchone()[0] == 0


def test_an_entry_is_drawn_once_and_samples_give_recall_and_precision(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        app.random = Random(7)
        for n in range(30):
            settle_line(app, _line(f"http://a.test/{n}", "Draw", CRICKET.replace("Wednesday", f"day {n}")), now=NOON)
        settle_line(app, _line("http://b.test/1", "Barter", BARTER, source="b"), now=NOON)
        settle_line(app, _line("http://b.test/2", "Бартер", BARTER_RU, source="b", country="RU"), now=NOON)
        assert quality.line(quality.report(app.store)) == (
            "precision not judged yet; recall not judged yet: `pakrus sample`"
        )
        with app.store.transaction():
            first = draw(app, {"kept": 2, "rejects": 20, "unfetched": 5})
            second = draw(app, {"kept": 2, "rejects": 20, "unfetched": 5})
        assert len(first) == 22
        assert len(second) == 10
        assert not {i["id"] for i in first} & {i["id"] for i in second}
        rejects = [i for i in first if i["stratum"] == "rejects"]
        for item in first:
            wrong = item["id"] == rejects[0]["id"]  # one reject was relevant after all
            word = "relevant" if item["stratum"] == "kept" or wrong else "irrelevant"
            mark(app, item["url"], word, (), now=NOON)
        value = quality.report(app.store)
        assert value["precision"]["value"] == 1.0
        assert value["precision"]["low"] < 1.0
        recall = value["recall"]
        assert recall["value"] is not None
        assert recall["low"] < recall["value"] < recall["high"] <= 1.0


@given(st.integers(0, 50), st.integers(0, 50))
def test_the_interval_holds_the_share(positive: int, more: int) -> None:
    count = positive + more
    low, high = quality.wilson(positive, count)
    assert 0.0 <= low <= high <= 1.0
    if count:
        assert low <= positive / count <= high

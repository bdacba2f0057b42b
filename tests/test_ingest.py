"""What becomes of items and pages: states, copies, revisions, stories; one transaction each."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from crawler.app import App
from crawler.ingest.articles import local_day
from crawler.ingest.lines import Line, settle_line
from crawler.ingest.listed import look_up, settle_visit
from crawler.ingest.pages import settle_page
from crawler.reports import audit
from crawler.schedule import Decision
from crawler.types import Document, Entry, Fetched, Moment, Reading
from store.records import Outcome, Pending, State, Validators, Visit
from tests.builders import NOON, Clock, world

BARTER = (
    "ISLAMABAD: Pakistan and Russia agreed on Wednesday to set up a barter desk at the State Bank of Pakistan. "
    "Commerce Minister Jam Kamal Khan and Russian Deputy Prime Minister Alexey Overchuk signed the protocol in "
    "Islamabad. Under it Pakistani rice will be exchanged for Russian fertiliser worth 120 million dollars a year. "
    "A joint working group will meet in Moscow in February to list further goods, the ministry said."
)
BARTER_RU = (
    "Россия и Пакистан договорились создать бартерный центр при Государственном банке Пакистана. Протокол в "
    "Исламабаде подписали министр торговли Джам Камаль Хан и вице-премьер России Алексей Оверчук. Пакистанский рис "
    "будут менять на российские удобрения на 120 миллионов долларов в год. Рабочая группа соберётся в Москве в феврале."
)
BARTER_UR = (
    "اسلام آباد: پاکستان اور روس نے اسٹیٹ بینک میں بارٹر ڈیسک قائم کرنے پر اتفاق کیا ہے۔ وزیر تجارت جام کمال خان اور روس کے "
    "نائب وزیراعظم الیکسی اوورچک نے پروٹوکول پر دستخط کیے۔ پاکستانی چاول کے بدلے روسی کھاد آئے گی جس کی مالیت سالانہ 120 "
    "ملین ڈالر ہو گی۔ مشترکہ ورکنگ گروپ فروری میں ماسکو میں ملے گا۔"
)
CRICKET = (
    "LAHORE: The second Test between Pakistan and Sri Lanka ended in a draw on Wednesday after rain washed out play."
)


def _visit(app: App, source: str, entries: list[Entry], *, at: datetime, outcome: Outcome = Outcome.NEW) -> Visit:
    return settle_visit(
        app,
        app.config.source(source),
        Visit(source_id=source, started_at=at, outcome=outcome, status=200),
        listed=look_up(app, app.config.source(source), Reading(title="feed", entries=tuple(entries))),
        validators=Validators(etag='"1"', body_sha256="x"),
        schedule=Decision(next_due_at=at + timedelta(minutes=15), interval_s=900, consecutive_failures=0.0),
        now=at,
    )


def _entry(url: str | None, title: str = "A title", *, id: str = "", summary: str = "", content: str = "") -> Entry:
    return Entry(id=id, url=url, title=title, summary=summary, content=content)


def _document(pending: Pending, text: str, *, title: str = "", published: datetime | None = NOON) -> Document:
    return Document(
        url=pending.url,
        canonical_url=pending.url,
        outcome="article",
        title=title or pending.title,
        text=text,
        published=Moment(instant=published, precision="minute", origin="meta"),
    )


def _fetched(pending: Pending, now: datetime) -> Fetched:
    return Fetched(
        requested_url=pending.url,
        url=pending.url,
        status=200,
        headers={"etag": '"p"'},
        body=b"<html>page</html>",
        at=now,
        duration_ms=1,
    )


def _page(app: App, pending: Pending, text: str, *, title: str = "", published: datetime | None = NOON) -> State:
    now = app.clock()
    document = _document(pending, text, title=title, published=published)
    return settle_page(app, pending, fetched=_fetched(pending, now), document=document, now=now)


def _line(url: str, title: str, text: str, *, source: str = "paper", country: str = "PK", at: datetime = NOON) -> Line:
    moment = Moment(instant=at, precision="minute")
    return Line(
        url=url, title=title, text=text, published=moment, language="", source=source, country=country, first_seen=at
    )


def _adds_up(app: App) -> None:
    value = audit.report(app.store, day=None, zone=app.config.timezone)
    assert value["unexplained"] == 0, value["problems"]


def test_new_items_wait_for_their_pages_and_known_ones_only_count_as_seen(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        first = _visit(app, "courier", [_entry("http://courier.test/a"), _entry("http://courier.test/b")], at=NOON)
        assert (first.entries_seen, first.entries_new, first.overlap) == (2, 2, 0)
        second = _visit(app, "courier", [_entry("http://courier.test/b"), _entry("http://courier.test/c")], at=NOON)
        assert (second.entries_seen, second.entries_new, second.overlap) == (2, 1, 1)
        third = _visit(app, "courier", [_entry("http://courier.test/c")], at=NOON)
        assert third.outcome is Outcome.UNCHANGED
        assert app.store.frontier.counts() == {"pending": 3}
        assert app.store.sources.get("courier").validators.etag == '"1"'


def test_an_item_without_a_link_still_has_its_row(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _visit(app, "courier", [_entry(None, "A title without a link"), _entry(None, "Another", id="guid-7")], at=NOON)
        assert app.store.frontier.counts() == {"rejected": 2}
        _visit(app, "courier", [_entry(None, "A title without a link")], at=NOON)
        assert app.store.frontier.counts() == {"rejected": 2}
        _adds_up(app)


def test_a_witness_is_never_an_article(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _visit(
            app, "finder", [_entry("https://news.google.com/rss/articles/X", "Pakistan, Russia sign protocol")], at=NOON
        )
        assert app.store.frontier.take(10, now=NOON) == []
        assert app.store.frontier.counts() == {"rejected": 1}


def test_elsewhere_only_candidates_are_fetched(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        entries = [
            _entry("http://herald.test/1", "Pakistan and Russia sign gas protocol"),
            _entry("http://herald.test/2", "Rain expected in Doha this week"),
        ]
        _visit(app, "herald", entries, at=NOON)
        assert [p.url for p in app.store.frontier.take(10, now=NOON)] == ["http://herald.test/1"]


def test_what_was_not_worth_its_page_is_asked_again_when_its_words_change(tmp_path: Path) -> None:
    def waiting(app: App, summary: str) -> list[str]:
        entry = _entry("http://herald.test/1", "Rain expected this week", summary=summary)
        _visit(app, "herald", [entry], at=NOON)
        return [pending.title for pending in app.store.frontier.take(10, now=NOON)]

    with world(tmp_path) as app:
        assert waiting(app, "In Doha.") == []
        assert waiting(app, "In Doha and elsewhere.") == []
        assert waiting(app, "Pakistan and Russia will share forecasts.") == ["Rain expected this week"]


def test_a_source_whose_pages_are_now_all_fetched_gets_those_that_were_not_worth_it(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        entry = _entry("http://herald.test/1", "Rain expected this week", summary="In Doha.")
        _visit(app, "herald", [entry], at=NOON)
        assert app.store.frontier.take(10, now=NOON) == []
        herald = replace(app.config.source("herald"), fetch_pages="all")
        app.config = replace(app.config, sources=tuple(herald if s.id == "herald" else s for s in app.config.sources))
        _visit(app, "herald", [entry], at=NOON)
        assert [pending.url for pending in app.store.frontier.take(10, now=NOON)] == ["http://herald.test/1"]


def test_a_page_about_both_is_kept_with_its_evidence_and_its_page(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed")], at=NOON)
        (pending,) = app.store.frontier.take(10, now=NOON)
        assert _page(app, pending, BARTER) is State.KEPT
        row = app.store.connection.execute("SELECT * FROM articles").fetchone()
        assert row["grade"] == 2
        assert row["day"] == "2026-11-25"
        quotes = app.store.connection.execute(
            "SELECT quote, CASE field WHEN 'title' THEN substr(a.title, start + 1, length)"
            " ELSE substr(a.text, start + 1, length) END FROM mentions m JOIN articles a ON a.id = m.article_id"
        ).fetchall()
        assert quotes
        assert all(quote == found for quote, found in quotes)
        page = app.store.connection.execute("SELECT page_gz, page_sha256 FROM documents").fetchone()
        assert page["page_gz"][:2] == b"\x1f\x8b"
        assert len(page["page_sha256"]) == 64
        _adds_up(app)


def test_a_page_about_neither_is_rejected_with_its_text_and_reason(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Test ends in draw")], at=NOON)
        (pending,) = app.store.frontier.take(10, now=NOON)
        assert _page(app, pending, CRICKET) is State.REJECTED
        row = app.store.connection.execute("SELECT title, reason, url FROM rejects").fetchone()
        assert row["reason"]
        assert app.store.connection.execute("SELECT text, page_gz FROM documents").fetchone()[0] == CRICKET
        _adds_up(app)


def test_one_page_in_two_feeds_is_one_article_with_two_sightings(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        url = "http://courier.test/a"
        _visit(app, "courier", [_entry(url, "Barter desk agreed")], at=NOON)
        _visit(app, "awaz", [_entry(url + "?utm_source=rss", "Barter desk agreed")], at=NOON)
        pending = app.store.frontier.take(10, now=NOON)
        assert len(pending) == 1
        _page(app, pending[0], BARTER)
        assert app.store.frontier.counts() == {"kept": 2}
        assert app.store.connection.execute("SELECT count(*) FROM articles").fetchone()[0] == 1
        _visit(app, "vestnik", [_entry(url, "Barter desk agreed")], at=NOON)  # seen by a third one, later
        assert app.store.frontier.counts() == {"kept": 3}
        _adds_up(app)


def test_a_copy_is_kept_as_a_copy_of_what_came_first(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        assert settle_line(app, _line("http://a.test/1", "Barter desk", BARTER, source="a"), now=NOON) == "kept"
        copy = BARTER.replace("ISLAMABAD: ", "") + " More follows."
        later = NOON + timedelta(hours=1)
        assert (
            settle_line(app, _line("http://b.test/1", "Barter", copy, source="b", at=later), now=later) == "duplicates"
        )
        earlier = NOON - timedelta(hours=3)
        settle_line(app, _line("http://c.test/1", "Barter desk set up", BARTER, source="c", at=earlier), now=later)
        rows = app.store.connection.execute(
            "SELECT source_id, duplicate_of, story_id FROM articles ORDER BY id"
        ).fetchall()
        assert [(r["source_id"], r["duplicate_of"]) for r in rows] == [("a", 3), ("b", 3), ("c", None)]
        assert len({r["story_id"] for r in rows}) == 1
        assert app.store.frontier.counts() == {"duplicate": 2, "kept": 1}
        _adds_up(app)


def test_an_edit_makes_neither_a_copy_nor_an_original(tmp_path: Path) -> None:
    """Editions have shown what an article was when it came."""
    with world(tmp_path) as app:
        other = BARTER.replace("120 million", "150 million")
        for n, text in enumerate((BARTER, BARTER, other)):
            settle_line(app, _line(f"http://s{n}.test/1", "Barter desk", text, source=f"s{n}"), now=NOON)
        later = NOON + timedelta(hours=2)
        settle_line(app, _line("http://s1.test/1", "Barter desk put off", other, source="s1"), now=later)
        settle_line(app, _line("http://s2.test/1", "Barter desk", BARTER, source="s2"), now=later)
        rows = app.store.connection.execute("SELECT text, duplicate_of FROM articles ORDER BY id").fetchall()
        assert [tuple(row) for row in rows] == [(BARTER, None), (other, 1), (BARTER, None)]
        _adds_up(app)


def test_one_event_in_three_languages_is_one_story(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for n, (text, title) in enumerate(
            [
                (BARTER, "Pakistan, Russia agree to set up barter desk"),
                (BARTER_RU, "Россия и Пакистан создадут бартерный центр"),
                (BARTER_UR, "پاکستان اور روس کا بارٹر ڈیسک قائم کرنے پر اتفاق"),
            ]
        ):
            at = NOON + timedelta(minutes=20 * n)
            settle_line(app, _line(f"http://s{n}.test/1", title, text, source=f"s{n}", at=at), now=at)
        row = app.store.connection.execute("SELECT * FROM story_overview").fetchall()
        assert [(r["articles"], r["languages"]) for r in row] == [(3, "en, ru, ur")]


def test_an_edit_is_a_revision_and_no_second_article(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed")], at=NOON)
        _page(app, app.store.frontier.take(10, now=NOON)[0], BARTER)
        now = clock.wind(minutes=30)
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed, rice first")], at=now)
        (again,) = app.store.frontier.take(10, now=now)
        assert again.article_id == 1
        edited = BARTER.replace("120 million", "150 million").replace("in February", "in March")
        _page(app, again, edited, title="Barter desk agreed, rice first")
        (revision,) = app.store.articles.revisions(1)
        assert (revision.title, revision.text) == ("Barter desk agreed", BARTER)
        assert app.store.articles.get(1).text == edited
        assert app.store.connection.execute("SELECT count(*) FROM articles").fetchone()[0] == 1
        _adds_up(app)


def test_a_trivial_change_is_no_revision(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed")], at=NOON)
        _page(app, app.store.frontier.take(10, now=NOON)[0], BARTER)
        now = NOON + timedelta(hours=1)
        (again,) = app.store.frontier.take(10, now=now)
        _page(app, again, BARTER.replace(" in ", "  in ") + "\n")
        assert app.store.articles.revisions(1) == []


def test_a_withdrawn_page_keeps_its_text_and_says_so(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed")], at=NOON)
        _page(app, app.store.frontier.take(10, now=NOON)[0], BARTER)
        now = clock.wind(hours=2)
        (again,) = app.store.frontier.take(10, now=now)
        settle_page(app, again, fetched=None, document=None, problem="gone 404", gone=True, now=now)
        row = app.store.articles.row(1)
        assert row["withdrawn_at"] == "2026-11-25T14:00:00Z"
        assert row["text"] == BARTER
        now = clock.wind(hours=5)  # sites lose pages and find them again
        (again,) = app.store.frontier.take(10, now=now)
        _page(app, again, BARTER)
        assert app.store.articles.row(1)["withdrawn_at"] is None
        assert app.store.articles.revisions(1) == []


def test_a_page_that_fails_stays_pending_with_its_reason_and_rests_after_five_tries(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed")], at=NOON)
        waits = []
        for _ in range(6):
            (pending,) = app.store.frontier.take(10, now=clock.now)
            state = settle_page(app, pending, fetched=None, document=None, problem="time-out", now=clock.now)
            row = app.store.connection.execute("SELECT state, reason, next_try_at FROM entries").fetchone()
            assert (row["state"], row["reason"]) == (state, "time-out")
            if state is State.PENDING:
                waits.append(datetime.fromisoformat(row["next_try_at"]) - clock.now)
                clock.wind(days=4)
        assert state is State.FAILED
        assert waits == sorted(waits)
        _adds_up(app)


def test_the_feeds_own_text_stands_in_for_a_page_that_cannot_be_read(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed", content=BARTER)], at=NOON)
        (pending,) = app.store.frontier.take(10, now=NOON)
        assert settle_page(app, pending, fetched=None, document=None, problem="503", now=NOON) is State.KEPT
        row = app.store.connection.execute("SELECT reason FROM entries").fetchone()
        assert row["reason"] == "the feed's text stands in: 503"
        (again,) = app.store.frontier.take(10, now=NOON + timedelta(hours=2))
        assert again.article_id == 1
        _adds_up(app)


@pytest.mark.parametrize(
    "outcome", ["consent", "login", "bot_wall", "soft_404", "script_only", "unreadable", "listing"]
)
def test_what_is_no_article_is_never_stored_as_one(tmp_path: Path, outcome: str) -> None:
    with world(tmp_path) as app:
        _visit(app, "courier", [_entry("http://courier.test/a", "Barter desk agreed")], at=NOON)
        (pending,) = app.store.frontier.take(10, now=NOON)
        document = Document(url=pending.url, canonical_url=pending.url, outcome=outcome, text=BARTER)
        state = settle_page(app, pending, fetched=_fetched(pending, NOON), document=document, now=NOON)
        assert state in (State.PENDING, State.BLOCKED)
        assert app.store.connection.execute("SELECT count(*) FROM articles").fetchone()[0] == 0
        _adds_up(app)


def test_the_same_lines_again_change_nothing(tmp_path: Path) -> None:
    lines = [_line("http://a.test/1", "Barter desk", BARTER), _line("http://a.test/2", "Draw", CRICKET)]
    with world(tmp_path) as app:
        assert [settle_line(app, line, now=NOON) for line in lines] == ["kept", "rejected"]
        before = list(app.store.connection.iterdump())
        assert [settle_line(app, line, now=NOON) for line in lines] == ["unchanged", "unchanged"]
        assert list(app.store.connection.iterdump()) == before
        _adds_up(app)


def test_a_visit_without_overlap_is_a_gap(tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, clock=clock) as app:
        _visit(app, "courier", [_entry(f"http://courier.test/{n}") for n in range(3)], at=NOON)
        now = clock.wind(hours=3)
        _visit(app, "courier", [_entry(f"http://courier.test/{n}") for n in range(10, 13)], at=now)
        (gap,) = app.store.connection.execute('SELECT source_id, "from", "to" FROM gaps').fetchall()
        assert tuple(gap) == ("courier", "2026-11-25T12:00:00Z", "2026-11-25T15:00:00Z")


def test_three_redirects_to_one_place_change_the_address(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for n in range(3):
            assert app.store.sources.get("courier").url == "http://courier.test/rss"
            settle_visit(
                app,
                app.config.source("courier"),
                Visit(
                    source_id="courier",
                    started_at=NOON,
                    outcome=Outcome.MOVED,
                    status=200,
                    moved_to="http://courier.test/new",
                ),
                listed=look_up(
                    app, app.config.source("courier"), Reading(entries=(_entry(f"http://courier.test/{n}"),))
                ),
                validators=Validators(),
                schedule=Decision(next_due_at=NOON, interval_s=900, consecutive_failures=0.0),
                now=NOON,
            )
        assert app.store.sources.get("courier").url == "http://courier.test/new"
        app.sync_sources()  # feeds.yaml still names the old place: the stored one goes on
        assert app.store.sources.get("courier").url == "http://courier.test/new"


def test_nul_and_lone_surrogates_are_removed_before_offsets_are_counted(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        text = "\x00" + BARTER.replace("Russia", "Rus\x00sia\ud800", 1)
        settle_line(app, _line("http://a.test/1", "Bar\x00ter", text), now=NOON)
        row = app.store.connection.execute("SELECT title, text FROM articles").fetchone()
        assert (row["title"], row["text"]) == ("Barter", BARTER)


def test_days_are_local_to_the_config() -> None:
    moment = datetime.fromisoformat("2026-11-25T19:30:00+00:00")
    from zoneinfo import ZoneInfo

    assert local_day(moment, ZoneInfo("Asia/Karachi")) == "2026-11-26"
    assert local_day(moment, ZoneInfo("Europe/Moscow")) == "2026-11-25"


def test_every_look_up_of_a_page_goes_by_an_index(tmp_path: Path) -> None:
    with world(tmp_path) as app:
        for sql in (
            "SELECT * FROM entries WHERE canonical_url = ?",
            "UPDATE entries SET state = 'kept' WHERE canonical_url = ? AND state = 'pending'",
            "SELECT * FROM entries WHERE source_id = 'a' AND key = ?",
            "SELECT * FROM entries WHERE article_id = ?",
            "SELECT article_id FROM shingles WHERE hash = ? LIMIT 9",
            "SELECT article_id FROM story_keys WHERE key = ? AND at BETWEEN 'a' AND 'b'",
        ):
            plan = app.store.connection.execute(f"EXPLAIN QUERY PLAN {sql}", ("x",)).fetchall()
            assert all(row["detail"].startswith("SEARCH") for row in plan), sql

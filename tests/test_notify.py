"""Editions and alerts leave the house: one message, once, and what went wrong can be seen."""

import json
import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest

from crawler.app import App
from crawler.digest.deliver import deliver
from crawler.errors import UsageError
from crawler.ingest.lines import settle_line
from crawler.notify import channels, outbox
from crawler.notify.alerts import queue_alerts
from crawler.notify.channels import Message, NotSent
from crawler.reports import status
from tests.builders import FEEDS, NOON, Clock, world
from tests.mailbox import Mailbox, mailbox
from tests.test_cli import ENVIRONMENT, pakrus
from tests.test_ingest import BARTER, BARTER_RU, BARTER_UR, _line

DAY = date(2026, 11, 26)  # the edition that holds what is seen at NOON
MORNING = NOON + timedelta(hours=18)
SECRET = "pa/ss:w@rd#1"
TITLES = {
    "en": ("Pakistan, Russia agree to set up barter desk", BARTER),
    "ru": ("Россия и Пакистан создадут бартерный центр", BARTER_RU),
    "ur": ("پاکستان اور روس کا بارٹر ڈیسک قائم کرنے پر اتفاق", BARTER_UR),
}


class Post:
    """Takes messages in the place of the channels, or refuses them."""

    def __init__(self, error: str = "") -> None:
        self.error = error
        self.taken: list[tuple[str, Message]] = []

    def __call__(self, channel: str, message: Message, environment: Mapping[str, str]) -> None:
        if self.error:
            raise NotSent(self.error)
        self.taken.append((channel, message))


def feeds(*send: str, alerts: str = "") -> str:
    return f"{FEEDS}digest: {{send: {json.dumps(send)}}}\n{alerts}"


def settle(app: App, language: str, *, at: timedelta = timedelta(), number: int = 1) -> None:
    title, text = TITLES[language]
    source, country = {"en": ("s0", "PK"), "ru": ("s1", "RU"), "ur": ("s2", "PK")}[language]
    line = _line(f"http://{source}.test/{number}", title, text, source=source, country=country, at=NOON + at)
    settle_line(app, line, now=NOON + at)


@contextmanager
def morning(folder: Path, *send: str) -> Iterator[App]:
    """A day has closed and its edition is made."""
    clock = Clock(MORNING)
    with world(folder, text=feeds(*send), clock=clock) as app:
        for language in TITLES:
            settle(app, language)
        deliver(
            app, DAY, zone=app.config.timezone, period="day", formats=("html",), directory=folder / "out", now=MORNING
        )
        yield app


SUBJECTS = {"ru": "Пакистан и Россия, 26 ноября 2026 г.: 1 сюжет", "ur": "پاکستان اور روس، 26 نومبر 2026ء: 1 خبر"}


@pytest.mark.parametrize("language", SUBJECTS)
def test_mail_and_alerts_are_in_the_readers_language(language: str, tmp_path: Path) -> None:
    with mailbox() as box:
        text = f"{FEEDS}digest: {{language: {language}, send: ['{mailto(box.port)}']}}\nalerts: [{RULES['sector']}]\n"
        with world(tmp_path, text=text, clock=Clock(MORNING)) as app:
            for of in TITLES:
                settle(app, of)
            deliver(
                app, DAY, zone=app.config.timezone, period="day", formats=("html",), directory=tmp_path, now=MORNING
            )
            assert [r.state for r in send_all(app)] == ["sent"]
        (message,) = box.messages
        _, page = message.iter_parts()
        assert message["subject"] == SUBJECTS[language]
        file = (tmp_path / f"{DAY}.html").read_text("utf-8")
        assert page.get_content().replace("\r\n", "\n").strip() == file.strip()
        assert f'<html lang="{language}"' in file
    with world(tmp_path / "alerts", text=text, clock=Clock()) as app:
        settle(app, "en")
        (alert,) = queue_alerts(app)
    assert {
        "ru": "(английский), 25 нояб., 17:00 (время Исламабада)",
        "ur": "(انگریزی)، 25 نومبر، 17:00 (اسلام آباد کا وقت)",
    }[language] in alert.body


def send_all(app: App, send: outbox.Send = channels.send) -> list[outbox.Result]:
    environment = {"MAIL_PASSWORD": SECRET}
    return outbox.send_edition(app, DAY, zone=app.config.timezone, period="day", environment=environment, send=send)


def mailto(port: int) -> str:
    return f"mailto://127.0.0.1:{port}?mode=insecure&from=pakrus@example.org&to=desk@example.org"


# --- mail -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mailbox, Path]]:
    folder = tmp_path_factory.mktemp("mail")
    with mailbox() as box, morning(folder, mailto(box.port)) as app:
        assert [r.state for r in send_all(app)] == ["sent"]
        assert [(r.state, r.now) for r in send_all(app)] == [("sent", False)]
        yield box, folder


def test_mail_is_one_message_however_often_it_is_sent(mailed: tuple[Mailbox, Path]) -> None:
    box, _ = mailed
    assert box.recipients == ["desk@example.org"]
    assert len(box.messages) == 1
    assert box.messages[0]["subject"] == "Pakistan and Russia, 26 November 2026: 1 story"


def test_mail_has_the_page_as_it_lies_in_the_file_and_its_text(mailed: tuple[Mailbox, Path]) -> None:
    box, folder = mailed
    message = box.messages[0]
    assert message.get_content_type() == "multipart/alternative"
    text, page = message.iter_parts()
    assert (text.get_content_type(), page.get_content_type()) == ("text/plain", "text/html")
    file = (folder / "out" / "2026-11-26.html").read_text("utf-8")
    assert page.get_content().replace("\r\n", "\n").strip() == file.strip()
    for title, _ in TITLES.values():
        assert title in text.get_content()


def test_a_refused_connection_is_tried_again_and_seen_in_status(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with morning(tmp_path, mailto(port)) as app:
        (result,) = send_all(app)
        assert result.state == "pending"
        assert "efused" in result.error
        assert result.next_try_at
        (line,) = [m for m in status.report(app)["needs_attention"] if "digest.send[1] (mailto)" in m]
        assert "tried again at" in line
        post = Post()
        assert outbox.flush(app, {}, post) == []
        app.clock.wind(minutes=12)  # type: ignore[attr-defined]
        assert [r.state for r in outbox.flush(app, {}, post)] == ["sent"]
        assert not [m for m in status.report(app)["needs_attention"] if "digest.send" in m]


def test_an_address_and_a_secret_are_in_no_log_and_no_row(tmp_path: Path) -> None:
    log = StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.DEBUG)
    url = "mailto://desk:${MAIL_PASSWORD}@127.0.0.1:1?from=pakrus@example.org&to=envoy@example.org&mode=insecure"
    with morning(tmp_path, url, "json://127.0.0.1:1/${MAIL_PASSWORD}") as app:
        results = send_all(app)
        assert [r.state for r in results] == ["pending", "pending"]
        rows = [tuple(row) for row in app.store.connection.execute("SELECT * FROM deliveries")]
    logging.getLogger().removeHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)
    said = log.getvalue() + repr(rows) + "".join(map(outbox.line, results))
    for private in (SECRET, "pa%2Fss", "envoy", "pakrus@example.org"):
        assert private not in said


# --- once -------------------------------------------------------------------------------------------------------------


def test_a_failure_is_given_up_after_the_last_try(tmp_path: Path) -> None:
    with morning(tmp_path, "ntfy://topic") as app:
        send_all(app, Post("no"))
        for _ in range(9):
            app.clock.wind(days=4)  # type: ignore[attr-defined]
            outbox.flush(app, {}, Post("no"))
        (row,) = app.store.connection.execute("SELECT state, tries FROM deliveries")
        assert tuple(row) == ("failed", 6)


def test_a_channel_that_failed_does_not_hold_up_the_others_nor_send_them_twice(tmp_path: Path) -> None:
    with morning(tmp_path, "ntfy://one", "ntfy://two") as app:
        post = Post()

        def send(channel: str, message: Message, environment: Mapping[str, str]) -> None:
            (Post("no") if channel.endswith("one") else post)(channel, message, environment)

        assert [r.state for r in send_all(app, send)] == ["pending", "sent"]
        assert [r.state for r in send_all(app, post)] == ["sent", "sent"]
        assert [channel for channel, _ in post.taken] == ["ntfy://two", "ntfy://one"]


def test_a_sender_that_was_killed_has_sent_or_not_and_nobody_sends_again(tmp_path: Path) -> None:
    with morning(tmp_path, "ntfy://one") as app:
        outbox.queue_todays(app)
        (row,) = app.store.deliveries.due(app.clock())
        assert outbox.take(app, row) is not None  # and here it dies
        app.clock.wind(hours=1)  # type: ignore[attr-defined]
        post = Post()
        assert [r.state for r in send_all(app, post)] == ["sending"]
        assert outbox.flush(app, {}, post) == []
        assert post.taken == []
        assert [m for m in status.report(app)["needs_attention"] if "ask whether it arrived" in m]


def test_two_senders_at_once_claim_a_message_once(tmp_path: Path) -> None:
    with morning(tmp_path, "ntfy://one") as app:
        outbox.queue_todays(app)
        (row,) = app.store.deliveries.due(app.clock())
        assert outbox.take(app, row) is not None
        assert outbox.take(app, row) is None


def test_the_daemon_queues_the_closed_edition_once_and_a_new_channel_gets_it_too(tmp_path: Path) -> None:
    with morning(tmp_path, "ntfy://one") as app:
        outbox.queue_todays(app)
        outbox.queue_todays(app)
        assert len(app.store.deliveries.due(app.clock())) == 1
    with world(tmp_path, text=feeds("ntfy://one", "ntfy://two"), clock=Clock(MORNING)) as app:
        outbox.queue_todays(app)
        post = Post()
        outbox.flush(app, {}, post)
        assert [channel for channel, _ in post.taken] == ["ntfy://one", "ntfy://two"]


def test_an_open_edition_is_not_sent(tmp_path: Path) -> None:
    with world(tmp_path, text=feeds("ntfy://one")) as app:
        settle(app, "en")
        deliver(app, DAY, zone=app.config.timezone, period="day", formats=("md",), directory=tmp_path, now=NOON)
        with pytest.raises(UsageError, match="still open"):
            send_all(app, Post())


def test_a_line_that_left_feeds_yaml_is_not_sent_to(tmp_path: Path) -> None:
    with morning(tmp_path, "ntfy://one") as app:
        outbox.queue_todays(app)
    with world(tmp_path, text=feeds("ntfy://two"), clock=Clock(MORNING)) as app:
        post = Post()
        assert [r.state for r in outbox.flush(app, {}, post)] == ["failed"]
        assert post.taken == []


# --- channels ---------------------------------------------------------------------------------------------------------


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotSent, match="the environment has no NOWHERE"):
        channels.send("ntfy://${NOWHERE}", Message(subject="s", text="t"), {})


def test_a_url_with_two_recipients_is_refused_before_anybody_gets_it() -> None:
    with mailbox() as box:
        url = mailto(box.port) + ",other@example.org"
        with pytest.raises(NotSent, match="2 recipients"):
            channels.send(url, Message(subject="s", text="t"), {})
        assert box.messages == []


@pytest.mark.parametrize("whole", [True, False])
def test_variables_are_filled_in_when_sending(whole: bool) -> None:
    with mailbox() as box:
        environment = {"WHO": "desk@example.org", "URL": mailto(box.port)}
        url = "${URL}" if whole else mailto(box.port).replace("desk@example.org", "${WHO}")
        channels.send(url, Message(subject="Тема\nX: y", text="کچھ"), environment)
        (message,) = box.messages
        assert message["subject"] == "Тема X: y"
        assert box.recipients == ["desk@example.org"]
        assert "X" not in message
        assert message.get_content().strip() == "کچھ"


def test_a_long_text_is_cut_at_a_line() -> None:
    assert channels.cut("one\ntwo\nthree", 9) == "one\ntwo…"
    assert channels.cut("abcdefghij", 5) == "abcd…"
    assert channels.cut("short", 5) == "short"


def test_the_schemes_of_feeds_yaml_are_those_of_apprise() -> None:
    stored = (Path(channels.__file__).parent / "schemes.txt").read_text("utf-8")
    assert channels.schemes() == stored, "write it anew: print(crawler.notify.channels.schemes(), end='')"


# --- alerts -----------------------------------------------------------------------------------------------------------

RULES = {
    "sector": "{name: rule, sectors: [trade]}",
    "query en": "{name: rule, query: desks}",
    "query ru": "{name: rule, query: бартерного}",
    "query ur": "{name: rule, query: بارٹر}",
}


@pytest.mark.parametrize(
    ("rule", "language"),
    [("sector", "en"), ("sector", "ru"), ("sector", "ur"), ("query en", "en"), ("query ru", "ru"), ("query ur", "ur")],
)
def test_a_rule_reports_a_story_once_whatever_its_language(rule: str, language: str, tmp_path: Path) -> None:
    clock = Clock()
    with world(tmp_path, text=feeds("ntfy://one", alerts=f"alerts: [{RULES[rule]}]\n"), clock=clock) as app:
        settle(app, language)
        (alert,) = queue_alerts(app)
        assert TITLES[language][0] in alert.body
        assert "(Islamabad time)" in alert.body
        post = Post()
        outbox.flush(app, {}, post)
        assert [m.subject for _, m in post.taken] == [f"rule: {TITLES[language][0]}"]
        clock.wind(minutes=5)
        for more in TITLES:  # the same story in the other languages
            settle(app, more, at=timedelta(minutes=5), number=2)
        assert app.store.stories.count() == 1
        assert queue_alerts(app) == []


def test_a_name_in_any_script_meets_a_rule_of_names(tmp_path: Path) -> None:
    texts = {
        "en": (
            "Gazprom, OGDCL sign gas exploration deal",
            f"ISLAMABAD: {BARTER} Gazprom and OGDCL signed it in Moscow.",
        ),
        "ru": ("«Газпром» и Пакистан подписали соглашение", f"{BARTER_RU} «Газпром» подписал соглашение в Исламабаде."),
        "ur": ("گیزپروم اور پاکستان کا معاہدہ", f"{BARTER_UR} گیزپروم نے اسلام آباد میں معاہدے پر دستخط کیے۔"),
    }
    for language, (title, text) in texts.items():
        folder = tmp_path / language
        folder.mkdir()
        with world(folder, text=feeds("ntfy://one", alerts="alerts: [{name: rule, names: [gazprom]}]\n")) as app:
            settle_line(app, _line("http://s.test/1", title, text, source="s", country="PK"), now=NOON)
            assert [a.about for a in queue_alerts(app)] == ["story 1"], language


def test_old_news_and_what_was_seen_long_ago_is_no_alert(tmp_path: Path) -> None:
    clock = Clock()
    with world(
        tmp_path, text=feeds("ntfy://one", alerts="alerts: [{name: rule, sectors: [trade]}]\n"), clock=clock
    ) as app:
        settle(app, "en")
        clock.wind(hours=7)
        assert queue_alerts(app) == []


def test_all_conditions_of_a_rule_must_hold(tmp_path: Path) -> None:
    rule = "alerts: [{name: rule, sectors: [trade], query: no-such-word}]\n"
    with world(tmp_path, text=feeds("ntfy://one", alerts=rule)) as app:
        settle(app, "en")
        assert queue_alerts(app) == []


def test_a_story_that_took_in_a_reported_one_is_not_reported_again(tmp_path: Path) -> None:
    with world(tmp_path, text=feeds("ntfy://one", alerts="alerts: [{name: rule, sectors: [trade]}]\n")) as app:
        settle(app, "en")
        assert len(queue_alerts(app)) == 1
        run = app.store.connection.execute
        run("INSERT INTO stories (headline, first_published_at, last_published_at, created_at)"
            " SELECT headline, first_published_at, last_published_at, created_at FROM stories")  # fmt: skip
        run("UPDATE articles SET story_id = 2")
        assert queue_alerts(app) == []


def test_a_spike_is_a_sectors_day_against_its_past_fourteen(tmp_path: Path) -> None:
    with world(tmp_path, text=feeds("ntfy://one", alerts="alerts: [{name: rush, spike: 3}]\n")) as app:
        settle(app, "en")
        app.store.connection.execute("UPDATE articles SET day = '2026-11-11'")
        for day in range(12, 25):
            _another_story(app, f"2026-11-{day}")
        for _ in range(3):
            _another_story(app, "2026-11-25")
        assert queue_alerts(app) == []  # three times the usual, but three stories are no rush
        _another_story(app, "2026-11-25")
        (found,) = [a for a in queue_alerts(app) if a.about == "spike trade 2026-11-25"]
        assert "4 stories on 25 Nov so far, 1 a day over the 14 days before" in found.body
        assert queue_alerts(app) == []


def test_without_a_week_of_history_nothing_is_a_spike(tmp_path: Path) -> None:
    with world(tmp_path, text=feeds("ntfy://one", alerts="alerts: [{name: rush, spike: 2}]\n")) as app:
        settle(app, "en")
        for _ in range(9):
            _another_story(app, "2026-11-25")
        assert queue_alerts(app) == []


def _another_story(app: App, day: str) -> None:
    """The first article once more, as another event of that day."""
    run = app.store.connection.execute
    run("CREATE TEMP TABLE IF NOT EXISTS one AS SELECT * FROM articles WHERE id = 1")
    run("INSERT INTO stories (headline, first_published_at, last_published_at, created_at)"
        " SELECT headline, first_published_at, last_published_at, created_at FROM stories WHERE id = 1")  # fmt: skip
    run("UPDATE one SET id = (SELECT max(id) + 1 FROM articles), story_id = (SELECT max(id) FROM stories),"
        " day = ?, canonical_url = 'http://s0.test/' || (SELECT max(id) + 1 FROM articles)", (day,))  # fmt: skip
    run("INSERT INTO articles SELECT * FROM one")
    run("INSERT INTO article_sectors SELECT (SELECT id FROM one), sector, score FROM article_sectors"
        " WHERE article_id = 1")  # fmt: skip


# --- the verb ---------------------------------------------------------------------------------------------------------


def test_digest_send_sends_once_and_says_so(tmp_path: Path) -> None:
    with mailbox() as box:
        with morning(tmp_path, mailto(box.port)):
            pass
        (tmp_path / "feeds.yaml").write_text(feeds(mailto(box.port)), "utf-8")
        arguments = ["digest", "--config", str(tmp_path / "feeds.yaml"), "--db", str(tmp_path / "news.db"), "--send",
                     "--now", "2026-11-26T06:00:00Z"]  # fmt: skip
        first, second = pakrus(*arguments), pakrus(*arguments)
        assert (first.returncode, second.returncode) == (0, 0), first.stderr
        assert "digest.send[1] (mailto): sent" in first.stderr
        assert "was sent before, not again" in second.stderr
        assert len(box.messages) == 1
    third = pakrus(*arguments[:-3], "--date", "2026-11-25", "--send", "--now", "2026-11-26T06:00:00Z")
    assert third.returncode == 1
    assert "tried again at" in third.stderr


def test_digest_send_without_a_channel_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text("sources: []\n")
    done = pakrus("digest", "--config", str(tmp_path / "feeds.yaml"), "--send")
    assert done.returncode == 2
    assert "names no channel" in done.stderr


def test_without_the_extra_sending_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'pakrus\[notify\]'"):
        channels.require()
    with pytest.raises(NotSent, match="not installed"):
        channels.send("ntfy://x", Message(subject="s", text="t"), ENVIRONMENT)

"""One event is one story, over three languages; a series stays apart."""

import json
import random
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import cluster, lexicon
from crawler.classify import classify
from crawler.cluster import signals
from crawler.text import fold
from crawler.types import Text

CASES = Path(__file__).parent / "cases" / "stories" / "events.jsonl"
UNSEEN = CASES.with_name("unseen.jsonl")


def profile(case: dict[str, str]) -> cluster.Profile:
    published = datetime.fromisoformat(case["published"])
    known = lexicon.load()
    verdict = classify(Text(title=case["title"], text=case["text"], language=case["language"]), known)
    return cluster.profile(
        title=case["title"],
        text=case["text"],
        language=case["language"],
        published=published,
        first_seen=published,
        classification=verdict,
        lexicon=known,
    )


@pytest.fixture(scope="module")
def cases() -> dict[str, tuple[str, cluster.Profile]]:
    return {row["id"]: (row["event"], profile(row)) for row in read(CASES)}


def read(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def stories(profiles: dict[str, cluster.Profile], order: list[str], **said) -> set[frozenset[str]]:
    """What the articles make up when they are numbered in this order."""
    number = {name: n for n, name in enumerate(order, 1)}
    pairs = {how: [(number[a], number[b]) for a, b in named] for how, named in said.items()}
    parts = cluster.partition({number[name]: profiles[name] for name in order}, **pairs)
    return {frozenset(order[n - 1] for n in part) for part in parts}


def test_articles_of_one_event_are_one_story_in_three_languages(cases) -> None:
    events = {frozenset(n for n, (e, _) in cases.items() if e == event) for event, _ in cases.values()}
    assert stories({n: p for n, (_, p) in cases.items()}, list(cases)) == events


def test_the_order_of_arrival_changes_nothing(cases) -> None:
    profiles = {n: p for n, (_, p) in cases.items()}
    order = list(cases)
    first = stories(profiles, order)
    for seed in range(8):
        random.Random(seed).shuffle(order)
        assert stories(profiles, order) == first


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("wg10-en", "wg11-en"),
        ("wg10-ru", "wg11-ru"),
        ("wg10-ur", "wg11-ru"),
        ("cargo1-en", "cargo2-en"),
        ("cargo1-ur", "cargo2-ru"),
        ("druzhba-open-en", "druzhba-close-en"),
        ("lavrov-en", "mango-en"),
    ],
)
def test_the_next_of_a_series_is_another_event(cases, one: str, other: str) -> None:
    assert not cluster.same_event(cases[one][1], cases[other][1]).same


def test_events_written_before_the_rules_were_looked_at_stay_stories_and_their_siblings_apart() -> None:
    """48 events, 30 of them beside a sibling within the week (`near`): the floors of what was reached on them."""
    rows = read(UNSEEN)
    event = {row["id"]: row["event"] for row in rows}
    found = stories({row["id"]: profile(row) for row in rows}, list(event))
    joined = {pair for story in found for pair in combinations(sorted(story), 2)}
    one = {pair for pair in combinations(sorted(event), 2) if event[pair[0]] == event[pair[1]]}
    assert len(joined & one) / len(one) >= 0.97
    assert len(joined & one) / len(joined) >= 0.79
    siblings = {frozenset((row["event"], row["near"])) for row in rows if row["near"]}
    assert len(siblings & {frozenset((event[a], event[b])) for a, b in joined}) <= 8


def test_the_second_of_a_series_may_recall_the_first_in_its_text() -> None:
    (first, second) = (
        profile(row) for row in read(UNSEEN) if row["id"].startswith("grain-") and row["language"] == "en"
    )
    assert first.ordinals & second.ordinals
    assert not cluster.same_event(first, second).same


def test_condolences_worded_alike_for_another_cause_are_another_event() -> None:
    rows = {row["id"]: profile(row) for row in read(UNSEEN) if row["id"].startswith("telegram-")}
    for blast, crash in combinations(rows, 2):
        if blast.startswith("telegram-bajaur") and crash.startswith("telegram-train"):
            verdict = cluster.same_event(rows[blast], rows[crash])
            assert "other cause -6.0" in verdict.reasons


def test_a_message_is_reported_within_days() -> None:
    rows = [
        row for row in read(UNSEEN) if row["event"] in ("zardari-putin-letter-2024-03", "sharif-putin-letter-2024-03")
    ]
    kept = {row["id"]: profile(row) for row in rows}
    assert sorted(len(story) for story in stories(kept, list(kept))) == [2, 3]


def test_names_across_languages_do_not_join_what_the_words_of_one_language_part() -> None:
    kept = {row["id"]: profile(row) for row in read(UNSEEN) if row["id"].startswith(("frigate-", "aman-"))}
    assert cluster.same_event(kept["frigate-port-call-2024-03-ur"], kept["aman-dialogue-russia-2024-03-en"]).same
    assert sorted(len(story) for story in stories(kept, list(kept))) == [1, 3]


def test_a_disagreement_on_a_number_does_not_part_a_story(cases) -> None:
    said = {n: cases[f"traders-{language}"][1] for n, language in enumerate(("en", "ru", "ur"))}
    assert cluster.same_event(said[0], said[1]).same
    (dispute,) = cluster.disputes({n: p.figures for n, p in said.items()})
    assert dispute.unit == "traders"
    assert {value: [n for n, _ in side] for value, side in dispute.sides.items()} == {83: [0], 84: [1, 2]}


def test_the_verdict_is_symmetric_and_says_why(cases) -> None:
    for (_, a), (_, b) in combinations(cases.values(), 2):
        assert cluster.same_event(a, b) == cluster.same_event(b, a)
    reasons = cluster.same_event(cases["lavrov-en"][1], cases["lavrov-ur"][1]).reasons
    assert any("lavrov" in reason for reason in reasons)


def test_articles_of_one_event_share_an_index_key(cases) -> None:
    for (event_a, a), (event_b, b) in combinations(cases.values(), 2):
        if event_a == event_b:
            assert set(cluster.keys(a)) & set(cluster.keys(b))
    assert all(len(cluster.keys(p)) <= 28 for _, p in cases.values())


def test_what_is_remembered_of_a_pair_keeps_no_profile(cases) -> None:
    one, other = (replace(p, title_words=frozenset({"remembered"})) for _, p in [*cases.values()][:2])
    held = sys.getrefcount(one)
    score = cluster.likeness(one, other)
    assert sys.getrefcount(one) == held
    assert cluster.likeness(other, one) == cluster.likeness(replace(one), other) == score


def test_a_profile_survives_json(cases) -> None:
    for _, p in cases.values():
        assert cluster.Profile.from_json(json.loads(json.dumps(p.to_json()))) == p


def test_an_article_without_any_name_has_a_key_and_no_neighbours() -> None:
    bare = profile({"title": "", "text": "", "language": "en", "published": "2025-01-01T00:00:00Z"})
    assert cluster.keys(bare) == ("-",)
    assert cluster.partition({1: bare}) == [{1}]
    assert cluster.partition({}) == []


def test_an_article_between_two_makes_them_one_story(cases) -> None:
    profiles = {n: p for n, (_, p) in cases.items()}
    assert stories(profiles, ["lavrov-ru", "lavrov-ur", "mango-en", "lavrov-en"]) == {
        frozenset({"lavrov-ru", "lavrov-ur", "lavrov-en"}),
        frozenset({"mango-en"}),
    }


def test_a_persons_word_outweighs_every_score(cases) -> None:
    profiles = {n: p for n, (_, p) in cases.items()}
    names = ["lavrov-ru", "lavrov-ur", "lavrov-en", "mango-en"]
    parted = stories(profiles, names, apart=[("lavrov-ur", "lavrov-en"), ("lavrov-ur", "lavrov-ru")])
    assert parted == {frozenset({"lavrov-ru", "lavrov-en"}), frozenset({"lavrov-ur"}), frozenset({"mango-en"})}
    joined = stories(profiles, names, together=[("mango-en", "lavrov-ur")])
    assert joined == {frozenset(names)}


def test_in_a_busy_week_more_is_asked_of_a_pair(cases) -> None:
    one, other = cases["lavrov-en"][1], cases["lavrov-ur"][1]
    scores = [cluster.same_event(one, other, busy=busy).score for busy in (0, 10, 20, 80, 320)]
    assert scores[0] == scores[1]
    assert scores[1:] == sorted(scores[1:], reverse=True)
    assert scores[1] - scores[2] == pytest.approx(scores[2] - cluster.same_event(one, other, busy=40).score, abs=0.02)


def test_articles_beyond_the_window_are_never_one_event(cases) -> None:
    text = "Vladimir Putin congratulated Pakistan."
    event = {"title": "Putin congratulates Pakistan", "text": text, "language": "en"}
    one = profile({**event, "published": "2025-08-14T00:00:00Z"})
    late = datetime(2025, 8, 14, tzinfo=UTC) + timedelta(days=cluster.WINDOW, hours=1)
    assert not cluster.same_event(one, profile({**event, "published": late.isoformat()})).same
    assert cluster.same_event(one, profile({**event, "published": "2025-08-15T00:00:00Z"})).same


def test_signals_of_three_scripts_are_equal() -> None:
    ten = ("the 10th session", "десятое заседание", "دسواں اجلاس", "11 then the tenth meeting")
    assert all("session:10" in signals.ordinals(fold(text).text) for text in ten)
    five = ("Druzhba-V", "«Дружба-5»", "the fifth Druzhba exercise", "پانچویں مشقیں")
    assert all("exercise:5" in signals.ordinals(fold(text).text) for text in five)
    tonnes = ("60,000 tonnes", "60 тыс. тонн", "60 000 тонн", "ساٹھ ہزار ٹن", "sixty thousand tonnes", "۶۰ ہزار ٹن")
    assert all(signals.numbers(fold(text).text) == {"6e+04"} for text in tonnes)
    assert signals.numbers(fold("in 2023, on 12 June, 8 ноября, 3 people").text) == set()
    day = date(2024, 11, 9)
    named = ("on November 8", "8 Nov, 2024", "8 ноября", "8 نومبر کو", "8th of November")
    assert all(signals.days(fold(text).text, day) == {"2024-11-08"} for text in named)
    assert signals.days(fold("31 February, 8 March").text, day) == set()


@pytest.mark.parametrize(
    "spellings",
    [("mironov", "миронов", "میرونوف"), ("matytsin", "матыцин", "متیتسن"), ("mishustin", "мишустин", "مشہوسٹن")],
)
def test_a_name_has_the_same_consonants_in_three_scripts(spellings: tuple[str, ...]) -> None:
    assert frozenset.intersection(*(signals.consonants(fold(word).text) for word in spellings))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text_has_a_profile(title: str, text: str) -> None:
    made = profile({"title": title, "text": text, "language": "en", "published": "0001-01-01T00:00:00Z"})
    assert cluster.Profile.from_json(made.to_json()) == made
    assert cluster.same_event(made, made).score > -99


def test_a_text_without_a_blank_is_bounded() -> None:
    made = profile({"title": "", "text": "я" * 1_000_000, "language": "ru", "published": "2025-01-01T00:00:00Z"})
    assert len(json.dumps(made.to_json())) < 2_000

"""Search finds every form of a word in three scripts, and not its look-alikes."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import UsageError
from crawler.shadow import highlight, query, shadow

CASES = Path(__file__).parent / "cases" / "search"


def rows(name: str) -> list[tuple[str, str]]:
    lines = (CASES / name).read_text("utf-8").splitlines()
    return [(wanted, text) for wanted, _, text in (line.partition("\t") for line in lines)]


class Index:
    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='unicode61 remove_diacritics 0')")

    def finds(self, wanted: str, *texts: str) -> list[str]:
        self.db.execute("DELETE FROM t")
        self.db.executemany("INSERT INTO t VALUES (?)", [(shadow(text),) for text in texts])
        found = self.db.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rowid", (query(wanted),)).fetchall()
        return [texts[rowid - 1] for (rowid,) in found]


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    made = Index()
    yield made
    made.db.close()


def test_every_form_finds_every_other(index: Index) -> None:
    pairs = rows("pairs.tsv")
    assert len(pairs) >= 300
    both = [*pairs, *((b, a) for a, b in pairs)]
    assert [pair for pair in both if not index.finds(*pair)] == []


def test_look_alikes_are_not_found(index: Index) -> None:
    assert [pair for pair in rows("not_found.tsv") if index.finds(*pair)] == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("Россия газ", ["Россия поставит газ Пакистану"]),
        ("газ OR пшеница", ["Россия поставит газ Пакистану", "Пшеницу везут через Каспий"]),
        ("Пакистан NOT газ", ["Пакистанские студенты в Казани"]),
        ("Пакистан -газ", ["Пакистанские студенты в Казани"]),
        ("(газ OR студенты) AND Пакистан", ["Россия поставит газ Пакистану", "Пакистанские студенты в Казани"]),
        ('"студент Казань"', []),
        ('"пакистанский студент"', ["Пакистанские студенты в Казани"]),
        ("«пакистанский студент»", ["Пакистанские студенты в Казани"]),
        ("газ ИЛИ пшеница", ["Россия поставит газ Пакистану", "Пшеницу везут через Каспий"]),
        ("Пакистан НЕ газ", ["Пакистанские студенты в Казани"]),
        ("Пакистан И студенты", ["Пакистанские студенты в Казани"]),
        ("студ*", ["Пакистанские студенты в Казани"]),
        ("пакистанск*", ["Россия поставит газ Пакистану", "Пакистанские студенты в Казани"]),
    ],
)
def test_queries_combine(index: Index, wanted: str, found: list[str]) -> None:
    texts = ["Россия поставит газ Пакистану", "Пшеницу везут через Каспий", "Пакистанские студенты в Казани"]
    assert index.finds(wanted, *texts) == found


def test_a_number_with_separators_is_a_phrase(index: Index) -> None:
    assert index.finds("60,000", "60,000 tonnes of wheat", "60 ships and 000") == ["60,000 tonnes of wheat"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('"Россия', "not closed"),
        ("(Россия", "not closed"),
        ("Россия)", "no opening"),
        ("Россия AND", "missing after AND"),
        ("OR Россия", "missing beside OR"),
        ("NOT Россия", "after a term"),
        ("Россия AND AND газ", "AND"),
        ("()", "missing"),
        ("!!!", "no word"),
        ("(" * 30 + "a" + ")" * 30, "deeper"),
        ("a " * 400, "over 64 terms"),
        ("a" * 1001, "1001 characters"),
    ],
)
def test_a_malformed_query_is_a_clear_sentence(wanted: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as error:
        query(wanted)
    assert error.value.exit_code == 2


def test_highlight_gives_the_words_of_the_text_itself() -> None:
    text = "Встреча Лаврова с пакистан\u00adскими послами: Индия против."
    spans = highlight(text, "(лавров OR посол) пакистан NOT Индия")
    assert [text[a:b] for a, b in spans] == ["Лаврова", "пакистан\u00adскими", "послами"]
    text = "پاكستانی وفود کی ملاقاتیں"
    assert [text[a:b] for a, b in highlight(text, "پاکستان ملاقات")] == ["پاكستانی", "ملاقاتیں"]
    text = "Russian oil and Russian gas"
    assert [text[a:b] for a, b in highlight(text, '"Russia gas"')] == ["Russian", "gas"]


@given(st.text(max_size=200))
def test_a_shadow_holds_letters_and_digits_alone(text: str) -> None:
    made = shadow(text)
    assert all(word.isalnum() for word in made.split())
    assert shadow(text) == made


@given(st.text(alphabet="ab \"()*-:^+ANDORТ'ا{}.,\u00ad", max_size=40))
def test_no_query_breaks_the_index(wanted: str) -> None:
    try:
        expression = query(wanted)
    except UsageError:
        return
    made = Index()
    made.db.execute("INSERT INTO t VALUES ('a b')")
    made.db.execute("SELECT count(*) FROM t WHERE t MATCH ?", (expression,)).fetchone()
    made.db.close()
    highlight("a b", wanted)

"""Copies are found however they were edited; what only looks like one is not."""

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cluster import Candidate, compare, containment, copy_of, fingerprint

NOW = datetime(2025, 6, 1, tzinfo=UTC)
WIRES = {
    "en": (
        "Pakistan and Russia agreed on Tuesday to open a freight train service that will carry grain, timber and"
        " fertiliser from the Urals through Kazakhstan, Turkmenistan and Iran to the"
        " border town of Taftan. Officials"
        " of both railways signed the papers in Moscow after a year of talks on tariffs, wagons and insurance. The"
        " first train is to leave in August with eighteen wagons and should need about"
        " twenty-five days. The chairman"
        " of Pakistan Railways told reporters that the stretch between Taftan and Quetta"
        " would be repaired before the"
        " winter, and that private forwarders had already booked half of the space."
        " Exporters of rice and citrus fruit"
        " hope that the same wagons will go back full. A customs officer warned that seals and certificates must be"
        " the same in all five countries, or else the train would stand at every frontier for days."
    ),
    "ru": (
        "Россия и Пакистан договорились во вторник открыть грузовое железнодорожное"
        " сообщение, по которому зерно, лес и"
        " удобрения пойдут с Урала через Казахстан, Туркмению и Иран до пограничного"
        " города Тафтан. Представители двух"
        " железных дорог подписали документы в Москве после года переговоров о тарифах,"
        " вагонах и страховании. Первый"
        " состав из восемнадцати вагонов должен отправиться в августе и проведет в пути около двадцати пяти суток."
        " Глава пакистанских железных дорог сообщил журналистам, что участок между"
        " Тафтаном и Кветтой отремонтируют до"
        " зимы, а частные экспедиторы уже заказали половину мест. Экспортеры риса и"
        " цитрусовых надеются, что обратно"
        " вагоны пойдут полными. Таможенник предупредил, что пломбы и сертификаты должны"
        " быть одинаковыми во всех пяти"
        " странах, иначе поезд будет стоять на каждой границе по несколько дней."
    ),
    "ur": (
        "پاکستان اور روس نے منگل کو مال بردار ٹرین سروس شروع کرنے پر اتفاق کیا جو یورال"
        " سے اناج، لکڑی اور کھاد قازقستان،"
        " ترکمانستان اور ایران کے راستے سرحدی شہر تفتان تک لائے گی۔ دونوں ملکوں کی ریلوے"
        " کے حکام نے نرخوں، ویگنوں اور بیمے"
        " پر ایک سال کی بات چیت کے بعد ماسکو میں کاغذات پر دستخط کیے۔ پہلی ٹرین اٹھارہ"
        " ویگنوں کے ساتھ اگست میں روانہ ہوگی اور"
        " تقریبا پچیس دن میں پہنچے گی۔ پاکستان ریلوے کے چیئرمین نے صحافیوں کو بتایا کہ"
        " تفتان اور کوئٹہ کے درمیان پٹری کی مرمت"
        " سردیوں سے پہلے کر دی جائے گی اور نجی کمپنیوں نے آدھی جگہ پہلے ہی بک کرا لی ہے۔"
        " چاول اور ترشاوہ پھلوں کے برآمد کنندگان"
        " کو امید ہے کہ یہی ویگنیں بھری ہوئی واپس جائیں گی۔ کسٹم کے ایک افسر نے خبردار"
        " کیا کہ پانچوں ملکوں میں مہریں اور سرٹیفکیٹ"
        " ایک جیسے ہونے چاہییں ورنہ ٹرین ہر سرحد پر کئی دن کھڑی رہے گی۔"
    ),
}
OTHER = (
    "A football club from Kazan lost a friendly match in Lahore by two goals to one"
    " before nine thousand spectators on a"
    " hot evening, and its coach praised the young goalkeeper of the hosts, the"
    " pitch, the food and the long queue of"
    " children who asked for autographs. The return match is planned for spring. The"
    " club flew on to Karachi, where the"
    " players will visit a school for the blind and a cricket academy before they go home at the end of the week."
)


def edited(text: str, share: float, rng: random.Random) -> str:
    """Some words replaced, some dropped, some put in."""
    out: list[str] = []
    for word in text.split():
        change = rng.random()
        if change < share * 0.6:
            out.append(rng.choice(OTHER.split()))
        elif change < share * 0.8:
            continue
        else:
            out.append(word)
            if change < share:
                out.append(rng.choice(OTHER.split()))
    return " ".join(out)


def found(new: str, old: str, *, days: float = 0.2) -> bool:
    sample, stored = fingerprint(new), fingerprint(old)
    shared = len(set(sample) & set(stored))
    candidate = Candidate(article_id=1, shared=shared, size=len(stored), at=NOW)
    at = NOW + timedelta(days=days)
    return copy_of(sample, [candidate], text=new, at=at, text_of=lambda _: old) == 1


@pytest.mark.parametrize("language", WIRES)
@pytest.mark.parametrize("share", [0.1, 0.2, 0.3])
def test_an_edited_wire_is_a_copy(language: str, share: float) -> None:
    rng = random.Random(f"{language}{share}")
    hits = [found(edited(WIRES[language], share, rng), WIRES[language]) for _ in range(20)]
    assert sum(hits) >= 19


@pytest.mark.parametrize("language", WIRES)
def test_half_of_a_wire_is_a_copy_whichever_came_first(language: str) -> None:
    words = WIRES[language].split()
    half = " ".join(words[: len(words) // 2])
    assert found(half, WIRES[language])
    assert found(WIRES[language], half)


@pytest.mark.parametrize("language", WIRES)
def test_a_wire_with_a_new_lead_or_with_boilerplate_is_a_copy(language: str) -> None:
    words = WIRES[language].split()
    lead = " ".join([*OTHER.split()[:25], *words[25:]])
    assert found(lead, WIRES[language])
    assert found(f"{WIRES[language]} {' '.join(OTHER.split()[:40])}", WIRES[language])


@pytest.mark.parametrize("language", WIRES)
def test_a_longer_article_that_contains_a_wire_is_no_copy(language: str) -> None:
    rng = random.Random(1)
    own = [" ".join(rng.sample(OTHER.split(), 40)) for _ in range(6)]
    assert not found(" ".join([*own[:3], WIRES[language], *own[3:]]), WIRES[language])


def test_another_article_on_the_subject_is_no_copy() -> None:
    new = (
        "Pakistan Railways will repair the stretch between Taftan and Quetta before the"
        " winter, its chairman said, as"
        " the first train from Russia is to leave in August. He had come back from Moscow, where he saw depots and"
        " asked for locomotives on credit. Trade bodies in Balochistan want a dry port beside the line, and drivers"
        " fear for their work."
    )
    assert not found(new, WIRES["en"])


def test_the_same_form_with_other_numbers_is_no_copy() -> None:
    form = (
        "The dollar stood at {} roubles and the euro at {} roubles this morning. Brent"
        " crude was traded at {} dollars a"
        " barrel in London. The index of the Moscow exchange opened at {} points, and"
        " shares worth {} million roubles"
        " changed hands in the first hour. Traders expect a quiet day before the meeting of the central bank."
    )
    assert not found(form.format(81, 94, 68, 2790, 512), form.format(79, 91, 66, 2741, 498))
    assert found(form.format(81, 94, 68, 2790, 512), form.format(81, 94, 68, 2790, 512) + " More soon.")


def test_a_look_alike_of_another_week_is_the_next_of_a_series() -> None:
    rng = random.Random(3)
    later = edited(WIRES["en"], 0.2, rng)
    assert found(later, WIRES["en"], days=1)
    assert not found(later, WIRES["en"], days=20)
    assert found(WIRES["en"], WIRES["en"], days=20)


def test_of_several_the_earliest_is_the_original() -> None:
    text = WIRES["en"]
    sample = fingerprint(text)
    same = [
        Candidate(article_id=i, shared=len(sample), size=len(sample), at=NOW + timedelta(hours=h))
        for i, h in ((5, 3), (6, 1), (7, 2))
    ]
    assert copy_of(sample, same, text=text, at=NOW, text_of=lambda _: text) == 6


def test_few_texts_are_read_however_many_candidates_there_are() -> None:
    read: list[int] = []

    def text_of(article: int) -> str:
        read.append(article)
        return OTHER

    many = [Candidate(article_id=i, shared=30, size=40, at=NOW) for i in range(1000)]
    assert copy_of(fingerprint(WIRES["en"]), many, text=WIRES["en"], at=NOW, text_of=text_of) is None
    assert len(read) <= 8


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    code = "from crawler.cluster import fingerprint; print(fingerprint('Россия и Пакистан подписали договор о газе'))"
    command = [sys.executable, "-c", code]
    results = {subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)}
    assert results == {f"{fingerprint('Россия и Пакистан подписали договор о газе')}\n"}


def test_short_texts_keep_more_of_their_shingles() -> None:
    brief = " ".join(WIRES["en"].split()[:60])
    assert len(fingerprint(brief)) >= 15
    assert set(fingerprint(WIRES["en"])) & set(fingerprint(brief))
    assert fingerprint("") == ()
    assert len(fingerprint("one")) == 1


def test_spelling_that_folds_makes_no_difference() -> None:
    assert fingerprint("Орёл, «Россия» и\u00ad газ — сегодня") == fingerprint("орел Россия и газ сегодня")
    assert fingerprint("پاكستاني روسي گیس") == fingerprint("پاکستانی روسی گیس")


@given(st.text(max_size=300), st.text(max_size=300))
def test_shares_stay_between_nothing_and_all(a: str, b: str) -> None:
    overlap = compare(a, b)
    assert 0 <= overlap.of_new <= 1 and 0 <= overlap.words_of_old <= 1
    assert 0 <= containment(fingerprint(a), fingerprint(b)) <= 1
    assert all(0 <= h < 2**63 for h in fingerprint(a))


FORMS = {
    "en": "ISLAMABAD, {} (APP): The water authority on {} released {} cusecs of water from its rim stations against an "
    "inflow of {} cusecs. The level in the lake at the dam was {} feet, which was {} feet higher than its dead level. "
    "Inflow and outflow at the dam were recorded as {} and {} cusecs. Downstream of the three barrages {} and {} cusecs "
    "of water were released, according to the figures that the authority gave to reporters in the capital on {}.",
    "ru": "Официальный курс доллара на {} составил {} рубля, курс евро {} рубля, юаня {} рубля, сообщил Банк России. "
    "Индекс биржи к закрытию торгов на {} снизился до {} пункта, индекс в долларах до {} пункта. Баррель нефти стоил {} "
    "доллара, золото {} доллара за унцию. Объем торгов составил {} миллиарда рублей, сообщила биржа вечером в {}.",
    "ur": "کراچی: انٹر بینک مارکیٹ میں {} کو ڈالر {} روپے کا ہو گیا جبکہ یورو {} روپے اور پاؤنڈ {} روپے پر بند ہوا۔ اسٹاک "
    "مارکیٹ کا انڈیکس {} پوائنٹس کے اضافے سے {} پر پہنچ گیا۔ فی تولہ سونا {} روپے اور دس گرام سونا {} روپے کا رہا، {} کمپنیوں "
    "کے حصص بڑھے اور {} کے گرے، ڈیلروں نے {} کو بتایا۔",
}
DAYS = {"en": ("Monday", "Tuesday"), "ru": ("понедельник", "вторник"), "ur": ("پیر", "منگل")}


@pytest.mark.parametrize("language", FORMS)
def test_a_form_filled_in_again_is_no_copy(language: str) -> None:
    filled = [
        FORMS[language].format(*[day if n in (0, 10) else str(1000 * start + 37 * n) for n in range(11)])
        for start, day in enumerate(DAYS[language], 3)
    ]
    overlap = compare(filled[1], filled[0])
    assert min(overlap.words_of_new, overlap.words_of_old) > 0.6
    assert overlap.refilled > 0.1
    assert not overlap.is_copy(days=1.0)


def test_what_a_newsroom_writes_after_its_own_text_is_an_update() -> None:
    background = " ".join(f"background{n} of the long affair number" for n in range(14))
    first = f"Eighteen people have died since the rains began in the province, officials told reporters. {background}"
    later = f"The toll of the rains rose to twenty-seven, rescuers said on the third day of floods. {background}"
    assert compare(later, first).is_copy(days=0.7)
    assert not compare(later, first).is_copy(days=0.7, one_house=True)
    assert compare(background, first).is_copy(days=0.7, one_house=True)  # its own text, cut


def test_another_dispatch_of_an_agency_is_no_copy() -> None:
    common = " ".join(f"the delegation number{n} will be received" for n in range(12))
    left = (
        f"LAHORE, Feb 10 (APP): The Prime Minister left for Moscow on Monday. {common} He was seen off by many at home."
    )
    arrived = (
        f"MOSCOW, Feb 11 (APP): The Premier arrived here to a warm welcome. {common} Children gave him red flowers."
    )
    overlap = compare(arrived, left)
    assert overlap.other_dispatch
    assert not compare(left.replace("LAHORE, Feb 10", "LAHORE, Feb. 10"), left).other_dispatch
    assert not compare(arrived, left.partition(": ")[2]).other_dispatch


NEXT = {  # the next of a series: all the same but for one number, ordinal or weekday among its first words
    "en": [
        ("The second consignment of tents", "The third consignment of tents"),
        ("A 45-member group", "A 100-member group"),
    ],
    "ru": [("Еще восемь беспилотников сбиты", "Еще три беспилотника сбиты"), ("Во вторник утром", "Во среду утром")],
    "ur": [("آج پانچ ٹرک روانہ ہوئے", "آج سات ٹرک روانہ ہوئے"), ("ملک میں منگل کو", "ملک میں بدھ کو")],
}


@pytest.mark.parametrize(("language", "pair"), [(k, pair) for k, pairs in NEXT.items() for pair in pairs])
def test_the_next_of_a_series_is_no_copy_however_alike(language: str, pair: tuple[str, str]) -> None:
    rest = " ".join(WIRES[language].split()[10:])
    first, later = (f"{beginning} {rest}" for beginning in pair)
    overlap = compare(later, first)
    assert min(overlap.words_of_new, overlap.words_of_old) > 0.9
    assert overlap.lead_slots == 1
    assert not overlap.is_copy(days=0.5)
    assert compare(first, first).is_copy(days=0.5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a rise of 70% of all", "a rise of 70pc of all"),
        ("an 8-lane road", "an eight-lane road"),
        ("on 4th of April they", "on April 4, 2025 they"),
        ("всего 06 домов", "всего шесть домов"),
    ],
)
def test_one_number_written_in_two_ways_is_one(one: str, other: str) -> None:
    assert compare(f"{one} {OTHER}", f"{other} {OTHER}").slots == 0


@pytest.mark.parametrize("language", WIRES)
def test_two_articles_with_the_same_background_are_no_copies(language: str) -> None:
    background = " ".join(WIRES[language].split()[:75])
    first, second = (
        f"{' '.join(f'{name}{number}' for number in range(30))} {background}" for name in ("umpire", "doctor")
    )
    overlap = compare(first, second)
    assert overlap.own > 0.2
    assert not overlap.is_copy(days=0.3)


@pytest.mark.parametrize("language", WIRES)
def test_a_statement_out_of_a_longer_article_is_no_copy_but_its_beginning_is(language: str) -> None:
    own = " ".join(f"word{number}" for number in range(200))
    article = f"{own} {WIRES[language]} {own}"
    assert not found(WIRES[language], article)
    assert found(f"{WIRES[language]}", f"{WIRES[language]} {own}")


@pytest.mark.parametrize("language", WIRES)
def test_a_report_led_anew_and_extended_by_half_is_a_copy(language: str) -> None:
    tokens = WIRES[language].split()
    said = " ".join(f"added{number}" for number in range(len(tokens) // 2))
    again = " ".join([*tokens[5:12], "said", *tokens[:5], *tokens[12:60], said, *tokens[60:]])
    assert found(again, WIRES[language])
    assert found(WIRES[language], again)


def test_what_a_newsroom_publishes_again_is_a_copy_even_days_later() -> None:
    text = f"ISLAMABAD, Mar 13 (APP): {WIRES['en']}"
    again = text.replace("Mar 13", "Mar 16")
    assert compare(again, text).is_copy(days=3.0, one_house=True)
    assert not compare(edited(again, 0.1, random.Random(2)), text).is_copy(days=3.0, one_house=True)


def test_addresses_say_nothing_of_a_text() -> None:
    links = " ".join(f"https://example.org/{number}" for number in range(40))
    assert compare(f"{WIRES['en']} {links}", WIRES["en"]).of_new == 1.0

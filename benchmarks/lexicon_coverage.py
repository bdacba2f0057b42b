"""How many of the names in the sentences that carry the evidence does the lexicon know?

    python benchmarks/lexicon_coverage.py GOLD.jsonl... [--folds 0,1,2] [--list | --found]

Read are the sentences of relevant records that name both sides, and the title. A name is that of a person,
place, body
(organisation, company, office of one state), ship, product, exercise, treaty or forum. Nationalities, languages,
days,
months, currencies, offices by themselves ("Prime Minister"), abbreviations of common nouns (LNG, TV) and
capitals that
only a sentence's beginning or a headline's style explain are none. How names are found has nothing to do with the
lexicon:

- English: runs of capitalised words. Offices, nationalities before a common noun, possessives and "and" part
them; "of",
  "for" and "and" join what follows a body's noun (Ministry of Energy and Power). A word that is written small "
  "somewhere
  in the records is common: a run of common words alone is a name where it ends or begins with a body's noun. A title
  with most words capitalised is left out: its names come again in the text.
- Russian: the same by pymorphy3, which knows what is a common noun: a lone capitalised common noun is a name
only where
  it opens a longer one (Министерство обороны), short titles in «» are names, a sentence's first word where it is no
  common word.
- Urdu has no capitals. A name is a run of words that are not among some hundred common ones, next to a sign of a
name: an
  office or honorific before it (سفیر، وزیر خارجہ، ڈاکٹر), a given or family name in it (محمد، علی، سرگئی), a foreign
  ending (وف، سکی، گراد، ستان، آباد، پور), a body's noun in it (یونیورسٹی، کمپنی), an abbreviation spelt by its
  letters, quotes
  or Latin letters.

A name is known where strong things of the lexicon, of whatever country, cover half of its letters or more, or
any thing
all of it; so is a lone name whose bearer is known by the full name in the same text. Printed are the share of all
names, of all but states, and of different names. --list prints unknown names, --found all: only for folds that may be
read.

How true the finder is, by a reading of 125 sentences of folds 0 to 2: of what it finds 97 % are names in
English, 99 % in
Russian and Urdu; it misses 6 %, 2 % and 11 % of the names there (a surname that begins a sentence; in Urdu
whoever bears
neither office nor usual name).
"""

import argparse
import functools
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crawler.classify import passages
from crawler.lexicon import Hit, Lexicon, load
from crawler.text import fold
from crawler.types import Text

Span = tuple[int, int]

_WORD = re.compile(r"[^\W_](?:[\w&/]|[.’'-](?=\w))*\.?(?<=\w)|[A-ZА-Я]\.(?=\s?[A-ZА-Я])")
_OPENS = re.compile(r"(?:^|[:)\].!?–—]|\s-)[\s\"'«“‘(]*$")  # a sentence, or a part after a dateline, begins
_MONTHS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december jan feb mar apr jun jul aug sep sept oct nov dec am pm pst msk gmt".split()
)
# Offices part a name from its bearer; beside them these words are no names either.
_OFFICES = frozenset(
    "minister ministers president presidents premier premiers ambassador ambassadors envoy envoys chairman "
    "chairperson "
    "chairwoman chair speaker secretary general colonel lieutenant major brigadier captain admiral marshal commander "
    "chief consul representative spokesperson spokesman spokeswoman director manager professor dr mr mrs ms prof sir "
    "senator governor mayor adviser advisor assistant counsellor counselor attache commissioner judge justice ceo md "
    "vc rector dean head leader member delegate pilot doctor engineer eng maulana mufti allama sheikh gen lt col maj "
    "brig capt adm sen hon excellency chancellor vice-chancellor vice-president attaché analyst editor "
    "editor-in-chief "
    "correspondent coordinator researcher aide associate madam co-chair convener organiser organizer student "
    "participant participants translator founder owner partner partners patriarch king queen emperor prince pm "
    "fm".split()
)
_RANKS = frozenset(
    "prime foreign deputy first second vice special senior federal acting assistant chief finance energy defence "
    "defense "
    "interior petroleum commerce trade railways railway transport information agriculture health education culture "
    "sports joint additional permanent honorary executive managing press general extraordinary plenipotentiary the "
    "former then".split()
)
_BODIES = frozenset(
    "ministry department institute chamber council committee commission association federation university academy "
    "bank "
    "board centre center organisation organization union fund corporation agency authority bureau division court "
    "conference college faculty school society group museum embassy consulate republic forum treaty agreement house "
    "party army navy force forces office assembly senate parliament league movement foundation company mills mill "
    "refinery port airport station hospital club gazette times tribune post news exchange declaration charter pact "
    "convention initiative corridor pipeline project programme program exercise cup games olympics sea ocean river "
    "mountains valley peak territory region oblast district province state city line railway railways airlines "
    "steel command fleet library theatre theater church mosque street square building palace service services "
    "prize award week format summit festival film mission day war network alliance front bloc".split()
)
_PEOPLES = frozenset(
    "russian russians pakistani pakistanis indian indians chinese afghan afghans american americans iranian "
    "ukrainian "
    "turkish british english french german italian japanese korean saudi emirati uzbek tajik kazakh kyrgyz "
    "turkmen azeri "
    "azerbaijani belarusian soviet european asian eurasian african arab arabic western eastern northern southern "
    "islamic "
    "muslim muslims christian urdu punjabi sindhi pashto tatar chechen bangladeshi egyptian israeli iraqi syrian "
    "czech "
    "polish swedish dutch swiss spanish portuguese brazilian canadian australian indonesian malaysian vietnamese "
    "thai "
    "cuban armenian georgian slavic kremlin-backed moscow-based pak".split()
)
_NO_NAMES = frozenset(
    "i lng lpg ai it tv mou mous gdp ict usd covid covid-19 dna ceo vip tor ngo sme smes hr pr id qr pcr b2b g2g bpd "
    "mmcfd mtpa mmt mw kw mbps www http https pkr rs rub us$ eu€ n/a icu hiv btu mmbtu fob cif dap npk gm ml aka "
    "iii ii "
    "iv vi vii viii ix xi xii twitter facebook telegram x youtube whatsapp instagram "
    "ngos ceos phd uav uavs fir firs mna mnas mpa mpas mp mps fdi gst ipp ipps sop sops noc nocs pvt ltd dpm cm sp ssp "
    "dig igp sho lc lcs tvet r&d e&p odi t20 lsm gsp soes sezs sez "
    "islam islamophobia god allah almighty hindu hindus sikh sikhs jew jews jewish christian christians shia sunni "
    "islamist islamists nazi nazis zionist marxist republican republicans democrat democrats presidential".split()
)
# Sums and years, and "I'm": capitals by themselves.
_AMOUNTS = re.compile(r"(?:rs|us|pkr|fy|cy|h|q)\.?\d[\w.,/-]*|i['’](?:m|ve|ll|d)", re.IGNORECASE)
# What every state, body or treaty has is no name without whose it is.
_EVERYWHERE = frozenset(
    f"{what} {body}"
    for what in (
        "foreign defence defense interior finance commerce energy trade railways petroleum power transport health "
        "education culture sports information agriculture industry law"
    ).split()
    for body in ("ministry", "department", "office", "division", "affairs", "desk")
) - {"foreign office", "petroleum division", "power division"} | frozenset(  # the same in the other order
    f"ministry of {what}"
    for what in "foreign affairs,external affairs,defence,defense,interior,finance,commerce,energy,law,health,justice,"
    "education,culture,sports,information,agriculture,transport,industry,industries,trade".split(",")
) | frozenset(
    ["national day", "consultative group", "joint working group", "working group", "consular section",
     "press service",
     "letter of intent", "memorandum of understanding", "memorandum", "protocol", "joint statement",
     "joint commission"]
)  # fmt: skip
_LINKS = frozenset("of for on the and & de".split())

_RU_OFFICES = frozenset(
    "президент премьер премьер-министр министр посол глава председатель спикер генерал адмирал полковник секретарь "
    "посланник директор сенатор депутат губернатор мэр советник доктор профессор маршал майор капитан консул король "
    "генсек вице-премьер госсекретарь главком спецпредставитель представитель".split()
)
_RU_NO_NAMES = frozenset(
    "спг снг-лпг ввп ии ит тв пэ covid-19 covid днк вич млн млрд мск тыс смм пцр кпд утверждаю "
    "бпк нпз аэс гэс тэц мвт квт вуз вузы ао пао ооо нко сми спецпосланники".split()
)

_UR_BEFORE = (
    "صدر|وزیراعظم|وزیر اعظم|وزیر خارجہ|وزیر خزانہ|وزیر توانائی|وزیر دفاع|وزیر داخلہ|وزیر تجارت|وزیر مملکت|وزیر صنعت|"
    "وزیر کھیل|وزیر اطلاعات|وزیر پیٹرولیم|وزیر پٹرولیم|وزیر ریلوے|وزیر مواصلات|وفاقی وزیر|مشیر|معاون "
    "خصوصی|سفیر|قونصل جنرل|"
    "سیکریٹری خارجہ|سیکرٹری خارجہ|آرمی چیف|نیول چیف|جنرل|ایڈمرل|لیفٹیننٹ جنرل|میجر "
    "جنرل|کرنل|بریگیڈیئر|ترجمان|سربراہ|گورنر|"
    "ڈاکٹر|پروفیسر|سینیٹر|جسٹس|مولانا|مفتی|علامہ|چیئرمین|نائب وزیراعظم|نائب وزیر "
    "اعظم|سپیکر|اسپیکر|مسٹر|محترمہ|کوہ پیما|"
    "شہر|بندرگاہ|کمپنی|جہاز|نمائندے|نمائندہ|مندوب|رکن|ڈائریکٹر|رہنما|نائب وزیر خارجہ|بیرسٹر|انجینئر"
)
_UR_ELEMENTS = frozenset(
    "محمد احمد علی خان شاہ حسین حسن ملک چوہدری چودھری سید شیخ میاں راجہ سردار بھٹو شریف خواجہ رانا قاضی حافظ الرحمان "
    "الرحمٰن رحمان اقبال عباس عباسی جنجوعہ بلوچ قریشی بخاری گیلانی صدیقی ہاشمی عبداللہ عبد عمران آصف اسد طارق "
    "خالد فیصل "
    "ظفر جاوید نواز شہباز بلاول اسحاق ڈار اسحق عاصم منیر قمر باجوہ راحیل ناصر عمر عثمان یوسف ابراہیم اسماعیل سلیم "
    "نعیم "
    "ندیم وسیم کریم رشید مجید حمید سعید شاہد زاہد عابد ماجد ساجد اکرم اسلم اعظم انور اکبر اصغر افضل امجد ارشد اشرف "
    "سرگئی سرگی الیگزینڈر الیکزینڈر الیکزنڈر ولادیمیر ولادی میر دمتری دیمتری میخائل نکولائی نکولائے آندرے آندرئی "
    "اندرے "
    "الیکسی یوری ایگور البرٹ اولیگ ماریا والنٹینا ڈینس دانیلا ضمیر ویاچسلاو وکٹر انتون میکسم پاول رسلان رستم شی "
    "جن پنگ "
    "ڈونلڈ نریندر مودی ٹرمپ اردوان رجب طیب اشرف غنی".split()
)
_UR_ENDING = re.compile(
    r"(?:(?<=..)(?:وف|یف|ووف|یوف|یئف|سکی|سکایا|وووا|یووا|شنکو|یچ|ووو|نوف)|(?<=..)(?:گراد|ستان|آباد|اباد|پور|گڑھ|کوٹ|برگ|"
    r"سک|تسک|نسک))$"
)
_UR_STATES = frozenset(
    "پاکستان روس افغانستان چین ایران بھارت ترکی ترکیہ ازبکستان قازقستان تاجکستان کرغزستان ترکمانستان یوکرین "
    "امریکا امریکہ "
    "ماسکو کراچی لاہور".split()
)
# Abbreviations are spelt by the names of their letters: ایس سی او
_UR_LETTERS = frozenset("اے بی سی ڈی ای ایف جی ایچ آئی جے ایل ایم این او پی کیو آر ایس ٹی یو وی ڈبلیو وائی زیڈ".split())
_UR_NO_NAMES = frozenset(
    ["ایل پی جی", "ایل این جی", "آئی ٹی", "ٹی وی", "اے آئی", "جی ڈی پی", "سی ای او", "ایل سی", "ایس او پیز", "ملک"]
)
_UR_BODIES = frozenset(
    "یونیورسٹی کمپنی بینک بنک کارپوریشن ایئرپورٹ ائیرپورٹ فورم ایکسپریس لمیٹڈ چیمبر انسٹیٹیوٹ انسٹی ٹیوٹ ریفائنری "
    "پورٹ "
    "ایئرلائن ائیرلائن ایئرلائنز ٹریبیون نیوز کونسل کمیشن اسٹریم سٹریم فیڈریشن ریڈیو ملز مل فاؤنڈیشن اتھارٹی بورڈ "
    "سٹی".split()
)
_UR_COMMON = frozenset(
    """نے سے کا کی کے کو میں پر اور کہ تک بھی ہے ہیں کہا جو یہ وہ اس ان تھا تھے تھی گا گے گی ہو ہوا ہوئے ہوئی کر "
    "کیا کیے
    کرتے کرنے کریں کرے گیا گئے گئی رہا رہے رہی نہیں نہ یا تو ہی اب جب جبکہ تاہم لیکن مگر اگر کیونکہ لیے لئے کیلئے
    کیلیے
    ساتھ بعد قبل پہلے پہلی پہلا دوسرے دوسرا دوسری تیسرے ایک دو تین چار پانچ چھ سات آٹھ نو دس سو ہزار لاکھ کروڑ
    ارب ملین
    دونوں تمام کچھ کئی ہر سب اپنے اپنی اپنا درمیان دوران خلاف ذریعے مطابق حوالے طرف جانب بارے وقت دن روز سال ماہ ہفتے
    آئندہ گزشتہ آج کل پیر منگل بدھ جمعرات جمعہ ہفتہ اتوار جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر
    نومبر
    دسمبر روسی پاکستانی چینی افغان بھارتی امریکی ترک ایرانی صدر وزیر وزیراعظم اعظم خارجہ خزانہ توانائی دفاع داخلہ
    تجارت
    مملکت صنعت کھیل اطلاعات پیٹرولیم پٹرولیم ریلوے مواصلات وفاقی مشیر معاون خصوصی سفیر قونصل جنرل سیکریٹری
    سیکرٹری آرمی
    چیف نیول ایڈمرل لیفٹیننٹ میجر کرنل ترجمان سربراہ گورنر ڈاکٹر پروفیسر سینیٹر جسٹس چیئرمین نائب سپیکر اسپیکر
    رکن ڈائریکٹر
    رہنما وفد حکام حکومت دفتر سفارتخانے سفارت خانے وزارت کابینہ ملاقات دورہ دورے دورۂ اجلاس معاہدہ معاہدے تعاون تعلقات
    بات چیت گیس تیل خام گندم ٹن ڈالر روپے میٹرک پہلی دوسری کھیپ کمپنی کمپنیوں بندرگاہ شہر جہاز مال بردار ٹرین ٹرک
    سرکاری
    غیر ملکی قومی عالمی علاقائی بین الاقوامی مشترکہ نمائندے نمائندہ مندوب سابق موجودہ نئے نیا نئی بڑے بڑا بڑی ملک
    ملکوں
    ممالک دنیا خطے عوام پارٹی رپورٹ اخبار ویب سائٹ میڈیا ذرائع بتایا دیا دی دیے دینے لیا لی لینے جا جائے جانے گی
    آ آئے آنے
    والے والی والا والوں چاہتے چاہتا چاہتی سکتا سکتے سکتی ہوں ہونے رکھتا رکھتے رکھتی کسی کوئی بغیر سمیت علاوہ
    باہمی دوطرفہ
    اعلیٰ سطح شعبے شعبوں منصوبے منصوبہ سامان خوش تقریب خطاب اظہار زور موقع انہوں جن جس یہاں وہاں پھر صرف بہت
    زیادہ کم تحت
    جسے برائے چاول میوے سیاح سیاحوں کونسلر کوہ پیما خوراک ادویات دوا دوائیں سرمایہ کاری سرمایہ کار کاروبار
    کاروباری تاجر تاجروں
    برآمد برآمدات درآمد درآمدات فروخت خرید خریداری قیمت قیمتوں پیداوار پائپ لائن ریفائنری پلانٹ ایندھن مائع قدرتی
    پیش رفت
    پیشکش منظوری اجازت فیصلہ فیصلے امید ضرورت اہم اہمیت مضبوط فروغ اضافہ اضافے شراکت دار داری حمایت مدد امداد
    کوشش کوششوں
    کردار صورتحال صورت حال جنگ تنازع مسئلہ مسئلے حل عمل پالیسی سیاسی معاشی اقتصادی سفارتی دفاعی تجارتی ثقافتی
    تعلیمی سائنسی
    صنعتی زرعی سماجی تاریخی مستقبل تیار گروپ کمیٹی مرکز سینٹر ادارہ ادارے اداروں شخصیات وفود ارکان پارلیمانی
    پارلیمنٹ اسمبلی
    سینیٹ ایوان انتخابات کامیابی شکریہ استقبال مہمان شریک شرکت قیادت میزبانی منعقد آغاز افتتاح اختتام نمائش میلہ
    فلم موسیقی
    زبان کتاب طالب علم جامعات یونیورسٹیوں اسکالرشپ وظائف ویزا ویزے پرواز پروازیں پروازوں ہیلی کاپٹر طیارہ طیارے میزائل
    ہتھیار اسلحہ انجن فراہم فراہمی جدید ٹیکنالوجی نظام خلائی سائبر سیکیورٹی سکیورٹی سلامتی انسداد منشیات جرائم
    عدالت قانون
    دوست ڈیسک نیوزڈیسک مانیٹرنگ رپورٹر سٹاف عملہ بارہ دستاویز مل بورڈنگ پاس ہوائی اڈے ہم آپ میری ہماری ہمارے
    یومیہ روانہ پہنچ پہنچا پہنچی گفتگو فون ٹیلی ٹیلیفون رابطہ بیان جاری دستخط امن ثقافت تعلیم
    صحت زراعت ایٹمی بجلی فوج فوجی فضائیہ بحریہ مسلح افواج مشقیں مشق سالگرہ مبارکباد تعزیت دہشت گردی حملے
    طلبہ سمجھتا سمجھتے کھولنے تعریف بنائے بننا بننے بنانے خیرسگالی خیر سگالی امیدواروں مفتی مزار""".split()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """What is common, as far as the records themselves tell: words that are written small."""

    small: frozenset[str]

    def names(self, piece: str, language: str, headline: bool, whole: str) -> list[Span]:
        """(start, end) of the names in one sentence of a text, by their form alone."""
        if language == "ur":
            return list(_urdu(piece))
        words = list(_WORD.finditer(piece))
        if headline and language == "en" and _styled(words):
            return []
        return list(self._english(piece, words, whole) if language == "en" else self._russian(piece, words))

    def _english(self, piece: str, words: list[re.Match[str]], whole: str) -> Iterator[Span]:
        large = set(re.findall(r"(?<=[a-z,] )[A-Z][\w-]*", whole))  # written so after a small word
        run: list[re.Match[str]] = []
        for at, word in enumerate(words):
            gap = piece[run[-1].end() : word.start()] if run else ""
            bare = _bare(word[0])
            if run and (gap.strip() not in ("", "&") or run[-1][0].endswith(("'s", "’s", "s'"))):
                yield from self._close(piece, run, large)
                run = []
            if _capital(word[0]) and not _mere(word[0], bare):
                if bare in _OFFICES and not (run and _bare(run[-1][0]) in _BODIES):
                    yield from self._close(piece, run, large, office=True)
                    run = []
                else:
                    run.append(word)
            elif run and bare in _LINKS and self._goes_on(piece, run, words, at):
                run.append(word)
            else:
                yield from self._close(piece, run, large)
                run = []
        yield from self._close(piece, run, large)

    def _goes_on(self, piece: str, run: list[re.Match[str]], words: list[re.Match[str]], at: int) -> bool:
        """Does "of", "for" or "and" continue a body's name?"""
        following = next((w for w in words[at + 1 : at + 3] if _bare(w[0]) not in _LINKS), None)
        if following is None or not _capital(following[0]) or _bare(following[0]) in _OFFICES:
            return False
        if words[at][0].lower() in ("and", "&"):  # Ministry of Energy and Power, not Lavrov and Dar
            return any(_bare(w[0]) in ("of", "for", "on") for w in run) and _bare(following[0]) in self.small
        return any(_bare(w[0]) in _BODIES for w in run) and not piece[words[at].end() : following.start()].strip(
            " thefor"
        )

    def _close(self, piece: str, run: list[re.Match[str]], large: set[str], *, office: bool = False) -> Iterator[Span]:
        run = list(run)
        while run and (_bare(run[-1][0]) in _LINKS or (office and _bare(run[-1][0]) in _RANKS | _PEOPLES)):
            run.pop()
        while run and (_bare(run[0][0]) in _MONTHS or _bare(run[0][0]) in _LINKS):
            run.pop(0)
        while run and _bare(run[0][0]) in _RANKS - {"federal", "joint"} and len(run) > 1 and self._proper(run[1]):
            run.pop(0)
        opens = bool(run and _OPENS.search(piece[: run[0].start()]))
        if opens and not run[0][0].isupper():
            first = _bare(run[0][0])  # a sentence begins with a capital whatever it is
            if len(run) == 1 and (run[0][0] not in large or first in self.small):
                return
            if first in self.small - _BODIES and self._proper(run[1]):
                run.pop(0)
        if " ".join(_bare(w[0]) for w in run) in _EVERYWHERE:
            return
        proper = [w for w in run if self._proper(w)]
        bodies = len(run) > 1 and any(_bare(w[0]) in _BODIES for w in run)
        if not (proper or bodies):
            return
        start = run[0]
        if not bodies:  # "Russian COVID-19", "Two-dose Lavrov": what is common at the edges is no part of it
            while run and not self._proper(run[0]):
                run.pop(0)
            while run and not self._proper(run[-1]):
                run.pop()
            if len(run) == 1 and opens and run[0] is start and run[0][0] not in large and not run[0][0].isupper():
                return
        yield run[0].start(), run[-1].end() - (2 if run[-1][0].endswith(("'s", "’s")) else 0)

    def _proper(self, word: re.Match[str]) -> bool:
        bare = _bare(word[0])
        return bare not in self.small and bare not in _PEOPLES | _MONTHS | _LINKS | _RANKS | _BODIES

    def _russian(self, piece: str, words: list[re.Match[str]]) -> Iterator[Span]:
        quoted = [(m.start(1), m.end(1)) for m in re.finditer(r"[«\"“]([^«»\"“”]{2,60})[»\"”]", piece)]
        short = [(a, b) for a, b in quoted if _capital(piece[a:]) and len(piece[a:b].split()) <= 4]
        yield from short
        run: list[re.Match[str]] = []
        first = True
        for word in words:
            gap = piece[run[-1].end() : word.start()] if run else ""
            if any(a <= word.start() < b for a, b in short):
                yield from self._close_russian(piece, run)
                run, first = [], False
                continue
            opens = first or piece[: word.start()].rstrip().endswith(("«", '"', "“", ":", "—", "–"))
            first = False
            bare = word[0].lower()
            name = _capital(word[0]) and bare not in _RU_NO_NAMES and bare not in _RU_OFFICES
            if name and opens:
                name = not _common_russian(word[0])
            if run and gap.strip():
                yield from self._close_russian(piece, run)
                run = []
            if name:
                run.append(word)
            else:
                yield from self._close_russian(piece, run)
                run = []
        yield from self._close_russian(piece, run)

    def _close_russian(self, piece: str, run: list[re.Match[str]]) -> Iterator[Span]:
        if not run or (len(run) == 1 and len(run[0][0].strip(".")) < 2):
            return
        parts = [[run[0]]]
        for previous, word in itertools.pairwise(run):  # «в Москве Шафкат Али Хан», «МИД РФ Мария Захарова»
            if (previous[0].isupper() and len(previous[0].strip(".")) > 1) or _place_word(previous[0]):
                parts.append([])
            parts[-1].append(word)
        yield from ((part[0].start(), part[-1].end()) for part in parts)


def _bare(word: str) -> str:
    return re.sub(r"['’]s$|\.$", "", word.lower())


def _capital(word: str) -> bool:
    return word[:1].isupper() or bool(re.match(r"[a-z]?[A-ZА-Я]", word))


def _mere(word: str, bare: str) -> bool:
    """Capitals that make no name: months, abbreviations of common nouns, English-language, Russian-developed."""
    if bare in _NO_NAMES or bare in _MONTHS or _AMOUNTS.fullmatch(word) or (len(bare) == 1 and not word.endswith(".")):
        return True
    head, dash, tail = word.partition("-")
    return bool(dash) and tail[:1].islower() and len(tail) > 3 and head.lower() in _PEOPLES | _NO_NAMES


def _styled(words: list[re.Match[str]]) -> bool:
    """Is it a headline that capitalises its words for style?"""
    long = [w[0] for w in words[1:] if len(w[0]) > 3]
    return len(long) > 3 and sum(_capital(w) for w in long) > 0.6 * len(long)


@functools.cache
def _morph() -> Any:
    import pymorphy3

    return pymorphy3.MorphAnalyzer(lang="ru")


@functools.cache
def _common_russian(word: str) -> bool:
    if word.isupper() and len(word) > 1:
        return False
    parses = _morph().parse(word.lower())
    if not _morph().word_is_known(word.lower()):
        return False
    names = [p for p in parses if any(t in p.tag for t in ("Name", "Surn", "Patr", "Geox", "Orgn", "Trad"))]
    return bool(sum(p.score for p in names) < 0.5)


@functools.cache
def _place_word(word: str) -> bool:
    return bool("Geox" in _morph().parse(word.lower())[0].tag)


def _urdu(piece: str) -> Iterator[Span]:
    words = [(m.start(), m.end(), m[0]) for m in re.finditer(r"[^\s،۔,.:؛()\"'“”‘’«»/!؟*-]+", piece)]
    signs = {m.end() for m in re.finditer(rf"(?<!\S)(?:{_UR_BEFORE})(?=\s)", piece)}
    quoted = [(m.start(1), m.end(1)) for m in re.finditer(r"[‘’“\"«]+([^‘’“”\"«»]{3,30})[’”\"»‘]", piece)]
    run: list[tuple[int, int, str]] = []

    def close() -> Iterator[Span]:
        if not run:
            return
        before = piece[: run[0][0]].rstrip()
        if (
            len(before) in signs
            or any(
                w in _UR_ELEMENTS | _UR_STATES or w in _UR_BODIES or _UR_ENDING.search(w) or w[0].isascii()
                for _, _, w in run
            )
            or sum(w in _UR_LETTERS for _, _, w in run) > 1
            or any(a <= run[0][0] and run[-1][1] <= b for a, b in quoted)
        ) and not ((len(run) == 1 and run[0][2] in _UR_BODIES) or " ".join(w for _, _, w in run) in _UR_NO_NAMES):
            yield run[0][0], run[-1][1]

    for start, end, word in words:
        alone = word in _UR_STATES  # a state is a name by itself
        if run and (piece[run[-1][1] : start].strip() or alone or run[-1][2] in _UR_STATES):
            yield from close()
            run = []
        if (
            (word in _UR_COMMON and word not in _UR_ELEMENTS)
            or word[0].isdigit()
            or (word.isascii() and word.lower() in _NO_NAMES)
        ):
            yield from close()
            run = []
        else:
            run.append((start, end, word))
    yield from close()


@dataclass(slots=True)
class Count:
    """Known and not, and which were not."""

    all: Counter[bool] = field(default_factory=Counter)
    no_states: Counter[bool] = field(default_factory=Counter)
    different: dict[str, bool] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    def row(self) -> str:
        share = [c[True] / max(1, c.total()) for c in (self.all, self.no_states, Counter(self.different.values()))]
        return (
            f"{self.all.total()} names, known {share[0]:.3f}; {self.no_states.total()} but states, {share[1]:.3f}; "
            f"{len(self.different)} different, {share[2]:.3f}"
        )


def known(span: Span, hits: list[Hit]) -> bool:
    """Do strong things cover half of it, or all things the whole?"""
    start, end = span
    strong = sum(min(end, h.end) - max(start, h.start) for h in hits if not h.weak and h.start < end and h.end > start)
    every = sum(min(end, h.end) - max(start, h.start) for h in hits if h.start < end and h.end > start)
    return 2 * strong >= end - start or every >= end - start - 2


def measure(
    records: list[dict[str, Any]], finder: Finder, lexicon: Lexicon
) -> tuple[dict[str, Count], dict[str, Counter[str]]]:
    counts: dict[str, Count] = defaultdict(Count)
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        if not record["grade"]:
            continue
        language, count = record["language"], counts[record["language"]]
        text = Text(title=record["title"] or "", text=record["text"], language=language, url=record["url"])
        read = passages.read(text, lexicon)
        bearers = _bearers(read.source["text"], lexicon)
        for sentence in read.sentences:
            if not (sentence.pair or sentence.order == 0):
                continue
            start, end = read.folded[sentence.field].span(sentence.start, sentence.end)
            piece = read.source[sentence.field][start:end]
            folded = fold(piece)
            hits = lexicon.hits(folded)
            for low, high in finder.names(piece, language, sentence.field == "title", record["text"]):
                name = piece[low:high]
                place = _place(folded, low, high)
                right = known(place, hits) or fold(name).text in bearers
                state = any(h.thing.kind == "side" and h.start <= place[0] and h.end >= place[1] for h in hits)
                count.all[right] += 1
                count.no_states[right] += not state
                count.different[fold(name).text] = right or count.different.get(fold(name).text, False)
                count.unknown[name] += not right
                found[language][name] += 1
    return dict(sorted(counts.items())), found


def _place(folded: Any, low: int, high: int) -> Span:
    """The span in the folded text that comes from piece[low:high]."""
    inside = [i for i in range(len(folded.text)) if low <= folded.span(i, i + 1)[0] < high]
    return (inside[0], inside[-1] + 1) if inside else (0, 0)


def _bearers(text: str, lexicon: Lexicon) -> set[str]:
    folded = fold(text)
    return {
        word
        for h in lexicon.hits(folded)
        if h.thing.kind == "person" and " " in folded.text[h.start : h.end]
        for word in folded.text[h.start : h.end].split()
    }


def finder_of(records: list[dict[str, Any]]) -> Finder:
    """Words written small anywhere in the records are common words."""
    small: set[str] = set()
    for record in records:
        if record["language"] == "en":
            small.update(re.findall(r"(?<![\w'’.-])[a-z][a-z-]*", record["text"]))
    return Finder(small=frozenset(small))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+")
    parser.add_argument("--folds", default="0,1,2")
    parser.add_argument("--list", action="store_true", help="print the unknown names")
    parser.add_argument("--found", action="store_true", help="print all names")
    arguments = parser.parse_args()
    folds = {int(f) for f in arguments.folds.split(",")}
    records = [json.loads(line) for path in arguments.gold for line in Path(path).read_text("utf-8").splitlines()]
    counts, found = measure([r for r in records if r["fold"] in folds], finder_of(records), load())
    for language, count in counts.items():
        print(language, count.row())
        if arguments.list:
            print("  ", "; ".join(f"{name} {n}" for name, n in count.unknown.most_common() if n))
        if arguments.found:
            print("  ", "; ".join(f"{name} {n}" for name, n in found[language].most_common()))


if __name__ == "__main__":
    main()

"""Lines that are not the article: general rules in English, Russian and Urdu, for pages and for saved text alike."""

import re
from collections.abc import Sequence
from functools import lru_cache

from crawler.extract.plain import letters, same_text, words

MAX_LABEL_LINE = 260  # characters; a longer line that begins like a label is prose

# A pointer to another article. What follows the label on its line, or the headlines below a bare label, go with it.
_POINTER = re.compile(
    r"^\W{0,4}(?:"
    r"(?:also\s+read|read\s+also|read\s+more|read\s+next|read\s+full\s+(?:story|article)|must[\s-]read|see\s+also|"
    r"also\s+see|also\s+watch|watch\s+more|more\s+on\s+this|more\s+from|more\s+to\s+read|related(?:\s+(?:stories|news|"
    r"articles?|posts?|topics?|content|links?|coverage|reading))?|recommended(?:\s+(?:stories|for\s+you|reading))?|"
    r"you\s+(?:may|might)\s+(?:also\s+)?(?:like|be\s+interested\s+in)|don['’]?t\s+miss|further\s+reading|"
    r"editor['’]?s\s+(?:pick|choice)s?|click\s+here\s+(?:to|for)\b|continue\s+reading)"
    r"|(?:читайте?\s+(?:также|далее|ещ[её]|подробнее|в\s+материале)|читать\s+(?:также|далее|ещ[её])|смотрите\s+также|"
    r"см\.\s+также|по\s+теме|ещ[её]\s+по\s+теме|материалы?\s+по\s+теме|новости\s+по\s+теме|похожие\s+(?:новости|"
    r"материалы|записи|статьи)|вам\s+(?:может\s+быть|будет)\s+интересно|рекомендуем|другие\s+новости|"
    r"подробнее\s+(?:о|об|в)"
    r"\s|подробнее\s*[:—–-])"
    r"|(?:مزید\s+پڑھ(?:یں|یے|ئے|یئے)|یہ\s+بھی\s+پڑھ(?:یں|یے|ئے|یئے)|یہ\s+بھی\s+دیکھ(?:یں|یے|ئے)|متعلقہ\s+(?:خبریں|خبر|"
    r"مضامین|موضوعات|تحریریں)|مزید\s+(?:خبریں|دیکھیں|جانیے|جانئے)|اسی\s+بارے\s+میں|ضرور\s+پڑھیں)"
    r")(?=\W|$)",
    re.I,
)
# The end of the article: what is below is the page's.
_END = re.compile(
    r"^\W{0,4}(?:"
    r"leave\s+a\s+(?:reply|comment)|leave\s+your\s+comments?|your\s+email\s+address\s+will\s+not|post\s+a\s+comment|"
    r"add\s+a?\s*comment|\d*\s*(?:reader\s+)?comments?(?:\s*\(?\d+\)?)?$|comments\s+are\s+closed|"
    r"share\s+this(?:\s+(?:article|post|story|"
    r"news|page))?\W*$|share\s+(?:on|via)\s|recent\s+(?:articles|posts|news|stories|comments)\W*$|"
    r"popular\s+(?:articles|"
    r"posts|news|stories)\W*$|latest\s+(?:articles|posts|news|stories|from)\W*|most\s+(?:read|popular|viewed)\W*|"
    r"trending(?:\s+(?:now|news|stories|topics))?\W*$|top\s+stories\W*$|related\s+(?:stories|news|articles|posts|"
    r"topics|"
    r"content)\W*$|you\s+(?:may|might)\s+also\s+like\W*$|recommended\s+(?:for\s+you|stories)\W*$|"
    r"previous\s+(?:article|post|story)\b|next\s+"
    r"(?:article|post|story)\b|subscribe\s+to\s+(?:our|the)\s|sign\s+up\s+(?:for|to)\s+(?:our|the|daily)\s|"
    r"join\s+our\s+"
    r"(?:newsletter|mailing|whatsapp|telegram)|get\s+(?:our|the)\s+(?:daily\s+|weekly\s+)?newsletter|about\s+the\s+"
    r"authors?\W*$|tags?\s*:|filed\s+under|posted\s+in\b|all\s+rights\s+reserved|copyright\s*(?:[©ⓒ]|\(c\)|\d{4})|[©ⓒ]|"
    r"follow\s+(?:us|[\w .'’]{2,40})\s+on\s+(?:x|twitter|facebook|instagram|google|telegram|whatsapp|youtube|"
    r"linkedin)\b|"
    r"reference\s+link|source\s+link|download\s+(?:our|the)\s+app\b|powered\s+by\b|cancel\s+reply"
    r"|оставить\s+комментарий|добавить\s+комментарий|комментарии(?:\s*\(?\d+\)?)?\W*$|обсудить(?:\s*\(?\d+\)?)?\W*$|"
    r"поделиться(?:\s+(?:в|новостью|статьей)\b.*)?\W*$|подписывайтесь\s+на|подпишитесь\s+на|подписаться\s+на|"
    r"читайте\s+нас\s+в|мы\s+в\s+(?:телеграм|"
    r"telegram|соцсетях)|самое\s+(?:читаемое|популярное|интересное|важное)\W*|популярное\W*$|последние\s+новости\W*|"
    r"новости\s+(?:партн[её]ров|сми2?)\W*|лента\s+новостей\W*|главн(?:ое|ые\s+новости)\W*$|теги\s*:|метки\s*:|"
    r"рубрик[аи]\s*:|все\s+права\s+"
    r"защищены|при\s+(?:полном|цитировании|использовании|перепечатке)\b|нашли\s+(?:опечатку|ошибку)|если\s+вы\s+(?:"
    r"заметили|нашли)\s+(?:ошибку|опечатку)|ошибка\s+в\s+тексте|предыдущая\s+(?:статья|запись|новость)|следующая\s+"
    r"(?:статья|запись|новость)|ваш\s+(?:e-?mail|адрес\s+email)\s+не\s+будет"
    r"|تبصرہ\s+(?:کریں|لکھیں|شامل)|تبصرے\W*$|اپنی\s+رائے\s+کا\s+اظہار|جواب\s+دیں|متعلقہ\s+(?:خبریں|مضامین|عنوانات)\W*$|"
    r"تازہ\s+ترین(?:\s+خبریں)?\W*$|مقبول\s+(?:ترین|خبریں)\W*|سب\s+سے\s+زیادہ\s+پڑھ|شیئر\s+کریں\W*$|ٹیگز?\s*[:：]|"
    r"جملہ\s+حقوق|ہمیں\s+فالو|ہمارا\s+(?:واٹس|یوٹیوب|چینل)|واٹس\s+ایپ\s+چینل|نیوز\s+لیٹر|ڈان\s+میں\s+شائع|"
    r"پچھل(?:ی|ا)\s+(?:خبر|مضمون)|اگل(?:ی|ا)\s+"
    r"(?:خبر|مضمون)"
    r")",
    re.I,
)
# A line of the page's furniture, wherever it stands.
_FURNITURE = re.compile(
    r"^\W{0,4}(?:"
    r"share|tweet|email|e-mail|print|copy\s+link|whatsapp|facebook|twitter|telegram|linkedin|pinterest|reddit|"
    r"save|like|"
    r"follow|follow\s+us|listen|listen\s+to\s+(?:this\s+)?(?:article|story)|short\s+url|advertisement|advert|"
    r"sponsored|ad|"
    r"skip\s+to\s+(?:main\s+)?content|font\s+resizer\w*|\d+\s+min(?:ute)?s?\s+read|(?:\d+\s+)?(?:shares?|views?|"
    r"comments?|"
    r"likes?)(?:\s+\d+)?|play\s+video|watch\s+video|photo\s+gallery|loading\W*|scroll\s+(?:down|to\s+continue)|"
    r"story\s+continues\s+below(?:\s+(?:this\s+)?ad\w*)?|article\s+continues\s+(?:below|after)\b.{0,40}|"
    r"continue\s+reading"
    r"(?:\s+below)?|this\s+(?:article|story)\s+(?:was\s+)?(?:originally|first)\s+(?:published|"
    r"appeared)\s.{0,120}|contents|"
    r"page\s+\d+(?:\s+of\s+\d+)?|стр(?:\.|аница)\s+\d+(?:\s+из\s+\d+)?|صفحہ\s+\d+|"
    r"(?:file\s+)?(?:photo|image|picture)s?(?:\s+(?:credit|by|courtesy))?\s*[:/|–—]\s*.{2,80}|"
    r"(?:фото|изображение)\s*[:/|–—]\s*.{2,80}|(?:تصویر|فوٹو)\s*[:：/|–—]\s*.{2,60}|"
    r"this\s+is\s+a\s+(?:breaking|developing)\s+(?:news\s+)?story\b.{0,80}|more\s+to\s+follow|"
    r"(?:новость|материал|текст)\s+(?:дополняется|обновляется)|подробност\w+\s*[–—-]?\s*(?:позже|позднее)|"
    r"مزید\s+تفصیلات\s+(?:شامل|آ|آرہی).{0,40}|log\s+in\s+or\s+(?:create|register|sign).{0,60}|"
    r"table\s+of\s+contents|back\s+to\s+top|show\s+more|load\s+more|view\s+(?:all|more|comments)|see\s+all"
    r"|поделиться|распечатать|печать|версия\s+для\s+печати|реклама|на\s+правах\s+рекламы|слушать|скопировать\s+ссылку|"
    r"сохранить|читать\s+полностью|показать\s+ещ[её]|загрузить\s+ещ[её]|время\s+чтения\W.{0,20}|вконтакте|"
    r"одноклассники|来源\s*[:：].{1,20}|责任编辑\s*[:：].{1,20}|"
    r"erid\W.{0,60}"
    r"|شیئر(?:\s+کریں)?|پرنٹ|اشتہار|ٹویٹ|فیس\s*بک|واٹس\s*ایپ|مزید\s+دیکھیں|سنیں"
    r")\W*$",
    re.I,
)
# Where and when it was printed: evidence of the date, no sentence of the article.
PUBLISHED_IN = re.compile(
    r"^\W{0,4}(?:published\s+in\s+.{2,60}?,\s*.{4,40}|(?:first\s+)?published\s*(?:on|:|at)\s.{4,60}|"
    r"(?:last\s+)?updated\s*"
    r"(?:on|at|:)?\s.{4,60}|posted\s+(?:on|at)\s.{4,60}|date\s*:\s.{4,40}|опубликовано\W.{4,60}|"
    r"обновлено\W.{4,60}|дата\s+"
    r"публикации\W.{4,60}|(?:شائع|اپ\s*ڈیٹ|اپڈیٹ|تاریخ\s+اشاعت|شائع\s+شدہ)\W.{4,60})$",
    re.I,
)
_SENTENCE_END = re.compile(r"[.!?…۔؟:;।。！？][\"'»”’)\]」』]*$")
# Notes below an article that end like sentences.
_NOTE = re.compile(
    r"^\W{0,4}(?:follow\s+(?:us|[\w .'’]{2,40})\s+on\s+(?:x|twitter|facebook|instagram|google|telegram|whatsapp|"
    r"youtube|"
    r"linkedin|threads)\b|for\s+(?:the\s+latest|more)\s+(?:news|stories|updates)\b.{0,60}\b(?:download|follow|visit|"
    r"subscribe|join)\b|(?:except\s+for\s+the\s+headline,?\s+)?this\s+(?:story|article|report)\s+(?:has|was|is)\s+"
    r"(?:not\s+)?(?:been\s+)?(?:edited|published|auto-?generated|generated|created|taken)\b.{0,120}\b(?:feed|staff|"
    r"syndicat\w+)\b|(?:[\w.'’-]+\s+){1,4}is\s+an?\s+(?:[\w-]+\s+){0,4}(?:journalist|columnist|commentator|"
    r"freelancer|contributor|blogger)\b|subscribe\s+now\b|(?:the\s+)?(?:views|opinions)(?:\s+and\s+(?:opinions|views))?\s+expressed|"
    r"the\s+(?:writer|author)\s+"
    r"(?:is|was|can\s+be|teaches|works|has)\b|disclaimer\s*:|your\s+email\s+address\s+will|by\s+(?:signing\s+up|"
    r"submitting\s+"
    r"your|subscribing)|subscribe\s+to\s+our|sign\s+up\s+(?:for|to)\b|download\s+(?:the|our)\s.{0,30}\bapp\b|"
    r"join\s+(?:us\s+on|"
    r"our)\s.{0,30}(?:whatsapp|telegram|channel|newsletter)|stay\s+(?:tuned|updated)\s+(?:to|with)\b|"
    r"подписывайтесь\s+на|подпишитесь\s+на|мнение\s+(?:автора|редакции)\s+может\s+не\s+совпадать|"
    r"следите\s+за\s+(?:нашими\s+)?"
    r"новостями|больше\s+новостей\s+(?:в|на)\b|читайте\s+нас\s+в|все\s+(?:самое\s+)?(?:важное|интересное|"
    r"новости)\s+.{0,30}"
    r"(?:telegram|телеграм|канал)|"
    r"(?:نوٹ\s*[:：].{0,80}متفق|ادارے?\s+کا\s+(?:اس\s+)?.{0,40}متفق|مصنف\s+کی\s+رائے|ہمارا\s+واٹس|ہمیں\s+(?:فالو|"
    r"سبسکرائب)|"
    r"(?:تازہ\s+ترین|مزید)\s+خبروں\s+کے\s+لی))",
    re.I,
)
# Offers between the paragraphs: newsletters, appeals for money, and boxes that ask before they load what others host.
_OFFER = re.compile(
    r"\b(?:delivered|sent|straight|directly?|right)\s+(?:in)?to\s+your\s+(?:inbox|email)|\bin\s+your\s+inbox\b|"
    r"\b(?:make|consider)\s+a\s+(?:small\s+|monthly\s+)?donation|\b(?:ежемесячное\s+)?пожертвование,?\s+чтобы\b|"
    r"\bcontains\s+content\s+provided\s+by\s|\bask\s+for\s+your\s+permission\s+before\s+anything\s+is\s+loaded|"
    r"\bprivacy\s+policy\s+before\s+accepting|\bна\s+(?:вашу|свою)\s+(?:электронную\s+)?почту\b|"
    r"\bна\s+e-?mail\b|\bان\s+باکس\s+میں\b|\b(?:اپنی|اپنے)\s+ای\s*میل\s+(?:پر|میں)\s+(?:حاصل|پائیں|وصول)",
    re.I,
)
# What stands below a picture: a sentence or two, and behind them who took it.
_CAPTION = re.compile(
    r"[.!?…۔»\"”)]\s+[(/]?(?:(?:file\s+)?photo|image|picture|фото|снимок|تصویر|فوٹو)(?:\s+(?:by|courtesy))?\s*[:：©]\s*"
    r"[^.!?۔]{2,60}$",
    re.I,
)
_MAX_NOTE = 420  # characters
_HASHTAGS = re.compile(r"^(?:#[\w]+[\s,;]*)+$")


def is_sentence(line: str) -> bool:
    """Whether `line` ends like a sentence and is as long as one; scripts without blanks are counted by letters."""
    if not _SENTENCE_END.search(line[-12:]):
        return False
    return _many_words(line[:200]) or (" " not in line and len(line) >= 18)


@lru_cache(maxsize=4_096)  # a line of a page is asked for a dozen times
def _many_words(beginning: str) -> bool:
    return len(words(beginning)) >= 6


_STAMP = re.compile(  # a day of a year, and at most a weekday, a clock and a label beside it
    r"^(?:[^\W\d]+\W+){0,3}?(?:\d{1,2}[./-]\d{1,2}[./-](?:19|20)?\d\d|(?:19|20)\d\d-\d\d-\d\d|\d{1,2}(?:st|nd|rd|"
    r"th)?\s+[^\W\d]{3,12}"
    r"\.?,?\s+(?:19|20)\d\d|[^\W\d]{3,12}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?:19|20)\d\d)(?!\d)(?:\W+\w+){0,6}\W*$",
    re.I,
)


def is_stamp(line: str) -> bool:
    """Whether `line` is a time of publication and no more."""
    return len(line) <= 80 and len(words(line)) <= 9 and bool(_STAMP.match(line) or PUBLISHED_IN.match(line))


_KICKER = 40  # characters


def _is_title(line: str, title: str) -> bool:
    """Whether `line` is the title, or a kicker and the title."""
    whole, key = letters(line), letters(title)
    return whole == key or (bool(key) and whole.endswith(key) and len(whole) - len(key) <= min(_KICKER, len(key)))


def below_head(lines: Sequence[str], *, title: str) -> int:
    """Where the text begins: below the title, a number and a bare date that stand over the first paragraph."""
    start = 0
    for n, line in enumerate(lines[:8]):
        if is_sentence(line) and len(line) >= 60:
            break
        if (title and _is_title(line, title)) or is_stamp(line):
            start = n + 1
    return start


def cut(lines: Sequence[str], *, title: str = "") -> list[str]:
    """The lines of the article among `lines`, from top to bottom."""
    lines = lines[below_head(lines, title=title) :]
    kept: list[str] = []
    total = sum(map(len, lines)) or 1
    seen: set[str] = set()
    passed = 0  # characters above this line
    below_label = False
    prose = [len(line) if is_sentence(line) else 0 for line in lines]
    ahead = sum(prose)
    for line, size in zip(lines, prose, strict=True):
        ahead -= size
        above, passed = passed, passed + len(line)
        short = len(line) <= MAX_LABEL_LINE
        if starts_foot(line):
            if above > 0.35 * total and ahead < 0.3 * sum(prose):
                break
            below_label = True  # a box in the middle of the article, or the page's head
            continue
        if below_label:
            if not is_sentence(line) and len(line) < 160:
                continue
            below_label = False
        if short and (pointer := _POINTER.match(line)):
            rest = line[pointer.end() :].strip(" :–—-|»›>")
            if not rest:
                below_label = True
                continue
            if line[pointer.end() :].lstrip()[:1] in (":", "–", "—", "-", "|", "»", "›", ">") or not is_sentence(line):
                continue
        if len(line) <= _MAX_NOTE and _NOTE.match(line) and (above > 0.5 * total or not ahead):
            continue
        if short and (_OFFER.search(line) or _CAPTION.search(line)):
            continue
        if short and (_FURNITURE.match(line) or PUBLISHED_IN.match(line) or _HASHTAGS.match(line)):
            continue
        if not kept and title and same_text(line, title):
            continue
        told = letters(line)
        if not told:
            continue  # a row of stars
        if len(told) > 40:
            if told in seen:
                continue  # a lede that is printed twice
            seen.add(told)
        kept.append(line)
    return kept


def starts_foot(line: str) -> bool:
    """Whether `line` opens what stands below an article."""
    return len(line) <= MAX_LABEL_LINE and bool(_END.match(line)) and not is_sentence(line)

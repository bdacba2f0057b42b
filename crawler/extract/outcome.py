"""What a page is when it is not an article: consent, login, bot wall, soft 404, script only, listing, teaser."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from crawler.extract.body import Body
from crawler.extract.boilerplate import is_sentence
from crawler.extract.declared import page_title
from crawler.extract.leaves import Leaf
from crawler.extract.metadata import Metadata
from crawler.extract.plain import clean_line

MIN_ARTICLE = 200  # characters of prose; shorter pages need the markup of an article
MIN_LISTED = 4  # headlines that make a listing of a page without an article
SHORT = 1_500  # characters; a longer text is an article, whatever else stands on the page

_BOT_WALL = re.compile(
    r"just a moment|checking (?:your|the) browser|attention required|cloudflare|ddos[- ]?guard|"
    r"access (?:to this page has been )?"
    r"denied|are you (?:a )?(?:human|robot)|verify(?:ing)? (?:that )?you are (?:a )?human|not a robot|unusual traffic|"
    r"request unsuccessful|incapsula|pardon our interruption|security check|captcha|enable cookies and reload|"
    r"проверка (?:вашего )?браузера|вы не робот|я не робот|доступ (?:ограничен|запрещ[её]н)|"
    r"подозрительн\w+ (?:трафик|активность)|"
    r"подтвердите,? что (?:запросы|вы)|робот نہیں|روبوٹ نہیں",
    re.I,
)
_CONSENT = re.compile(
    r"we value your privacy|before you continue|accept (?:all )?cookies|accept all|reject all|"
    r"manage (?:your )?(?:cookie|privacy|consent)|"
    r"cookie (?:consent|preferences|settings|policy)|we and our (?:\d+ )?(?:partners|vendors)|consent to|"
    r"your privacy choices|gdpr|"
    r"we use cookies|принять (?:все )?(?:cookie|куки)|использу\w+ (?:файлы )?(?:cookie|куки)|"
    r"согласие на обработку|настройки (?:cookie|конфиденциальности)|"
    r"کوکیز|آپ\s+کی\s+رازداری|رازداری\s+کی\s+(?:پالیسی|ترتیبات)|سب\s+قبول\s+کریں|"
    r"ملفات\s+تعريف\s+الارتباط|سياسة\s+الخصوصية|çerez(?:ler|lere)?\b|tümünü\s+kabul\s+et",
    re.I,
)
_LOGIN = re.compile(
    r"(?:log|sign) ?in (?:to|with|or)|please (?:log|sign) in|forgot (?:your )?password|lost your password|"
    r"create an account|"
    r"войти (?:в|через)|войдите|авторизац\w+|авторизуйтесь|забыли пароль|вход на сайт|личный кабинет|لاگ ?ان|پاس ورڈ",
    re.I,
)
_MISSING = re.compile(
    r"\b404\b|page (?:was |is )?(?:not|can(?:no|['’])t be) found|(?:page|article|story|content|"
    r"post) (?:you(?:['’]re| are)? (?:requested|looking for)|"
    r"(?:has been|was) (?:removed|deleted)|is no longer available|does(?: not|n['’]t) exist)|"
    r"nothing (?:was )?found|no longer exists|"
    r"страница (?:не найдена|удалена|не существует)|(?:материал|новость|статья) (?:не найден|удал)\w*|ошибка 404|"
    r"такой страницы|"
    r"sayfa bulunamad|sahifa topilmadi|бет табылмады|الصفحة غير موجودة|صفحه (?:مورد نظر )?(?:یافت|پیدا) نشد|页面不存在|"
    r"صفحہ (?:نہیں ملا|موجود نہیں|دستیاب نہیں)|مطلوبہ صفحہ",
    re.I,
)
_SCRIPT = re.compile(
    r"(?:enable|requires?|turn on|activate) javascript|javascript (?:is )?(?:disabled|required|must be enabled)|"
    r"(?:work|run)s? (?:properly )?without javascript|"
    r"включ\w+ (?:поддержку )?javascript|(?:для работы|необходим\w*).{0,40}javascript|جاوا ?اسکرپٹ",
    re.I,
)
_PAYWALL = re.compile(
    r"subscribe (?:now )?to (?:continue|read|unlock|access)|to (?:continue reading|read the full)|(?:for|"
    r"to) subscribers(?: only)?|"
    r"subscriber[- ](?:only|exclusive)|premium (?:content|article)|unlock this (?:article|story)|already a subscriber|"
    r"(?:this|the) (?:article|content|story) is (?:for|available|reserved|exclusive)|start your (?:free )?trial|"
    r"(?:материал|статья|текст) доступ\w+ (?:только )?(?:по подписке|подписчикам)|только для подписчиков|"
    r"оформите подписку|"
    r"чтобы (?:дочитать|прочитать|читать)|полный текст доступен|подписчикам|мکمل خبر پڑھنے|مکمل (?:خبر|"
    r"مضمون) پڑھنے کے لیے",
    re.I,
)
_LISTING_PATH = re.compile(
    r"^/?(?:(?:[a-z]{2}/)?(?:category|categories|tag|tags|topic|topics|section|sections|author|authors|search|"
    r"rubric|rubrics|tema|themes?)(?:/|$))|^/?$|/latest/?$|"
    r"/archives?(?:/20\d\d(?:/\d\d?){0,2})?/?$|^/(?:index|default|home)\.\w+$|/page/\d+/?$",
    re.I,
)
_DENSE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")  # letters that say as much as three of others
_ITEM_QUERY = re.compile(r"(?:^|&)(?:p|n|id|(?:news|article|story|post|item|node)_?(?:id)?)=\d", re.I)
CHANNEL_HOSTS = ("t.me", "telegram.me")  # /s/NAME is the newest messages of a public channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    outcome: str
    problem: str = ""


def judge(tree: HtmlElement, leaves: Sequence[Leaf], *, body: Body, meta: Metadata, url: str, size: int) -> Verdict:
    """`size` is the length of the page in characters."""
    prose = sum(len(line) + 2 * len(_DENSE.findall(line)) for line in body.lines if is_sentence(line))
    if body.method == "selector" and body.text:
        return Verdict(outcome="article")
    heading = " ".join([page_title(tree), *(clean_line(h.text_content()) for h in tree.iter("h1"))])[:500]
    if prose < SHORT:
        visible = " ".join(leaf.text for leaf in leaves)[:20_000]
        short_page = len(visible) < 3_000
        if prose < 2 * MIN_ARTICLE and (
            _BOT_WALL.search(heading) or (short_page and _BOT_WALL.search(visible[:3_000]))
        ):
            return Verdict(outcome="bot_wall")
        if _MISSING.search(heading) and prose < SHORT and not meta.json_body:
            return Verdict(outcome="soft_404")
        if short_page and prose < 2 * MIN_ARTICLE and _MISSING.search(visible) and not meta.news:
            return Verdict(outcome="soft_404")
        brief = prose < 3 * MIN_ARTICLE
        if (brief or not meta.news) and _is_consent(tree, heading, visible, brief=brief):
            return Verdict(outcome="consent")
        if prose < 2 * MIN_ARTICLE and _is_login(tree, heading, visible):
            return Verdict(outcome="login")
        everything = clean_line(tree.text_content()) if short_page else visible
        if prose < MIN_ARTICLE and short_page and (_SCRIPT.search(everything) or (size > 2_000 and len(visible) < 300)):
            return Verdict(outcome="script_only")
        if not meta.free or _PAYWALL.search(visible):
            if prose >= 60:
                return Verdict(outcome="teaser", problem="paywall: only the beginning is shown")
            return Verdict(outcome="login", problem="paywall")
    parts = urlsplit(url)
    path = parts.path
    if parts.hostname in CHANNEL_HOSTS and path.startswith("/s/"):
        return Verdict(outcome="listing", problem="listing: the preview of a channel")
    if _LISTING_PATH.search(path) and not _ITEM_QUERY.search(parts.query) and not (meta.news and body.verdict >= 0.6):
        return Verdict(outcome="listing", problem="listing: the address is one of a section")
    if prose >= MIN_ARTICLE and body.verdict >= 0.3:
        return Verdict(outcome="article")
    if meta.news and prose >= 80 and body.verdict >= 0.15:
        return Verdict(outcome="article")
    if _link_share(leaves) > 0.6:
        return Verdict(outcome="listing", problem="listing: most of the text is links")
    if prose >= MIN_ARTICLE and body.verdict >= 0.15:
        return Verdict(outcome="article", problem="doubtful: little of the title in the text")
    if sum(leaf.tag in ("h2", "h3") and leaf.linked > 0.85 for leaf in leaves) >= MIN_LISTED:
        return Verdict(outcome="listing", problem="listing: headlines that are links, and no article")
    if len(body.text) >= 60:
        return Verdict(outcome="teaser", problem="short: no more than a few words of prose")
    return Verdict(outcome="unreadable", problem="empty: no text found")


def _is_consent(tree: HtmlElement, heading: str, visible: str, *, brief: bool) -> bool:
    """Told by the heading or the text of a brief page; by both of one as long as an article on privacy may be."""
    named = bool(_CONSENT.search(heading))
    if brief and named:
        return True
    hits = {m.group().lower() for m in _CONSENT.finditer(visible[:6_000])}
    return (brief or named) and len(hits) >= 2 and len(visible) < 6_000 and sum(1 for _ in tree.iter("a")) < 40


def _is_login(tree: HtmlElement, heading: str, visible: str) -> bool:
    password = any((i.get("type") or "").lower() == "password" for i in tree.iter("input"))
    return bool(_LOGIN.search(heading)) or (password and len(visible) < 2_500 and bool(_LOGIN.search(visible)))


def _link_share(leaves: Sequence[Leaf]) -> float:
    total = sum(len(leaf.text) for leaf in leaves)
    return sum(len(leaf.text) * leaf.linked for leaf in leaves) / total if total else 0.0

"""The articles' HTML: one template a kind of site, filled with what every newspaper puts around its text."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from crawler.demo.newsroom.content import MONTHS, WEEKDAYS
from crawler.demo.newsroom.feeds import Item
from crawler.demo.newsroom.sites import Site

FOLDER = Path(__file__).parent / "pages"
_URDU_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

INVENTED = {
    "en": "Invented for the demonstration: this paper does not exist and these events did not happen.",
    "ru": "Придумано для демонстрации: такого издания нет, и этих событий не было.",
    "ur": "نمونے کے لیے گھڑا گیا: نہ یہ اخبار موجود ہے نہ یہ واقعات پیش آئے۔",
}
_MENUS = {
    "en": ("Home", "Latest", "Pakistan", "World", "Business", "Sport", "Opinion", "Magazine", "E-paper"),
    "ru": ("Главная", "Новости", "Политика", "Экономика", "Общество", "Происшествия", "Спорт", "Культура", "Архив"),
    "ur": ("صفحۂ اول", "پاکستان", "دنیا", "کاروبار", "کھیل", "شوبز", "صحت", "کالم", "ویڈیو"),
}
_LABELS = {
    "en": ("Recent articles", "Related", "Read next"),
    "ru": ("Последние новости", "По теме", "Читайте также"),
    "ur": ("تازہ ترین", "متعلقہ خبریں", "مزید پڑھیے"),
}


def _urdu(at: datetime) -> str:
    return f"{WEEKDAYS['ur'][at.weekday()]} {at.day} {MONTHS['ur'][at.month - 1]} {at.year}"


DATE_FORMS: dict[str, Callable[[datetime], str]] = {
    "courier": lambda at: f"Published {at.day} {MONTHS['en'][at.month - 1][:3]}, {at.year} {at:%I:%M}{at:%p}".replace(
        "AM", "am").replace("PM", "pm"),
    "pkt": lambda at: f"{MONTHS['en'][at.month - 1]} {at.day}, {at.year} {at:%H:%M} PKT",
    "ist": lambda at: f"{MONTHS['en'][at.month - 1]} {at.day}, {at.year} {at:%H:%M} IST",
    "long": lambda at: f"{at.day} {MONTHS['en'][at.month - 1]} {at.year}, {at:%H:%M}",
    "numeric": lambda at: f"{at:%d-%m-%Y %H:%M}",
    "msk": lambda at: f"{at:%d.%m.%Y %H:%M} МСК",
    "russian": lambda at: f"{at.day} {MONTHS['ru'][at.month - 1]} {at.year}, {at:%H:%M}",
    "russian-day": lambda at: f"{at.day} {MONTHS['ru'][at.month - 1]} {at.year} г.",
    "urdu": _urdu,
    "urdu-digits": lambda at: _urdu(at).translate(_URDU_DIGITS),
}  # fmt: skip
"""How a site writes the day of publication above an article, from the local time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What stands around an article: lines of other articles, and one that is shown in full underneath."""

    recent: Sequence[Item] = ()
    related: Sequence[Item] = ()
    below: Item | None = None


def article(site: Site, item: Item, around: Surroundings) -> str:
    """The page of an article."""
    return _template(site.page).substitute(_common(site), **_fields(site, item, around))


def amp(site: Site, item: Item) -> str:
    """The bare page that an AMP link points to."""
    return _template("amp").substitute(_common(site), **_fields(site, item, Surroundings()))


def listing(site: Site, items: Sequence[Item]) -> str:
    """The page of a site without a feed, on which its articles are listed with their dates."""
    lines = []
    for item in items:
        when = DATE_FORMS[site.date_form](item.published) if item.published else ""
        lines.append(f'<div class="news-list__item"><span class="news-list__date">{when}</span> '
                     f'<a class="news-list__title" href="{_path(item)}">{escape(item.title)}</a>'
                     f'<p class="news-list__lead">{escape(item.summary)}</p></div>')  # fmt: skip
    return _template("listing").substitute(_common(site), list="\n".join(lines))


def home(site: Site, items: Sequence[Item], media_type: str) -> str:
    """The front page: links to everything, and to the feed where there is one."""
    feed = f'<link rel="alternate" type="{media_type}" href="{escape(site.feed)}">' if site.kind == "feed" else ""
    return _template("home").substitute(_common(site), feed=feed, list=_links(items))


def missing(site: Site) -> str:
    return _template("missing").substitute(_common(site))


def _common(site: Site) -> dict[str, str]:
    menu = "".join(f'<li><a href="/{n}/">{escape(word)}</a></li>' for n, word in enumerate(_MENUS[site.language]))
    recent, related, further = _LABELS[site.language]
    return {
        "site": escape(site.name), "host": site.host, "lang": site.language, "charset": site.charset,
        "dir": "rtl" if site.language == "ur" else "ltr", "menu": menu, "invented": INVENTED[site.language],
        "recent_label": recent, "related_label": related, "next_label": further,
    }  # fmt: skip


def _fields(site: Site, item: Item, around: Surroundings) -> dict[str, str]:
    at = item.published
    below = around.below
    return {
        "title": escape(item.title), "summary": escape(item.summary), "url": escape(item.url), "path": _path(item),
        "author": escape(item.author or site.name), "body": "\n".join(f"<p>{escape(p)}</p>" for p in item.body),
        "date": DATE_FORMS[site.date_form](at) if at else "", "iso": at.isoformat() if at else "",
        "naive": f"{at:%Y-%m-%dT%H:%M}" if at else "", "day": f"{at:%Y-%m-%d}" if at else "",
        "json_ld": _json_ld(site, item), "recent": _links(around.recent), "related": _links(around.related),
        "below": "" if below is None else f"<h2>{escape(below.title)}</h2>\n"
                 + "\n".join(f"<p>{escape(p)}</p>" for p in below.body),
    }  # fmt: skip


def _json_ld(site: Site, item: Item) -> str:
    data: dict[str, object] = {
        "@context": "https://schema.org", "@type": "NewsArticle",
        "headline": item.title, "description": item.summary, "mainEntityOfPage": item.url, "inLanguage": site.language,
        "publisher": {"@type": "Organization", "name": site.name},
        "author": {"@type": "Person" if item.author else "Organization", "name": item.author or site.name},
    }  # fmt: skip
    if item.published:
        data["datePublished"] = item.published.isoformat()
        data["dateModified"] = (item.updated or item.published).isoformat()
    return json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")


def _links(items: Sequence[Item]) -> str:
    return "\n".join(f'<li><a href="{_path(i)}">{escape(i.title)}</a></li>' for i in items)


def _path(item: Item) -> str:
    return escape("/" + item.url.split("/", 3)[3])


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / f"{name}.html").read_text(encoding="utf-8"))

"""The invented papers and agencies, each a declaration: where it lives, what its feed and its pages look like.

None of these names exists; ``.example`` and ``.test`` never resolve (RFC 2606).
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

ISLAMABAD_TIME = ZoneInfo("Asia/Karachi")
MOSCOW_TIME = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A host with one source.

    `dialect` names a writer in feeds.py, `page` a template in pages/, `date_form` a form in pages.py. `article` is the
    path of an article: ``{slug}``, ``{number}``, ``{words}`` (its title, percent-encoded), ``{y} {m} {d}`` (local day).
    `charset`: the bytes' encoding; `declares`: where it is said (both, body, header). `robots`: the text of robots.txt,
    None for a 404. `old_feed`: a path that moved permanently to `feed`, and the one that feeds.yaml still names.
    `throttles`: so many requests for the feed answer 429 first. `down`: nothing listens there.
    """

    host: str
    name: str
    country: str
    language: str
    dialect: str
    feed: str
    article: str
    page: str
    date_form: str
    kind: str = "feed"
    zone: ZoneInfo = ISLAMABAD_TIME
    charset: str = "utf-8"
    declares: str = "both"
    etag: bool = True
    modified: bool = True
    compress: bool = False
    robots: str | None = "User-agent: *\nDisallow: /admin/\n"
    old_feed: str = ""
    throttles: int = 0
    down: bool = False
    role: str = "source"
    selector: str = ""

    @property
    def id(self) -> str:
        """The source's id in feeds.yaml, and what `site` in a front matter names: the host's first label."""
        return self.host.split(".")[0]

    @property
    def source_url(self) -> str:
        """The URL in feeds.yaml."""
        return f"http://{self.host}{self.old_feed or self.feed}"


SITES = (
    Site(
        host="indus-courier.example", name="The Indus Courier", country="PK", language="en",
        dialect="rss", feed="/feed/", article="/{y}/{m}/{d}/{slug}/", page="wordpress", date_form="courier",
    ),
    Site(
        host="margalla-post.example", name="Margalla Post", country="PK", language="en",
        dialect="rss-full", feed="/rss/news.xml", article="/story/{number}/{slug}", page="tabloid", date_form="pkt",
        compress=True,
    ),
    Site(
        host="karachi-ledger.example", name="Karachi Ledger", country="PK", language="en",
        dialect="atom", feed="/atom.xml", article="/business/{slug}-{number}", page="drupal", date_form="long",
    ),
    Site(
        host="national-wire.example", name="National Wire of Pakistan", country="PK", language="en",
        dialect="news-sitemap", feed="/sitemap-news.xml", article="/{slug}_{number}.html", page="agency",
        date_form="numeric", kind="sitemap", modified=False,
    ),
    Site(
        host="khyber-monitor.example", name="Khyber Monitor", country="PK", language="en",
        dialect="rss-pkt", feed="/rss/latest.xml", old_feed="/feed", article="/{y}/{m}/{slug}.html", page="wordpress",
        date_form="pkt", etag=False,
    ),
    Site(
        host="chenab-mirror.example", name="Chenab Mirror", country="PK", language="en",
        dialect="rss", feed="/rss.xml", article="/story/{slug}", page="tabloid", date_form="long",
        robots="User-agent: *\nDisallow: /story/\nAllow: /rss.xml\n",
    ),
    Site(
        host="gwadar-bulletin.example", name="Gwadar Bulletin", country="PK", language="en",
        dialect="rss", feed="/rss", article="/{slug}", page="drupal", date_form="long", down=True,
    ),
    Site(
        host="awaz-e-lahore.example", name="آوازِ لاہور", country="PK", language="ur",
        dialect="rss", feed="/urdu/feed", article="/urdu/{number}/{slug}", page="nastaliq", date_form="urdu",
        compress=True,
    ),
    Site(
        host="subh-e-karachi.example", name="صبحِ کراچی", country="PK", language="ur",
        dialect="rss-short-year", feed="/rss/urdu.xml", article="/{y}/{words}-{number}/", page="akhbar",
        date_form="urdu-digits", etag=False,
    ),
    Site(
        host="volga-telegraph.example", name="Волжский телеграф", country="RU", language="ru",
        dialect="rss", feed="/export/rss.xml", article="/news/{number}/", page="bitrix", date_form="msk",
        zone=MOSCOW_TIME, charset="windows-1251",
    ),
    Site(
        host="neva-vestnik.example", name="Невский вестник", country="RU", language="ru",
        dialect="rss-msk", feed="/rss", article="/{y}/{m}/{d}/{number}.shtml", page="bitrix", date_form="russian",
        zone=MOSCOW_TIME, charset="windows-1251", declares="header",
    ),
    Site(
        host="sibir-segodnya.test", name="Сибирь сегодня", country="RU", language="ru",
        dialect="rdf", feed="/rdf.xml", article="/article/{slug}", page="portal", date_form="russian-day",
        zone=MOSCOW_TIME, etag=False, modified=False,
    ),
    Site(
        host="ural-delo.example", name="Уральское дело", country="RU", language="ru",
        dialect="listing", feed="/novosti/", article="/novosti/{slug}-{number}.html", page="portal",
        date_form="russian", kind="listing", selector="div.news-list a.news-list__title",
        zone=ZoneInfo("Asia/Yekaterinburg"), robots=None,
    ),
    Site(
        host="moscow-meridian.example", name="Moscow Meridian", country="RU", language="en",
        dialect="json", feed="/feed.json", article="/en/{y}/{m}/{d}/{slug}", page="meridian", date_form="long",
        zone=MOSCOW_TIME, compress=True,
    ),
    Site(
        host="baltika-info.example", name="Балтика-инфо", country="RU", language="ru",
        dialect="sitemap-index", feed="/sitemap.xml", article="/novosti/{slug}", page="portal", date_form="msk",
        kind="sitemap", zone=MOSCOW_TIME,
        robots="User-agent: *\nDisallow: /search\nSitemap: http://baltika-info.example/sitemap.xml\n",
    ),
    Site(
        host="don-gazette.test", name="Донская газета", country="RU", language="ru",
        dialect="rss-no-zone", feed="/rss/all.xml", article="/news/{slug}", page="bitrix", date_form="msk",
        zone=MOSCOW_TIME, throttles=1,
    ),
    Site(
        host="caspian-review.example", name="Caspian Review", country="KZ", language="en",
        dialect="atom", feed="/feeds/atom", article="/{slug}", page="drupal", date_form="long",
        zone=ZoneInfo("Asia/Almaty"),
    ),
    Site(
        host="deccan-herald-tribune.example", name="Deccan Herald Tribune", country="IN", language="en",
        dialect="rss", feed="/feeds/world.rss", article="/world/{slug}-{number}", page="tabloid", date_form="ist",
        zone=ZoneInfo("Asia/Kolkata"),
    ),
    Site(
        host="news-search.example", name="News Search: Pakistan Russia", country="none", language="en",
        dialect="witness", feed="/rss/search?q=pakistan+russia&hl=en", article="/rss/articles/{number}?oc=5",
        page="", date_form="long", role="witness", robots=None,
    ),
)  # fmt: skip

BY_ID = {site.id: site for site in SITES}

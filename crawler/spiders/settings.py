"""How little of Scrapy is on. Each line that is not obvious says why."""

from typing import Any

SETTINGS: dict[str, Any] = {
    # The daemon is one asyncio loop with APScheduler in it, and reactorless is faster (docs/decisions/0003-engine.md).
    "TWISTED_REACTOR_ENABLED": False,
    "DOWNLOAD_HANDLERS": {
        "http": "crawler.spiders.wire.Handler",
        "https": "crawler.spiders.wire.Handler",
        "data": None,
        "file": None,  # Scrapy's default reads local files for whoever writes file: into a feed
        "ftp": None,
        "s3": None,
    },
    "CONCURRENT_ITEMS": 1,  # 100, the default, starts a hundred tasks a response
    # Redirects, robots.txt, compression, cookies, retries: the fetcher's own, or none.
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "SPIDER_MIDDLEWARES_BASE": {},
    "EXTENSIONS_BASE": {},
    "REMOTE_CONTROL_ENABLED": False,  # would run code that is sent to a local port
    "TELNETCONSOLE_ENABLED": False,
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "COOKIES_ENABLED": False,
    "REFERER_ENABLED": False,
    "RETRY_ENABLED": False,
    "REDIRECT_ENABLED": False,
    "DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter",  # the other one remembers every URL for ever
    # The fetcher keeps the pace, by the moment of sending and over restarts; Scrapy's slots stay out of its way.
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_DELAY_JITTER": 0,
    "CONCURRENT_REQUESTS": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 256,
    "STATS_CLASS": "scrapy.statscollectors.DummyStatsCollector",
    "LOG_ENABLED": False,
    "LOG_VERSIONS": [],
}

"""TASS on Pakistan, in Russian or English: each item under its section and a running number."""

from crawler.spiders.sites import Site

SITE = Site(
    item="a[href]",
    title="[class*=title], h2, h3, span",
    time="time",
    address=r"^https?://tass\.(?:ru|com)/[a-z-]+/\d{6,}",
)

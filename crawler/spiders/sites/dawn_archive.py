"""Dawn's list of a day: everything the paper put out, also what its feeds never carried. Read for today and yesterday,
because a day's list grows until it is over."""

from crawler.spiders.sites import Site

SITE = Site(
    item="article",
    link="a.story__link",
    title=".story__title",
    summary=".story__excerpt",
    time=".timestamp--time, time",
    address=r"^https?://(?:www\.)?dawn\.com/news/\d+",
    archive="https://www.dawn.com/archive/%Y-%m-%d",
    days=1,
    language="en",
)
